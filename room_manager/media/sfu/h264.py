"""H.264 in RTP (RFC 6184): where a decoder may start. Nothing in these payloads is ever rewritten."""

from typing import Final

IDR: Final = 5
SPS: Final = 7
STAP_A: Final = 24
FU_A: Final = 28
_TYPE: Final = 0x1F


def starts_keyframe(data: bytes, start: int, end: int) -> bool:
    """Whether this packet begins an IDR picture or the parameter sets before it.

    An aggregate counts if it holds a parameter set or an IDR slice (section 5.7.1), a fragment only if
    it is the first one of an IDR slice (section 5.8).
    """
    if start >= end:
        return False
    kind = data[start] & _TYPE
    if kind in (IDR, SPS):
        return True
    if kind == FU_A:
        return start + 1 < end and bool(data[start + 1] & 0x80) and data[start + 1] & _TYPE == IDR
    if kind == STAP_A:
        at = start + 1
        while at + 2 < end:
            if data[at + 2] & _TYPE in (IDR, SPS):
                return True
            at += 2 + (data[at] << 8 | data[at + 1])
    return False
