"""What the server and a recorder's process say to each other, in frames like the media engine's."""

from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from room_manager.media.sfu.control import LENGTH_BYTES, MAX_FRAME_BYTES, BrokenFrame, read_frame
from room_manager.meeting.values import RecordingEnd

__all__ = ["BrokenFrame", "frame", "orders", "read_frame", "reports"]


class Order(Struct, frozen=True, tag=True):
    """Base of what the server tells the recorder."""


class Begin(Order, frozen=True):
    """Record to ``stem`` with the container's suffix; must come first, once."""

    stem: str
    stop_below_bytes: int  # of free space


class Joined(Order, frozen=True):
    """The engine's answer to the newest offer."""

    sdp: str
    slots: dict[str, str]


class NotTaken(Order, frozen=True):
    """The engine did not take the newest offer; offer again shortly."""

    code: str


class Rejoin(Order, frozen=True):
    """The connection is gone: offer anew. The file goes on."""


class Look(Order, frozen=True):
    """Take a still of each of these slots; what comes in them now is what they are to show."""

    slots: tuple[str, ...]


class Finish(Order, frozen=True):
    """Finish the file and end."""


class Report(Struct, frozen=True, tag=True):
    """Base of what the recorder tells the server."""


class Offer(Report, frozen=True):
    """The session description of a new receiver."""

    sdp: str


class Still(Report, frozen=True):
    """A picture of one slot."""

    slot: str
    jpeg: bytes


class Looked(Report, frozen=True):
    """Ready to look, for the first time or again."""


class Progress(Report, frozen=True):
    """What is durable by now."""

    name: str
    size_bytes: int
    duration_s: float


class Ended(Report, frozen=True):
    """The recorder ends. ``name`` None: nothing was recorded, there is no file."""

    why: RecordingEnd
    name: str | None
    size_bytes: int = 0
    duration_s: float = 0.0


AnyOrder = Begin | Joined | NotTaken | Rejoin | Look | Finish
AnyReport = Offer | Still | Looked | Progress | Ended

_encoder: Final = msgspec.msgpack.Encoder()
_orders: Final[msgspec.msgpack.Decoder[AnyOrder]] = msgspec.msgpack.Decoder(AnyOrder)
_reports: Final[msgspec.msgpack.Decoder[AnyReport]] = msgspec.msgpack.Decoder(AnyReport)
T = TypeVar("T")


def frame(message: AnyOrder | AnyReport) -> bytes:
    """The bytes of one message. Raises :class:`BrokenFrame` if it is too large."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise BrokenFrame("message too large")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def orders(body: bytes) -> AnyOrder:
    """What the server tells. Raises :class:`BrokenFrame`."""
    return _decoded(_orders, body)


def reports(body: bytes) -> AnyReport:
    """What the recorder tells. Raises :class:`BrokenFrame`."""
    return _decoded(_reports, body)


def _decoded(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BrokenFrame("not a message") from error
