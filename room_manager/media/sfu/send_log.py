"""What left for each receiver and when, so that transport-wide feedback can be matched.

Numbers count over all streams of a receiver (draft-holmer-rmcat-transport-wide-cc-extensions-01). Kept only
while a line is measured. A packet to many is one record that all of them share: per receiver that leaves
taking a number and keeping a reference.
"""

import itertools
import sys
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from room_manager.media.sfu.rtp import SEQ_MASK, unwrap

KEPT: Final = 1024  # packets; two seconds of a full picture with sound
NUMBER_BYTES: Final = 8
HIGH, LOW = (1, 0) if sys.byteorder == "little" else (6, 7)
"""Where in a number's bytes those lie that packets carry."""


class Departure(NamedTuple):
    """One packet that left: its number without wrap, when, and its size with protection."""

    number: int
    at: float
    size_bytes: int


class Flight(NamedTuple):
    """One packet that left for one receiver or more."""

    at: float
    size_bytes: int
    numbers: Sequence[int]
    places: Mapping[int, int]  # which of the numbers is whose, by the log's id: none is kept alive by others


class SendLog:
    """The last packets of one receiver, newest last: their numbers are consecutive."""

    __slots__ = ("counter", "flights")

    def __init__(self) -> None:
        self.counter = itertools.count(1)
        self.flights: deque[Flight] = deque(maxlen=KEPT)

    @property
    def newest(self) -> int:
        """The number last given, without wrap; 0: none was."""
        if not self.flights:
            return 0
        flight = self.flights[-1]
        return flight.numbers[flight.places[id(self)]]

    def depart(self, size_bytes: int, now: float) -> int:
        """A packet leaves for this receiver alone; returns its number, 16 bits."""
        given = next(self.counter)
        self.flights.append(Flight(now, size_bytes, (given,), {id(self): 0}))
        return given & SEQ_MASK

    def find(self, number: int) -> Departure | None:
        """The packet that was given this 16-bit number, if it is still known."""
        newest = self.newest
        given = unwrap(number, newest, 16)
        flight = self.back(newest - given)
        return None if flight is None else Departure(given, flight.at, flight.size_bytes)

    def back(self, count: int) -> Flight | None:
        """The packet so many before the newest, if it is still known."""
        return self.flights[-1 - count] if 0 <= count < len(self.flights) else None

    def last(self, count: int) -> list[Flight]:
        """So many packets, as far as they are known, the newest first."""
        return list(itertools.islice(reversed(self.flights), count))


class SendLogs:
    """Those of receivers that get the same packets."""

    __slots__ = ("_counters", "_keep", "_places")

    def __init__(self, logs: Sequence[SendLog]) -> None:
        self._counters = [log.counter for log in logs]
        self._keep = [log.flights.append for log in logs]
        self._places = {id(log): place for place, log in enumerate(logs)}

    def depart(self, size_bytes: int, now: float) -> tuple[memoryview, memoryview]:
        """A packet leaves for all; returns the high and the low byte of each one's number."""
        numbers = array("Q", map(next, self._counters))
        flight = Flight(now, size_bytes, numbers, self._places)
        for keep in self._keep:
            keep(flight)
        raw = memoryview(numbers).cast("B")
        return raw[HIGH::NUMBER_BYTES], raw[LOW::NUMBER_BYTES]
