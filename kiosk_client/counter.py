"""Numbers that only grow, over restarts and power cuts, without a write for each.

A block of numbers is reserved on the disk before the first of it is used. Two slots are written in turn, in
place: a torn write leaves the other slot, and a full disk lets what is there be overwritten.
"""

import zlib
from collections.abc import Callable
from typing import Final

from kiosk_client.errors import NotKept
from kiosk_client.folder import SLOT_BYTES, Folder

NAME: Final = "counter"
BLOCK: Final = 100_000
"""A month of beats."""

LEFT_OUT: Final = 2**33
"""Numbers between two starts on a good disk, for the starts in between on one that takes nothing. The wire's
2**53 are enough for a million of them."""

NUMBERS_A_SECOND: Final = 8
"""More than a start on a bad disk uses."""

MOST_TOLD: Final = 2**52
"""No city has heard more of a device; the wire ends at 2**53, and a device beyond that is mute for good."""

SINCE: Final = 1_577_836_800.0
"""1 January 2020, UTC: before any device."""


class Counter:
    """The next number, each time.

    A start on a disk that has gone read-only cannot reserve anything, and there may be many of those: the
    agent starts anew every few minutes to see whether the disk is better. They use numbers that every start
    with a good disk leaves out, each from where the machine's clock puts it: the one thing that still moves
    on. Numbers that came again would look like a stolen key.
    """

    def __init__(self, folder: Folder, wall: Callable[[], float]) -> None:
        """``wall``: seconds, UTC, as the machine has it."""
        self._folder = folder
        ceilings = _ceilings(folder.read(NAME) or b"")
        self._slot = (max(ceilings, key=lambda slot: ceilings[slot]) + 1) % 2 if ceilings else 0
        self._ceiling = max(ceilings.values(), default=0)
        self.durable = True
        reserved = self._ceiling
        self._next = reserved + LEFT_OUT if ceilings else 1
        try:
            self._reserve()
        except NotKept:
            self.durable = False
            moved_on = int(max(0.0, wall() - SINCE) * NUMBERS_A_SECOND)
            self._next = reserved + min(moved_on, LEFT_OUT - BLOCK)
            self._ceiling = self._next + BLOCK

    def next(self) -> int:
        """Never given before. Never raises: when the disk refuses, ``durable`` is False from then on."""
        if self._next >= self._ceiling:
            try:
                self._reserve()
                self.durable = True
            except NotKept:
                self.durable = False
                self._ceiling = self._next + BLOCK
        number = self._next
        self._next += 1
        return number

    def at_least(self, number: int) -> None:
        """From now on above this: a device that has lost its folder, but not its key, is told by the city."""
        if self._next <= number <= MOST_TOLD:
            self._next = number + 1
            self._ceiling = self._next  # the next one reserves

    def _reserve(self) -> None:
        ceiling = self._next + BLOCK
        digits = b"%d" % ceiling
        self._folder.overwrite(NAME, self._slot, b"%s %08x\n" % (digits, zlib.crc32(digits)))
        self._ceiling = ceiling
        self._slot = (self._slot + 1) % 2


def _ceilings(data: bytes) -> dict[int, int]:
    """Of the slots that are whole."""
    found = {}
    for slot in (0, 1):
        digits, _, check = data[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES].strip().partition(b" ")
        if digits.isdigit() and check == b"%08x" % zlib.crc32(digits):
            found[slot] = int(digits)
    return found
