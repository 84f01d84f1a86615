"""The clock of a server's rooms: UTC once, at the start; from then on it only runs.

The computer's wall clock may be set while a meeting goes on, by hand or by the network. A speaking time
or a grace must neither end nor stretch by that, so their clock does not follow it before a restart.
"""

import time
from collections.abc import Callable


class RoomClock:
    """Seconds, UTC, as the wall clock would say if nobody had set it since this was made."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._steady = steady
        self._start = wall() - steady()

    def __call__(self) -> float:
        return self._start + self._steady()
