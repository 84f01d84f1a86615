"""How this process is: its memory, and how late its loop is, for so long packets wait."""

import asyncio
import os
import resource
from pathlib import Path
from typing import Final

LOOK_S: Final = 0.1
_STATM: Final = Path("/proc/self/statm")


def rss_bytes() -> int:
    """Memory held now; where the system does not tell, the most that was ever held."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Lag:
    """Its task is :meth:`watch`; whoever calls it owns it."""

    def __init__(self) -> None:
        self._worst_s = 0.0

    async def watch(self) -> None:
        """Look, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_S
            await asyncio.sleep(LOOK_S)
            self._worst_s = max(self._worst_s, loop.time() - due)

    def taken_s(self) -> float:
        """The worst since this was last asked."""
        worst_s, self._worst_s = self._worst_s, 0.0
        return worst_s
