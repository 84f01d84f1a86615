"""How much a line loses, and how much of that it loses whatever is sent.

A full line loses less when less is sent; a poor radio link does not. Stepping down helps the first and
only the first. So losses are kept with the rate they were seen at: what was lost at much lower rates is
the line's own.
"""

from collections import deque
from typing import Final, NamedTuple

WINDOW_S: Final = 0.5
FEWEST_PACKETS: Final = 20
KEPT: Final = 24  # windows
LATELY: Final = 2
SPREAD: Final = 1.6  # the rates must differ by so much to compare


class Window(NamedTuple):
    """What became of the packets of half a second."""

    began_at: float
    packets: int
    lost: int
    bps: float  # sent


class Losses:
    """The losses of one line."""

    __slots__ = ("_began_at", "_lost", "_packets", "_since", "_windows")

    def __init__(self) -> None:
        self._windows: deque[Window] = deque(maxlen=KEPT)
        self._packets = self._lost = 0
        self._began_at: float | None = None
        self._since = float("-inf")

    def add(self, came: int, lost: int, sent_bps: float, now: float) -> bool:
        """What one feedback told; returns whether a window is complete."""
        if self._began_at is None:
            self._began_at = now
        self._packets += came + lost
        self._lost += lost
        if now - self._began_at < WINDOW_S or self._packets < FEWEST_PACKETS:
            return False
        self._windows.append(Window(self._began_at, self._packets, self._lost, sent_bps))
        self._packets = self._lost = 0
        self._began_at = now
        return True

    def start_over(self, since: float) -> None:
        """Less is being sent from then on: judge only what is lost of that."""
        self.forget()
        self._since = since

    def forget(self) -> None:
        """The window under way says nothing of the line."""
        self._packets = self._lost = 0
        self._began_at = None

    @property
    def share(self) -> float:
        """What was lost lately of what is sent now, 0…1."""
        return _share([window for window in self._windows if window.began_at >= self._since][-LATELY:])

    @property
    def lately(self) -> float:
        """What was lost in the last two seconds, whatever was being sent."""
        return _share(list(self._windows)[-2 * LATELY :])

    @property
    def own(self) -> float:
        """What the line loses at any rate, 0…1; 0 as long as only one rate is known."""
        windows = list(self._windows)
        if not windows:
            return 0.0
        top = max(window.bps for window in windows)
        low = [window for window in windows if window.bps * SPREAD <= top]
        return min(_share(low[-2:]), self.lately) if len(low) > 1 else 0.0


def _share(windows: list[Window]) -> float:
    packets = sum(window.packets for window in windows)
    return sum(window.lost for window in windows) / packets if packets else 0.0
