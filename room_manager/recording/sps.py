"""How large the pictures are that an H.264 sequence parameter set describes (ITU-T H.264, 7.3.2.1.1).

Pure. Only what lies before the size is read, and the cropping behind it.
"""

from typing import Final

_HIGH: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
MAX_PX: Final = 16_384


class _Bits:
    """Reads bits; a parameter set that ends too early raises ``IndexError``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def one(self) -> int:
        bit = self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
        self._at += 1
        return bit

    def many(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self.one()
        return value

    def exp(self) -> int:
        """Unsigned Exp-Golomb (section 9.1)."""
        zeros = 0
        while not self.one():
            zeros += 1
            if zeros > 31:
                raise IndexError("no Exp-Golomb code")
        return (1 << zeros) - 1 + self.many(zeros)


def size_of(sps: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, or None where they cannot be told."""
    try:
        return _size(_Bits(sps[1:].replace(b"\0\0\3", b"\0\0")))
    except IndexError:
        return None


def _size(bits: _Bits) -> tuple[int, int] | None:
    profile = bits.many(8)
    bits.many(16)
    bits.exp()  # seq_parameter_set_id
    chroma = 1
    if profile in _HIGH:
        chroma = bits.exp()
        if chroma == 3:
            bits.one()
        bits.exp(), bits.exp(), bits.one()
        if bits.one():
            return None  # scaling matrices: no browser or room system sends them
    bits.exp()  # log2_max_frame_num
    order = bits.exp()
    if order == 0:
        bits.exp()
    elif order == 1:
        return None
    bits.exp(), bits.one()
    width, height = 16 * (bits.exp() + 1), bits.exp() + 1
    frames_only = bits.one()
    if not frames_only:
        bits.one()
    height *= 16 * (2 - frames_only)
    bits.one()
    if bits.one():
        across = 2 if chroma in (1, 2) else 1
        down = (2 if chroma == 1 else 1) * (2 - frames_only)
        width -= across * (bits.exp() + bits.exp())
        height -= down * (bits.exp() + bits.exp())
    return (width, height) if 0 < width <= MAX_PX and 0 < height <= MAX_PX else None
