"""The test slip, as a picture: a slip printer has no code page in which Vietnamese is sure to come out.

The drawing font knows ASCII only, so the words are without marks. What residents get later is drawn by the
browser, which has the real font.
"""

import unicodedata
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX: Final = 576  # 72 mm at 203 dpi: paper of 80 mm
LINE_PX: Final = 48

Pixels = NDArray[Any]


def plain(text: str) -> str:
    """ASCII, marks dropped; đ does not decompose, so it is done by hand."""
    folded = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(one for one in folded if " " <= one <= "~")


def draw(lines: list[str]) -> Pixels:
    """Black on white, with a grid of lines at the end by which a bad print head shows."""
    picture = np.full((LINE_PX * (len(lines) + 3), WIDTH_PX), 255, np.uint8)
    for number, line in enumerate(lines):
        at = (8, LINE_PX * (number + 1))
        cv2.putText(picture, plain(line)[:40], at, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2, cv2.LINE_8)
    picture[-LINE_PX * 2 + 8 : -LINE_PX // 2, ::8] = 0
    return picture


def png(picture: Pixels) -> bytes:
    """For CUPS."""
    done, data = cv2.imencode(".png", picture)
    assert done
    return bytes(data.tobytes())


def raster(picture: Pixels) -> bytes:
    """For a slip printer without a queue: ``ESC @``, ``GS v 0`` with one bit a dot, feed, cut (ESC/POS)."""
    height, width = picture.shape
    bits = np.packbits(picture < 128, axis=1)
    head = b"\x1b@\x1dv0\0" + int(bits.shape[1]).to_bytes(2, "little") + int(height).to_bytes(2, "little")
    assert width % 8 == 0
    return head + bits.tobytes() + b"\n\n\n\x1dVB\0"
