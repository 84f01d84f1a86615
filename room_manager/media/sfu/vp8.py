"""The VP8 payload descriptor (RFC 7741): where a keyframe starts, and renumbering its picture ids.

Knows nothing of the picture itself beyond the one bit that says "key".
"""

import struct
from typing import Final, NamedTuple

from room_manager.media.sfu.rtp import Malformed

PICTURE_ID_MASK: Final = 0x7FFF
_WORD: Final = struct.Struct("!H")


class Descriptor(NamedTuple):
    """What a payload's first bytes say. Offsets count from the start of the payload."""

    starts_keyframe: bool
    starts_frame: bool
    picture_id: int | None
    picture_id_at: int
    picture_id_bits: int  # 7 or 15
    tl0: int | None
    tl0_at: int
    temporal: int = 0  # layer of this frame; 0 is the base
    sync: bool = False  # depends on nothing but the base layer


def describe(data: bytes, start: int, end: int) -> Descriptor:
    """Read the descriptor of ``data[start:end]`` (RFC 7741, section 4.2)."""
    if start >= end:
        raise Malformed("no VP8 descriptor")
    first = data[start]
    at = start + 1
    picture_id: int | None = None
    picture_id_at = picture_id_bits = tl0_at = temporal = 0
    sync = False
    tl0: int | None = None
    if first & 0x80:
        if at >= end:
            raise Malformed("VP8 descriptor cut off")
        extended = data[at]
        at += 1
        if extended & 0x80:
            picture_id_at = at - start
            if at >= end:
                raise Malformed("VP8 picture id cut off")
            if data[at] & 0x80:
                if at + 1 >= end:
                    raise Malformed("VP8 picture id cut off")
                picture_id = _WORD.unpack_from(data, at)[0] & PICTURE_ID_MASK
                picture_id_bits = 15
                at += 2
            else:
                picture_id = data[at]
                picture_id_bits = 7
                at += 1
        if extended & 0x40:
            if at >= end:
                raise Malformed("VP8 layer index cut off")
            tl0_at = at - start
            tl0 = data[at]
            at += 1
        if extended & 0x30:
            if extended & 0x20 and at < end:
                temporal, sync = data[at] >> 6, bool(data[at] & 0x20)
            at += 1
    starts_frame = bool(first & 0x10) and not first & 0x07
    # Section 4.3: the inverse key frame flag is the lowest bit of the first payload octet.
    starts_keyframe = starts_frame and at < end and not data[at] & 0x01
    return Descriptor(
        starts_keyframe,
        starts_frame,
        picture_id,
        picture_id_at,
        picture_id_bits,
        tl0,
        tl0_at,
        temporal,
        sync,
    )


def renumbered(data: bytes, start: int, end: int, found: Descriptor, picture_id: int, tl0: int) -> bytearray:
    """The payload with another picture id and layer index, where it has them.

    The picture id is always written with 15 bits: sources that count to 127 and sources that count to
    32 767 follow each other in one slot, and a receiver must see one counter.
    """
    payload = bytearray(data[start:end])
    if found.tl0 is not None:
        payload[found.tl0_at] = tl0 & 0xFF
    if found.picture_id is not None:
        width = 2 if found.picture_id_bits == 15 else 1
        at = found.picture_id_at
        payload[at : at + width] = _WORD.pack(0x8000 | picture_id & PICTURE_ID_MASK)
    return payload


def descriptor(
    picture_id: int, *, starts_frame: bool, temporal: int | None = None, tl0: int = 0, sync: bool = False
) -> bytes:
    """A descriptor with a 15-bit picture id; temporal layers only if ``temporal`` says which."""
    if temporal is not None:
        head = bytes([0x90 if starts_frame else 0x80, 0xE0])
        return (
            head + _WORD.pack(0x8000 | picture_id & PICTURE_ID_MASK) + bytes([tl0, temporal << 6 | sync << 5])
        )
    return bytes([0x90 if starts_frame else 0x80, 0x80]) + _WORD.pack(0x8000 | picture_id & PICTURE_ID_MASK)
