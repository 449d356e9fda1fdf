"""How many wrong passwords may be tried: by user and address, and by address over all users."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Protocol

from accounts.domain import TooManyAtOnce, TooManyGuesses, WrongCredentials

KEYS_KEPT = 50_000
WAITING_LIMIT = 100
WAITING_SECONDS = 2.0
# One address may not fill the queue of passwords for everybody else.
AT_ONCE = 10
IPV6_SITE_BITS = 64

# An address, or an address and a username.
Key = tuple[str, ...]


class WrongGuesses(Protocol):
    """When wrong passwords were tried, by key."""

    async def latest(self, key: Key, count: int, *, since: float) -> Sequence[float]:
        """The last ``count`` of those after ``since``, the oldest of them first."""

    async def add(self, keys: Sequence[Key], *, at: float) -> None:
        """One more, under each of these."""

    async def forgive(self, key: Key) -> None:
        """Forgets all of this one."""


class MemoryGuesses:
    """Those of one process; the keys tried longest ago make room for new ones."""

    def __init__(self) -> None:
        self._wrong_at: OrderedDict[Key, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._wrong_at)

    async def latest(self, key: Key, count: int, *, since: float) -> Sequence[float]:
        wrong_at = self._wrong_at.get(key)
        while wrong_at and wrong_at[0] <= since:
            wrong_at.popleft()
        return list(wrong_at or ())[-count:]

    async def add(self, keys: Sequence[Key], *, at: float) -> None:
        for key in keys:
            self._wrong_at.setdefault(key, deque()).append(at)
            self._wrong_at.move_to_end(key)
        while len(self._wrong_at) > KEYS_KEPT:
            self._wrong_at.popitem(last=False)

    async def forgive(self, key: Key) -> None:
        self._wrong_at.pop(key, None)


class GuessLimits:
    """Looks before a password is checked, which takes long, and once more before the outcome is
    told: no more than so many outcomes are told, whatever is under way here and elsewhere.

    Those that may have to be refused, depending on what is under way here, wait for it.
    """

    def __init__(
        self,
        wrong_guesses: WrongGuesses,
        *,
        per_user: int,
        per_address: int,
        window: float,
        clock: Callable[[], float],
    ) -> None:
        """So many within any ``window`` seconds of ``clock``, which all who share
        ``wrong_guesses`` share.
        """
        self._wrong_guesses = wrong_guesses
        self._per_user = per_user
        self._per_address = per_address
        self._window = window
        self._clock = clock
        self._under_way: Counter[Key] = Counter()
        self._waiting = 0
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def one_guess(self, username: str, address: str) -> AsyncIterator[None]:
        """Around the check of one password.

        WrongCredentials out of the block is a wrong guess, any other error none; a block that
        ends well forgives the user's guesses from there. Raises TooManyGuesses.
        """
        site = _site(address)
        pair = (site, username.casefold())
        limits = {pair: self._per_user, (site,): self._per_address}
        await self._begin(limits)
        try:
            yield
            if (await self._wrong(limits))[pair]:
                await self._wrong_guesses.forgive(pair)
        except WrongCredentials:
            await self._wrong_guesses.add(list(limits), at=self._clock())
            # This one is told, unless there are too many with it.
            await self._wrong({key: limit + 1 for key, limit in limits.items()})
            raise
        finally:
            self._end(limits)

    async def _begin(self, limits: Mapping[Key, int]) -> None:
        wrong = dict.fromkeys(limits, 0)
        if await self._has_begun(limits, wrong):
            return
        if self._waiting >= WAITING_LIMIT:
            raise TooManyAtOnce(retry_after=1)
        self._waiting += 1
        try:
            async with asyncio.timeout(WAITING_SECONDS):
                settled = self._settled
                while not await self._has_begun(limits, wrong):
                    await settled.wait()
                    settled = self._settled
        except TimeoutError:
            raise TooManyAtOnce(retry_after=1) from None
        finally:
            self._waiting -= 1

    async def _has_begun(self, limits: Mapping[Key, int], wrong: dict[Key, int]) -> bool:
        """Not while it has to wait: those under way may turn out wrong, or are many.

        ``wrong`` is what is known of wrong ones. A place is taken before they are asked for: of
        all that wait for it only one asks.
        """
        if not self._have_room(limits, wrong):
            return False
        self._under_way.update(limits.keys())
        has_room = False
        try:
            wrong |= await self._wrong(limits)
            has_room = self._have_room(limits, wrong, taken=1)
        finally:
            if not has_room:
                self._end(limits)
        return has_room

    def _have_room(
        self, limits: Mapping[Key, int], wrong: Mapping[Key, int], *, taken: int = 0
    ) -> bool:
        """``taken``: places that this one has already."""
        return all(
            self._under_way[key] - taken < min(AT_ONCE, limit - wrong[key])
            for key, limit in limits.items()
        )

    def _end(self, limits: Mapping[Key, int]) -> None:
        self._under_way -= Counter(limits.keys())
        self._settled.set()
        self._settled = asyncio.Event()

    async def _wrong(self, limits: Mapping[Key, int]) -> Mapping[Key, int]:
        """How many wrong guesses there are. Raises TooManyGuesses where a limit is reached."""
        now, counts, waits = self._clock(), {}, [0.0]
        for key, limit in limits.items():
            times = await self._wrong_guesses.latest(key, limit, since=now - self._window)
            counts[key] = len(times)
            if len(times) == limit:
                waits.append(times[0] + self._window - now)
        if seconds := max(waits):
            raise TooManyGuesses(retry_after=ceil(seconds))
        return counts


def _site(address: str) -> str:
    """An IPv6 client has 2**64 addresses of its own: its /64 counts as one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(int(parsed) >> IPV6_SITE_BITS)
    return str(parsed)
