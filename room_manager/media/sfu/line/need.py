"""Whose line is worth measuring: measuring 579 good lines would cost a tenth of a core.

Measured means: packets carry transport-wide numbers, and some fifteen feedbacks a second are read. There
is reason for a newcomer, for whoever stands below full, and where reports have something to complain of.
"""

from typing import Final

NEWCOMER_S: Final = 6.0
AFTER_S: Final = 12.0
SOME_LOSS: Final = 0.02
SLOWER_MS: Final = 100.0
JITTERY_MS: Final = 40.0
LOW: Final = 0.9  # a REMB below this share of what is sent


class Need:
    """Whether one line is to be measured."""

    __slots__ = ("_until",)

    def __init__(self, now: float) -> None:
        self._until = now + NEWCOMER_S

    def reported(self, loss: float, slower_ms: float, jitter_ms: float, now: float) -> None:
        """What reports say: share lost, round trip beyond the shortest, jitter."""
        if loss >= SOME_LOSS or slower_ms >= SLOWER_MS or jitter_ms >= JITTERY_MS:
            self.doubt(now)

    def remb(self, bps: int, sent_bps: float, now: float) -> None:
        """What the receiver believes its line carries."""
        if bps < LOW * sent_bps:
            self.doubt(now)

    def doubt(self, now: float) -> None:
        """Something is wrong with the line."""
        self._until = max(self._until, now + AFTER_S)

    def measured(self, now: float, *, below_full: bool) -> bool:
        """Whether to measure now."""
        if below_full:
            self.doubt(now)
        return now < self._until
