"""Who gets the same packets, and what of a packet differs between them.

A packet is rendered once. Towards each receiver only a few fields differ: the SSRC always, the numbers if
the receiver's own have run differently, and a number that counts all packets to it if its line is measured.
"""

import struct
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, Protocol

from room_manager.media.sfu.rtp import SEQ_MASK, TS_MASK
from room_manager.media.sfu.send_log import SendLog

_HEAD: Final = struct.Struct("!HLL")
_WORD: Final = struct.Struct("!H")
_SEQ_AT: Final = 2
_PICTURE_MASK: Final = 0x7FFF


class Sink(Protocol):
    """Where a receiver's packets go; the egress knows more of it than we."""


class Shifts(NamedTuple):
    """What to add to a packet's numbers for one receiver; each wraps as its field does."""

    seq: int = 0  # 16 bits
    timestamp: int = 0  # 32 bits
    picture: int = 0  # 15 bits
    layer: int = 0  # 8 bits


UNSHIFTED: Final = Shifts()


class Row(NamedTuple):
    """One receiver of a packet: where it goes, the SSRC of its slot, and how its numbers differ."""

    sink: Sink
    ssrc: int
    shifts: Shifts = UNSHIFTED
    log: SendLog | None = None  # counts and remembers what leaves; None: not measured


class Marks(NamedTuple):
    """Where in a packet lies what may differ between receivers; 0: it has none of that."""

    picture_at: int = 0  # picture id of VP8 or VP9, 2 bytes with the top bit set
    layer_at: int = 0  # TL0PICIDX, 1 byte
    number_at: int = 0  # transport-wide sequence number, 2 bytes


UNMARKED: Final = Marks()


@lru_cache(maxsize=256)
def marks(picture_at: int, layer_at: int, number_at: int) -> Marks:
    """The same object for the same places: there are few, and nothing need be made per packet."""
    return Marks(picture_at, layer_at, number_at)


class Audience(tuple[Row, ...]):
    """Who gets the same packets. Never changes: whoever comes or goes makes another one.

    So the egress may keep with it what it has derived from it.
    """

    derived: Any = None

    @cached_property
    def ssrcs(self) -> frozenset[int]:
        """Those of its rows."""
        return frozenset(row.ssrc for row in self)


class Egress(Protocol):
    """Sends plaintext packets, each protected for its receiver."""

    def fan(self, plain: bytes, rows: Audience, marked: Marks = UNMARKED, *, more: bool = False) -> None:
        """The packet to every row, as :func:`inscribe` fits it. ``more`` of its frame will follow at once."""

    def rtcp(self, sink: Sink, compound: bytes) -> None:
        """One control datagram."""


def inscribe(packet: bytearray | memoryview, row: Row, marked: Marks) -> None:
    """Make the packet this row's: SSRC and numbers. The transport-wide number is left to who sends it."""
    shifts = row.shifts
    seq, timestamp, _ = _HEAD.unpack_from(packet, _SEQ_AT)
    _HEAD.pack_into(
        packet, _SEQ_AT, seq + shifts.seq & SEQ_MASK, timestamp + shifts.timestamp & TS_MASK, row.ssrc
    )
    if marked.picture_at:
        number = _WORD.unpack_from(packet, marked.picture_at)[0] + shifts.picture & _PICTURE_MASK
        _WORD.pack_into(packet, marked.picture_at, 0x8000 | number)
    if marked.layer_at:
        packet[marked.layer_at] = packet[marked.layer_at] + shifts.layer & 0xFF


def number(packet: bytearray | memoryview, row: Row, marked: Marks, size_bytes: int, now: float) -> None:
    """Count the packet as one that leaves now, and write its number, if the row is measured."""
    if marked.number_at and row.log is not None:
        _WORD.pack_into(packet, marked.number_at, row.log.depart(size_bytes, now))
