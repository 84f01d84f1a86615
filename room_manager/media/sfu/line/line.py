"""One receiver's line, whole: what reports say, what is measured, and its place on the ladder."""

from collections.abc import Callable
from typing import Final

from room_manager.media.engine import Step
from room_manager.media.sfu.audience import Audience, Marks
from room_manager.media.sfu.line.budget import RepairBudget
from room_manager.media.sfu.line.coarse import Coarse
from room_manager.media.sfu.line.estimate import Estimate
from room_manager.media.sfu.line.ladder import Ladder
from room_manager.media.sfu.line.need import Need
from room_manager.media.sfu.line.pacer import Pacer
from room_manager.media.sfu.line.reading import OVERHEAD_BYTES, Reading
from room_manager.media.sfu.send_log import SendLog

DOUBT_S: Final = 0.5
SILENT_S: Final = 2.0  # measured: feedback comes some fifteen times a second
REPORTS_SILENT_S: Final = 6.0  # reports come every second, or every five when there is only sound
LONGEST_LOOK_S: Final = 1.2
CHOKED_S: Final = 0.3
FEEDBACKS_PER_S: Final = 100  # read; browsers send twenty

Waiting = tuple[bytes, Audience, Marks]
"""A rendered packet, its only receiver, and its marks."""


class Line:
    """What is known of one line and what it is given."""

    __slots__ = (
        "_choked_at",
        "_fed",
        "_fed_in",
        "_feeds",
        "_looked_at",
        "_quiet_s",
        "_reports",
        "budget",
        "capable",
        "coarse",
        "estimate",
        "ladder",
        "need",
        "pacer",
        "sent_bps",
        "silent",
        "stills",
    )

    def __init__(self, now: float, *, capable: bool) -> None:
        """``capable``: it has negotiated transport-wide feedback."""
        self.capable = capable
        self.coarse = Coarse()
        self.need = Need(now)
        self.ladder = Ladder(now)
        self.budget = RepairBudget(now)
        self.estimate: Estimate | None = None
        self.pacer: Pacer[Waiting] | None = None
        self.sent_bps = 0.0  # what it is given, as far as known
        self.stills: dict[str, float] = {}  # when each slot that shows stills got its last
        self.silent = False  # it has stopped reporting although it is sent something
        self._reports = self._feeds = False  # whether it ever has, and has since it is measured
        self._fed = self._fed_in = 0  # feedbacks in the second under way, and which that is
        self._quiet_s = 0.0
        self._looked_at = now
        self._choked_at = float("-inf")

    @property
    def step(self) -> Step:
        """Where it is."""
        return self.ladder.step

    # --- what its receiver says ---

    def reported(self, expected: int, lost: int, rtt_ms: float | None, jitter_ms: float, now: float) -> None:
        """A report block: packets since the last one, and how many of them are missing."""
        self._reports, self._quiet_s = True, 0.0
        self.coarse.reported(expected, lost, self.sent_bps, now)
        if rtt_ms is not None:
            self.coarse.took(rtt_ms, self.sent_bps, now)
        self.need.reported(self.coarse.loss, self.coarse.slower_ms, jitter_ms, now)

    def remb(self, bps: int, now: float) -> None:
        """What the receiver believes the line carries."""
        self._reports, self._quiet_s = True, 0.0
        self.coarse.remb(bps, self.sent_bps, now)
        self.need.remb(bps, self.sent_bps, now)

    def fed_back(self, body: bytes, now: float) -> None:
        """Transport-wide feedback. Raises ``Malformed``."""
        if self._fed_in != int(now):
            self._fed_in, self._fed = int(now), 0
        self._fed += 1
        if self.estimate is not None and self._fed <= FEEDBACKS_PER_S:
            self.estimate.fed_back(body, now)
            self._feeds = True
        self._quiet_s = 0.0

    # --- sending ---

    def wait(self, plain: bytes, rows: Audience, marked: Marks, now: float) -> None:
        """A packet for this line alone, to leave in its turn."""
        assert self.pacer is not None
        if not self.pacer.add((plain, rows, marked), len(plain) + OVERHEAD_BYTES, now):
            self._choked_at = now

    def may_repair(self, now: float) -> Callable[[int], bool]:
        """To be asked whether a packet of so many bytes may be sent again."""
        return lambda size_bytes: self.budget.may(size_bytes + OVERHEAD_BYTES, now)

    def passed(self, plain_bytes: int) -> None:
        """Sound has left at once; pictures wait the longer."""
        if self.pacer is not None:
            self.pacer.passed(plain_bytes + OVERHEAD_BYTES)

    # --- measuring and looking ---

    def measure(self, log: SendLog | None, now: float) -> None:
        """Packets to it are in this record from now on; None: it is measured no more."""
        self.estimate = Estimate(log, now) if log is not None else None
        self._feeds = False
        self._quiet_s = 0.0

    def excuse(self, now: float) -> None:
        """We were late ourselves."""
        self.coarse.forget()
        self._looked_at = now
        if self.estimate is not None:
            self.estimate.excuse(now)

    def calm(self, now: float) -> bool:
        """Whether nothing is known against the line: the look that everybody can be given often."""
        self._listen(now)
        if self.silent or now - self._choked_at <= CHOKED_S:
            return False
        measured = self.estimate if self.estimate is not None and self.estimate.bps is not None else None
        return (measured or self.coarse).pressed(now) is None

    def _listen(self, now: float) -> None:
        self._quiet_s += min(now - self._looked_at, LONGEST_LOOK_S)  # our own pauses are not its silence
        self._looked_at = now
        if self._feeds and self._quiet_s > DOUBT_S and self.sent_bps > 0:
            self.need.doubt(now)
        late = self._quiet_s > SILENT_S if self._feeds else self._reports and self._quiet_s > REPORTS_SILENT_S
        self.silent = late and (self.silent or self.sent_bps > 0)

    def reading(self, now: float) -> Reading:
        """What is known now."""
        self._listen(now)
        estimate = self.estimate
        measured = estimate is not None and estimate.bps is not None
        found = estimate.reading(now) if estimate is not None and measured else self.coarse.reading(now)
        pressed, bps = found.pressed, found.bps
        if self.silent:
            pressed = "silent"
        elif pressed is None and now - self._choked_at <= CHOKED_S:
            pressed = "bandwidth"
        return Reading(bps, pressed, found.capacity_bps, found.queue_ms, found.loss, self.coarse.rtt_ms)
