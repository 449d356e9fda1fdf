"""What a container runs: refuses what cannot be, then becomes gunicorn."""

import os
import sys
from collections.abc import Mapping

REFUSED = 3  # as when the service itself finds that it cannot start
GUNICORN = ["gunicorn", "--config", "gunicorn_conf.py", "store.asgi:application"]


def main() -> None:
    if problem := refusal(os.environ):
        print(problem, file=sys.stderr)
        sys.exit(REFUSED)
    os.execvp(GUNICORN[0], GUNICORN)  # noqa: S606


def refusal(environment: Mapping[str, str]) -> str | None:
    """Why this cannot be served; nothing if it can. What the app reads itself, it checks itself."""
    port, workers = environment.get("PORT", ""), environment.get("WEB_CONCURRENCY", "") or "1"
    if not _is_whole(port) or not 0 < int(port) < 65536:
        return f"PORT is {port!r}; a port is a number from 1 to 65535."
    if not _is_whole(workers) or int(workers) == 0:
        return f"WEB_CONCURRENCY is {workers!r}; it is a number of processes, 1 or more."
    if int(workers) > 1 and not _is_on_cassandra(environment):
        return (
            f"WEB_CONCURRENCY is {workers}, but {environment['APP']} keeps its data in the memory"
            " of exactly one process; a second one would be another shop. Leave it at 1."
        )
    return None


def _is_on_cassandra(environment: Mapping[str, str]) -> bool:
    hosts, store = environment.get("CASSANDRA_HOST", ""), environment.get("STORE", "")
    is_everything = store.strip().lower() == "cassandra"
    return bool(hosts.strip()) and (environment["APP"] == "catalog" or is_everything)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit()


if __name__ == "__main__":
    main()
