"""deploy/.env: the keys and choices of a shop in containers, made once and private."""

from collections.abc import Mapping
from pathlib import Path

from deploy.containers.several import OWN_CASSANDRA, instances
from deploy.local.layout import CannotStart
from deploy.local.secret import new_key, write_private

PROFILES = ("demo", "observability")
OWN = ("", OWN_CASSANDRA)  # never chosen by name: CASSANDRA_HOST decides
DEFAULTS = {
    "GATEWAY_PORT": "80",
    "CASSANDRA_HOST": OWN_CASSANDRA,
    "STORE": "memory",
    "INSTANCES": "1",
    "DEMO": "0",
    "GRAFANA_ADDRESS": "",
}
KEPT = ("SECRET_KEY", "GRAFANA_ADMIN_PASSWORD", *DEFAULTS, "COMPOSE_PROFILES")
NOTE = """\
# Made by `make up`; private. Every variable of compose.yaml can be set here (docs/deploy.md).
"""


def settings(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What the file says, under what the environment says; the file is made where missing.

    PROFILES, of "demo" and "observability", sets DEMO, GRAFANA_ADDRESS and COMPOSE_PROFILES.
    Raises CannotStart.
    """
    words = _profiles(environment)
    kept = read(path) if path.exists() else _new()
    chosen = kept | dict(environment) | (_meant_by(words) if words else {})
    instances(chosen)
    own = [OWN_CASSANDRA] if chosen["CASSANDRA_HOST"] == OWN_CASSANDRA else []
    others = words or chosen.get("COMPOSE_PROFILES", "").split(",")
    chosen["COMPOSE_PROFILES"] = ",".join(own + [each for each in others if each not in OWN])
    if not path.exists():
        write_private(path, NOTE + "".join(f"{name}={chosen[name]}\n" for name in KEPT))
        print(f"Made {path}: the keys of this shop. It is private, and worth a backup.")
    path.chmod(0o600)
    return chosen


def read(path: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in path.read_text().splitlines())
    return DEFAULTS | {name: value for name, equals, value in lines if equals}


def _new() -> dict[str, str]:
    return {"SECRET_KEY": new_key(), "GRAFANA_ADMIN_PASSWORD": new_key()} | DEFAULTS


def _profiles(environment: Mapping[str, str]) -> list[str]:
    words = environment.get("PROFILES", "").replace(",", " ").split()
    for word in words:
        if word not in PROFILES:
            raise CannotStart(f"PROFILES knows {' and '.join(PROFILES)}, not {word!r}.")
    return words


def _meant_by(words: list[str]) -> dict[str, str]:
    return {
        "DEMO": "1" if "demo" in words else "0",
        "GRAFANA_ADDRESS": "grafana:3000" if "observability" in words else "",
    }
