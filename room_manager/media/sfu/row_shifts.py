"""The numbers of up to 64 receivers' copies of one packet, all computed at once.

Python's integers have any length, so one addition adds to all rows: each row has a lane in one long integer,
wide enough that no sum reaches the next lane. A list of sums costs several times as much.
"""

import struct
from collections.abc import Sequence

from room_manager.media.sfu.audience import Shifts
from room_manager.media.sfu.rtp import SEQ_MASK, TS_MASK

PICTURE_MASK = 0x7FFF


def lanes(values: Sequence[int], form: str) -> int:
    """The values side by side, the first in the highest place. ``form`` is a ``struct`` letter."""
    return int.from_bytes(struct.pack(f"!{len(values)}{form}", *values), "big")


class RowShifts:
    """What to add for each row; made once for many packets."""

    __slots__ = (
        "_layers",
        "_ones_16",
        "_ones_64",
        "_pictures",
        "_seqs",
        "_size",
        "_timestamps",
    )

    def __init__(self, shifts: Sequence[Shifts]) -> None:
        self._size = len(shifts)
        self._ones_16 = lanes([1] * self._size, "H")
        self._ones_64 = lanes([1] * self._size, "Q")
        self._seqs = lanes([each.seq for each in shifts], "Q")
        self._timestamps = lanes([each.timestamp for each in shifts], "Q")
        self._pictures = lanes([each.picture for each in shifts], "H")
        self._layers = lanes([each.layer for each in shifts], "H")

    def heads(self, plain: bytes) -> memoryview:
        """The first 8 bytes of each row: flags as they are, sequence number and timestamp shifted."""
        flags, seq, timestamp = struct.unpack_from("!HHL", plain)
        ones = self._ones_64
        seqs = seq * ones + self._seqs & SEQ_MASK * ones
        timestamps = timestamp * ones + self._timestamps & TS_MASK * ones
        return memoryview(
            (flags * ones << 48 | seqs << 32 | timestamps).to_bytes(8 * self._size, "big")
        ).cast("Q")

    def pictures(self, plain: bytes, at: int) -> memoryview:
        """The two bytes of each row's picture id: two numbers of 15 bits never fill more than 16."""
        ones = self._ones_16
        base = int.from_bytes(plain[at : at + 2], "big") & PICTURE_MASK
        ids = (base * ones + self._pictures & PICTURE_MASK * ones) | 0x8000 * ones
        return memoryview(ids.to_bytes(2 * self._size, "big"))

    def layers(self, plain: bytes, at: int) -> memoryview:
        """The byte of each row's layer index."""
        ones = self._ones_16
        indices = plain[at] * ones + self._layers & 0xFF * ones
        return memoryview(indices.to_bytes(2 * self._size, "big"))[1::2]
