"""Reading transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).

Owns the bytes. What was sent when is known elsewhere.
"""

import struct
from typing import Final

from msgspec import Struct

from room_manager.media.sfu.rtp import Malformed

TICK_S: Final = 0.000_25
REFERENCE_S: Final = 0.064
REFERENCE_BITS: Final = 24
MAX_STATUSES: Final = 8_192  # a receiver that comes back after an outage tells of all it missed

_HEAD: Final = struct.Struct("!HH")
_WORD: Final = struct.Struct("!H")
_SIGNED: Final = struct.Struct("!h")


class Feedback(Struct, frozen=True):
    """What one feedback says of the numbers ``base … base + count - 1`` (modulo 2^16)."""

    base: int
    count: int
    reference: int  # of 64 ms, 24 bits
    arrivals: tuple[tuple[int, float], ...]  # offset from base, seconds after the reference


def read(body: bytes) -> Feedback:
    """Take a feedback apart; ``body`` starts at the base sequence number. Raises ``Malformed``."""
    size = len(body)
    if size < 8:
        raise Malformed("transport-wide feedback cut off")
    base, count = _HEAD.unpack_from(body)
    if count > MAX_STATUSES:
        raise Malformed("transport-wide feedback of too many packets")
    reference = int.from_bytes(body[4:7], "big")
    at, offset = 8, 0
    received: list[tuple[int, int]] = []  # offset, size of its delta
    while offset < count:
        if at + 2 > size:
            raise Malformed("transport-wide statuses cut off")
        chunk = _WORD.unpack_from(body, at)[0]
        at += 2
        if not chunk & 0x8000:  # a run of equal statuses
            status, run = chunk >> 13 & 3, chunk & 0x1FFF
            if not run:
                raise Malformed("transport-wide run of nothing")
            if status:
                received += [(index, status) for index in range(offset, min(offset + run, count))]
            offset += run
            continue
        if chunk & 0x4000:  # seven statuses of two bits
            statuses = [chunk >> shift & 3 for shift in (12, 10, 8, 6, 4, 2, 0)]
        else:  # fourteen of one bit
            statuses = [chunk >> shift & 1 for shift in range(13, -1, -1)]
        received += [(offset + i, s) for i, s in enumerate(statuses) if s and offset + i < count]
        offset += len(statuses)
    clock = 0
    arrivals: list[tuple[int, float]] = []
    for index, width in received:
        if at + width > size:
            raise Malformed("transport-wide deltas cut off")
        if width == 1:
            clock += body[at]
        elif width == 2:
            clock += _SIGNED.unpack_from(body, at)[0]
        else:  # status 3 is reserved
            raise Malformed("unknown transport-wide status")
        at += width
        arrivals.append((index, clock * TICK_S))
    return Feedback(base, count, reference, tuple(arrivals))
