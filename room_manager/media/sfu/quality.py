"""How good a connection's line is, from what both ends report, with hysteresis."""

from typing import Final, Literal

from room_manager.media.sfu.rtcp import Block

Grade = Literal["good", "weak", "bad"]

EVALUATE_S: Final = 2.5
TELL_S: Final = 5.0
WEAK_LOSS: Final = 0.03
BAD_LOSS: Final = 0.10
WEAK_RTT_MS: Final = 300.0
BAD_RTT_MS: Final = 800.0
RECOVERED: Final = 0.7  # a better grade needs values this far below the threshold
FEWEST_PACKETS: Final = 20  # fewer say nothing about loss

_ORDER: Final[dict[Grade, int]] = {"good": 0, "weak": 1, "bad": 2}


def graded(loss: float, rtt_ms: float | None, margin: float = 1.0) -> Grade:
    """The grade of one measurement; ``margin`` scales the thresholds."""
    rtt = rtt_ms or 0.0
    if loss > BAD_LOSS * margin or rtt > BAD_RTT_MS * margin:
        return "bad"
    if loss >= WEAK_LOSS * margin or rtt >= WEAK_RTT_MS * margin:
        return "weak"
    return "good"


class Quality:
    """One connection's line."""

    __slots__ = (
        "_candidate",
        "_down",
        "_evaluated_at",
        "_highest",
        "_told_at",
        "_up",
        "grade",
        "loss",
        "rtt_ms",
    )

    def __init__(self) -> None:
        self.grade: Grade = "good"
        self.loss = 0.0
        self.rtt_ms: float | None = None
        self._highest: dict[int, tuple[int, int]] = {}
        self._down = [0, 0]  # expected, lost
        self._up = [0, 0]
        self._candidate: Grade = "good"
        self._evaluated_at: float | None = None
        self._told_at = float("-inf")

    def reported(self, block: Block, ntp: int) -> tuple[int, int]:
        """The peer says how one of our streams arrives; ``ntp`` is the time now, 64 bits.

        Returns how many packets that is of since its last block, and how many of them are missing.
        """
        news = (0, 0)
        before = self._highest.get(block.ssrc)
        self._highest[block.ssrc] = (block.highest, block.lost)
        if before is not None and block.highest >= before[0]:
            news = (block.highest - before[0], max(0, block.lost - before[1]))
            self._down[0] += news[0]
            self._down[1] += news[1]
        if block.last_report:
            trip = ((ntp >> 16) - block.last_report - block.delay) & 0xFFFFFFFF
            if trip < 0x80000000:  # a clock step may make it negative
                measured = trip * 1000 / 65536
                self.rtt_ms = (
                    measured if self.rtt_ms is None else self.rtt_ms + 0.3 * (measured - self.rtt_ms)
                )
        return news

    def received(self, expected: int, lost: int) -> None:
        """What we expected of the peer's streams lately, and what of it is missing."""
        self._up[0] += max(0, expected)
        self._up[1] += max(0, lost)

    def evaluate(self, now: float) -> bool:
        """Whether the grade has changed and should be told now."""
        if self._evaluated_at is None:
            self._evaluated_at = now
            return False
        if now - self._evaluated_at < EVALUATE_S:
            return False
        self._evaluated_at = now
        self.loss = max(_share(self._down), _share(self._up))
        self._down, self._up = [0, 0], [0, 0]
        seen = graded(self.loss, self.rtt_ms)
        if _ORDER[seen] < _ORDER[self.grade]:
            seen = graded(self.loss, self.rtt_ms, RECOVERED)
        steady = seen == self._candidate
        self._candidate = seen
        if seen == self.grade or not steady or now - self._told_at < TELL_S:
            return False
        self.grade = seen
        self._told_at = now
        return True


def _share(counts: list[int]) -> float:
    expected, lost = counts
    return min(1.0, lost / expected) if expected >= FEWEST_PACKETS else 0.0
