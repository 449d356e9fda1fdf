"""How gunicorn runs a service: as `make run` runs uvicorn.

gunicorn itself takes the port from PORT and the number of processes from WEB_CONCURRENCY.
"""

from uvicorn_worker import UvicornWorker

# Whoever stops a container waits 25 s: a request may take 20 s of them to end.
SECONDS_TO_END_REQUESTS = 20


class Worker(UvicornWorker):
    """uvicorn, set up as `make run` sets it up."""

    CONFIG_KWARGS = {
        "loop": "store.loop:Loop",
        "http": "httptools",
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": SECONDS_TO_END_REQUESTS,
    }


worker_class = Worker
keepalive = 75  # seconds; the gateway keeps idle connections for 30 s
timeout = 60  # seconds in which a process shows no sign of life, before it is replaced
graceful_timeout = SECONDS_TO_END_REQUESTS + 4
worker_tmp_dir = "/dev/shm"  # noqa: S108  # signs of life; writable, and never a disk
control_socket_disable = True
loglevel = "warning"
