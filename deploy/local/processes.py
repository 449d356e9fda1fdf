"""The shop's processes as supervisord is told of them: commands, logs, how to end them."""

import configparser
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.layout import PROJECT, Layout, service_of

SECONDS_TO_STOP = 25
# nginx keeps idle connections for 30 s; a service that closed them first would lose requests.
UVICORN = shlex.split(
    "store.asgi:application --host 127.0.0.1 --loop store.loop:Loop --http httptools --ws none"
    " --lifespan on --no-access-log --log-level warning --no-use-colors --no-proxy-headers"
    " --no-server-header --timeout-keep-alive 75 --timeout-graceful-shutdown 20"
)


def configuration(
    layout: Layout, *, gateway: Sequence[str], control: Path
) -> configparser.RawConfigParser:
    """supervisord.conf; the environment, with the key in it, is inherited and not written down."""
    conf = configparser.RawConfigParser()
    conf["supervisord"] = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": _literal(layout.logs / "supervisord.log"),
        "logfile_maxbytes": "0",  # not rotated: what it says outside of its log goes there too
        "loglevel": "info",
        "pidfile": _literal(layout.run / "supervisord.pid"),
    }
    if os.getuid() == 0:
        conf["supervisord"]["user"] = "root"  # said aloud, or supervisord warns of it
    conf["unix_http_server"] = {"file": _literal(control), "chmod": "0700"}
    factory = "supervisor.rpcinterface:make_main_rpcinterface"
    conf["rpcinterface:supervisor"] = {"supervisor.rpcinterface_factory": factory}
    conf["supervisorctl"] = {"serverurl": f"unix://{_literal(control)}"}
    # As a group they are told to stop at the same time, not one after the other.
    conf["group:shop"] = {"programs": ",".join(layout.processes)}
    for name, port in layout.processes.items():
        command = gateway if name == "gateway" else _service_command(port)
        conf[f"program:{name}"] = _program(layout, name, command)
        if name != "gateway":
            settings = f'DJANGO_SETTINGS_MODULE="store.settings.{service_of(name)}"'
            conf[f"program:{name}"]["environment"] = settings
    return conf


def _service_command(port: int) -> list[str]:
    return [sys.executable, "-m", "uvicorn", *UVICORN, "--port", str(port)]


def _program(layout: Layout, name: str, command: Sequence[str]) -> dict[str, str]:
    return {
        "command": _literal(shlex.join(command)),
        "directory": _literal(PROJECT),
        "autorestart": "true",
        "startsecs": "3",
        "startretries": "1000",
        "stopwaitsecs": str(SECONDS_TO_STOP),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _literal(layout.logs / f"{name}.log"),
        "stdout_logfile_maxbytes": "5MB",
        "stdout_logfile_backups": "2",
    }


def _literal(text: str | Path) -> str:
    """supervisord expands what follows a per cent sign."""
    return str(text).replace("%", "%%")
