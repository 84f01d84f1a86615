"""The touchscreen's self-test: is it there, and does its driver answer with a range that makes sense?

Nobody is there to touch it, so this proves the panel's controller and cable, not the glass.
"""

import array
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ABS_MT_POSITION_X: Final = 0x35  # linux/input-event-codes.h
INPUT_PROP_DIRECT: Final = 0x01  # what is touched is what is shown: a touchscreen, no touchpad


def touchscreens(text: str) -> list[str]:
    """Event devices of touchscreens (``event3``), from the text of ``/proc/bus/input/devices``."""
    return [found for block in text.split("\n\n") for found in _touchscreen(block)]


def _touchscreen(block: str) -> Iterator[str]:
    bits = {name: _bitmap(words) for name, words in re.findall(r"^B: (\w+)=(.*)$", block, re.MULTILINE)}
    is_direct = bits.get("PROP", 0) >> INPUT_PROP_DIRECT & 1
    is_multitouch = bits.get("ABS", 0) >> ABS_MT_POSITION_X & 1
    handlers = re.search(r"^H: Handlers=(.*)$", block, re.MULTILINE)
    if is_direct and is_multitouch and handlers:
        yield from (word for word in handlers[1].split() if re.fullmatch(r"event\d+", word))


def _bitmap(words: str) -> int:
    """The kernel prints words of 64 bits, the highest first, without leading zeros."""
    value = 0
    for word in words.split():
        value = value << 64 | int(word, 16)
    return value


class TouchSense:
    """Tests the touchscreen. Once one was seen, that none is there is a fault, not an absence."""

    def __init__(self, remembered: Path, root: Path = Path("/")) -> None:
        """``remembered`` is a file that stands for "this device has one", over restarts."""
        self._remembered = remembered
        self._root = root

    def look(self) -> bool | None:
        """None: there never was one."""
        try:
            text = (self._root / "proc/bus/input/devices").read_text("utf-8", "replace")
        except OSError:
            text = ""
        found = touchscreens(text)
        if found and not self._remembered.exists():
            try:
                self._remembered.touch()
            except OSError:
                pass  # a full disk is told by the disk
        if not found:
            return False if self._remembered.exists() else None
        return any(self._answers(self._root / "dev/input" / name) for name in found)

    @staticmethod
    def _answers(node: Path) -> bool:
        """``EVIOCGABS(ABS_MT_POSITION_X)``: value, minimum, maximum, fuzz, flat, resolution."""
        try:
            fd = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            info = array.array("i", [0] * 6)
            request = 2 << 30 | info.itemsize * 6 << 16 | ord("E") << 8 | 0x40 + ABS_MT_POSITION_X
            fcntl.ioctl(fd, request, info)
            return info[2] > info[1]
        except OSError:
            return False
        finally:
            os.close(fd)
