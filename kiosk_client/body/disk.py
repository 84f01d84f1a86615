"""The disk the device writes to: room, a real write, its wear, its file system's errors.

An SD card or eMMC has no SMART. What can be known is what the kernel tells: the life registers of eMMC 5.0
and later (JESD84-B50, section 7.4.59 and 7.4.60: steps of 10 %), ext4's own error counter, and whether a
file can be written at all: a file system that has gone read-only still plays while every change is lost.
NVMe's "percentage used" is behind an ioctl for root; it is read by ``nvme``, where that may be run.
"""

import asyncio
import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import Final

import msgspec
import psutil

from kiosk_client.body.programs import Programs
from signaling.wire.kiosk.words import Disk

PROBE_PREFIX: Final = ".write-probe-"


def emmc_wear(text: str) -> float | None:
    """Share of its life used up, from ``life_time``: two registers, for its two kinds of cells.

    ``0x01`` means up to 10 % used, ``0x0a`` up to 100 %, ``0x0b`` more than its life; ``0x00`` is not told.
    The worse of the two is taken, at the upper end of its step.
    """
    try:
        steps = [int(word, 16) for word in text.split()]
    except ValueError:
        return None
    told = [step for step in steps if 0 < step <= 0x0B]
    return min(1.0, max(told) / 10) if told else None


def nvme_wear(text: str) -> float | None:
    """``percent_used`` of ``nvme smart-log --output-format=json``; it may pass 100 (NVMe 1.4, 5.14.1.2)."""
    try:
        log = msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return None
    used = log.get("percent_used", log.get("percentage_used")) if isinstance(log, dict) else None
    return min(1.0, used / 100) if isinstance(used, int) and used >= 0 else None


def block_device(mount_source: str) -> tuple[str, str]:
    """The partition's and the disk's name in ``/sys``: ``/dev/mmcblk0p2`` → ``mmcblk0p2``, ``mmcblk0``."""
    part = mount_source.removeprefix("/dev/")
    if found := re.fullmatch(r"((?:mmcblk|nvme\d+n|loop)\d+)p\d+", part):
        return part, found[1]
    return part, re.sub(r"(?<=[a-z])\d+$", "", part) if re.match(r"[shv]d[a-z]", part) else part


def mount_of(mounts: str, folder: str) -> tuple[str, str, bool]:
    """Source, type and read-only of the file system a folder is on, from the text of ``/proc/self/mounts``.

    The longest mount point wins, and of equal ones the last, which lies on top.
    """
    best = ("", "", "", False)
    for line in mounts.splitlines():
        words = line.split()
        if len(words) < 4:
            continue
        source, kind, options = words[0], words[2], words[3].split(",")
        point = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), words[1])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[1]):
            best = (source, point, kind, "ro" in options)
    return best[0], best[2], best[3]


class DiskSense:
    """What can be known of the disk under ``folder``. ``root`` is where ``/proc`` and ``/sys`` are."""

    def __init__(self, folder: Path, programs: Programs, root: Path = Path("/")) -> None:
        self._folder = folder
        self._real = os.path.realpath(folder)
        self._programs = programs
        self._root = root
        for left in self._left_over():
            left.unlink(missing_ok=True)

    async def look(self) -> Disk:
        """Now. Writes and syncs some bytes, and takes them away again."""
        source, _, read_only = mount_of(self._text("proc/self/mounts"), self._real)
        part, disk = block_device(source)
        try:
            usage = psutil.disk_usage(str(self._folder))
            free, total = usage.free, usage.total
        except OSError:  # the disk is gone
            free, total = 0, 0
        return Disk(
            free_share=free / total if total else 0.0,
            free_bytes=free,
            writable=not read_only and await asyncio.to_thread(self._can_write),
            wear_share=await self._wear(disk),
            errors=self._errors(part),
        )

    async def _wear(self, disk: str) -> float | None:
        if disk.startswith("mmcblk"):
            return emmc_wear(self._text(f"sys/block/{disk}/device/life_time"))
        if disk.startswith("nvme"):
            ran = await self._programs.run(["nvme", "smart-log", f"/dev/{disk}", "--output-format=json"])
            return nvme_wear(ran.text) if ran.ok else None
        return None

    def _errors(self, part: str) -> int:
        try:
            return max(0, int(self._text(f"sys/fs/ext4/{part}/errors_count")))
        except ValueError:
            return 0

    def _can_write(self) -> bool:
        """A file is made, synced and taken away: what the outbox must be able to do."""
        probe = self._folder / f"{PROBE_PREFIX}{secrets.token_hex(4)}"
        try:
            with open(probe, "xb") as file:
                file.write(b"diemcau" * 64)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)
        return True

    def _left_over(self) -> list[Path]:
        """Probes of an agent that was killed just then."""
        return list(self._folder.glob(f"{PROBE_PREFIX}*"))

    def _text(self, path: str) -> str:
        try:
            return (self._root / path).read_text("utf-8", "replace")
        except OSError:
            return ""
