"""Hashing of passwords: bcrypt over SHA-256, in a few threads with a short queue before them."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from time import perf_counter
from typing import TypeVar

import bcrypt
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from accounts.domain import Busy

T = TypeVar("T")

NICENESS = 5
NO_CHECKSUM = "." * 31
# A first guess, of a usual machine; after that the time is measured.
SECONDS_A_ROUND = 75e-6
WEIGHT_OF_THE_LATEST = 0.2


class Passwords:
    """Raises Busy at once where the wait would be longer than ``patience``: it would be wasted.

    At most ``queue`` wait in any case. Django's hasher runs SHA-256 first, so that no byte is
    beyond bcrypt's 72.
    """

    def __init__(self, *, rounds: int, threads: int, queue: int, patience: float) -> None:
        self._hasher = BCryptSHA256PasswordHasher()
        self._hasher.rounds = rounds
        self._threads = ThreadPoolExecutor(threads, "password", initializer=_yield_to_the_loop)
        self._thread_count = threads
        self._limit = threads + queue
        self._patience = patience
        self._seconds = 2**rounds * SECONDS_A_ROUND
        # A hash nobody's password has: an unknown user costs the same time as a known one.
        self._nobody = f"bcrypt_sha256${bcrypt.gensalt(rounds).decode()}{NO_CHECKSUM}"
        self.under_way = 0

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.encode(password, self._hasher.salt()))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash is of this password; False, after the same time, for no hash."""
        stored = password_hash or self._nobody
        return await self._run(lambda: self._hasher.verify(password, stored))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        wait = (self.under_way + 1 - self._thread_count) * self._seconds / self._thread_count
        if self.under_way >= self._limit or wait > self._patience:
            raise Busy(retry_after=max(1, ceil(wait / 2)))
        self.under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._timed, work
            )
        finally:
            self.under_way -= 1

    def _timed(self, work: Callable[[], T]) -> T:
        started_at = perf_counter()
        try:
            return work()
        finally:
            took = perf_counter() - started_at
            self._seconds += WEIGHT_OF_THE_LATEST * (took - self._seconds)


def _yield_to_the_loop() -> None:
    """On Linux each thread has a niceness of its own: logins may not slow everything else down."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
