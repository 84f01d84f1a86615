"""What the server and the forwarding unit's process say to each other, and how frames are cut.

Four bytes of length, then msgpack. The parent asks, the child answers in order of asking and tells events
in between. Neither side takes a frame larger than it would ever need.
"""

import asyncio
from typing import Final

import msgspec
from msgspec import Struct

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Answer, EngineEvent, Scene
from room_manager.media.sfu.gauges import Figures
from room_manager.media.sfu.room_stats import RoomStats

MAX_FRAME_BYTES: Final = 262_144
LENGTH_BYTES: Final = 4


class BrokenFrame(Exception):
    """The other end does not speak this protocol; the connection must end."""


class Request(Struct, frozen=True, tag_field="ask"):
    """Base of what the parent asks; ``number`` comes back in the reply."""

    number: int


class Open(Request, frozen=True, tag="open"):
    """Open the UDP port; must come first, once.

    ``worker`` is this worker's number; ``links`` the file descriptors of the sockets that lead to the others.
    """

    host: str
    port: int
    announce: tuple[str, ...]
    worker: int = 0
    links: dict[int, int] = {}


class Join(Request, frozen=True, tag="join"):
    """See :meth:`Engine.join`. ``video``: the codec the room has settled on, if it has."""

    room: RoomId
    connection: ConnectionId
    source: SiteId | None
    offer: str
    video: str | None = None


class Leave(Request, frozen=True, tag="leave"):
    """See :meth:`Engine.leave`."""

    connection: ConnectionId


class Restart(Request, frozen=True, tag="restart"):
    """See :meth:`Engine.restart`."""

    connection: ConnectionId
    offer: str


class Watch(Request, frozen=True, tag="watch"):
    """See :meth:`Engine.watch`."""

    connection: ConnectionId
    sites: tuple[SiteId, ...]


class Use(Request, frozen=True, tag="use"):
    """See :meth:`Engine.use`."""

    room: RoomId
    source: SiteId
    connection: ConnectionId


class Uses(Request, frozen=True, tag="uses"):
    """As many :class:`Use`, for a worker that has just begun."""

    room: RoomId
    uses: dict[SiteId, ConnectionId]


class SetScene(Request, frozen=True, tag="scene"):
    """See :meth:`Engine.set_scene`."""

    room: RoomId
    scene: Scene


class CloseRoom(Request, frozen=True, tag="close-room"):
    """See :meth:`Engine.close_room`."""

    room: RoomId


class Stats(Request, frozen=True, tag="stats"):
    """The counters of a room."""

    room: RoomId


class Look(Request, frozen=True, tag="look"):
    """The worker's figures; that there is an answer tells that it does not hang."""


AnyRequest = Open | Join | Restart | Watch | Leave | Use | Uses | SetScene | CloseRoom | Stats | Look


class Reply(Struct, frozen=True, tag_field="say", tag="reply"):
    """Done, or refused with the code and text of a domain error."""

    number: int
    port: int | None = None
    answer: Answer | None = None
    video: str | None = None  # the codec the room has settled on, after a join
    stats: RoomStats | None = None
    figures: Figures | None = None
    code: str | None = None
    text: str = ""


class Told(Struct, frozen=True, tag_field="say", tag="told"):
    """Something happened."""

    event: EngineEvent


AnySaying = Reply | Told

_requests: Final[msgspec.msgpack.Decoder[AnyRequest]] = msgspec.msgpack.Decoder(AnyRequest)
_sayings: Final[msgspec.msgpack.Decoder[AnySaying]] = msgspec.msgpack.Decoder(AnySaying)
_encoder: Final = msgspec.msgpack.Encoder()


def frame(message: AnyRequest | AnySaying) -> bytes:
    """The bytes of one message on the wire."""
    try:
        body = _encoder.encode(message)
    except UnicodeEncodeError as error:
        raise BrokenFrame("not text") from error
    if len(body) > MAX_FRAME_BYTES:
        raise BrokenFrame("message too large")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def request(body: bytes) -> AnyRequest:
    """What the parent asks. Raises :class:`BrokenFrame`."""
    try:
        return _requests.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BrokenFrame("not a request") from error


def saying(body: bytes) -> AnySaying:
    """What the child says. Raises :class:`BrokenFrame`."""
    try:
        return _sayings.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BrokenFrame("not a reply or an event") from error


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame's body; None: the other end is gone. Raises :class:`BrokenFrame`."""
    try:
        head = await reader.readexactly(LENGTH_BYTES)
        size = int.from_bytes(head, "big")
        if size > MAX_FRAME_BYTES:
            raise BrokenFrame("frame too large")
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
