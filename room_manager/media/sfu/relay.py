"""One room's share in what workers hand to each other. Pure.

A worker says what its receivers want to see and nobody here sends; whoever has it passes each packet once
to every worker that wants it, however many watch there. Sound goes to every worker that has the room: the
voices the scene names and the loudest few that are here. All is said again every second and void after
three, so nothing need be undone when a worker dies.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from room_manager import errors
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.sfu import choice
from room_manager.media.sfu.member import Member
from room_manager.media.sfu.mirror import Mirror
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.relay_wire import Ask, Need, Needs, Said, Stream, key, packet_item
from room_manager.media.sfu.slot import UNLIMITED
from room_manager.media.sfu.track import Role, Track

REPEAT_S: Final = 1.0
VOID_S: Final = 3.0
LINGER_S: Final = 2.0
SILENT_S: Final = 5.0  # a mirror that has heard nothing for so long is taken down
MAX_MIRRORS: Final = 4_096
MAX_NEEDS: Final = 700  # of one worker in one room; a wall shows all wards

Peers = tuple[int, ...]
"""Numbers of other workers."""


class Outlet(Protocol):
    """The links to the other workers. Never blocks: what does not fit is dropped and counted."""

    peers: Peers

    def pass_on(self, peers: Peers, item: bytes) -> None:
        """One packet, as an item, to each of these."""

    def say(self, peers: Peers, said: Said) -> None:
        """Anything else."""


class Alone:
    """The outlet of a worker that has no others beside it."""

    peers: Peers = ()

    def pass_on(self, peers: Peers, item: bytes) -> None:
        """Nobody is there."""

    def say(self, peers: Peers, said: Said) -> None:
        """Nobody is there."""


class Home(Protocol):
    """What the relay needs of its room."""

    id: RoomId
    members: dict[ConnectionId, Member]

    def active(self, site: SiteId | None) -> Member | None:
        """See :meth:`Room.active`."""

    def needs(self) -> Iterable[Need]:
        """What receivers here want, of whatever site."""

    def ask(self, track: Track, now: float, *, switching: bool) -> None:
        """Have the track's publisher make a keyframe."""

    def refresh(self, now: float) -> None:
        """What is wanted has changed: look at all that follows, :meth:`Relay.refresh` included."""


