"""The slip printer: by CUPS where there is a queue, else a USB printer's own status lines.

What is told are states, never what was printed.
"""

import array
import asyncio
import fcntl
import os
import re
import select
import time
from pathlib import Path
from typing import Final, Literal

from kiosk_client.body import slip
from kiosk_client.body.programs import Programs
from signaling.wire.kiosk.words import Printer

State = Literal["ok", "paper-low", "paper-out", "cover-open", "offline", "failed"]

PRINT_LIMIT_S: Final = 20.0
LPGETSTATUS: Final = 0x060B  # linux/lp.h; usblp answers it from the printer's port status
LP_NO_ERROR, LP_SELECTED, LP_PAPER_OUT = 0x08, 0x10, 0x20  # USB printer class 1.1, section 4.2.2

ALERTS: Final[tuple[tuple[str, State], ...]] = (  # RFC 8011, section 5.4.12; the gravest first
    ("offline", "offline"),
    ("connecting-to-device", "offline"),
    ("shutdown", "offline"),
    ("cover-open", "cover-open"),
    ("door-open", "cover-open"),
    ("media-empty", "paper-out"),
    ("media-needed", "paper-out"),
    ("media-jam", "failed"),
    ("other-error", "failed"),
    ("media-low", "paper-low"),
)


def cups_state(text: str) -> State | None:
    """The default queue's state from ``lpstat -l -p NAME`` in the C locale; None: no such queue."""
    first = re.search(r"^printer (\S+) (.*)$", text, re.MULTILINE)
    if not first:
        return None
    alerts = re.search(r"^\s*Alerts: (.*)$", text, re.MULTILINE)
    for word, state in ALERTS:
        if alerts and word in alerts[1]:
            return state
    return "failed" if "disabled" in first[2] else "ok"


def default_queue(text: str) -> str:
    """From ``lpstat -d``; empty: none."""
    found = re.search(r"^system default destination: (\S+)$", text, re.MULTILINE)
    return found[1] if found else ""


def port_state(status: int) -> State:
    """What the three lines of a USB printer say."""
    if status & LP_PAPER_OUT:
        return "paper-out"
    if not status & LP_SELECTED:
        return "offline"
    return "ok" if status & LP_NO_ERROR else "failed"


class PrinterSense:
    """What can be known of the printer, and how a slip comes out of it."""

    def __init__(self, programs: Programs, port: Path = Path("/dev/usb/lp0")) -> None:
        self._programs = programs
        self._port = port

    async def look(self) -> Printer | None:
        """None: there is no printer."""
        queue = await self._queue()
        if queue:
            ran = await self._programs.run(["lpstat", "-l", "-p", queue])
            state = cups_state(ran.text)
            if state is not None:
                return Printer(state)
        if self._port.exists():
            return Printer(self._port_state())
        return None

    async def print_slip(self, picture: slip.Pixels) -> str:
        """Print it; empty when the printer took it, else why not: ``no-printer``, ``printer-refused``."""
        queue = await self._queue()
        if queue:
            command = ["lp", "-d", queue, "-o", "fit-to-page", "-t", "test"]
            ran = await self._programs.run(command, PRINT_LIMIT_S, slip.png(picture))
            return "" if ran.ok else "printer-refused"
        if not self._port.exists():
            return "no-printer"
        try:
            await asyncio.wait_for(asyncio.to_thread(self._write, slip.raster(picture)), PRINT_LIMIT_S)
        except (OSError, TimeoutError):
            return "printer-refused"
        return ""

    def _write(self, data: bytes) -> None:
        """Never waits for a printer that takes nothing for longer than the limit."""
        fd = os.open(self._port, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            until = time.monotonic() + PRINT_LIMIT_S
            while data:
                _, ready, _ = select.select([], [fd], [], max(0.0, until - time.monotonic()))
                if not ready:
                    raise TimeoutError
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)

    async def _queue(self) -> str:
        if not self._programs.has("lpstat"):
            return ""
        return default_queue((await self._programs.run(["lpstat", "-d"])).text)

    def _port_state(self) -> State:
        try:
            fd = os.open(self._port, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return "offline"
        try:
            status = array.array("i", [0])
            fcntl.ioctl(fd, LPGETSTATUS, status)
            return port_state(status[0])
        except OSError:
            return "failed"
        finally:
            os.close(fd)
