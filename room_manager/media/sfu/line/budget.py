"""How many lost packets may be sent again: repairs must not drown a line that is full already."""

from typing import Final

PACKETS_PER_S: Final = 300
ASKED_PER_S: Final = 1_200  # numbers looked up: one asked for in vain costs more than one that is there
SHARE: Final = 0.25  # of what a line is thought to carry beside sound
LEAST_BPS: Final = 4_000.0
BURST_S: Final = 0.5  # losses come in bursts, and so do their repairs


class RepairBudget:
    """One receiver's budget."""

    __slots__ = ("_asked_at", "_asks", "_at", "_bytes", "_packets", "bps")

    def __init__(self, now: float) -> None:
        self.bps: float | None = None  # what the line carries beside sound; None: not known to be thin
        self._at = self._asked_at = now
        self._packets = float(PACKETS_PER_S)
        self._asks = float(ASKED_PER_S)
        self._bytes = 0.0

    def asked(self, count: int, now: float) -> int:
        """How many of so many numbers are looked up; they are taken to be."""
        passed_s, self._asked_at = now - self._asked_at, now
        self._asks = min(self._asks + passed_s * ASKED_PER_S, ASKED_PER_S)
        granted = min(count, int(self._asks))
        self._asks -= granted
        return granted

    def may(self, size_bytes: int, now: float) -> bool:
        """Whether one more packet may be sent again; if so it is taken to be sent."""
        passed_s, self._at = now - self._at, now
        self._packets = min(self._packets + passed_s * PACKETS_PER_S, PACKETS_PER_S)
        if self._packets < 1:
            return False
        if self.bps is not None:
            pace = max(LEAST_BPS, SHARE * self.bps) / 8
            self._bytes = min(self._bytes + passed_s * pace, max(pace * BURST_S, size_bytes))
            if self._bytes < size_bytes:
                return False
            self._bytes -= size_bytes
        self._packets -= 1
        return True
