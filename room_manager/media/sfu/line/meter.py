"""Bits per second over a short window."""

from collections import deque
from typing import Final

WINDOW_S: Final = 0.5
SLICE_S: Final = 0.05
LEAST_S: Final = 0.2


class Meter:
    """Counts bytes against any clock that goes forward."""

    __slots__ = ("_began", "_bytes", "_slices", "_window_s")

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._slices: deque[list[float]] = deque()  # when it begins, bytes in it
        self._bytes = 0.0
        self._began: float | None = None

    def add(self, now: float, size_bytes: int) -> None:
        """Bytes at this moment; a moment before the newest counts as the newest."""
        if self._began is None:
            self._began = now
        slices = self._slices
        if slices and now - slices[-1][0] < SLICE_S:
            slices[-1][1] += size_bytes
        else:
            slices.append([now, size_bytes])
        self._bytes += size_bytes
        self._expire(now)

    def bps(self, now: float) -> float | None:
        """The rate at this moment; None: nothing, or not long enough to tell."""
        self._expire(now)
        if self._began is None or not self._slices:
            return None
        span_s = min(self._window_s, now - self._began)
        return self._bytes * 8 / span_s if span_s >= LEAST_S else None

    def _expire(self, now: float) -> None:
        slices = self._slices
        while slices and slices[0][0] <= now - self._window_s:
            self._bytes -= slices.popleft()[1]
        if not slices:
            self._bytes = 0.0
            if self._began is not None and now - self._began > 2 * self._window_s:
                self._began = None
