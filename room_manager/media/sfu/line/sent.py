"""What was sent to one measured receiver, until its feedback tells what became of it."""

from typing import Final, NamedTuple

from room_manager.media.sfu.line.arrivals import REFERENCE_BITS, REFERENCE_S, Feedback
from room_manager.media.sfu.rtp import unwrap

MAX_PACKETS: Final = 4_096
REORDER_S: Final = 0.25
"""A packet told missing may still be told received: it is taken for lost when packets sent this much
later have come.
"""


class Arrived(NamedTuple):
    """One packet that came: when it left (our clock), when it came (theirs), its size with all headers."""

    sent_s: float
    came_s: float
    size_bytes: int


class SendLog:
    """Packets under way, by their transport-wide number without wrap."""

    __slots__ = ("_base", "_missing", "_newest", "_newest_came", "_reference", "_under_way")

    def __init__(self) -> None:
        self._under_way: dict[int, tuple[float, int]] = {}
        self._missing: dict[int, tuple[float, int]] = {}  # told not to have come
        self._newest = 0
        self._base: int | None = None
        self._reference: int | None = None
        self._newest_came = float("-inf")  # when the newest of those that came was sent

    def __len__(self) -> int:
        return len(self._under_way) + len(self._missing)

    def sent(self, seq: int, now: float, size_bytes: int) -> None:
        """A packet with this 16-bit number has left."""
        self._newest = unwrap(seq, self._newest, 16)
        self._under_way[self._newest] = (now, size_bytes)
        if len(self._under_way) > MAX_PACKETS:
            del self._under_way[next(iter(self._under_way))]

    def told(self, feedback: Feedback) -> list[Arrived]:
        """Which packets came, in the order they were sent; each is told once."""
        base = unwrap(feedback.base, self._newest if self._base is None else self._base, 16)
        if base > self._newest + 1:  # numbers never given: those of an older turn
            base -= 1 << 16
        self._base = base
        if self._reference is None:
            self._reference = feedback.reference
        self._reference = unwrap(feedback.reference, self._reference, REFERENCE_BITS)
        clock_s = self._reference * REFERENCE_S
        came: list[Arrived] = []
        for offset, after_s in feedback.arrivals:
            index = base + offset
            known = self._under_way.pop(index, None) or self._missing.pop(index, None)
            if known is not None:
                came.append(Arrived(known[0], clock_s + after_s, known[1]))
                self._newest_came = max(self._newest_came, known[0])
        end = base + feedback.count
        for index in list(self._under_way):
            if index >= end:
                break
            known = self._under_way.pop(index)
            if index >= base and len(self._missing) < MAX_PACKETS:  # before: its feedback was lost itself
                self._missing[index] = known
        return came

    def lost(self, since: float = float("-inf")) -> int:
        """How many packets have been given up since the last call; of those sent before ``since``, none
        count.
        """
        given_up = [
            index for index, known in self._missing.items() if known[0] < self._newest_came - REORDER_S
        ]
        return sum(self._missing.pop(index)[0] >= since for index in given_up)
