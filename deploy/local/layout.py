"""Where a local shop lives: its ports, its folders, and what its processes get as environment."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PORTS = {"catalog": 8000, "carts": 8001, "orders": 8002, "accounts": 8003, "gateway": 8080}
ADDRESS_SETTINGS = {
    "catalog": "BACKEND_URL",
    "carts": "CART_SERVICE_URL",
    "orders": "ORDER_SERVICE_URL",
    "accounts": "USER_SERVICE_URL",
}
SERVICES = tuple(ADDRESS_SETTINGS)
PREFIXES = {
    "catalog": "/api",
    "carts": "/cart-api",
    "orders": "/order-api",
    "accounts": "/user-api",
}


class CannotStart(Exception):
    """Its text says to a person what is in the way."""


@dataclass(frozen=True, slots=True)
class Layout:
    """``ports`` by service, and of the gateway; ``run`` is the shop's own folder."""

    ports: Mapping[str, int]
    run: Path

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def gateway(self) -> Path:
        return self.run / "gateway"

    @property
    def data(self) -> Path:
        """What outlives the shop's processes: the services' journals."""
        return self.run / "data"

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def forget_data(self) -> None:
        """The next start is the first one."""
        shutil.rmtree(self.data, ignore_errors=True)

    def make_folders(self) -> None:
        """Private ones: the key is in there."""
        for folder in (self.run, self.logs, self.gateway, self.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def layout_from(environment: Mapping[str, str]) -> Layout:
    """CATALOG_PORT ... GATEWAY_PORT and RUN_DIR place a second shop beside a running one."""
    ports = {
        name: port_from(environment, f"{name.upper()}_PORT", default)
        for name, default in PORTS.items()
    }
    run = Path(environment.get("RUN_DIR") or PROJECT / ".run")
    return Layout(ports=ports, run=run.resolve())


def service_environment(layout: Layout, *, secret_key: str) -> dict[str, str]:
    """What this process was given, and what makes the four one shop."""
    addresses = {ADDRESS_SETTINGS[name]: layout.url(name) for name in SERVICES}
    defaults = {"DEMO": "1", "SECRET_KEY": secret_key, "PYTHONUNBUFFERED": "1"}
    defaults |= {"LOG_FORMAT": "text", "DATA_DIR": str(layout.data)}
    return defaults | dict(os.environ) | addresses


def is_demo(environment: Mapping[str, str]) -> bool:
    """As the services read it."""
    return environment.get("DEMO", "").strip().lower() in {"1", "true", "yes", "on"}


def port_from(environment: Mapping[str, str], setting: str, default: int) -> int:
    """Raises CannotStart."""
    text = environment.get(setting) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"{setting} is {text!r}; a port is a number from 1 to 65535.")
    return int(text)
