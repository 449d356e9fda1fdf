"""A Cassandra that asks who is there: by password on one port, by certificate on another too."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from django.conf import settings

from deploy.cassandra.trial import Trial, cassandra_on_trial
from deploy.local.ports import free_ports
from store import lifespan
from store.asgi import application
from tests.node import database_of

USER, KEYSPACE = "ivan", "corner"
PASSWORD = "correct horse"
ONE_COPY = "{{'class': 'SimpleStrategy', 'replication_factor': 1}}"
SECONDS = 15


@dataclass
class Guard:
    """``folder`` holds ca.pem, other_ca.pem, and the shop's shop.pem and shop.key."""

    trial: Trial
    tls_port: int
    folder: Path
    session: Any

    def cql(self, statements: str) -> None:
        """As the superuser; ``{user}`` and ``{keyspace}`` are the shop's."""
        for statement in statements.split("; "):
            self.session.execute(statement.format(user=USER, keyspace=KEYSPACE))

    @property
    def plain(self) -> dict[str, str]:
        """The settings of the shop, whose user may do everything in its own keyspace."""
        credentials = {"CASSANDRA_USER": USER, "CASSANDRA_PASSWORD": PASSWORD}
        return self.trial.settings | credentials | {"CASSANDRA_KEYSPACE": KEYSPACE}

    @property
    def tls(self) -> dict[str, str]:
        """Those that lead to the other port."""
        return self.plain | {
            "CASSANDRA_PORT": str(self.tls_port),
            "CASSANDRA_TLS": "1",
            "CASSANDRA_TLS_CA": str(self.folder / "ca.pem"),
            "CASSANDRA_TLS_CERT": str(self.folder / "shop.pem"),
            "CASSANDRA_TLS_KEY": str(self.folder / "shop.key"),
        }


@contextmanager
def cassandra_on_guard(folder: Path) -> Iterator[Guard]:
    _make_certificates(folder)
    (tls_port,) = free_ports(1)
    with cassandra_on_trial(folder / "run", options=_options(folder, tls_port)) as trial:
        session = _superusers(trial)
        try:
            guard = Guard(trial, tls_port, folder, session)
            guard.cql(
                f"CREATE ROLE {{user}} WITH LOGIN = true AND PASSWORD = '{PASSWORD}';"
                f" CREATE KEYSPACE {{keyspace}} WITH replication = {ONE_COPY};"
                " GRANT ALL ON KEYSPACE {keyspace} TO {user}"
            )
            yield guard
        finally:
            session.cluster.shutdown()


def _superusers(trial: Trial) -> Any:
    """A session. The superuser is made by the node itself, a moment after it is ready."""
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import Cluster, NoHostAvailable

    deadline = time.monotonic() + SECONDS
    while True:
        cluster = Cluster(
            ["127.0.0.1"],
            port=trial.ring.cql_port,
            auth_provider=PlainTextAuthProvider("cassandra", "cassandra"),
            protocol_version=4,
        )
        try:
            return cluster.connect()
        except NoHostAvailable:
            cluster.shutdown()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _options(folder: Path, tls_port: int) -> Mapping[str, Any]:
    certificates = "org.apache.cassandra.security.PEMBasedSslContextFactory"
    return {
        "authenticator": "PasswordAuthenticator",
        "authorizer": "CassandraAuthorizer",
        # What was granted holds at once.
        **dict.fromkeys(("permissions_validity", "roles_validity", "credentials_validity"), "0ms"),
        "native_transport_port_ssl": tls_port,
        "client_encryption_options": {
            "enabled": True,
            "optional": False,
            "require_client_auth": True,
            "ssl_context_factory": {"class_name": certificates},
            "keystore": str(folder / "node.pem"),
            "truststore": str(folder / "ca.pem"),
        },
    }


def _make_certificates(folder: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other_ca.pem"))
    shop = authority.issue_cert("shop")
    shop.private_key_pem.write_to_path(str(folder / "shop.key"))
    shop.cert_chain_pems[0].write_to_path(str(folder / "shop.pem"))
    node = authority.issue_cert("127.0.0.1")
    key = serialization.load_pem_private_key(node.private_key_pem.bytes(), None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "node.pem").write_bytes(key + node.cert_chain_pems[0].bytes())


@asynccontextmanager
async def shop_on(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """The shop in this process, with its catalogue where ``environment`` says."""
    found = database_of(environment)
    with monkeypatch.context() as patch:
        # As Django completes what stands there at its start.
        complete = {**found, "ATOMIC_REQUESTS": False}
        patch.setitem(settings.DATABASES, "catalog", complete)
        await lifespan.startup()
        transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 40000))
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                yield client
        finally:
            await lifespan.shutdown()


async def readiness(shop: httpx.AsyncClient, *, wanted: str) -> httpx.Response:
    """The answer of /ready once "detail", or the status, has ``wanted`` in it."""
    async with asyncio.timeout(SECONDS):
        while True:
            answer = await shop.get("/api/ready")
            if wanted in answer.json().get("detail", str(answer.status_code)):
                return answer
            await asyncio.sleep(0.05)
