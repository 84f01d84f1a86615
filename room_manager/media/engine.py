"""The port to a media engine: what a meeting needs of whoever forwards its pictures and sound.

All calls name target states and may be repeated. An engine holds nothing that cannot be said again:
after :class:`EngineRestarted` the caller opens its rooms and sets their scenes anew, and clients offer
anew. A *source* is a site: whatever its active connection sends.
"""

from collections.abc import AsyncIterator, Iterable
from typing import ClassVar, Literal, Protocol

from msgspec import Struct

from room_manager.errors import DomainError
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.figures import Family

MAX_SDP_BYTES = 65_536
MAX_MEDIA_SECTIONS = 32


class BadOffer(DomainError):
    """The session description is malformed, too large, or asks for what we do not carry."""

    code: ClassVar[str] = "bad-offer"


class NoCommonCodec(BadOffer):
    """Nothing of the offer is in a codec that this room carries."""

    code: ClassVar[str] = "no-common-codec"


class NotJoined(DomainError):
    """The engine does not know this connection (any more); offer anew."""

    code: ClassVar[str] = "not-joined"


class EngineAway(DomainError):
    """The media engine is starting or gone; offer again shortly."""

    code: ClassVar[str] = "engine-away"


class Scene(Struct, frozen=True):
    """What a room forwards, for everybody, those who join later included.

    Slots: ``main`` shows ``main`` (to ``main`` itself: ``host``), ``content`` shows the screen that
    ``content`` sends, ``tile-1…4`` show ``tiles``. Nobody is sent its own picture or sound.
    Audio of a source outside ``heard_only`` (if not None) or inside ``heard_never`` is dropped.
    ``voices`` go to the audio slots before whoever is loudest.
    """

    main: SiteId | None = None
    host: SiteId | None = None
    content: SiteId | None = None
    tiles: tuple[SiteId, ...] = ()
    heard_only: frozenset[SiteId] | None = frozenset()
    heard_never: frozenset[SiteId] = frozenset()
    voices: tuple[SiteId, ...] = ()


class Answer(Struct, frozen=True):
    """The only answer of a connection's life.

    ``slots`` names the receiving media sections: mid → ``main``, ``content``, ``tile-1``…, ``audio-1``….
    """

    sdp: str
    slots: dict[str, str]


class MediaUp(Struct, frozen=True, tag=True):
    """The connection is encrypted and may send and receive."""

    room: RoomId
    connection: ConnectionId


class MediaDown(Struct, frozen=True, tag=True):
    """The connection is gone: closed by its peer, or silent too long."""

    room: RoomId
    connection: ConnectionId


class Speaking(Struct, frozen=True, tag=True):
    """Who speaks now, loudest first, at most three; told only when it changes."""

    room: RoomId
    sites: tuple[SiteId, ...]


class LineQuality(Struct, frozen=True, tag=True):
    """How a connection's line is; told when ``grade`` changes and at most every 5 s."""

    room: RoomId
    connection: ConnectionId
    grade: Literal["good", "weak", "bad"]
    rtt_ms: float | None
    loss: float  # share of packets lost, 0…1, the worse direction


Step = Literal["full", "half", "quarter", "fewer-frames", "still", "audio-only"]
"""What a receiver's line carries of the main picture; each step takes less than the one before."""

StepReason = Literal["room", "bandwidth", "loss", "delay", "silent"]
"""Why: ``room`` there is room for all; ``bandwidth`` the estimate; ``loss`` and ``delay`` what led it down;
``silent`` the receiver has stopped reporting."""


class LineStep(Struct, frozen=True, tag=True):
    """A connection has been moved to another step of the ladder."""

    room: RoomId
    connection: ConnectionId
    step: Step
    reason: StepReason
    available_bps: int | None  # what the line is thought to carry; None: not measured


class LayersWanted(Struct, frozen=True, tag=True):
    """Which layers a publisher should send: somebody watches them, or will in a moment.

    ``layers`` holds rids (``q``, ``h``, ``f``), or ``""`` for a picture sent in one layer; empty: none.
    Told when it changes.
    """

    room: RoomId
    connection: ConnectionId
    role: Literal["camera", "screen"]
    layers: tuple[str, ...]


class ConnectionsLost(Struct, frozen=True, tag=True):
    """A part of the engine died, and these connections with it. Whoever held one offers anew, now.

    All else goes on, and the engine remembers what the room was told.
    """

    room: RoomId
    connections: tuple[ConnectionId, ...]


class EngineRestarted(Struct, frozen=True, tag=True):
    """The engine died and is back, empty. Every connection is gone."""


EngineEvent = (
    MediaUp | MediaDown | Speaking | LineQuality | LineStep | LayersWanted | ConnectionsLost | EngineRestarted
)


class Engine(Protocol):
    """Forwards media. One instance serves all rooms of a server."""

    async def start(self) -> None:
        """Be ready to take calls, or raise."""

    async def close(self) -> None:
        """End, and free what was opened. Idempotent."""

    async def join(self, room: RoomId, connection: ConnectionId, source: SiteId | None, offer: str) -> Answer:
        """Take a client's offer. ``source`` None: it may only receive.

        The newest joined connection of a source feeds it until :meth:`use` says otherwise.
        Raises ``BadOffer``, ``EngineAway`` or ``Limit``.
        """

    async def restart(self, connection: ConnectionId, offer: str) -> Answer:
        """Take an offer with new ICE credentials for a connection that is here (RFC 8445, section 9).

        Keys, slots and seat stay; until the new address has proved itself, the old one goes on. Raises
        ``BadOffer`` if anything but the credentials has changed, ``NotJoined`` or ``EngineAway``.
        """

    async def watch(self, connection: ConnectionId, sites: tuple[SiteId, ...]) -> None:
        """What the ``wall-1…25`` slots of this connection show, in order. Unknown sites stay empty.

        Nothing is watched until this was called. Raises ``NotJoined`` or ``EngineAway``.
        """

    async def leave(self, connection: ConnectionId) -> None:
        """Forget the connection. An unknown one is fine."""

    async def use(self, room: RoomId, source: SiteId, connection: ConnectionId) -> None:
        """This connection is the source's picture and voice. Need not have joined yet."""

    async def set_scene(self, room: RoomId, scene: Scene) -> None:
        """What the room forwards from now on. A room that was never set forwards nothing."""

    async def close_room(self, room: RoomId) -> None:
        """Forget the room and every connection in it."""

    def events(self) -> AsyncIterator[EngineEvent]:
        """What happens in the engine, for one listener. Bounded; the oldest quality is dropped first."""

    def figures(self) -> Iterable[Family]:
        """What monitoring reads: counters and gauges as last heard, no personal data. Never blocks."""
