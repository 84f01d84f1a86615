"""Letting packets leave no faster than a thin line takes them.

A keyframe sent as one burst fills a thin line's queue, and sound behind it is late or lost. So pictures
for a line that stands below full wait here, a bounded time; sound never does. Nobody else has a pacer.
"""

from collections import deque
from typing import Final, Generic, TypeVar

MAX_WAIT_S: Final = 1.5
MAX_PACKETS: Final = 300
PACE: Final = 0.95  # of what the line is thought to carry, lest the queue grow there instead of here
LEAST_BPS: Final = 16_000.0
BURST_S: Final = 0.01
TRAIN_EVERY_S: Final = 2.5
TRAIN_PACKETS: Final = 4
TRAIN_BYTES: Final = 2_200  # of the least train
TRAIN_S: Final = 0.15  # a train makes a queue no longer than this; a line too thin for one gets none
HOLD_S: Final = 0.2

Item = TypeVar("Item")


class Pacer(Generic[Item]):
    """One thin line's waiting pictures."""

    __slots__ = (
        "_at",
        "_behind_sound",
        "_due_bytes",
        "_holding_since",
        "_queue",
        "_train_at",
        "dropped",
        "rate_bps",
        "waiting_bytes",
    )

    def __init__(self, rate_bps: float, now: float) -> None:
        self.rate_bps = rate_bps
        self.waiting_bytes = 0
        self.dropped = 0
        self._queue: deque[tuple[Item, int]] = deque()
        self._at = now
        self._due_bytes = 0.0  # may leave at once; negative: owed by what left
        self._train_at = float("-inf")
        self._holding_since: float | None = None
        self._behind_sound = False

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def wait_s(self) -> float:
        """How long a packet added now would wait."""
        return self.waiting_bytes * 8 / self._pace

    @property
    def _pace(self) -> float:
        return max(LEAST_BPS, self.rate_bps) * PACE

    def add(self, item: Item, size_bytes: int, now: float) -> bool:
        """Let it leave in its turn. False: it would wait too long, and is dropped with all that waits.

        What waits belongs to frames that can no longer be shown whole: the picture must begin anew.
        """
        if self.wait_s > MAX_WAIT_S or len(self._queue) >= MAX_PACKETS:
            self.clear()
            self.dropped += 1
            return False
        room_bytes = self._pace * TRAIN_S / 8
        if not self._queue and now - self._train_at >= TRAIN_EVERY_S and room_bytes >= TRAIN_BYTES:
            self._holding_since = now
        self._queue.append((item, size_bytes))
        self.waiting_bytes += size_bytes
        return True

    def passed(self, size_bytes: int) -> None:
        """Sound has left beside the queue; it counts."""
        self._behind_sound = True
        self._due_bytes -= size_bytes

    def due(self, now: float) -> list[Item]:
        """What leaves now."""
        self._due_bytes = min(self._due_bytes + (now - self._at) * self._pace / 8, self._pace * BURST_S / 8)
        self._at = now
        if self._holding_since is not None:
            if len(self._queue) < TRAIN_PACKETS and now - self._holding_since < HOLD_S:
                return []
            self._holding_since = None
            self._train_at = now
            train: list[Item] = []
            room_bytes = self._pace * TRAIN_S / 8
            while self._queue and len(train) < TRAIN_PACKETS and room_bytes > 0:
                room_bytes -= self._queue[0][1]
                train.append(self._pop())
            return train
        leaving: list[Item] = []
        behind_sound, self._behind_sound = self._behind_sound, False
        if behind_sound and self._queue and now - self._train_at >= TRAIN_EVERY_S:
            self._train_at = now  # a packet close behind a small one is a train for the thinnest of lines
            leaving.append(self._pop())
        while self._queue and self._due_bytes >= 0:
            leaving.append(self._pop())
        return leaving

    def flush(self) -> list[Item]:
        """All that waits, because nothing needs to wait any more."""
        waiting = [item for item, _ in self._queue]
        self._queue.clear()
        self.waiting_bytes = 0
        self._holding_since = None
        return waiting

    def clear(self) -> None:
        """Forget what waits."""
        self.dropped += len(self._queue)
        self._queue.clear()
        self.waiting_bytes = 0
        self._holding_since = None

    def _pop(self) -> Item:
        item, size_bytes = self._queue.popleft()
        self.waiting_bytes -= size_bytes
        self._due_bytes -= size_bytes
        return item
