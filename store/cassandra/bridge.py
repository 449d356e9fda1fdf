"""The one place where statements leave the event loop for the driver and answers come back."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from cassandra import InvalidRequest, OperationTimedOut, Unauthorized
from cassandra import Unavailable as TooFewReplicas
from cassandra.cluster import NoHostAvailable
from cassandra.query import BatchStatement, BatchType, PreparedStatement

from store import tracing
from store.cassandra import connection
from store.cassandra.faults import Outage
from store.cassandra.metrics import (
    CASSANDRA_CONNECTIONS,
    CASSANDRA_FAILURES,
    CASSANDRA_QUERIES,
    CASSANDRA_QUERY_SECONDS,
)
from store.cassandra.schema import Schema
from store.errors import Unavailable

# The driver gives up first; this one is for answers that it loses.
DEADLINE_SECONDS = 0.95
RETRY_AFTER_SECONDS = 1
# Profiles of conditional writes.
SENT_ONCE = ("conditional", "moving")

Row = tuple[Any, ...]


class StoreAway(Unavailable):
    """Cassandra did not do it."""

    code = "store_unavailable"
    detail = "The database of this service is away; come back later."

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER_SECONDS)


class OutcomeUnknown(StoreAway):
    """Cassandra may have done it, or may be about to."""


_NUMBERS = itertools.count(1)
# Whose connections the metrics count.
OPEN: "set[Bridge]" = set()
CASSANDRA_CONNECTIONS.set_function(lambda: sum(bridge.connections() for bridge in set(OPEN)))


class Bridge:
    """A session whose statements are awaited; without one every statement is StoreAway."""

    def __init__(self, database: Mapping[str, Any], schema: Schema) -> None:
        """``database``: what Django's DATABASES say of it."""
        self._database = database
        self._schema = schema
        self._profiles = schema.statements.profiles()
        self._alias = f"{schema.service} {next(_NUMBERS)}"
        self.outage = Outage(connection.place(database))
        self._session: Any = None
        self._prepared: dict[str, PreparedStatement] = {}

    @property
    def is_open(self) -> bool:
        return self._session is not None

    async def open(self) -> None:
        """Dials, in a thread. Raises what stands in the way, which ``reason_of`` puts in words."""
        try:
            session, prepared = await asyncio.to_thread(self._dial)
        except BaseException:
            await asyncio.to_thread(connection.hang_up, self._alias)
            raise
        self._session, self._prepared = session, prepared
        OPEN.add(self)

    async def close(self) -> None:
        self._session = None
        OPEN.discard(self)
        await asyncio.to_thread(connection.hang_up, self._alias)

    async def ask(self, name: str, *parameters: object) -> Sequence[Row]:
        """The rows of a statement of the schema; a conditional one's first value says
        whether it was applied. Raises StoreAway, of conditional ones OutcomeUnknown.
        """
        if self._session is None:
            raise StoreAway
        return await self._awaited(name, self._prepared[name], parameters)

    async def together(
        self, name: str, parts: Sequence[tuple[str, Sequence[object]]]
    ) -> Sequence[Row]:
        """Several statements in one batch, under a name of its own.

        On one partition all or none of them happen; on several some may, and then StoreAway
        is raised.
        """
        if self._session is None:
            raise StoreAway
        batch = BatchStatement(BatchType.UNLOGGED)
        for part, parameters in parts:
            batch.add(self._prepared[part], parameters)
        profile = self._profiles[parts[0][0]]
        batch.is_idempotent = profile not in SENT_ONCE
        return await self._awaited(name, batch, None, profile=profile)

    def scan(self, name: str, *parameters: object) -> Any:
        """Rows as they come, page by page; blocks, for a thread."""
        return self._session.execute(self._prepared[name], parameters, execution_profile="scan")

    async def _awaited(
        self, name: str, statement: Any, parameters: Any, *, profile: str | None = None
    ) -> Sequence[Row]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Row]] = loop.create_future()
        profile, session = profile or self._profiles[name], self._session
        try:
            with tracing.tracer.statement(name):
                sent = session.execute_async(statement, parameters, execution_profile=profile)
                watch = session.get_execution_profile(profile).load_balancing_policy.watch
                callbacks, of = _callbacks(loop, answer, *_metrics(name)), (sent, watch)
                sent.add_callbacks(*callbacks, callback_args=of, errback_args=of)
                async with asyncio.timeout(DEADLINE_SECONDS):
                    return await answer
        except Exception as error:
            if not is_of_the_driver(error):
                raise
            # What ends with the session that is given up is no news.
            if session is self._session:
                self.outage.because(error)
            CASSANDRA_FAILURES.labels(operation=name).inc()
            raise _as_ours(error, is_conditional=profile in SENT_ONCE) from error

    def _dial(self) -> tuple[Any, dict[str, PreparedStatement]]:
        session = connection.dial(self._database, self._schema.tables, self._alias)
        every = self._schema.statements.every(self._database["NAME"])
        prepared = {name: session.prepare(text) for name, text in every.items()}
        for name, statement in prepared.items():
            # Such a one may be asked of a second node before the first has answered.
            statement.is_idempotent = self._profiles[name] not in SENT_ONCE
        trial, values = self._schema.trial
        session.execute(prepared[trial], values, execution_profile="plain")
        return session, prepared

    def connections(self) -> int:
        if self._session is None:
            return 0
        return sum(pool["open_count"] for pool in self._session.get_pool_state().values())


