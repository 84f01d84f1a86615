"""A screenshot that shows no more than staff may see. What is marked is painted over here, on the device,
before anything is written or sent.

Marked is whatever has ``data-redact``, and every field a resident could write in, marked or not. The boxes
are asked for before and after the picture is taken; if the page has moved in between, the picture is thrown
away and another taken. While a resident is served, the whole picture is made unreadable.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from kiosk_client.body.browser import picture
from kiosk_client.body.browser_life import Life
from kiosk_client.errors import AgentError

MAX_PICTURE_BYTES: Final = 2**20
TRIES: Final = 4
MARGIN_PX: Final = 4  # CSS pixels: anti-aliasing, shadows, outlines
COVER: Final = (60, 52, 48)  # blue, green, red: a dark grey that no page of ours has
UNREADABLE_PX: Final = 24  # cells across a picture in which nothing is to be read
QUALITIES: Final = (85, 70, 55, 40, 25)

Box = tuple[float, float, float, float]  # left, top, width, height, in CSS pixels
Pixels = NDArray[Any]

MARKED: Final = """
(() => {
  const marks = "[data-redact], input, textarea, select, [contenteditable]";
  const boxes = [];
  const walk = (root) => {
    const add = ({ left, top, width, height }) => boxes.push([left, top, width, height]);
    for (const part of root.querySelectorAll(marks)) {
      const within = document.createRange();
      within.selectNodeContents(part); // what flows over the edge of its own box is covered too
      for (const one of [part, within]) [...one.getClientRects()].forEach(add);
    }
    for (const part of root.querySelectorAll("*")) if (part.shadowRoot) walk(part.shadowRoot);
    root.querySelectorAll("iframe, embed, object").forEach((part) => add(part.getBoundingClientRect()));
  };
  walk(document);
  return { width: innerWidth, height: innerHeight, boxes };
})()
"""


class PageBusy(AgentError):
    """The page did not hold still: what is marked moved each time."""

    code = "page-busy"


class TooLarge(AgentError):
    """Even the roughest picture is larger than may be sent."""

    code = "too-large"


class Shot(Struct, frozen=True):
    """The picture that may be sent, and what was done to it."""

    jpeg: bytes
    width_px: int
    height_px: int
    covered: int  # regions
    unreadable: bool  # all of it, because a resident was being served


async def take(life: Life, in_session: Callable[[], bool]) -> Shot:
    """Take one.

    Raises:
        PageBusy, TooLarge, and what the browser raises
    """
    for _ in range(TRIES):
        served = in_session()
        before = await life.evaluate(MARKED)
        pixels = decode(await picture(life))
        after = await life.evaluate(MARKED)
        if served or in_session():
            return finish(unreadable(pixels), 0, unreadable=True)
        if before == after:
            return finish(
                covered(pixels, after["width"], after["boxes"]), len(after["boxes"]), unreadable=False
            )
    raise PageBusy("what is marked on the page moved while it was photographed")


def covered(pixels: Pixels, width_css_px: float, boxes: Sequence[Box]) -> Pixels:
    """The picture with each box painted over."""
    scale = pixels.shape[1] / max(1.0, width_css_px)
    done = pixels.copy()
    for left, top, width, height in boxes:
        if width <= 0 or height <= 0:
            continue
        first = (int((left - MARGIN_PX) * scale), int((top - MARGIN_PX) * scale))
        last = (
            int(np.ceil((left + width + MARGIN_PX) * scale)),
            int(np.ceil((top + height + MARGIN_PX) * scale)),
        )
        cv2.rectangle(done, first, last, COVER, cv2.FILLED)
    return done


def unreadable(pixels: Pixels) -> Pixels:
    """The picture as some large cells of one colour each: which page it is may be guessed, not read."""
    height, width = pixels.shape[:2]
    cells = (UNREADABLE_PX, max(1, round(UNREADABLE_PX * height / width)))
    small = cv2.resize(pixels, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST))


def decode(png: bytes) -> Pixels:
    """Its pixels: blue, green, red."""
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise PageBusy("the browser's picture cannot be read")
    return np.asarray(pixels)


def finish(pixels: Pixels, count: int, *, unreadable: bool) -> Shot:
    """As the best JPEG that is not too large."""
    height, width = pixels.shape[:2]
    for quality in QUALITIES:
        done, data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))
        if done and data.nbytes <= MAX_PICTURE_BYTES:
            return Shot(data.tobytes(), width, height, count, unreadable)
    raise TooLarge(f"{width} × {height} px do not fit into {MAX_PICTURE_BYTES} bytes")
