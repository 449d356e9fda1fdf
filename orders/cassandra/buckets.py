"""Which buckets of a table are in use, so that nothing ever looks through the past for nothing."""

from store.cassandra.bridge import Bridge

LISTS, NEWS = "lists", "news"
REMEMBERED = 1000


class Buckets:
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._written: dict[str, set[int]] = {LISTS: set(), NEWS: set()}

    async def use(self, kind: str, bucket: int) -> None:
        """Before the first row of a bucket is written."""
        written = self._written[kind]
        if bucket not in written:
            await self._bridge.ask("use_bucket", kind, bucket)
            if len(written) >= REMEMBERED:
                written.clear()
            written.add(bucket)

    async def used(self, kind: str) -> list[int]:
        """The latest first."""
        return [bucket for (bucket,) in await self._bridge.ask("buckets", kind)]

    async def drop(self, kind: str, bucket: int) -> None:
        """One that is empty and so old that nobody writes into it any more."""
        self._written[kind].discard(bucket)
        await self._bridge.ask("drop_bucket", kind, bucket)
