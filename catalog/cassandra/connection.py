"""Dialling Cassandra through django-cassandra-engine, and the schema; blocking, for a thread."""

import logging
import warnings
from collections.abc import Mapping
from typing import Any

import django_cassandra_engine.apps  # noqa: F401  # allows the driver to make tables
from cassandra.cqlengine import CQLEngineException, connection, management
from django_cassandra_engine.connection import CassandraConnection

from catalog.cassandra.faults import SchemaDiffers
from catalog.cassandra.models import TABLES

log = logging.getLogger(__name__)

ALIAS = "cassandra"
# While Cassandra is away the driver would write a traceback a second; we say it in a sentence.
logging.getLogger("cassandra").setLevel(logging.CRITICAL)


def dial(database: Mapping[str, Any]) -> Any:
    """The session of ``DATABASES["cassandra"]``, its tables made where they are missing.

    Raises whatever stands in the way; call ``hang_up`` then.
    """
    CassandraConnection(ALIAS, **_own(database))
    session = connection.get_session(ALIAS)
    keyspace, metadata = database["NAME"], session.cluster.metadata
    check_schema(metadata, keyspace)
    if _is_missing(metadata, keyspace):
        make_schema(session, database)
    return session


def place(database: Mapping[str, Any]) -> str:
    """Where it is, for people."""
    return f"{database['HOST']} (port {database['OPTIONS']['connection']['port']})"


def hang_up() -> None:
    try:
        connection.unregister_connection(ALIAS)
    except CQLEngineException:
        """It was never dialled."""


def make_keyspace(session: Any, database: Mapping[str, Any]) -> None:
    replication = dict(database["OPTIONS"]["replication"])
    options = {"class": replication.pop("strategy_class"), **replication}
    written = ", ".join(f"'{name}': '{value}'" for name, value in options.items())
    keyspace = database["NAME"]
    session.execute(f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{{written}}}")


def make_schema(session: Any, database: Mapping[str, Any]) -> None:
    """What ``manage.py sync_cassandra`` does: never drops or alters what is there."""
    keyspace = database["NAME"]
    # Who may make tables in it need not be permitted to make keyspaces.
    if keyspace not in session.cluster.metadata.keyspaces:
        make_keyspace(session, database)
    # It does so by itself; not seeing it at once would be an error.
    session.cluster.refresh_keyspace_metadata(keyspace)
    with warnings.catch_warnings():
        # It warns that a table holds more columns than its model: others may add theirs.
        warnings.simplefilter("ignore")
        for table in TABLES:
            management.sync_table(table, keyspaces=[keyspace], connections=[ALIAS])
    log.warning("Made the tables and columns of keyspace %s that were missing", keyspace)


def check_schema(metadata: Any, keyspace: str) -> None:
    """Raises SchemaDiffers where a table has our name and not our columns: nobody mends that
    without its owner.
    """
    known = metadata.keyspaces.get(keyspace)
    tables = known.tables if known is not None else {}
    for model in TABLES:
        if (table := tables.get(model.__table_name__)) is not None:
            _check_table(model, table, f"table {keyspace}.{model.__table_name__}")


def _check_table(model: Any, table: Any, name: str) -> None:
    wanted = [column.db_field_name for column in model._primary_keys.values()]
    found = [column.name for column in table.primary_key]
    if found != wanted:
        raise SchemaDiffers(f"{name} has the key {', '.join(found)} and not {', '.join(wanted)}")
    for column in model._columns.values():
        there = table.columns.get(column.db_field_name)
        if there is not None and there.cql_type != column.db_type:
            raise SchemaDiffers(
                f"column {there.name} of {name} is {there.cql_type} and not {column.db_type}"
            )


def _own(database: Mapping[str, Any]) -> dict[str, Any]:
    """A copy, for it takes out what it has read."""
    options = {name: dict(values) for name, values in database["OPTIONS"].items()}
    return {**database, "OPTIONS": options}


def _is_missing(metadata: Any, keyspace: str) -> bool:
    known = metadata.keyspaces.get(keyspace)
    return known is None or any(
        table.__table_name__ not in known.tables
        or {column.db_field_name for column in table._columns.values()}
        - known.tables[table.__table_name__].columns.keys()
        for table in TABLES
    )
