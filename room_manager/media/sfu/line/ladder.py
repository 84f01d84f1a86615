"""Which level a line is at: down as soon as it is given too much, up by trying.

Nobody can know that a line carries more than it is given, so the way up is a trial of the next level: if
nothing gives way in a second it stays, else it is undone and the next trial waits twice as long. Packets
that came close together (:mod:`trains`) allow a trial at once; packets that came too far apart forbid it
for a while.
"""

from typing import Final

from room_manager.media.engine import Step, StepReason
from room_manager.media.sfu.line.allot import AUDIO_ONLY, EVERYTHING, LEVELS, STILL
from room_manager.media.sfu.line.reading import Reading

TRIAL_S: Final = 1.0
PROVED_S: Final = 10.0  # a step up that lasts no longer has failed all the same
LONGEST_TRIAL_S: Final = 3.0  # the picture may wait for its keyframe
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 20.0
STILL_WAIT_S: Final = 3.0  # trying a still disturbs little
QUICK_WAIT_S: Final = 0.5
SETTLE_S: Final = 0.7  # a step down shows its effect after this, the round trip and the queue
DRAIN: Final = 2.5  # a queue takes this many times its length to go, being fed less
LONGEST_SETTLE_S: Final = 2.5
UNKNOWN_WAIT_S: Final = 5.0  # packets that leave together will soon tell what the line carries
ROOMY: Final = 1.5  # a capacity this much beyond the next level's need is worth a trial at once
LOSSY: Final = 0.08  # a line that loses this much is left where it is: larger frames are whole less often
LESS: Final = 0.95  # a level takes less than another only below this share of it


class Ladder:
    """One line's place."""

    __slots__ = (
        "_before_silence",
        "_clear_since",
        "_rose_at",
        "_settled_at",
        "_trial_at",
        "_wait_s",
        "level",
        "reason",
    )

    def __init__(self, now: float) -> None:
        self.level = EVERYTHING
        self.reason: StepReason = "room"
        self._wait_s = FIRST_WAIT_S
        self._clear_since = now
        self._settled_at = now
        self._trial_at: float | None = None
        self._rose_at = float("-inf")
        self._before_silence: tuple[int, StepReason] | None = None

    @property
    def step(self) -> Step:
        """What others are told."""
        return LEVELS[self.level]

    @property
    def at_rest(self) -> bool:
        """Whether there is room for all, and nothing to decide."""
        return self.reason == "room" and self._trial_at is None

    @property
    def pressing(self) -> bool:
        """Whether it stands where it does because a queue grew: what is too much must stop at once."""
        return self.reason in ("delay", "bandwidth", "silent")

    @property
    def trying(self) -> bool:
        """Whether the level is still on trial."""
        return self._trial_at is not None

    def decide(self, reading: Reading, costs: tuple[float, ...], now: float, *, shown: bool = True) -> bool:
        """Look at the line; returns whether level or reason have changed.

        Args:
            reading: What is known of the line.
            costs: What each level takes, in bits per second.
            now: Seconds.
            shown: Whether the main picture has arrived at the layer of this level.
        """
        before = (self.level, self.reason)
        if reading.pressed == "silent":
            self._fall_silent(now)
        elif self._before_silence is not None:
            self._heard_again(now)
        elif reading.pressed is not None:
            self._clear_since = now
            if now >= self._settled_at:
                self._down(reading, costs, now)
        elif self._trial_at is not None:
            self._judge_trial(now, shown)
        elif self.level != EVERYTHING:
            self._up(reading, costs, now)
        return (self.level, self.reason) != before

    def _fall_silent(self, now: float) -> None:
        if self._before_silence is None:
            self._before_silence = (self.level, self.reason)
            self.level, self.reason = AUDIO_ONLY, "silent"
            self._trial_at = None

    def _heard_again(self, now: float) -> None:
        """Silence says nothing of what the line carries: try what it carried before."""
        assert self._before_silence is not None
        self.level, self.reason = self._before_silence
        self._before_silence = None
        self._trial_at = now
        self._wait_s = FIRST_WAIT_S
        self._clear_since = now
        self._settled_at = now + SETTLE_S

    def _down(self, reading: Reading, costs: tuple[float, ...], now: float) -> None:
        assert reading.pressed is not None
        fits = (
            next((i for i, cost in enumerate(costs) if cost <= reading.bps), AUDIO_ONLY) if reading.bps else 0
        )
        target = max(fits, cheaper(self.level, costs))
        failed = now - self._rose_at < PROVED_S
        self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S) if failed else FIRST_WAIT_S
        self._trial_at = None
        self.level, self.reason = target, reading.pressed
        settle_s = SETTLE_S + (reading.rtt_ms + DRAIN * reading.queue_ms) / 1000
        self._settled_at = now + min(settle_s, LONGEST_SETTLE_S)

    def _judge_trial(self, now: float, shown: bool) -> None:
        assert self._trial_at is not None
        if not shown and now - self._trial_at < LONGEST_TRIAL_S:
            return
        if now - self._trial_at >= TRIAL_S:
            self._trial_at = None
            self._clear_since = now
            if self.level == EVERYTHING:
                self.reason = "room"

    def _up(self, reading: Reading, costs: tuple[float, ...], now: float) -> None:
        target = dearer(self.level, costs)
        capacity = reading.capacity_bps
        wait_s = min(self._wait_s, STILL_WAIT_S) if target >= STILL else self._wait_s
        if capacity is None:
            if target < STILL and reading.bps is not None and costs[target] > reading.bps:
                wait_s = max(wait_s, UNKNOWN_WAIT_S)
        else:
            if capacity >= ROOMY * costs[target]:
                wait_s = QUICK_WAIT_S
                further = dearer(target, costs)
                if target != EVERYTHING and capacity >= 2 * ROOMY * costs[further]:
                    target = further
            elif capacity < costs[target] and target < STILL:
                wait_s = LONGEST_WAIT_S
        if reading.loss > LOSSY:
            return
        if now - self._clear_since >= wait_s and now >= self._settled_at:
            self.level, self._trial_at, self._rose_at = target, now, now


def cheaper(level: int, costs: tuple[float, ...]) -> int:
    """The next level that takes noticeably less; the last one if none does."""
    return next((i for i in range(level + 1, len(costs)) if costs[i] < LESS * costs[level]), AUDIO_ONLY)


def dearer(level: int, costs: tuple[float, ...]) -> int:
    """The next level that gives noticeably more, under its best name; the first one if none does."""
    above = next((i for i in range(level - 1, -1, -1) if costs[level] < LESS * costs[i]), EVERYTHING)
    return next(i for i in range(above + 1) if costs[i] <= costs[above])
