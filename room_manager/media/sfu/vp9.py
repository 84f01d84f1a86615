"""The VP9 payload descriptor (RFC 9628): where a keyframe starts, its picture id and its layers.

Read for streams of one spatial layer; of several all are passed on together.
"""

import struct
from typing import Final

from room_manager.media.sfu.rtp import Malformed
from room_manager.media.sfu.vp8 import PICTURE_ID_MASK, Descriptor

_WORD: Final = struct.Struct("!H")
_PICTURE, _INTER, _LAYERS, _FLEXIBLE, _BEGINS = 0x80, 0x40, 0x20, 0x10, 0x08


def describe(data: bytes, start: int, end: int) -> Descriptor:
    """Read the descriptor of ``data[start:end]`` (RFC 9628, section 4.2). Raises ``Malformed``."""
    if start >= end:
        raise Malformed("no VP9 descriptor")
    first = data[start]
    at = start + 1
    picture_id: int | None = None
    picture_id_at = picture_id_bits = tl0_at = temporal = spatial = 0
    tl0: int | None = None
    sync = False
    if first & _PICTURE:
        picture_id_at = at - start
        wide = at < end and bool(data[at] & 0x80)
        if at + wide >= end:
            raise Malformed("VP9 picture id cut off")
        picture_id = _WORD.unpack_from(data, at)[0] & PICTURE_ID_MASK if wide else data[at]
        picture_id_bits = 15 if wide else 7
        at += 1 + wide
    if first & _LAYERS:
        if at + (not first & _FLEXIBLE) >= end:
            raise Malformed("VP9 layers cut off")
        temporal, sync, spatial = data[at] >> 5, bool(data[at] & 0x10), data[at] >> 1 & 0x07
        at += 1
        if not first & _FLEXIBLE:
            tl0_at, tl0 = at - start, data[at]
    starts_frame = bool(first & _BEGINS) and spatial == 0
    starts_keyframe = starts_frame and not first & _INTER
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
