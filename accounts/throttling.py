"""How many wrong passwords may be tried: by user and address, and by address over all users."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from math import ceil

from accounts.domain import TooManyAtOnce, TooManyGuesses, WrongCredentials

KEYS_KEPT = 50_000
WAITING_LIMIT = 100
WAITING_SECONDS = 2.0
# One address may not fill the queue of passwords for everybody else.
AT_ONCE = 10
IPV6_SITE_BITS = 64


@dataclass(slots=True)
class _Tries:
    wrong_at: deque[float] = field(default_factory=deque)
    under_way: int = 0


class _Limit:
    """At most ``limit`` wrong tries a key within any ``window`` seconds."""

    def __init__(self, limit: int, *, window: float) -> None:
        self._limit = limit
        self._window = window
        self._tries: OrderedDict[Hashable, _Tries] = OrderedDict()

    def blocked_for(self, key: Hashable, now: float) -> float:
        """Seconds until another try is allowed, by what is known to be wrong; 0 when it is."""
        tries = self._tries.get(key)
        if tries is None:
            return 0
        while tries.wrong_at and tries.wrong_at[0] <= now - self._window:
            tries.wrong_at.popleft()
        if len(tries.wrong_at) < self._limit:
            return 0
        return tries.wrong_at[0] + self._window - now

    def is_full(self, key: Hashable) -> bool:
        """Whether another try has to wait: those under way may turn out wrong, or are many."""
        tries = self._tries.get(key)
        if tries is None:
            return False
        return tries.under_way >= min(AT_ONCE, self._limit - len(tries.wrong_at))

    def begin(self, key: Hashable) -> None:
        self._tries.setdefault(key, _Tries()).under_way += 1
        self._tries.move_to_end(key)
        self._make_room()

    def end(self, key: Hashable, *, wrong_at: float | None = None) -> None:
        tries = self._tries[key]
        tries.under_way -= 1
        if wrong_at is not None:
            tries.wrong_at.append(wrong_at)
        elif not tries.wrong_at and not tries.under_way:
            del self._tries[key]

    def forgive(self, key: Hashable) -> None:
        self._tries[key].wrong_at.clear()

    def _make_room(self) -> None:
        while len(self._tries) > KEYS_KEPT:
            oldest = next(iter(self._tries))
            if self._tries[oldest].under_way:
                return
            del self._tries[oldest]


class GuessLimits:
    """A try counts from before its password is checked, so that parallel ones cannot slip past.

    Those that may have to be refused, depending on what is under way, wait for its outcome.
    """

    def __init__(
        self, *, per_user: int, per_address: int, window: float, clock: Callable[[], float]
    ) -> None:
        self._pairs = _Limit(per_user, window=window)
        self._addresses = _Limit(per_address, window=window)
        self._clock = clock
        self._waiting = 0
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def one_guess(self, username: str, address: str) -> AsyncIterator[None]:
        """Around the check of one password.

        WrongCredentials out of the block is a wrong guess, any other error none; a block that
        ends well forgives the user's guesses from there. Raises TooManyGuesses.
        """
        site = _site(address)
        pair = (username.casefold(), site)
        await self._admitted(pair, site)
        self._pairs.begin(pair)
        self._addresses.begin(site)
        wrong_at = None
        try:
            yield
            self._pairs.forgive(pair)
        except WrongCredentials:
            wrong_at = self._clock()
            raise
        finally:
            self._pairs.end(pair, wrong_at=wrong_at)
            self._addresses.end(site, wrong_at=wrong_at)
            self._settled.set()
            self._settled = asyncio.Event()

    async def _admitted(self, pair: Hashable, site: Hashable) -> None:
        if not self._must_wait(pair, site):
            return
        if self._waiting >= WAITING_LIMIT:
            raise TooManyAtOnce(retry_after=1)
        self._waiting += 1
        try:
            async with asyncio.timeout(WAITING_SECONDS):
                while self._must_wait(pair, site):
                    await self._settled.wait()
        except TimeoutError:
            raise TooManyAtOnce(retry_after=1) from None
        finally:
            self._waiting -= 1

    def _must_wait(self, pair: Hashable, site: Hashable) -> bool:
        now = self._clock()
        seconds = max(self._pairs.blocked_for(pair, now), self._addresses.blocked_for(site, now))
        if seconds:
            raise TooManyGuesses(retry_after=ceil(seconds))
        return self._pairs.is_full(pair) or self._addresses.is_full(site)


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
