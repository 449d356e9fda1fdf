"""Which shards an instance looks after: leases of a few seconds, shared out evenly.

Cassandra forgets a lease that is not renewed: no host's clock is compared with another's.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from orders.cassandra.sharding import ALL, SHARDS, share_of
from store.cassandra.bridge import Bridge

LEASE_SECONDS = 3
# Cassandra counts in whole seconds: it may forget a lease nearly one early.
SURE_SECONDS = LEASE_SECONDS - 1
NAME = "clock"


class Leases:
    """Two may believe for a moment that a shard is theirs: every step is a compare-and-set."""

    def __init__(self, bridge: Bridge, instance: UUID, *, name: str = NAME) -> None:
        self._bridge = bridge
        self._instance = instance
        self._name = name
        self._held: set[int] = set()
        self._deputised: frozenset[int] = frozenset()
        self._until = 0.0

    @property
    def held(self) -> frozenset[int]:
        """None any more when the last renewal was too long ago."""
        return frozenset(self._held) if time.monotonic() < self._until else frozenset()

    @property
    def deputised(self) -> frozenset[int]:
        """Those for whose owner, another instance, this one stands in should it hang or die."""
        return self._deputised - self.held

    async def beat(self) -> None:
        """Renews, takes and gives back. Raises StoreAway; then what is held stays so for its time,
        and the next beat sees what has become of it.
        """
        until = time.monotonic() + SURE_SECONDS
        there = self._bridge.ask("be_there", self._name, self._instance, LEASE_SECONDS)
        others, owners, _ = await asyncio.gather(self._instances(), self._owners(), there)
        self._deputised = self._deputy_of(others, owners)
        share = share_of(self._instance, others)
        mine = sorted(shard for shard, owner in owners.items() if owner == self._instance)
        # First it stops, then another may begin.
        self._held.difference_update(mine[share:])
        await self._give(mine[share:])
        kept = await self._take(mine[:share], owner=self._instance)
        free = [shard for shard in self._in_turn(others) if owners.get(shard) is None]
        wanted = free[: max(0, share - len(mine))]
        self._held, self._until = kept | await self._take(wanted, owner=None), until

    async def give_back(self) -> None:
        """The instance ends: others go on at once. Raises StoreAway."""
        mine, self._held, self._deputised = sorted(self._held), set(), frozenset()
        await self._bridge.ask("be_gone", self._name, self._instance)
        await self._give(mine)

    async def _instances(self) -> set[UUID]:
        rows = await self._bridge.ask("instances", self._name)
        return {instance for (instance,) in rows}

    async def _owners(self) -> dict[int, UUID | None]:
        return dict(await self._bridge.ask("leases", self._name))

    def _deputy_of(
        self, others: Iterable[UUID], owners: Mapping[int, UUID | None]
    ) -> frozenset[int]:
        """Each instance stands in for the one before it; nobody leaves a shard without owner."""
        everyone = sorted({self._instance, *others})
        before = everyone[everyone.index(self._instance) - 1]
        orphans = {shard for shard in self._deputised if owners.get(shard) is None}
        return frozenset(orphans | {shard for shard, owner in owners.items() if owner == before})

    def _in_turn(self, instances: Iterable[UUID]) -> list[int]:
        """Each instance begins elsewhere: they seldom want the same shard."""
        everyone = sorted({self._instance, *instances})
        first = everyone.index(self._instance) * SHARDS // len(everyone)
        return [*ALL[first:], *ALL[:first]]

    async def _take(self, shards: Sequence[int], *, owner: UUID | None) -> set[int]:
        """Those of the shards that were ``owner``'s until now."""
        values = (LEASE_SECONDS, self._instance, self._name)
        parts = [("take_lease", (*values, shard, owner)) for shard in shards]
        if not parts or await self._is_done("take_leases", parts):
            return set(shards)
        # One of them is another's by now.
        done = [await self._is_done("take_leases", [part]) for part in parts]
        return {shard for shard, is_taken in zip(shards, done, strict=True) if is_taken}

    async def _give(self, shards: Sequence[int]) -> None:
        for shard in shards:
            part = ("give_lease", (self._name, shard, self._instance))
            await self._is_done("give_leases", [part])

    async def _is_done(self, name: str, parts: Sequence[tuple[str, Sequence[object]]]) -> bool:
        rows = await self._bridge.together(name, parts)
        return bool(rows[0][0])
