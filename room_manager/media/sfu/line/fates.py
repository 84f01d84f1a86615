"""What became of the packets that left for one measured receiver, as its feedback tells."""

from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from room_manager.media.sfu.line.arrivals import REFERENCE_BITS, REFERENCE_S, Feedback
from room_manager.media.sfu.line.reading import OVERHEAD_BYTES
from room_manager.media.sfu.rtp import unwrap
from room_manager.media.sfu.send_log import KEPT, Departure, SendLog

REORDER_S: Final = 0.25
"""A packet told missing may still be told received: it is taken for lost when packets sent this much later
have come."""


class Arrived(NamedTuple):
    """One packet that came: when it left (our clock), when it came (theirs), its size with all headers."""

    sent_s: float
    came_s: float
    size_bytes: int


class Fates:
    """Matches feedback with the record of what left; each packet is told once."""

    __slots__ = ("_came", "_log", "_looked", "_missing", "_newest_came", "_reference")

    def __init__(self, log: SendLog) -> None:
        self._log = log
        self._looked = log.newest  # up to here departures were counted
        self._came = array("q", [0]) * KEPT  # the number that came last at each place of the ring
        self._missing: dict[int, float] = {}  # told not to have come, and when they were sent
        self._reference: int | None = None
        self._newest_came = float("-inf")  # when the newest of those that came was sent

    def departed(self) -> Iterator[Departure]:
        """What has left since the last call."""
        newest = self._log.newest
        left = newest - self._looked
        self._looked = newest
        for back, flight in enumerate(reversed(self._log.last(left)), start=1 - min(left, KEPT)):
            yield Departure(newest + back, flight.at, flight.size_bytes + OVERHEAD_BYTES)

    def told(self, feedback: Feedback) -> list[Arrived]:
        """Which packets came, in the order they were sent."""
        log, newest = self._log, self._log.newest
        base = unwrap(feedback.base, newest, 16)
        if base > newest:
            return []
        if self._reference is None:
            self._reference = feedback.reference
        self._reference = unwrap(feedback.reference, self._reference, REFERENCE_BITS)
        clock_s = self._reference * REFERENCE_S
        came: list[Arrived] = []
        for offset, after_s in feedback.arrivals:
            number = base + offset
            found = log.back(newest - number)
            if found is None or self._came[number % KEPT] == number:
                continue
            self._came[number % KEPT] = number
            self._missing.pop(number, None)
            came.append(Arrived(found.at, clock_s + after_s, found.size_bytes + OVERHEAD_BYTES))
            self._newest_came = max(self._newest_came, found.at)
        if len(came) < feedback.count:
            for number in range(max(1, base, newest - KEPT + 1), min(base + feedback.count, newest + 1)):
                if self._came[number % KEPT] != number and number not in self._missing:
                    found = log.back(newest - number)
                    if found is not None:
                        self._missing[number] = found.at
        return came

    def lost(self, since: float = float("-inf")) -> int:
        """How many packets have been given up since the last call; none of those sent before ``since``."""
        too_old = self._log.newest - KEPT  # no longer known, whatever may still be told of it
        given_up = [
            number
            for number, at in self._missing.items()
            if at < self._newest_came - REORDER_S or number <= too_old
        ]
        return sum(self._missing.pop(number) >= since for number in given_up)
