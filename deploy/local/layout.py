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
LAST_PORT = 65535
INSTANCES_AT_MOST = 16
# From a port to that of the service's next instance; the gateway's is never among them.
APART = 100


class CannotStart(Exception):
    """Its text says to a person what is in the way."""


@dataclass(frozen=True, slots=True)
class Layout:
    """``ports`` of each service's first instance, and of the gateway; ``run`` is the shop's own
    folder.
    """

    ports: Mapping[str, int]
    run: Path
    instances: int = 1  # of each service

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

    @property
    def processes(self) -> dict[str, int]:
        """The port of each by its name: of "carts", or of "carts-1", "carts-2" ..."""
        if self.instances == 1:
            return dict(self.ports)
        services = {
            f"{name}-{number}": port
            for name in SERVICES
            for number, port in enumerate(self.ports_of(name), start=1)
        }
        return services | {"gateway": self.ports["gateway"]}

    def ports_of(self, service: str) -> list[int]:
        """One for each instance."""
        return spread(self.ports[service], self.instances)

    def url(self, name: str) -> str:
        """Of the gateway, or of a service's first instance."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def urls(self, service: str) -> str:
        """Of all its instances, comma separated."""
        return ",".join(f"http://127.0.0.1:{port}" for port in self.ports_of(service))

    def forget_data(self) -> None:
        """The next start is the first one."""
        shutil.rmtree(self.data, ignore_errors=True)

    def make_folders(self) -> None:
        """Private ones: the key is in there."""
        for folder in (self.run, self.logs, self.gateway, self.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def layout_from(environment: Mapping[str, str]) -> Layout:
    """CATALOG_PORT ... GATEWAY_PORT and RUN_DIR place a second shop beside a running one;
    INSTANCES is how many there are of each service. Raises CannotStart.
    """
    ports = {
        name: port_from(environment, f"{name.upper()}_PORT", default)
        for name, default in PORTS.items()
    }
    instances = _instances(environment)
    for name in SERVICES:
        if ports[name] + APART * (instances - 1) > LAST_PORT:
            raise CannotStart(
                f"{name.upper()}_PORT is {ports[name]}, which leaves no ports for {instances}"
                f" instances: each next one has the port {APART} higher."
            )
    run = Path(environment.get("RUN_DIR") or PROJECT / ".run")
    return Layout(ports=ports, run=run.resolve(), instances=instances)


def service_of(process: str) -> str:
    """ "carts" of "carts-2"."""
    return process.partition("-")[0]


def spread(port: int, instances: int) -> list[int]:
    """The ports of a service's instances, of which the first one has this port."""
    return [port + APART * number for number in range(instances)]


def service_environment(layout: Layout, *, secret_key: str) -> dict[str, str]:
    """What this process was given, and what makes the four one shop."""
    addresses = {ADDRESS_SETTINGS[name]: layout.urls(name) for name in SERVICES}
    defaults = {"DEMO": "1", "SECRET_KEY": secret_key, "PYTHONUNBUFFERED": "1"}
    defaults |= {"LOG_FORMAT": "text", "DATA_DIR": str(layout.data)}
    return defaults | dict(os.environ) | addresses


def is_demo(environment: Mapping[str, str]) -> bool:
    """As the services read it."""
    return environment.get("DEMO", "").strip().lower() in {"1", "true", "yes", "on"}


def services_on_cassandra(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Those that wait for it when it is away."""
    if not environment.get("CASSANDRA_HOST", "").strip():
        return ()
    return SERVICES if _store(environment) == "cassandra" else ("catalog",)


def check_store(environment: Mapping[str, str], instances: int) -> None:
    """Raises CannotStart for several instances that would not know of each other's state."""
    if instances > 1 and services_on_cassandra(environment) != SERVICES:
        raise CannotStart(
            f"INSTANCES={instances} needs STORE=cassandra and CASSANDRA_HOST: a service that keeps"
            " its state in memory is one process."
        )


def _store(environment: Mapping[str, str]) -> str:
    return environment.get("STORE", "").strip().lower()


def _instances(environment: Mapping[str, str]) -> int:
    text = environment.get("INSTANCES") or "1"
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= INSTANCES_AT_MOST:
        raise CannotStart(f"INSTANCES is {text!r}; it is a number from 1 to {INSTANCES_AT_MOST}.")
    return int(text)


def port_from(environment: Mapping[str, str], setting: str, default: int) -> int:
    """Raises CannotStart."""
    text = environment.get(setting) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= LAST_PORT:
        raise CannotStart(f"{setting} is {text!r}; a port is a number from 1 to {LAST_PORT}.")
    return int(text)
