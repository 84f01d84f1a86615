"""Looks through the camera by a process that may hang, and is killed and started anew when it does."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from kiosk_client.body.budget import Budget
from signaling.wire.kiosk.words import Camera

LOOK_LIMIT_S: Final = 12.0  # a USB camera may take seconds to open
CLOSE_LIMIT_S: Final = 2.0
MAX_ANSWER_BYTES: Final = 4096
STARTS: Final = 5  # within …
STARTS_WITHIN_S: Final = 600.0


def first_camera(root: Path = Path("/")) -> str:
    """The path of the first camera by its own name, which stays the same wherever it is plugged in."""
    by_id = sorted(root.glob("dev/v4l/by-id/*-video-index0"))
    plain = sorted(root.glob("dev/video*"))
    found = by_id or plain
    return str(found[0]) if found else ""


class CameraSense:
    """One camera. ``source`` tells its path each time, since the city may name another; empty: none.

    Two calls of ``look`` wait for each other.
    """

    def __init__(
        self, source: Callable[[], str], note: Callable[[str, str], None], limit_s: float = LOOK_LIMIT_S
    ) -> None:
        """``note(code, text)`` tells staff of a camera process that had to be killed."""
        self._source = source
        self._note = note
        self._limit_s = limit_s
        self._child: asyncio.subprocess.Process | None = None
        self._child_source = ""
        self._budget = Budget(STARTS, STARTS_WITHIN_S)
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the process that owns the camera, while there is one."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def look(self) -> Camera | None:
        """The facts now; None: there is no camera and none was named."""
        async with self._turn:
            source = self._source()
            if not source:
                await self._end()
                return None
            if source != self._child_source or self.pid is None:
                await self._end()
                if not os.path.exists(source):  # noqa: ASYNC240 - a look at the kernel's own tree
                    return Camera(state="none")
                if not self._budget.take(asyncio.get_running_loop().time()):
                    return Camera(state="failed")
                await self._begin(source)
            return await self._ask()

    async def close(self) -> None:
        """End the process."""
        async with self._turn:
            await self._end()

    async def _begin(self, source: str) -> None:
        self._child_source = source
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kiosk_client.body.eye",
            source,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # libraries print there what nobody reads
            env={**os.environ, "OPENCV_LOG_LEVEL": "SILENT", "OMP_NUM_THREADS": "1"},
            limit=MAX_ANSWER_BYTES,
        )

    async def _ask(self) -> Camera:
        child = self._child
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(b"look\n")
            line = await asyncio.wait_for(child.stdout.readline(), self._limit_s)
            return msgspec.json.decode(line, type=Camera)
        except TimeoutError:
            self._note(
                "camera-hangs",
                f"Camera không trả lời trong {self._limit_s:g} giây; đã khởi động lại phần camera",
            )
        except (ConnectionError, ValueError, msgspec.MsgspecError):
            self._note("camera-process-died", "Phần camera của tác tử bị dừng; đã khởi động lại")
        except BaseException:
            await self._end()  # whoever cancels a look leaves no answer behind for the next one
            raise
        await self._end()
        return Camera(state="failed" if os.path.exists(self._child_source) else "none")  # noqa: ASYNC240

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()  # a driver that hangs answers nothing gentler; the kernel closes the camera
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), CLOSE_LIMIT_S)