# Told which nodes did not answer in time.
Watch = Callable[[Sequence[Any]], None]
Callbacks = tuple[Callable[[Any, Any, Watch], None], Callable[[BaseException, Any, Watch], None]]


def _callbacks(
    loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[Any]", seen: Callable[[float], None]
) -> Callbacks:
    """They run in the driver's thread, or here when the answer was there already."""
    began_at = perf_counter()

    def arrived(rows: Any, sent: Any, watch: Watch) -> None:
        seen(perf_counter() - began_at)
        watch(sent.attempted_hosts[:-1])
        _hand_over(loop, answer, answer.set_result, rows or ())

    def failed(error: BaseException, sent: Any, watch: Watch) -> None:
        seen(perf_counter() - began_at)
        if isinstance(error, OperationTimedOut):
            watch(sent.attempted_hosts)
        _hand_over(loop, answer, answer.set_exception, error)

    return arrived, failed


def _hand_over(
    loop: asyncio.AbstractEventLoop,
    answer: "asyncio.Future[Any]",
    settle: Callable[[Any], None],
    value: Any,
) -> None:
    # The loop may have ended before the answer came.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, answer, settle, value)


def _settle(answer: "asyncio.Future[Any]", settle: Callable[[Any], None], value: Any) -> None:
    # Who waited may have given up.
    if not answer.done():
        settle(value)


_SEEN: dict[str, Callable[[float], None]] = {}


def _metrics(name: str) -> tuple[Callable[[float], None]]:
    """Finding a metric's child costs more than counting."""
    if name not in _SEEN:
        count = CASSANDRA_QUERIES.labels(operation=name).inc
        observe = CASSANDRA_QUERY_SECONDS.labels(operation=name).observe
        CASSANDRA_FAILURES.labels(operation=name)  # shown from the start

        def seen(seconds: float) -> None:
            count()
            observe(seconds)

        _SEEN[name] = seen
    return (_SEEN[name],)


def is_of_the_driver(error: BaseException) -> bool:
    """Or a time-out: its errors share no base."""
    return isinstance(error, TimeoutError) or type(error).__module__.startswith("cassandra")


def _as_ours(error: BaseException, *, is_conditional: bool) -> Exception:
    never_sent = isinstance(error, NoHostAvailable | TooFewReplicas | InvalidRequest | Unauthorized)
    return OutcomeUnknown() if is_conditional and not never_sent else StoreAway()
