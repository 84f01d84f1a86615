"""What workers say to each other over their links, and how it lies in a datagram. Pure.

A datagram holds items one after another: one byte of kind, two of length, the body. The other end is a
worker of the same engine, started from the same code; what cannot be read is still refused.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple, cast, get_args

import msgspec
from msgspec import Struct

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.sfu.rtp import Malformed
from room_manager.media.sfu.track import Role

MAX_DATAGRAM_BYTES: Final = 60_000
PACKET: Final = 1
SPOKEN: Final = 2
NONE: Final = 0xFF

_ITEM: Final = struct.Struct("!BH")
_PACKET: Final = struct.Struct("!BBB")  # length of the key; audio level; orientation
_ROLES: Final = frozenset(get_args(Role))
CLOCK_HZ: Final = {"microphone": 48_000, "camera": 90_000, "screen": 90_000}


class Stream(NamedTuple):
    """Which stream a packet belongs to, by names that mean the same in every worker."""

    room: RoomId
    connection: ConnectionId
    site: SiteId
    role: Role
    rid: str
    codec: str


class Passed(NamedTuple):
    """One packet as its track took it. ``stream`` is the key of a :class:`Stream`."""

    stream: bytes
    level: bytes | None
    orientation: bytes | None
    data: bytes


class View(NamedTuple):
    """How somebody watches a picture: in a large slot or a small one, and at most in which layer."""

    large: bool
    layer: str


class Need(Struct, frozen=True, array_like=True):
    """A picture somebody watches, and all the ways in which it is watched."""

    site: SiteId
    role: Role
    views: tuple[View, ...]


class Needs(Struct, frozen=True, tag="needs", array_like=True):
    """All that this room's receivers here want and nobody here sends; void if not said again.

    ``here`` False: nobody is in the room here any more, nor wants to hear it.
    """

    room: RoomId
    here: bool
    needs: tuple[Need, ...]


class Ask(Struct, frozen=True, tag="ask", array_like=True):
    """Somebody cannot decode this stream without a keyframe."""

    room: RoomId
    connection: ConnectionId
    role: Role
    rid: str
    switching: bool


Said = Needs | Ask
Item = Passed | Needs | Ask

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final[msgspec.msgpack.Decoder[Said]] = msgspec.msgpack.Decoder(Said)


def key(stream: Stream) -> bytes | None:
    """The stream's name in packets; None: it has one that cannot be told."""
    if any("\0" in part for part in stream):
        return None
    found = "\0".join(stream).encode()
    return found if len(found) < NONE else None


def stream_of(name: bytes) -> Stream:
    """The stream of a key. Raises ``Malformed``."""
    try:
        parts = name.decode().split("\0")
    except UnicodeDecodeError as error:
        raise Malformed("not a stream's name") from error
    if len(parts) != len(Stream._fields) or parts[3] not in _ROLES:
        raise Malformed("not a stream's name")
    room, connection, site, role, rid, codec = parts
    return Stream(RoomId(room), ConnectionId(connection), SiteId(site), cast(Role, role), rid, codec)


def packet_item(name: bytes, level: bytes | None, orientation: bytes | None, data: bytes) -> bytes:
    """A packet as an item."""
    size = _PACKET.size + len(name) + len(data)
    head = _PACKET.pack(len(name), level[0] if level else NONE, orientation[0] if orientation else NONE)
    return b"".join((_ITEM.pack(PACKET, size), head, name, data))


def said_item(said: Said) -> bytes | None:
    """Anything else as an item; None: it is too large."""
    body = _encoder.encode(said)
    return _ITEM.pack(SPOKEN, len(body)) + body if len(body) <= MAX_DATAGRAM_BYTES - _ITEM.size else None


def items(datagram: bytes | memoryview) -> Iterator[Item]:
    """What is in a datagram. Raises ``Malformed`` where it cannot be read any further."""
    at, end = 0, len(datagram)
    while at < end:
        if at + _ITEM.size > end:
            raise Malformed("cut short")
        kind, size = _ITEM.unpack_from(datagram, at)
        at += _ITEM.size
        if at + size > end:
            raise Malformed("cut short")
        if kind == PACKET:
            yield _passed(datagram, at, at + size)
        elif kind == SPOKEN:
            try:
                yield _decoder.decode(datagram[at : at + size])
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                raise Malformed("not what a worker says") from error
        else:
            raise Malformed("an unknown kind")
        at += size


def _passed(datagram: bytes | memoryview, at: int, end: int) -> Passed:
    if end - at < _PACKET.size:
        raise Malformed("cut short")
    named, level, orientation = _PACKET.unpack_from(datagram, at)
    begin = at + _PACKET.size
    start = begin + named
    if start > end:
        raise Malformed("cut short")
    return Passed(
        bytes(datagram[begin:start]),
        None if level == NONE else bytes((level,)),
        None if orientation == NONE else bytes((orientation,)),
        bytes(datagram[start:end]),
    )
