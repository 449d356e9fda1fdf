"""How Cassandra is reached, for django-cassandra-engine; the driver is imported only then."""

import re
import ssl
from ipaddress import ip_address
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from store.settings import env

REQUEST_SECONDS = 0.85
# A node that has not answered by then may be the only one that is away: another is asked.
# A conditional write is not sent again; what became of a movement of stock is read elsewhere.
NEXT_NODE_SECONDS = 0.25
MOVING_SECONDS = 0.4
SCAN_SECONDS = 30.0
CONNECT_SECONDS = 3.0
RECONNECT_SECONDS = 1.0
HEARTBEAT_SECONDS = 5
KEYSPACE = re.compile(r"[a-z][a-z0-9_]{0,47}")
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
DATACENTER = re.compile(r"[A-Za-z0-9._-]+")
MAX_PORT = 65535
TLS_FILES = ("CASSANDRA_TLS_CA", "CASSANDRA_TLS_CERT", "CASSANDRA_TLS_KEY")


def databases(service: str) -> dict[str, dict[str, Any]]:
    """DATABASES of a service: under its name, where its state is on Cassandra; else none.

    The catalogue's is there with CASSANDRA_HOST alone, the others' with STORE=cassandra. Each
    has its own, because the driver's policies serve one session.
    """
    hosts, is_everything = env.words("CASSANDRA_HOST"), store() == "cassandra"
    if not hosts or not (service == "catalog" or is_everything):
        return {}
    return {"default": {}, service: database(hosts)}


def apps(found: dict[str, dict[str, Any]]) -> list[str]:
    """What Django has to install for these databases: the tables, and the command that makes
    them.
    """
    tables = [f"{service}.cassandra" for service in found if service != "default"]
    # Our sync_cassandra comes before the engine's own.
    return [*tables, "store.cassandra", "django_cassandra_engine"] if tables else []


def store() -> str:
    """Where the services other than the catalogue keep their state."""
    kind = env.choice("STORE", "memory", "cassandra")
    if kind == "cassandra" and not env.words("CASSANDRA_HOST"):
        raise ImproperlyConfigured(
            "STORE=cassandra needs CASSANDRA_HOST: Cassandra's nodes, comma separated."
        )
    return kind


def database(hosts: list[str]) -> dict[str, Any]:
    """What stands in DATABASES for a service that is there."""
    user, password = env.text("CASSANDRA_USER"), env.text("CASSANDRA_PASSWORD")
    if bool(user) != bool(password):
        raise ImproperlyConfigured("CASSANDRA_USER and CASSANDRA_PASSWORD go together.")
    moving_seconds = MOVING_SECONDS if len(hosts) > 1 else REQUEST_SECONDS
    return {
        "ENGINE": "django_cassandra_engine",
        "HOST": ",".join(map(_host, hosts)),
        "NAME": keyspace(),
        "USER": user,
        "PASSWORD": password,
        "OPTIONS": {"replication": replication(), "connection": _connection(moving_seconds)},
    }


def _host(host: str) -> str:
    """A name or an address."""
    if not NAME.fullmatch(host) and not _is_address(host):
        raise ImproperlyConfigured(
            f"CASSANDRA_HOST is of names and addresses, not {host!r}; the port is CASSANDRA_PORT."
        )
    return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def keyspace() -> str:
    name = env.text("CASSANDRA_KEYSPACE", "store")
    if not KEYSPACE.fullmatch(name):
        raise ImproperlyConfigured(
            "CASSANDRA_KEYSPACE begins with a letter, then lower-case letters, digits and _,"
            f" 48 at most, not {name!r}."
        )
    return name


def replication() -> dict[str, Any]:
    """``1`` is SimpleStrategy; ``dc1:3,dc2:3`` is NetworkTopologyStrategy."""
    text = env.text("CASSANDRA_REPLICATION", "1")
    if _is_count(text) and int(text) > 0:
        return {"strategy_class": "SimpleStrategy", "replication_factor": int(text)}
    pairs = [part.strip().partition(":") for part in text.split(",")]
    factors = {name: int(count) for name, _, count in pairs if _is_count(count)}
    if (
        len(factors) < len(pairs)
        or not all(map(DATACENTER.fullmatch, factors))
        or 0 in factors.values()
    ):
        raise ImproperlyConfigured(f"CASSANDRA_REPLICATION is 3 or dc1:3,dc2:3, not {text!r}.")
    return {"strategy_class": "NetworkTopologyStrategy", **factors}


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _connection(moving_seconds: float) -> dict[str, Any]:
    """The driver's Cluster, by keyword, and django-cassandra-engine's two.

    It dials when asked, not at import, and goes on dialling after a failure.
    """
    from cassandra.policies import ConstantReconnectionPolicy

    return {
        "lazy_connect": True,
        "retry_connect": True,
        "port": _port(),
        "protocol_version": 4,
        "execution_profiles": _profiles(moving_seconds),
        "reconnection_policy": ConstantReconnectionPolicy(RECONNECT_SECONDS, max_attempts=None),
        "connect_timeout": CONNECT_SECONDS,
        "control_connection_timeout": CONNECT_SECONDS,
        "idle_heartbeat_interval": HEARTBEAT_SECONDS,
        "idle_heartbeat_timeout": HEARTBEAT_SECONDS,
        **({"ssl_context": context} if (context := _tls()) is not None else {}),
    }