class Relay:
    """What this worker passes on of its room, and what it is passed."""

    def __init__(self, home: Home, outlet: Outlet) -> None:
        self._home = home
        self._outlet = outlet
        self.mirrors: dict[SiteId, Mirror] = {}
        self.voices: tuple[SiteId, ...] = ()  # whose sound is passed on
        self._wanted: dict[int, tuple[Needs, float]] = {}  # by worker, and when it was said
        self._passing: dict[Track, bytes] = {}  # tracks with peers, and their keys
        self._wanted_at: dict[Track, float] = {}  # those that are passed on
        self._said: Needs | None = None
        self._said_at = 0.0

    @property
    def listening(self) -> bool:
        """Whether another worker has the room, too."""
        return bool(self._wanted)

    # --- what is passed on ---

    def passed(self, track: Track, packet: SourcePacket) -> None:
        """A packet of a track with peers has been taken here."""
        name = self._passing.get(track)
        if name is not None:
            item = packet_item(name, packet.level, packet.orientation, packet.data)
            self._outlet.pass_on(track.peers, item)

    def refresh(self, now: float) -> None:
        """Something has changed: who sends here, what is wanted there, or what is wanted here."""
        if not self._outlet.peers:
            return
        self._say(now)
        wanted: dict[Track, set[int]] = {}
        for worker, (needs, _) in self._wanted.items():
            for need in needs.needs:
                for track in self._viewed(need, now):
                    wanted.setdefault(track, set()).add(worker)
            for site in self.voices:
                for track in self._tracks(site, "microphone"):
                    wanted.setdefault(track, set()).add(worker)
        for track in [track for track in self._passing if track not in wanted]:
            track.peers = tuple(p for p in track.peers if p in self._wanted and self._lingers(track, now))
            if not track.peers:
                del self._passing[track], self._wanted_at[track]
        for track, workers in wanted.items():
            self._pass(track, tuple(sorted(workers)), now)

    def needs(self) -> list[Need]:
        """What receivers of other workers want."""
        return [need for said, _ in self._wanted.values() for need in said.needs]

    def _viewed(self, need: Need, now: float) -> list[Track]:
        """The layers to pass on; for large slots all, so that nobody waits who must take a smaller one."""
        top = choice.rank(max((view.layer for view in need.views), key=choice.rank, default=""))
        tracks = [t for t in self._tracks(need.site, need.role) if choice.rank(t.rid) <= top]
        if not tracks or any(view.large for view in need.views):
            return tracks
        before = next((track for track in tracks if track in self._passing), None)
        small = choice.best(tracks, largest=False, limit=UNLIMITED, current=before, wanted=None, now=now)
        return [small] if small is not None else []

    def _tracks(self, site: SiteId, role: Role) -> list[Track]:
        member = self._home.active(site)
        if member is None or isinstance(member, Mirror):
            return []
        return [track for track in member.tracks.values() if track.role == role]

    def _lingers(self, track: Track, now: float) -> bool:
        """Whether it may still be watched there until the layer that follows it can be entered."""
        owner = track.owner
        return (
            track.role != "microphone"
            and owner is not None
            and self._home.active(owner.site) is owner
            and now - self._wanted_at[track] < LINGER_S
        )

    def _pass(self, track: Track, peers: Peers, now: float) -> None:
        if track not in self._passing:
            owner = track.owner
            if owner is None or owner.site is None:
                return
            stream = Stream(self._home.id, owner.connection, owner.site, track.role, track.rid, track.codec)
            name = key(stream)
            if name is None:
                return
            self._passing[track] = name
        self._wanted_at[track] = now
        newcomers = set(peers) - set(track.peers)
        track.peers = peers
        if newcomers and track.role != "microphone":
            self._home.ask(track, now, switching=True)  # whoever wants it now waits for a picture

    # --- what is wanted here ---

    def tick(self, now: float) -> list[SiteId]:
        """What has not been said again is void; what we want is. Returns whose mirrors are gone."""
        if not self._outlet.peers:
            return []
        for worker in [w for w, (_, at) in self._wanted.items() if now - at > VOID_S]:
            del self._wanted[worker]
        silent = [site for site, mirror in self.mirrors.items() if now - mirror.heard_at > SILENT_S]
        for site in silent:
            del self.mirrors[site]
        self._say(now)
        return silent

    def _say(self, now: float) -> None:
        """Our needs, if they have changed or are due."""
        needs = self._needs()
        before = self._said
        if needs == before and now - self._said_at < REPEAT_S:
            return
        if not needs.here and (before is None or not before.here):
            return  # that nobody is here need be said once
        self._said, self._said_at = needs, now
        self._outlet.say(self._outlet.peers, needs)

    def _needs(self) -> Needs:
        found: dict[tuple[SiteId, Role], Need] = {}
        for need in self._home.needs():
            active = self._home.active(need.site)
            if active is None or isinstance(active, Mirror):
                place = need.site, need.role
                before = found[place].views if place in found else ()
                found[place] = Need(*place, tuple(sorted({*before, *need.views})))
                if len(found) >= MAX_NEEDS:
                    break
        here = any(member.up for member in self._home.members.values())
        return Needs(self._home.id, here, tuple(found[place] for place in sorted(found)))

    # --- what is heard ---

    def said(self, worker: int, said: Said, now: float) -> None:
        """Another worker has said this."""
        match said:
            case Needs():
                known = self._wanted.get(worker)
                if said.here:
                    self._wanted[worker] = (said, now)
                else:
                    self._wanted.pop(worker, None)
                if known is None or known[0] != said:
                    if known is None and said.here:
                        self._said = None  # it has just come into the room, and does not know our needs
                    self._home.refresh(now)
            case Ask():
                member = self._home.members.get(said.connection)
                track = member.tracks.get((said.role, said.rid)) if member is not None else None
                if track is not None:
                    self._home.ask(track, now, switching=said.switching)

    def mirror_of(
        self, stream: Stream, worker: int, used: Mapping[SiteId, ConnectionId], now: float
    ) -> Mirror | None:
        """The mirror that takes packets of this stream; None: they are of no use here.

        Raises ``Limit``.
        """
        use = used.get(stream.site)
        if use is not None and use != stream.connection:
            return None
        mirror = self.mirrors.get(stream.site)
        if mirror is not None and mirror.connection == stream.connection and mirror.worker == worker:
            return mirror
        if mirror is None and len(self.mirrors) >= MAX_MIRRORS:
            raise errors.Limit(f"more than {MAX_MIRRORS} sources from other workers")
        mirror = self.mirrors[stream.site] = Mirror(stream.connection, stream.site, worker)
        mirror.heard_at = now
        return mirror

    def ask(self, mirror: Mirror, track: Track, *, switching: bool) -> None:
        """A keyframe of what another worker has."""
        asked = Ask(self._home.id, mirror.connection, track.role, track.rid, switching)
        self._outlet.say((mirror.worker,), asked)
