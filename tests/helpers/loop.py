"""A loop whose clock jumps: where a real one would sleep, this one says that the time has come.

Only for code that waits for time and for itself: whoever waits for a thread, a process or a socket
needs a real clock. Such a wait that nobody ends is reported as what it is instead of hanging.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class NothingWillHappen(Exception):
    """Every task waits for something that no timer brings."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never sleeps; tells the loop how long it would have."""

    slept_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise NothingWillHappen("every task waits, and no timer is set")
        self.slept_s += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, which begins at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.slept_s


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """As ``asyncio.run``, in no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