def _port() -> int:
    port = env.whole("CASSANDRA_PORT", 9042, minimum=1)
    if port > MAX_PORT:
        raise ImproperlyConfigured(f"CASSANDRA_PORT is at most {MAX_PORT}, not {port}.")
    return port


def _profiles(moving_seconds: float) -> dict[Any, Any]:
    """``plain`` reads and writes; ``decisive`` reads; ``conditional`` writes, never sent twice,
    ``moving`` stock among them.
    """
    from cassandra.cluster import EXEC_PROFILE_DEFAULT
    from cassandra.policies import FallthroughRetryPolicy
    from cassandra.query import tuple_factory

    from store.cassandra.nodes import SecondTries

    plain = _level("CASSANDRA_CONSISTENCY", "LOCAL_QUORUM", is_serial=False)
    serial = _level("CASSANDRA_SERIAL_CONSISTENCY", "LOCAL_SERIAL", is_serial=True)
    rows = {"row_factory": tuple_factory}
    once = {"retry_policy": FallthroughRetryPolicy(), **rows}
    elsewhere = SecondTries(NEXT_NODE_SECONDS, 2)
    again = {"speculative_execution_policy": elsewhere, **rows}
    late: dict[Any, float] = {}
    return {
        EXEC_PROFILE_DEFAULT: _profile(plain, serial, SCAN_SECONDS, late),
        "plain": _profile(plain, serial, REQUEST_SECONDS, late, **again),
        "decisive": _profile(serial, serial, REQUEST_SECONDS, late, **again),
        "conditional": _profile(plain, serial, REQUEST_SECONDS, late, **once),
        "moving": _profile(plain, serial, moving_seconds, late, **once),
        "scan": _profile(plain, serial, SCAN_SECONDS, late, **rows),
    }


def _profile(level: int, serial: int, seconds: float, late: dict[Any, float], **more: Any) -> Any:
    from cassandra.cluster import ExecutionProfile
    from cassandra.policies import DCAwareRoundRobinPolicy, RoundRobinPolicy, TokenAwarePolicy

    from store.cassandra.nodes import PunctualFirst

    datacenter = env.text("CASSANDRA_DATACENTER")
    # Without a name the first datacentre that answers would be the only one ever used.
    nearest = DCAwareRoundRobinPolicy(datacenter) if datacenter else RoundRobinPolicy()
    return ExecutionProfile(
        load_balancing_policy=PunctualFirst(TokenAwarePolicy(nearest), late),
        consistency_level=level,
        serial_consistency_level=serial,
        request_timeout=seconds,
        **more,
    )


def _level(setting: str, default: str, *, is_serial: bool) -> int:
    from cassandra import ConsistencyLevel

    name = env.text(setting, default).upper()
    levels = {
        known: level
        for known, level in ConsistencyLevel.name_to_value.items()
        # What only a hint remembers cannot be read.
        if known != "ANY" and bool(ConsistencyLevel.is_serial(level)) == is_serial
    }
    if name not in levels:
        raise ImproperlyConfigured(f"{setting} is one of {', '.join(levels)}, not {name!r}.")
    return int(levels[name])


def _tls() -> ssl.SSLContext | None:
    """CASSANDRA_TLS_CA: who signed the nodes' certificates, else the system's list says."""
    files = {name: env.text(name) for name in TLS_FILES}
    if not env.flag("CASSANDRA_TLS"):
        if named := [name for name, file in files.items() if file]:
            raise ImproperlyConfigured(f"{named[0]} is set, and CASSANDRA_TLS is not 1.")
        return None
    authority, certificate, key = files.values()
    if key and not certificate:
        raise ImproperlyConfigured("CASSANDRA_TLS_KEY is set, and CASSANDRA_TLS_CERT is not.")
    context = _trusting(authority)
    # Nodes are found by address; their certificates seldom name one.
    context.check_hostname = False
    if certificate:
        _show(context, certificate, key or certificate)
    return context


def _trusting(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority or None)
    except OSError as error:
        raise ImproperlyConfigured(
            f"CASSANDRA_TLS_CA is a file of certificates; {authority!r} is not: {error}."
        ) from None


def _show(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        # A password for the key would be asked for in the terminal.
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        raise ImproperlyConfigured(
            "CASSANDRA_TLS_CERT and CASSANDRA_TLS_KEY are a certificate and its key without a"
            f" password; {certificate!r} and {key!r} are not: {error}."
        ) from None
