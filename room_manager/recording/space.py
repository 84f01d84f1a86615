"""How much room recordings leave on their disk. The decision is pure; asking the disk is beside it."""

import os
from pathlib import Path
from typing import Final

from msgspec import Struct

GIB: Final = 1 << 30


class Space(Struct, frozen=True):
    """Bounds on free space, bytes. Recordings stop long before the meetings' own database suffers."""

    start_above: int = 4 * GIB
    stop_below: int = 2 * GIB

    def may_start(self, free: int) -> bool:
        """Whether a recording may begin with so much free."""
        return free >= self.start_above

    def must_stop(self, free: int) -> bool:
        """Whether a recording under way must end with so much free."""
        return free < self.stop_below


def free_bytes(folder: Path) -> int:
    """What an unprivileged process may still write there. Raises ``OSError``."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
