"""A line in virtual time, and one receiver behind it that tells what came, as a browser does.

Everything between the pure parts and the packets is played here: three layers at 15 frames a second,
sound at 50 packets a second, keyframes after a change of layer, a queue that overflows. No sockets, no
clock.
"""

import heapq
import random
from collections.abc import Callable
from typing import Final

from room_manager.media.sfu.line.allot import STILL_S, Demand, Layer, Picture, Share, allot, costs
from room_manager.media.sfu.line.estimate import Estimate
from room_manager.media.sfu.line.ladder import Ladder
from room_manager.media.sfu.line.pacer import Pacer
from room_manager.media.sfu.line.reading import OVERHEAD_BYTES, Reading
from room_manager.media.sfu.send_log import SendLog
from room_manager.media.sfu.twcc import ArrivalRecorder

STEP_S: Final = 0.005
FRAME_S: Final = 1 / 15
FEEDBACK_S: Final = 0.06
KEYFRAME: Final = 5  # times a frame
KEYFRAME_AFTER_S: Final = 0.3
SILENT_S: Final = 2.0
PACKET_BYTES: Final = 1_100
VOICE_BYTES: Final = 91
CLOCK_APART_S: Final = 5_000.0  # the receiver's clock is another one
RATES: Final = {"q": 120_000.0, "h": 400_000.0, "f": 1_200_000.0}
DEMAND: Final = Demand(
    voices=((VOICE_BYTES + OVERHEAD_BYTES) * 8 * 50,),
    main=Picture("main", tuple(Layer(rid, bps, 0.6 * bps) for rid, bps in RATES.items())),
    content=None,
    tiles=(),
)


class Line:
    """One direction: rate with a bounded queue, delay, jitter, loss. Change the fields at any time."""

    def __init__(self, seed: int = 1) -> None:
        self.bps: float | None = None
        self.delay_s = 0.02
        self.jitter_s = 0.0
        self.loss = 0.0
        self.cut = False
        self.queue_s = 0.3
        self.dropped = 0
        self._busy_until = 0.0
        self._random = random.Random(seed)

    def pass_on(self, size_bytes: int, now: float) -> float | None:
        """When the packet comes; None: never."""
        if self.cut or self._random.random() < self.loss:
            self.dropped += 1
            return None
        at = now
        if self.bps is not None:
            at = max(now, self._busy_until)
            if at - now > self.queue_s:
                self.dropped += 1
                return None
            self._busy_until = at = at + size_bytes * 8 / self.bps
        return at + self.delay_s + self._random.uniform(0, 2 * self.jitter_s)


class Receiver:
    """One ward behind a line, and what the unit thinks of it."""

    def __init__(self, *, paced: bool = True, seed: int = 1) -> None:
        self.now = 100.0
        self.line = Line(seed)
        self.log = SendLog()
        self.estimate = Estimate(self.log, self.now)
        self.ladder = Ladder(self.now)
        self.pacer: Pacer[tuple[str, int]] | None = None
        self.voice_sent = self.voice_came = 0
        self.steps: list[tuple[float, str, str]] = [(self.now, "full", "room")]
        self.on_tick: Callable[[], None] = lambda: None
        self._paced = paced
        self._recorder = ArrivalRecorder()
        self._way: list[tuple[float, int, str]] = []  # comes at, number, kind
        self._told: list[tuple[float, bytes]] = []
        self._layer: str | None = "f"
        self._wanted: tuple[str, float] | None = None
        self._frame_at = self._voice_at = self._feedback_at = self._tick_at = self.now
        self._still_at = self.now
        self._heard_at = self.now
        self._frames = 0

    @property
    def step(self) -> str:
        return self.ladder.step

    def play(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass; ends early when ``until`` holds, and returns whether it did."""
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            self._source()
            self._arrive()
            if self.now >= self._tick_at:
                self._tick_at += 0.1
                self._tick()
            if until is not None and until():
                return True
        return False

    def _source(self) -> None:
        while self._voice_at <= self.now:
            self._voice_at += 0.02
            self.voice_sent += 1
            self._send(VOICE_BYTES, "voice")
            if self.pacer is not None:
                self.pacer.passed(VOICE_BYTES + OVERHEAD_BYTES)
        while self._frame_at <= self.now:
            self._frame_at += FRAME_S
            self._frames += 1
            self._frame()
        if self.pacer is not None:
            for kind, size in self.pacer.due(self.now):
                self._send(size, kind)

    def _frame(self) -> None:
        key = False
        if self._wanted is not None and self.now >= self._wanted[1]:
            self._layer, key, self._wanted = self._wanted[0], True, None
        share = self._share()
        if share.frames == "still":
            if self.now - self._still_at < STILL_S:
                return
            self._still_at, key = self.now, True
        if self._layer is None or (share.frames == "base" and self._frames % 2 and not key):
            return
        left = RATES[self._layer] / 8 * FRAME_S * (KEYFRAME if key else 1)
        while left > 0:
            size = int(min(left, PACKET_BYTES))
            left -= PACKET_BYTES
            if self.pacer is None:
                self._send(size, "main")
            else:
                self.pacer.add(("main", size), size + OVERHEAD_BYTES, self.now)

    def _send(self, size: int, kind: str) -> None:
        seq = self.log.depart(size, self.now)
        at = self.line.pass_on(size + OVERHEAD_BYTES, self.now)
        if at is not None:
            heapq.heappush(self._way, (at, seq, kind))

    def _arrive(self) -> None:
        while self._way and self._way[0][0] <= self.now:
            at, seq, kind = heapq.heappop(self._way)
            self._recorder.record(seq, at + CLOCK_APART_S)
            self.voice_came += kind == "voice"
        if self.now >= self._feedback_at:
            self._feedback_at += FEEDBACK_S
            if not self.line.cut:
                self._told += [(self.now + self.line.delay_s, body) for body in self._recorder.feedback()]
        while self._told and self._told[0][0] <= self.now:
            self._heard_at = self.now
            self.estimate.fed_back(self._told.pop(0)[1], self.now)

    def _share(self) -> Share:
        _, shares = allot(DEMAND, self.ladder.level, self.estimate.bps)
        return shares["main"]

    def _tick(self) -> None:
        self.on_tick()
        reading = self.estimate.reading(self.now)
        if self.now - self._heard_at > SILENT_S:
            reading = Reading(pressed="silent")
        shown = self._wanted is None
        if self.ladder.decide(reading, costs(DEMAND, reading.bps), self.now, shown=shown):
            self.steps.append((self.now, self.ladder.step, self.ladder.reason))
        share = self._share()
        wanted = None if share.frames == "none" else share.layer or "f"
        if wanted is None:
            self._layer = self._wanted = None
        elif wanted != self._layer and (self._wanted is None or self._wanted[0] != wanted):
            if self._layer is not None and RATES[wanted] < RATES[self._layer]:
                self._layer = None  # the larger layer stops at once
            self._wanted = (wanted, self.now + KEYFRAME_AFTER_S)
            self._still_at = float("-inf")
        elif wanted == self._layer:
            self._wanted = None
        if not self._paced or self.ladder.level == 0:
            if self.pacer is not None:
                for kind, size in self.pacer.flush():
                    self._send(size, kind)
            self.pacer = None
        else:
            bps = self.estimate.bps or 1e6
            if self.ladder.trying:
                bps = max(bps, costs(DEMAND, bps)[self.ladder.level])
            if self.pacer is None:
                self.pacer = Pacer(bps, self.now)
            self.pacer.rate_bps = bps
