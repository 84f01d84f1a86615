"""One room: who is in it, what its scene asks for, and the lanes that carry it.

Per packet only lanes are walked; which receiver is in which lane changes when a scene, a speaker or a
connection changes, and then only for the exceptions: those who would see or hear themselves.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import EngineEvent, LineQuality, Scene, Speaking
from room_manager.media.sfu import rtcp
from room_manager.media.sfu.lane import Egress, Lane, Slot
from room_manager.media.sfu.levels import Levels
from room_manager.media.sfu.member import NTP_UNITS, OUR_SSRC, Member
from room_manager.media.sfu.negotiation import AUDIO_SLOTS, VIDEO_SLOTS, Format
from room_manager.media.sfu.rota import Rota
from room_manager.media.sfu.splice import Numbering
from room_manager.media.sfu.targets import may_be_heard, shown
from room_manager.media.sfu.track import Track

LAYER_RANK: Final = {"q": 0, "h": 1, "f": 2}
CHOOSE_S: Final = 0.1
TELL_SPEAKERS_S: Final = 0.3
REPORT_S: Final = 1.0
REORDER_S: Final = 2.0  # the same speakers in another order are told no more often


class RoomStats(Struct, frozen=True):
    """Counters of one room since it was opened; forwarded counts packet × receiver."""

    connections: int
    audio_forwarded: int
    audio_dropped: int  # packets the scene forbids
    video_forwarded: int
    keyframe_requests: int
    repaired: int  # packets sent again to receivers
    lanes: int


class Room:
    """Members, scene and lanes. Time and randomness are arguments."""

    def __init__(
        self,
        room: RoomId,
        egress: Egress,
        tell: Callable[[EngineEvent], None],
        random32: Callable[[], int],
        ntp_offset_s: float,
    ) -> None:
        self.id = room
        self.scene = Scene()
        self.members: dict[ConnectionId, Member] = {}
        self._egress = egress
        self._tell = tell
        self._random32 = random32
        self._ntp_offset_s = ntp_offset_s
        self._by_site: dict[SiteId, list[Member]] = {}
        self._used: dict[SiteId, ConnectionId] = {}
        self._shared: dict[tuple[str, Format], Lane] = {}
        self._private: dict[str, list[Lane]] = {}
        self._normal: dict[str, SiteId | None] = {}
        self._fresh: set[Member] = set()  # sent something since they were last told of it
        self._levels = Levels()
        self._speaking: tuple[SiteId, ...] = ()
        self._rota: Rota[Member] = Rota(REPORT_S)
        self._chosen_at = self._told_at = self._spoke_at = 0.0
        self._audio_forwarded = self._audio_dropped = self._video_forwarded = 0
        self._asked = self._repaired = 0

    # --- who is here ---

    @property
    def video(self) -> str | None:
        """The codec the room has settled on: that of the first who brought one."""
        return next((m.video for m in self.members.values() if m.video is not None), None)

    def add(self, member: Member) -> None:
        """The connection has offered; nothing flows before :meth:`secured`."""
        self.members[member.connection] = member

    def secured(self, member: Member, now: float) -> None:
        """The connection may send and receive."""
        member.up = True
        self._rota.add(member)
        if member.site is not None:
            self._by_site.setdefault(member.site, []).append(member)
        for slot in member.slots:
            self._seat(slot, member)
        self._refresh(now)

    def remove(self, member: Member, now: float) -> None:
        """The connection is gone."""
        self.members.pop(member.connection, None)
        self._fresh.discard(member)
        self._rota.remove(member)
        self._repaired += member.repaired
        self._asked += member.asks.asked
        for slot in member.slots:
            self._unseat(slot)
        if member.site is not None and member.up:
            others = self._by_site[member.site]
            others.remove(member)
            if not others:
                del self._by_site[member.site]
                self._levels.forget(member.site)
        for track in member.tracks.values():
            for lane in list(track.lanes):
                lane.follow(None)
        self._refresh(now)

    def use(self, site: SiteId, connection: ConnectionId, now: float) -> None:
        """Only this connection feeds the site from now on."""
        if self._used.get(site) != connection:
            self._used[site] = connection
            self._refresh(now)

    def active(self, site: SiteId | None) -> Member | None:
        """The connection that is the site's picture and voice now."""
        here = self._by_site.get(site) if site is not None else None
        if not here:
            return None
        used = self._used.get(site) if site is not None else None
        if used is None:
            return here[-1]
        return next((m for m in here if m.connection == used), None)

    # --- what is shown ---

    def set_scene(self, scene: Scene, now: float) -> None:
        """Forward this from now on."""
        self.scene = scene
        for name in VIDEO_SLOTS:
            self._aim(name, shown(scene, name, None))
        self._choose_voices(now)
        self._refresh(now)

    def _target(self, name: str, own: SiteId | None) -> SiteId | None:
        if name in VIDEO_SLOTS:
            return shown(self.scene, name, own)
        site = self._normal.get(name)
        return site if site is None or site != own else None

    def _aim(self, name: str, site: SiteId | None) -> None:
        """The slot shows this site to everybody; whoever must not see it goes its own way."""
        if self._normal.get(name) != site:
            self._normal[name] = site
            for lane in self._lanes_named(name):
                if lane.shared:
                    lane.target = site
        for member in self._by_site.get(site, ()) if site is not None else ():
            for slot in member.slots:
                if slot.name == name and slot.lane is not None and slot.lane.shared:
                    lane = slot.lane.split_off(slot)
                    self._private.setdefault(name, []).append(lane)
                    self._discard_if_empty(self._shared.get((name, slot.format)))
        for lane in self._private.get(name, ()):
            lane.target = self._target(name, lane.slots[0].site)  # a private lane has one receiver

    def _seat(self, slot: Slot, member: Member) -> None:
        target = self._target(slot.name, member.site)
        if target == self._normal.get(slot.name):
            key = (slot.name, slot.format)
            lane = self._shared.get(key)
            if lane is None:
                lane = self._shared[key] = self._new_lane(slot, shared=True)
        else:
            lane = self._new_lane(slot, shared=False)
            self._private.setdefault(slot.name, []).append(lane)
        lane.target = target
        lane.admit(slot)

    def _new_lane(self, slot: Slot, *, shared: bool) -> Lane:
        random = self._random32
        numbering = Numbering(slot.format.clock_hz, random(), random(), random())
        return Lane(slot.name, slot.format, numbering, shared=shared)

    def _unseat(self, slot: Slot) -> None:
        lane = slot.lane
        if lane is not None:
            lane.remove(slot)
            self._discard_if_empty(lane)

    def _discard_if_empty(self, lane: Lane | None) -> None:
        if lane is None or lane.slots:
            return
        lane.close()
        if lane.shared:
            self._shared.pop((lane.name, lane.format), None)
        else:
            self._private[lane.name].remove(lane)

    def _lanes(self) -> list[Lane]:
        return [*self._shared.values(), *(lane for lanes in self._private.values() for lane in lanes)]

    def _lanes_named(self, name: str) -> list[Lane]:
        return [lane for lane in self._lanes() if lane.name == name]

    # --- which track feeds a lane ---

    def _refresh(self, now: float) -> None:
        """Every lane follows the best track of its target, and asks for what it needs to begin."""
        for lane in self._lanes():
            lane.follow(self._best(lane, now))
            track = lane.hungry
            if track is not None and lane.name in VIDEO_SLOTS:
                self._ask(track, now, switching=lane.want is not None)

    def _best(self, lane: Lane, now: float) -> Track | None:
        member = self.active(lane.target)
        if member is None:
            return None
        if lane.name in AUDIO_SLOTS:
            tracks = [t for t in member.tracks.values() if t.role == "microphone"]
        else:
            role = "screen" if lane.name == "content" else "camera"
            tracks = [t for t in member.tracks.values() if t.role == role and t.codec == lane.format.codec]
        if len(tracks) <= 1 or lane.name in AUDIO_SLOTS:
            return tracks[0] if tracks else None
        current = lane.current if lane.current in tracks else None
        alive = [t for t in tracks if t.alive(now)]
        if not alive:
            return current or lane.want
        best = max(alive, key=_rank) if lane.name == "main" else min(alive, key=_rank)
        if current in alive and not best.steady(now):
            return current
        return best

    def _ask(self, track: Track, now: float, *, switching: bool) -> None:
        owner = track.owner
        if owner is not None and owner.asks.ask(track, now, switching=switching):
            self._egress.rtcp(owner.sink, rtcp.pli(OUR_SSRC, track.ssrc))

    # --- packets ---

    def rtp(self, member: Member, data: bytes, now: float) -> None:
        """One plaintext packet of a member. Raises ``Malformed``."""
        self._fresh.add(member)
        found = member.incoming(data, now)
        if found is None:
            return
        track, packet = found
        if member.learned:
            member.learned = False
            self._choose_voices(now)
            self._refresh(now)
        if track.role == "microphone":
            site = member.site
            if site is None or self.active(site) is not member:
                return
            if not may_be_heard(self.scene, site):
                self._audio_dropped += 1
                return
            level = packet.level
            self._levels.heard(site, level[0] & 0x7F if level else None, now)
            for lane in tuple(track.lanes):
                self._audio_forwarded += lane.feed(track, packet, now, self._egress)
        else:
            for lane in tuple(track.lanes):
                self._video_forwarded += lane.feed(track, packet, now, self._egress)

    def control(self, member: Member, data: bytes, now: float) -> None:
        """One plaintext control datagram of a member. Raises ``Malformed``."""

        def asked(track: Track) -> None:
            self._ask(track, now, switching=False)

        member.control(data, now, self._ntp(now), self._egress, asked)

    # --- time ---

    def tick(self, now: float) -> None:
        """What is due: feedback at every call, choices and reports at their own pace."""
        fresh, self._fresh = self._fresh, set()
        for member in fresh:
            told = member.feedback(now)
            if told:
                self._egress.rtcp(member.sink, told)
            if member.misses:
                self._fresh.add(member)
        if now - self._chosen_at >= CHOOSE_S:
            self._chosen_at = now
            self._choose_voices(now)
            self._refresh(now)
        if now - self._told_at >= TELL_SPEAKERS_S:
            self._told_at = now
            speaking = self._levels.speaking(self._may_speak, now)
            reordered = set(speaking) == set(self._speaking)
            if speaking != self._speaking and not (reordered and now - self._spoke_at < REORDER_S):
                self._speaking, self._spoke_at = speaking, now
                self._tell(Speaking(self.id, speaking))
        due = self._rota.due(now)
        if due:
            self._report(due, now)

    def _report(self, members: list[Member], now: float) -> None:
        ntp = self._ntp(now)
        for member in members:
            told = member.reports(now, ntp)
            if told:
                self._egress.rtcp(member.sink, told)
            if member.quality.evaluate(now):
                line = member.quality
                self._tell(LineQuality(self.id, member.connection, line.grade, line.rtt_ms, line.loss))

    def _choose_voices(self, now: float) -> None:
        held = [self._normal.get(name) for name in AUDIO_SLOTS]
        chosen = self._levels.chosen(held, self.scene.voices, self._may_speak, now)
        if chosen != held:
            for name, site in zip(AUDIO_SLOTS, chosen, strict=True):
                self._aim(name, site)
            self._refresh(now)

    def _may_speak(self, site: SiteId) -> bool:
        member = self.active(site)
        return member is not None and ("microphone", "") in member.tracks and may_be_heard(self.scene, site)

    def _ntp(self, now: float) -> int:
        return int((now + self._ntp_offset_s) * NTP_UNITS)

    def stats(self) -> RoomStats:
        """The counters now."""
        return RoomStats(
            connections=len(self.members),
            audio_forwarded=self._audio_forwarded,
            audio_dropped=self._audio_dropped,
            video_forwarded=self._video_forwarded,
            keyframe_requests=self._asked + sum(m.asks.asked for m in self.members.values()),
            repaired=self._repaired + sum(m.repaired for m in self.members.values()),
            lanes=len(self._lanes()),
        )


def _rank(track: Track) -> int:
    return LAYER_RANK.get(track.rid, -1)
