"""What left for one receiver and when, so that its transport-wide feedback can be matched.

Numbers count over all streams of the receiver (draft-holmer-rmcat-transport-wide-cc-extensions-01). Kept
only while a line is measured.
"""

from array import array
from typing import Final, NamedTuple

from room_manager.media.sfu.rtp import SEQ_MASK, unwrap

KEPT: Final = 1024  # packets; two seconds of a full picture with sound


class Departure(NamedTuple):
    """One packet that left: its number without wrap, when, and its size with protection."""

    number: int
    at: float
    size_bytes: int


class SendLog:
    """A ring of the last packets, by their number."""

    __slots__ = ("_at", "_next", "_sizes")

    def __init__(self) -> None:
        self._at = array("d", bytes(8 * KEPT))
        self._sizes = array("H", bytes(2 * KEPT))
        self._next = 1

    @property
    def newest(self) -> int:
        """The number last given, without wrap; 0: none was."""
        return self._next - 1

    def depart(self, size_bytes: int, now: float) -> int:
        """A packet leaves; returns its number, 16 bits."""
        given = self._next
        self._next = given + 1
        self._at[given % KEPT] = now
        self._sizes[given % KEPT] = size_bytes
        return given & SEQ_MASK

    def find(self, number: int) -> Departure | None:
        """The packet that was given this 16-bit number, if it is still known."""
        given = unwrap(number, self._next - 1, 16)
        if not max(0, self._next - 1 - KEPT) < given < self._next:
            return None
        return Departure(given, self._at[given % KEPT], self._sizes[given % KEPT])
