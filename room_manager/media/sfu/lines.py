"""The lines of one room's receivers: who is measured, where each stands, and what that means for its slots.

Most lines are good, and cost a look when their report is due. Only those with a reason to be looked at
closely are looked at ten times a second.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from room_manager.ids import RoomId
from room_manager.media.engine import LineStep, Scene
from room_manager.media.sfu.audience import Egress
from room_manager.media.sfu.choice import rank
from room_manager.media.sfu.line.allot import EVERYTHING, STILL_S, Demand, Picture, Share, allot, costs
from room_manager.media.sfu.line.line import Line
from room_manager.media.sfu.line.pacer import Pacer
from room_manager.media.sfu.line.rates import SAMPLE_S, Rates
from room_manager.media.sfu.line.reading import Reading
from room_manager.media.sfu.member import Member
from room_manager.media.sfu.slot import UNLIMITED, Limit, Slot
from room_manager.media.sfu.track import ALIVE_S, Track

LOOK_S: Final = 0.1
LATE_S: Final = 0.15  # ticks come every 50 ms; after a longer pause nothing is blamed on a line
PACE_S: Final = 0.004
NOTHING: Final = Limit(None)


class House(Protocol):
    """What lines need of their room."""

    scene: Scene

    def sources(self, slot: Slot) -> list[Track]:
        """Every stream the slot could show now."""

    def limit(self, member: Member, limits: Mapping[str, Limit], now: float) -> None:
        """The most each slot may show."""

    def measure(self, member: Member, now: float, *, on: bool) -> None:
        """Whether packets are numbered transport-wide."""


class Lines:
    """All lines of one room."""

    def __init__(self, room: RoomId, house: House, egress: Egress, tell: Callable[[LineStep], None]) -> None:
        self._room = room
        self._house = house
        self._egress = egress
        self._tell = tell
        self._rates = Rates()
        self._all: set[Member] = set()
        self._close: set[Member] = set()  # looked at closely
        self._paced: dict[Member, Line] = {}
        self._looked_at = self._ticked_at = self._sampled_at = self._paced_at = float("-inf")

    def add(self, member: Member, now: float) -> None:
        """A connection that receives, not seated yet; nothing is known of its line, so it is measured."""
        capable = any(slot.format.transport_wide is not None for slot in member.slots)
        line = member.line = Line(now, capable=capable)
        if capable:
            member.measured = True
            line.measure(member.log, now)
        self._all.add(member)
        self._close.add(member)

    def remove(self, member: Member) -> None:
        """It is gone."""
        self._all.discard(member)
        self._close.discard(member)
        self._paced.pop(member, None)

    def due(self, members: Iterable[Member], now: float) -> None:
        """The slow look at every line, about once a second."""
        for member in members:
            line = member.line
            if line is not None and member not in self._close:
                self._weigh(member, line, now)
                if not line.calm(now) or line.need.measured(now, below_full=False):
                    self._close.add(member)

    def tick(self, tracks: Iterable[Track], now: float) -> None:
        """To be called every 50 ms. ``tracks``: the streams that somebody is shown, in all their layers."""
        if now - self._ticked_at > LATE_S:
            for member in self._all:
                if member.line is not None:
                    member.line.excuse(now)
        self._ticked_at = now
        if now - self._sampled_at >= SAMPLE_S:
            self._sampled_at = now
            self._rates.sample(tracks, now)
            for member in self._close:
                if member.line is not None:
                    self._weigh(member, member.line, now)
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            for member in tuple(self._close):
                if member.line is not None:
                    self._look(member, member.line, now)
        self.pace(now)

    def pace(self, now: float) -> None:
        """Let go what has waited long enough. To be called whenever time has passed."""
        if not self._paced or now - self._paced_at < PACE_S:
            return
        self._paced_at = now
        for line in self._paced.values():
            if line.pacer is not None:
                for plain, rows, marked in line.pacer.due(now):
                    self._egress.fan(plain, rows, marked)

    def counts(self) -> tuple[dict[str, int], dict[str, int], int]:
        """Receivers by step, those below full by reason, and how many are measured."""
        steps: dict[str, int] = {}
        reasons: dict[str, int] = {}
        measured = 0
        for member in self._all:
            line = member.line
            if line is not None:
                steps[line.step] = steps.get(line.step, 0) + 1
                measured += line.estimate is not None
                if line.ladder.level != EVERYTHING:
                    reasons[line.ladder.reason] = reasons.get(line.ladder.reason, 0) + 1
        return steps, reasons, measured

    def _weigh(self, member: Member, line: Line, now: float) -> None:
        """What the line is sent now."""
        line.sent_bps = sum(
            self._rates.layer(slot.lane.track).bps
            for slot in member.slots
            if slot.lane is not None and now - slot.lane.track.heard_at <= ALIVE_S
        )

    def _look(self, member: Member, line: Line, now: float) -> None:
        rests = line.ladder.at_rest
        measured = line.need.measured(now, below_full=not rests) and line.capable
        if measured != (line.estimate is not None):
            self._house.measure(member, now, on=measured)
            line.measure(member.log if measured else None, now)
        if rests and line.calm(now):
            if not line.need.measured(now, below_full=False):
                self._close.discard(member)
            return
        reading = line.reading(now)
        demand, voices = self._demand(member)
        takes = costs(demand, reading.bps)
        changed = line.ladder.decide(reading, takes, now, shown=self._shown(member, line, demand))
        if changed:
            ladder, bps = line.ladder, reading.bps
            told = LineStep(
                self._room,
                member.connection,
                ladder.step,
                ladder.reason,
                None if bps is None else int(bps),
            )
            self._tell(told)
        beside_sound = max(0.0, (reading.bps or 0.0) - demand.audio_bps)
        line.budget.bps = None if line.ladder.level == EVERYTHING else beside_sound
        self._pace(member, line, reading, takes, now)
        self._apply(member, line, demand, voices, reading, now, hurry=changed and line.ladder.pressing)

    # --- what it would get, and what it gets ---

    def _demand(self, member: Member) -> tuple[Demand, list[str]]:
        """What the receiver would be sent without limits, and the names of its voices' slots in order."""
        voices: list[tuple[bool, str, float]] = []
        pictures: dict[str, Picture] = {}
        for slot in member.slots:
            tracks = self._house.sources(slot)
            if not tracks:
                continue
            if tracks[0].role == "microphone":
                owner = tracks[0].owner
                floor = owner is not None and owner.site in self._house.scene.voices
                voices.append((not floor, slot.name, self._rates.layer(tracks[0]).bps))
            else:
                tracks.sort(key=lambda track: rank(track.rid))
                layers = tuple(self._rates.layer(track) for track in tracks)
                pictures[slot.name] = Picture(slot.name, layers)
        voices.sort()
        main, content = pictures.pop("main", None), pictures.pop("content", None)
        demand = Demand(tuple(bps for _, _, bps in voices), main, content, tuple(pictures.values()))
        return demand, [name for _, name, _ in voices]

    @staticmethod
    def _shown(member: Member, line: Line, demand: Demand) -> bool:
        """Whether the main picture has arrived where it shall be."""
        if demand.main is None:
            return True
        slot = next(slot for slot in member.slots if slot.name == demand.main.slot)
        wanted = slot.group.lane if slot.group is not None else None
        return wanted is None or slot.lane is wanted

    def _apply(
        self,
        member: Member,
        line: Line,
        demand: Demand,
        voices: list[str],
        reading: Reading,
        now: float,
        *,
        hurry: bool,
    ) -> None:
        """Limit the slots to what the line is given.

        ``hurry``: what is too large stops now, although what shall follow has to wait for its keyframe.
        """
        level = line.ladder.level
        heard, shares = allot(demand, level, reading.bps)
        if level == EVERYTHING:
            line.stills.clear()
            self._house.limit(member, {}, now)
            return
        limits = {slot.name: slot.limit for slot in member.slots}  # nothing to show now: as it was
        limits |= {name: UNLIMITED if number < heard else NOTHING for number, name in enumerate(voices)}
        stopped: dict[str, Limit] = {}
        for slot in member.slots:
            share = shares.get(slot.name)
            if share is not None:
                limits[slot.name] = limit = self._limit(slot, line, share, now)
                showing = slot.lane.track.rid if slot.lane is not None else None
                too_large = showing is not None and limit.layer and rank(showing) > rank(limit.layer)
                if hurry and too_large:
                    stopped[slot.name] = NOTHING
        if stopped:
            self._house.limit(member, limits | stopped, now)
        self._house.limit(member, limits, now)

    @staticmethod
    def _limit(slot: Slot, line: Line, share: Share, now: float) -> Limit:
        if share.frames == "none":
            return NOTHING
        if share.frames == "still":
            shown_at = line.stills.get(slot.name, float("-inf"))
            lane = slot.lane
            if now - shown_at < STILL_S:
                return NOTHING
            if lane is not None and (share.layer is None or lane.track.rid == share.layer):
                line.stills[slot.name] = now  # its keyframe has just passed: that is the still
                return NOTHING
            return Limit(share.layer or "f")
        if share.layer is None and share.frames == "all":
            return UNLIMITED
        return Limit(share.layer if share.layer else "f", 0 if share.frames == "base" else None)

    def _pace(
        self, member: Member, line: Line, reading: Reading, takes: tuple[float, ...], now: float
    ) -> None:
        """A line below full is sent no more at a time than it carries."""
        level, bps = line.ladder.level, reading.bps
        if level == EVERYTHING or line.estimate is None or bps is None:
            if line.pacer is not None:
                for plain, rows, marked in line.pacer.flush():
                    self._egress.fan(plain, rows, marked)
                line.pacer = None
                self._paced.pop(member, None)
                _give(member, None)
            return
        rate = max(bps, takes[level]) if line.ladder.trying else bps
        if line.pacer is None:
            line.pacer = Pacer(rate, now)
            self._paced[member] = line
            _give(member, line)
        line.pacer.rate_bps = rate


def _give(member: Member, line: Line | None) -> None:
    for slot in member.slots:
        slot.paced = line
        if slot.lane is not None:
            slot.lane.reseated()
