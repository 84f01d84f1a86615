"""Packets of one stream in the order of their numbers, waiting a little for those that are late.

Pure: the time is an argument. What does not come within ``patience_s`` is given up, and whoever takes the
packets is told that something is missing before the next one.
"""

from typing import Final

from room_manager.media.sfu.rtp import Packet, unwrap

PATIENCE_S: Final = 0.2
"""How long a missing packet is waited for: a repeat asked for at once is back long before, on one machine."""

MAX_WAITING: Final = 512
"""Packets held behind a gap; more, and the gap is given up at once."""

RESTART: Final = 3_000
"""A jump by this many numbers is a stream that began anew (RFC 3550, appendix A.1: MAX_DROPOUT)."""


class Sequencer:
    """Puts one stream in order."""

    __slots__ = ("_asked", "_gap_at", "_lost", "_next", "_waiting")

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, Packet] = {}
        self._asked = 0  # numbers below it have been reported as missing
        self._gap_at: float | None = None
        self._lost = False

    def put(self, packet: Packet) -> None:
        """A packet has come. Repeats and those that come too late are ignored."""
        if self._next is None:
            self._next = self._asked = packet.seq
        index = unwrap(packet.seq, self._next, 16)
        if abs(index - self._next) > RESTART:
            self._waiting.clear()
            self._next = self._asked = index = packet.seq
            self._lost = True
        if index >= self._next:
            self._waiting.setdefault(index, packet)

    def take(self, now: float) -> list[tuple[Packet, bool]]:
        """What can be had in order by now; with each, whether something before it is lost for good."""
        taken: list[tuple[Packet, bool]] = []
        while self._waiting and self._next is not None:
            packet = self._waiting.pop(self._next, None)
            if packet is not None:
                taken.append((packet, self._lost))
                self._lost = False
                self._next += 1
                self._gap_at = None
                continue
            if self._gap_at is None:
                self._gap_at = now
            if now - self._gap_at < PATIENCE_S and len(self._waiting) <= MAX_WAITING:
                break
            self._next = min(self._waiting)
            self._lost = True
        return taken

    def missing(self) -> list[int]:
        """Numbers (16 bits) to ask for again; each is told once."""
        if self._next is None or not self._waiting:
            return []
        first, last = max(self._next, self._asked), max(self._waiting)
        self._asked = max(self._asked, last)
        return [number & 0xFFFF for number in range(first, last) if number not in self._waiting]
