"""How Cassandra is reached, for django-cassandra-engine; the driver is imported only then."""

import ssl
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from store.settings import env

REQUEST_SECONDS = 0.85
SCAN_SECONDS = 30.0
CONNECT_SECONDS = 3.0
RECONNECT_SECONDS = 1.0
HEARTBEAT_SECONDS = 5


def database(hosts: list[str]) -> dict[str, Any]:
    """What stands in DATABASES under "cassandra"."""
    return {
        "ENGINE": "django_cassandra_engine",
        "HOST": ",".join(hosts),
        "NAME": keyspace(),
        "USER": env.text("CASSANDRA_USER"),
        "PASSWORD": env.text("CASSANDRA_PASSWORD"),
        "OPTIONS": {"replication": replication(), "connection": _connection()},
    }


def keyspace() -> str:
    name = env.text("CASSANDRA_KEYSPACE", "store")
    if not name.replace("_", "a").isalnum() or not name.isascii() or name != name.lower():
        raise ImproperlyConfigured(
            f"CASSANDRA_KEYSPACE is of lower-case letters, digits and _, not {name!r}."
        )
    return name


def replication() -> dict[str, Any]:
    """``1`` is SimpleStrategy; ``dc1:3,dc2:3`` is NetworkTopologyStrategy."""
    text = env.text("CASSANDRA_REPLICATION", "1")
    if text.isdigit() and int(text) > 0:
        return {"strategy_class": "SimpleStrategy", "replication_factor": int(text)}
    pairs = [part.strip().partition(":") for part in text.split(",")]
    if not all(name and colon and count.isdigit() for name, colon, count in pairs):
        raise ImproperlyConfigured(f"CASSANDRA_REPLICATION is 3 or dc1:3,dc2:3, not {text!r}.")
    factors = {name: int(count) for name, _, count in pairs}
    return {"strategy_class": "NetworkTopologyStrategy", **factors}


def _connection() -> dict[str, Any]:
    """The driver's Cluster, by keyword, and django-cassandra-engine's two.

    It dials when asked, not at import, and goes on dialling after a failure.
    """
    from cassandra.policies import ConstantReconnectionPolicy

    return {
        "lazy_connect": True,
        "retry_connect": True,
        "port": env.whole("CASSANDRA_PORT", 9042, minimum=1),
        "protocol_version": 4,
        "execution_profiles": _profiles(),
        "reconnection_policy": ConstantReconnectionPolicy(RECONNECT_SECONDS, max_attempts=None),
        "connect_timeout": CONNECT_SECONDS,
        "control_connection_timeout": CONNECT_SECONDS,
        "idle_heartbeat_interval": HEARTBEAT_SECONDS,
        "idle_heartbeat_timeout": HEARTBEAT_SECONDS,
        **({"ssl_context": _tls()} if env.flag("CASSANDRA_TLS") else {}),
    }


def _profiles() -> dict[Any, Any]:
    """``plain`` reads and writes; ``decisive`` reads; ``conditional`` writes, never sent twice."""
    from cassandra.cluster import EXEC_PROFILE_DEFAULT
    from cassandra.policies import FallthroughRetryPolicy
    from cassandra.query import tuple_factory

    plain = _level("CASSANDRA_CONSISTENCY", "LOCAL_QUORUM")
    serial = _level("CASSANDRA_SERIAL_CONSISTENCY", "LOCAL_SERIAL")
    rows = {"row_factory": tuple_factory}
    once = {"retry_policy": FallthroughRetryPolicy(), **rows}
    return {
        EXEC_PROFILE_DEFAULT: _profile(plain, serial, SCAN_SECONDS),
        "plain": _profile(plain, serial, REQUEST_SECONDS, **rows),
        "decisive": _profile(serial, serial, REQUEST_SECONDS, **once),
        "conditional": _profile(plain, serial, REQUEST_SECONDS, **once),
        "scan": _profile(plain, serial, SCAN_SECONDS, **rows),
    }


def _profile(level: int, serial: int, seconds: float, **more: Any) -> Any:
    from cassandra import ConsistencyLevel
    from cassandra.cluster import ExecutionProfile
    from cassandra.policies import DCAwareRoundRobinPolicy, RoundRobinPolicy, TokenAwarePolicy

    if not ConsistencyLevel.is_serial(serial):
        raise ImproperlyConfigured("CASSANDRA_SERIAL_CONSISTENCY is LOCAL_SERIAL or SERIAL.")
    datacenter = env.text("CASSANDRA_DATACENTER")
    # Without a name the first datacentre that answers would be the only one ever used.
    nearest = DCAwareRoundRobinPolicy(datacenter) if datacenter else RoundRobinPolicy()
    return ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(nearest),
        consistency_level=level,
        serial_consistency_level=serial,
        request_timeout=seconds,
        **more,
    )


def _level(setting: str, default: str) -> int:
    from cassandra import ConsistencyLevel

    name = env.text(setting, default).upper()
    if name not in ConsistencyLevel.name_to_value:
        raise ImproperlyConfigured(f"{setting} is a level like {default}, not {name!r}.")
    return int(ConsistencyLevel.name_to_value[name])


def _tls() -> ssl.SSLContext:
    """CASSANDRA_TLS_CA: who signed the nodes' certificates, else the system's list says."""
    context = ssl.create_default_context(cafile=env.text("CASSANDRA_TLS_CA") or None)
    # Nodes are found by address; their certificates seldom name one.
    context.check_hostname = False
    if certificate := env.text("CASSANDRA_TLS_CERT"):
        context.load_cert_chain(certificate, env.text("CASSANDRA_TLS_KEY") or None)
    return context
