"""The machine's clocks and boot. What a simulated device has instead is in ``simulate/``."""

import ctypes
import os
import time
import uuid
from pathlib import Path
from typing import Final, Protocol

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
TIME_ERROR: Final = 5
"""adjtimex(2): the clock is not kept by anything."""

TIMEX_BYTES: Final = 512
"""More than struct timex has; with all zero it asks and sets nothing."""


class System(Protocol):
    """What the agent reads off its machine."""

    @property
    def boot(self) -> str:
        """Another one after every boot."""

    @property
    def run(self) -> str:
        """Another one after every start of the agent."""

    def mono(self) -> float:
        """Seconds since the boot, asleep or not; never set."""

    def wall(self) -> float:
        """Seconds since 1970, UTC, as this machine has it."""

    def clock_kept(self) -> bool:
        """The kernel says that NTP or the like keeps the wall clock."""


class LinuxSystem:
    """This machine."""

    def __init__(self) -> None:
        self.boot = BOOT_ID.read_text().strip()
        self.run = uuid.uuid4().hex
        self._libc = ctypes.CDLL(None)

    def mono(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> float:
        return time.time()

    def clock_kept(self) -> bool:
        if os.path.exists("/run/systemd/timesync/synchronized"):
            return True
        buffer = ctypes.create_string_buffer(TIMEX_BYTES)
        answer: int = self._libc.adjtimex(buffer)
        return 0 <= answer != TIME_ERROR
