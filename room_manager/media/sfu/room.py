"""One room: who is in it, what its scene asks for, and what is due when.

Per packet only the lanes of its track are walked; which slot is in which lane is the seating's, and
changes when a scene, a speaker, a line or a connection changes.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import EngineEvent, LayersWanted, LineQuality, Scene, Speaking
from room_manager.media.sfu import choice, rtcp
from room_manager.media.sfu.audience import Egress
from room_manager.media.sfu.groups import Group
from room_manager.media.sfu.lines import Lines
from room_manager.media.sfu.member import NTP_UNITS, OUR_SSRC, REASONS, Member
from room_manager.media.sfu.mirror import Mirror
from room_manager.media.sfu.negotiation import VIDEO_SLOTS
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.relay import Outlet, Relay
from room_manager.media.sfu.relay_wire import Need, Passed, Stream, View
from room_manager.media.sfu.room_stats import RoomStats
from room_manager.media.sfu.rota import Rota
from room_manager.media.sfu.seating import Aim, Seating
from room_manager.media.sfu.slot import UNLIMITED, Limit, Slot
from room_manager.media.sfu.targets import may_be_heard, shown
from room_manager.media.sfu.track import Role, Track
from room_manager.media.sfu.voices import Voices
from room_manager.media.sfu.wishes import Place, Wishes, watched

PICTURES: Final[tuple[Role, ...]] = ("camera", "screen")
CHOOSE_S: Final = 0.1
REPORT_S: Final = 1.0


class Room:
    """Members, scene and seating. Time and randomness are arguments."""

    def __init__(
        self,
        room: RoomId,
        egress: Egress,
        tell: Callable[[EngineEvent], None],
        random32: Callable[[], int],
        ntp_offset_s: float,
        outlet: Outlet,
    ) -> None:
        self.id = room
        self.relay = Relay(self, outlet)
        self.scene = Scene()
        self.members: dict[ConnectionId, Member] = {}
        self._egress = egress
        self._tell = tell
        self._ntp_offset_s = ntp_offset_s
        self._by_site: dict[SiteId, list[Member]] = {}
        self._used: dict[SiteId, ConnectionId] = {}
        self._seating = Seating(random32)
        self._wishes = Wishes()
        self._fresh: set[Member] = set()  # sent something since they were last told of it
        self._lines = Lines(room, self, egress, tell)
        self._voices = Voices(self._seating, self._may_speak)
        self._rota: Rota[Member] = Rota(REPORT_S)
        self._chosen_at = 0.0
        self._audio_forwarded = self._audio_dropped = self._video_forwarded = 0
        self._asked = self._repaired = 0
        self._misplaced: Counter[str] = Counter(dict.fromkeys(REASONS, 0))

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
        if member.slots:
            self._lines.add(member, now)
        for slot in member.slots:
            self._seating.seat(slot)
        for role in PICTURES:
            layers = member.layers(role)
            if layers is not None:
                self._wishes.begin(Place(member.connection, role), layers, now)
        self.refresh(now)

    def remove(self, member: Member, now: float) -> None:
        """The connection is gone."""
        self.members.pop(member.connection, None)
        self._fresh.discard(member)
        self._rota.remove(member)
        self._lines.remove(member)
        self._repaired += member.repaired
        self._asked += member.asks.asked
        self._misplaced.update(member.misplaced)
        for slot in member.slots:
            self._seating.unseat(slot)
        for role in PICTURES:
            self._wishes.end(Place(member.connection, role))
        if member.site is not None and member.up:
            others = self._by_site[member.site]
            others.remove(member)
            if not others:
                del self._by_site[member.site]
                self._voices.levels.forget(member.site)
        self.refresh(now)

    def use(self, site: SiteId, connection: ConnectionId, now: float) -> None:
        """Only this connection feeds the site from now on."""
        if self._used.get(site) != connection:
            self._used[site] = connection
            self.refresh(now)

    def active(self, site: SiteId | None) -> Member | None:
        """The connection that is the site's picture and voice now."""
        if site is None:
            return None
        here, mirror = self._by_site.get(site, ()), self.relay.mirrors.get(site)
        used = self._used.get(site)
        if used is None:
            return here[-1] if here else mirror
        found = next((m for m in here if m.connection == used), None)
        return mirror if found is None and mirror is not None and mirror.connection == used else found

    # --- what is shown ---

    def set_scene(self, scene: Scene, now: float) -> None:
        """Forward this from now on."""
        self.scene = scene
        for name in VIDEO_SLOTS:
            site = shown(scene, name, None)
            self._seating.aim(name, Aim(site, shown(scene, name, site)))
        self._choose_voices(now)
        self.refresh(now)

    def watch(self, member: Member, sites: Sequence[SiteId], now: float) -> None:
        """The wall slots of this receiver show these from now on, in order, and the rest nothing."""
        slots = [slot for slot in member.slots if slot.on_wall]
        for number, slot in enumerate(slots):
            site = sites[number] if number < len(sites) else None
            if member.up:
                self._seating.watch(slot, site)
            else:
                slot.watched = site
        self._follow([slot.group for slot in slots if slot.group is not None], now)
        self.relay.refresh(now)

    def limit(self, member: Member, limits: Mapping[str, Limit], now: float) -> None:
        """The most each slot of this receiver may show from now on; a slot not named may show all.

        Less takes effect where the smaller stream can be entered: with a keyframe, or for temporal
        layers alone with the next frame.
        """
        changed: list[Group] = []
        for slot in member.slots:
            limit = limits.get(slot.name, UNLIMITED)
            if slot.limit != limit:
                slot.limit = limit
                self._seating.place(slot)
                if slot.group is not None:
                    changed.append(slot.group)
        self._follow(changed, now)

    def measure(self, member: Member, now: float, *, on: bool) -> None:
        """Whether packets to this receiver are numbered transport-wide; ``member.log`` says when they left.

        Nothing changes for receivers that have not negotiated them.
        """
        if member.measured == on:
            return
        member.measured = on
        changed: list[Group] = []
        for slot in member.slots:
            self._seating.place(slot)
            if slot.group is not None:
                changed.append(slot.group)
        self._follow(changed, now)

    def sources(self, slot: Slot) -> list[Track]:
        """Every stream the slot could show now, whatever it is limited to."""
        group = slot.group
        member = self.active(self._seating.target(group)) if group is not None else None
        if member is None:
            return []
        role, codec = choice.role(slot.name), slot.format.codec
        return [track for track in member.tracks.values() if track.role == role and track.codec == codec]

    # --- which track feeds a group ---

    def refresh(self, now: float) -> None:
        """Every group follows the best track of its target, and asks for what it needs to begin."""
        self._follow(tuple(self._seating.groups.values()), now)
        self.relay.refresh(now)
        self._tell_wishes(now)

    def _follow(self, groups: Iterable[Group], now: float) -> None:
        for group in groups:
            best = self._best(group, now)
            if best is None and self._coming(group, now):
                self._seating.hold(group)
                continue
            self._seating.follow(group, best)
            track = group.lane.track if group.lane is not None else None
            if track is not None and track.role != "microphone" and group.needs_keyframe(now):
                self.ask(track, now, switching=group.switching)

    def _best(self, group: Group, now: float) -> Track | None:
        member = self.active(self._seating.target(group))
        if member is None:
            return None
        name, form, limit = group.key.name, group.key.format, group.key.limit
        role = choice.role(name)
        tracks = [t for t in member.tracks.values() if t.role == role and t.codec == form.codec]
        if not tracks:
            return None
        wanted = group.lane.track if group.lane is not None else None
        return choice.best(
            tracks, largest=name == "main", limit=limit, current=group.current, wanted=wanted, now=now
        )

    def _coming(self, group: Group, now: float) -> bool:
        """Whether the group's picture may begin at any moment: its site was just asked for it."""
        site, role = self._seating.target(group), choice.role(group.key.name)
        settling, member = group.settling(site, now), self.active(site)
        if not settling or site is None or role == "microphone" or group.key.limit.layer is None:
            return False
        if member is None:
            return self.relay.listening  # it may be with another worker
        return isinstance(member, Mirror) or member.layers(role) is not None

    def _tell_wishes(self, now: float) -> None:
        """Publishers hear which of their layers are watched, here or with another worker."""
        needs = itertools.chain(self.needs(), self.relay.needs())
        wanted = watched(needs, self._seating.lanes.values(), self.active)
        for place, told in self._wishes.update(wanted, now):
            if place.role != "microphone":
                self._tell(LayersWanted(self.id, place.connection, place.role, told))

    def needs(self) -> Iterable[Need]:
        """What receivers here want, of whatever site."""
        for group in self._seating.groups.values():
            site, role = self._seating.target(group), choice.role(group.key.name)
            layer = group.key.limit.layer
            if site is not None and role != "microphone" and layer is not None:
                yield Need(site, role, (View(group.key.name == "main", layer),))

    def ask(self, track: Track, now: float, *, switching: bool) -> None:
        """Have the track's publisher make a keyframe, unless it was asked a moment ago."""
        owner = track.owner
        if owner is None or not owner.asks.ask(track, now, switching=switching):
            return
        if isinstance(owner, Mirror):
            self.relay.ask(owner, track, switching=switching)
        else:
            self._egress.rtcp(owner.sink, rtcp.pli(OUR_SSRC, track.ssrc))

    # --- packets ---

    def rtp(self, member: Member, data: bytes, now: float) -> None:
        """One plaintext packet of a member. Raises ``Malformed``."""
        self._fresh.add(member)
        found = member.incoming(data, now)
        if found is None:
            return
        self._take(member, *found, now)

    def relayed(self, worker: int, stream: Stream, item: Passed, now: float) -> None:
        """One packet that another worker has taken. Raises ``Malformed`` or ``Limit``."""
        mirror = self.relay.mirror_of(stream, worker, self._used, now)
        found = mirror.passed(stream, item, now) if mirror is not None else None
        if mirror is not None and found is not None:
            self._take(mirror, *found, now)

    def _take(self, member: Member, track: Track, packet: SourcePacket, now: float) -> None:
        """A packet that its track has taken goes to whoever wants it."""
        if member.learned:
            member.learned = False
            self._choose_voices(now)
            self.refresh(now)
        if member.returned:
            member.returned = False
            if any(not group.decided for group in self._seating.groups.values()):
                self.refresh(now)
        if track.role == "microphone":
            site = member.site
            if site is None or self.active(site) is not member:
                return
            if not may_be_heard(self.scene, site):
                self._audio_dropped += 1
                return
            level = packet.level
            self._voices.levels.heard(site, level[0] & 0x7F if level else None, now)
        if track.peers:
            self.relay.passed(track, packet)
        if track.awaited:
            self._seating.enter(track, packet, now)
        track.keep(packet)
        forwarded = 0
        for lane in track.lanes:
            forwarded += lane.feed(packet, now, self._egress)
        if track.role == "microphone":
            self._audio_forwarded += forwarded
        else:
            self._video_forwarded += forwarded
        self._lines.pace(now)

    def control(self, member: Member, data: bytes, now: float) -> None:
        """One plaintext control datagram of a member. Raises ``Malformed``."""

        def asked(track: Track) -> None:
            self.ask(track, now, switching=False)

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
            for site in self.relay.tick(now):
                if site not in self._by_site:
                    self._voices.levels.forget(site)
            self._choose_voices(now)
            self.refresh(now)
        speaking = self._voices.news(now)
        if speaking is not None:
            self._tell(Speaking(self.id, speaking))
        owners = {track.owner for track in (lane.track for lane in self._seating.lanes.values())}
        self._lines.tick((t for owner in owners if owner is not None for t in owner.tracks.values()), now)
        due = self._rota.due(now)
        if due:
            self._report(due, now)
            self._lines.due(due, now)

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
        if self._voices.choose(self.scene.voices, now):
            self.refresh(now)
        if self.relay.listening:
            mine, named = self.relay.voices, self.scene.voices
            self.relay.voices = self._voices.passed_on(mine, named, self._may_speak_here, now)

    def _may_speak_here(self, site: SiteId) -> bool:
        return self._may_speak(site) and not isinstance(self.active(site), Mirror)

    def _may_speak(self, site: SiteId) -> bool:
        member = self.active(site)
        return member is not None and ("microphone", "") in member.tracks and may_be_heard(self.scene, site)

    def _ntp(self, now: float) -> int:
        return int((now + self._ntp_offset_s) * NTP_UNITS)

    def stats(self) -> RoomStats:
        """The counters now."""
        misplaced = self._misplaced.copy()
        for member in self.members.values():
            misplaced.update(member.misplaced)
        steps, reasons, measured = self._lines.counts()
        return RoomStats(
            connections=len(self.members),
            audio_forwarded=self._audio_forwarded,
            audio_dropped=self._audio_dropped,
            video_forwarded=self._video_forwarded,
            keyframe_requests=self._asked + sum(m.asks.asked for m in self.members.values()),
            repaired=self._repaired + sum(m.repaired for m in self.members.values()),
            lanes=len(self._seating.lanes),
            misplaced=dict(misplaced),
            measured=measured,
            steps=steps,
            step_reasons=reasons,
        )
