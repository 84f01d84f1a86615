"""What waits to be sent to one client. Posting never blocks, and what waits is bounded.

While the client keeps up, a frame goes straight to its socket and nothing waits here. When its socket is
full, messages queue: a newer state takes the place of an older one of the same key, passing facts that
nobody misses are left out, and everything else is kept until the bound. Whoever is behind for too long
is told so by :meth:`Outbox.lag_s`.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Final, Protocol

MAX_MESSAGES: Final = 256
MAX_BYTES: Final = 512 * 1024
MAX_LAG_S: Final = 10.0
LOSABLE_BEFORE: Final = MAX_MESSAGES // 2

Key = str | int


class Wire(Protocol):
    """One socket: takes whole frames, never blocks, says when it is full."""

    @property
    def writable(self) -> bool: ...

    def write(self, frames: bytes) -> bool: ...


class Outbox:
    """Frames for one client, in order. ``on_overflow`` is called once, when the bound is passed."""

    def __init__(self, wire: Wire, clock: Callable[[], float], on_overflow: Callable[[], None]) -> None:
        self._wire = wire
        self._clock = clock
        self._on_overflow = on_overflow
        self._waiting: dict[Key, bytes] = {}
        self._bytes = 0
        self._since: float | None = None
        self._numbers = itertools.count()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def behind(self) -> bool:
        """Something waits here, so new state should rather be summed up than queued."""
        return bool(self._waiting) or not self._wire.writable

    def send(self, frame: bytes) -> None:
        """A message that must arrive: an answer, a refusal."""
        if not self._waiting and self._wire.writable:
            self._wire.write(frame)
        else:
            self._wait(next(self._numbers), frame)

    def send_state(self, frames: bytes, parts: Sequence[tuple[str, bytes]]) -> None:
        """State messages: ``frames`` is all ``parts`` joined; each part has the key it coalesces by."""
        if not self._waiting and self._wire.writable:
            self._wire.write(frames)
            return
        for key, frame in parts:
            self._wait(key, frame)

    def send_losable(self, frame: bytes) -> None:
        """A passing fact: left out when the client is far behind."""
        if not self._waiting and self._wire.writable:
            self._wire.write(frame)
        elif len(self._waiting) < LOSABLE_BEFORE and self._bytes < MAX_BYTES // 2:
            self._wait(next(self._numbers), frame)

    def flush(self) -> None:
        """The socket takes bytes again."""
        while self._waiting and self._wire.writable:
            key = next(iter(self._waiting))
            frame = self._waiting.pop(key)
            self._bytes -= len(frame)
            self._wire.write(frame)
        if not self._waiting:
            self._since = None

    def lag_s(self) -> float:
        """How long something has been waiting without a break; 0 if nothing waits."""
        return 0.0 if self._since is None else self._clock() - self._since

    def close(self) -> None:
        """Nothing more is sent."""
        self._closed = True
        self._waiting.clear()
        self._bytes = 0
        self._since = None

    def _wait(self, key: Key, frame: bytes) -> None:
        if self._closed:
            return
        # The newer one goes to the end: a client's last ``seq`` must cover all it was told before.
        older = self._waiting.pop(key, None)
        self._waiting[key] = frame
        self._bytes += len(frame) - (len(older) if older is not None else 0)
        if self._since is None:
            self._since = self._clock()
        if len(self._waiting) > MAX_MESSAGES or self._bytes > MAX_BYTES:
            self.close()
            self._on_overflow()
