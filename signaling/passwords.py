"""Passwords: argon2id, in two threads of their own, so that a crowd at the log-in slows nobody else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SLOTS: Final = 2
MAX_WAITING: Final = 32
MAX_PASSWORD_CHARS: Final = 1_024

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's smallest advised argon2id: 19 MiB, two passes, one lane. About 36 ms here."""


def hash_password(password: str) -> str:
    """The text to keep. Takes tens of milliseconds: not on the loop."""
    return _HASHER.hash(password)


class Passwords:
    """Checks passwords without blocking the loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(SLOTS, thread_name_prefix="password")
        self._waiting = 0

    @property
    def busy(self) -> bool:
        """So many wait that one more would only add to the heap."""
        return self._waiting >= MAX_WAITING

    async def matches(self, password: str, kept: str | None) -> bool:
        """Is it the password? ``kept`` None (no such account): False, after the same time."""
        self._waiting += 1
        try:
            right = await asyncio.get_running_loop().run_in_executor(
                self._threads, _verify, kept, password[:MAX_PASSWORD_CHARS]
            )
        finally:
            self._waiting -= 1
        return right and kept is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


@cache
def _nobodys() -> str:
    return hash_password("nobody has this password")


def _verify(kept: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(kept if kept is not None else _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
