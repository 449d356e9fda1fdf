"""Everything that the instances of accounts share, over one connection to Cassandra."""

from datetime import timedelta

from accounts.cassandra.guesses import SharedGuesses
from accounts.cassandra.news import News
from accounts.cassandra.store import CassandraAccounts
from accounts.cassandra.streams import SharedStreams
from store.cassandra.bridge import Bridge
from store.cassandra.link import Link
from store.tasks import Tasks

# An order that ended, and what is heard of people who are not registered (yet).
KEEP_ENDED = timedelta(days=7)
KEEP_STRANGERS = timedelta(days=30)
SECONDS_TO_CLOSE = 5.0


class Shared:
    """Opens at once and is ready when Cassandra is; until then every call raises StoreAway."""

    def __init__(
        self,
        bridge: Bridge,
        *,
        claim_seconds: int,
        window: float,
        per_user: int,
        limit: int,
    ) -> None:
        """``claim_seconds``: longer than a password waits and is hashed; ``window``: seconds for
        which a wrong guess counts; so many streams for each user, and over all.
        """
        self._tasks = Tasks()
        self._bridge = bridge
        self._link = Link(self._bridge)
        news = News(
            self._bridge,
            self._tasks,
            keep_seconds=int(KEEP_ENDED.total_seconds()),
            stranger_seconds=int(KEEP_STRANGERS.total_seconds()),
        )
        self.repository = CassandraAccounts(self._bridge, news, claim_seconds=claim_seconds)
        self.guesses = SharedGuesses(self._bridge, window=window)
        self.streams = SharedStreams(news, per_user=per_user, limit=limit)

    def open(self) -> None:
        self._tasks.supervise(self._link.keep, name="accounts on Cassandra")
        self._tasks.supervise(self.streams.follow, name="news of other instances")

    async def close(self) -> None:
        """What is under way ends first."""
        await self._tasks.close(seconds=SECONDS_TO_CLOSE)
        await self._bridge.close()

    def unready(self) -> str | None:
        return self._link.unready()
