"""AV1 in RTP (AV1 RTP specification 1.0): where a decoder may start. Nothing in them is rewritten."""

from typing import Final

_CONTINUES: Final = 0x80
_NEW_SEQUENCE: Final = 0x08


def starts_keyframe(data: bytes, start: int, end: int) -> bool:
    """Whether this packet begins a coded video sequence.

    The aggregation header's N bit says so, and such a packet never continues another (section 4.4).
    """
    return start < end and data[start] & (_CONTINUES | _NEW_SEQUENCE) == _NEW_SEQUENCE
