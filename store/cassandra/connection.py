"""Dialling Cassandra through django-cassandra-engine, and the schema; blocking, for a thread."""

import contextlib
import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import django_cassandra_engine.apps  # noqa: F401  # allows the driver to make tables
from cassandra import AlreadyExists
from cassandra.cqlengine import CQLEngineException, connection, management
from django_cassandra_engine.connection import CassandraConnection

from store.cassandra.faults import SchemaDiffers

log = logging.getLogger(__name__)

Tables = Sequence[Any]

# While Cassandra is away the driver would write a traceback a second; we say it in a sentence.
logging.getLogger("cassandra").setLevel(logging.CRITICAL)


def dial(database: Mapping[str, Any], tables: Tables, alias: str) -> Any:
    """A session of its own, under a name; ``tables`` are made where they are missing.

    Raises whatever stands in the way; call ``hang_up`` then.
    """
    CassandraConnection(alias, **_own(database))
    session = connection.get_session(alias)
    keyspace, metadata = database["NAME"], session.cluster.metadata
    check_schema(metadata, keyspace, tables)
    if _is_missing(metadata, keyspace, tables):
        make_schema(session, database, tables, alias)
    return session


def place(database: Mapping[str, Any]) -> str:
    """Where it is, for people."""
    return f"{database['HOST']} (port {database['OPTIONS']['connection']['port']})"


def hang_up(alias: str) -> None:
    try:
        connection.unregister_connection(alias)
    except CQLEngineException:
        """It was never dialled."""


def make_keyspace(session: Any, database: Mapping[str, Any]) -> None:
    replication = dict(database["OPTIONS"]["replication"])
    options = {"class": replication.pop("strategy_class"), **replication}
    written = ", ".join(f"'{name}': '{value}'" for name, value in options.items())
    keyspace = database["NAME"]
    session.execute(f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{{written}}}")


def make_schema(session: Any, database: Mapping[str, Any], tables: Tables, alias: str) -> None:
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
        for table in tables:
            # Another instance may have made it at the same moment.
            with contextlib.suppress(AlreadyExists):
                management.sync_table(table, keyspaces=[keyspace], connections=[alias])
    log.warning("Made the tables and columns of keyspace %s that were missing", keyspace)


def check_schema(metadata: Any, keyspace: str, wanted: Tables) -> None:
    """Raises SchemaDiffers where a table has our name and not our columns: nobody mends that
    without its owner.
    """
    known = metadata.keyspaces.get(keyspace)
    tables = known.tables if known is not None else {}
    for model in wanted:
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
    """A copy, for it takes out what it has read, as Django's connection has done before."""
    options = {name: dict(values) for name, values in database["OPTIONS"].items()}
    # So that what was begun can be hung up.
    options["connection"] |= {"lazy_connect": True, "retry_connect": True}
    return {**database, "OPTIONS": options}


def _is_missing(metadata: Any, keyspace: str, wanted: Tables) -> bool:
    known = metadata.keyspaces.get(keyspace)
    return known is None or any(
        table.__table_name__ not in known.tables
        or {column.db_field_name for column in table._columns.values()}
        - known.tables[table.__table_name__].columns.keys()
        for table in wanted
    )
