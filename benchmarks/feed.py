"""The publisher's process, held from here; ``benchmarks.publisher`` tells what the two say to each other."""

import asyncio
import contextlib
import json
import sys
from typing import Any, Final

from msgspec import Struct

END_LIMIT_S: Final = 5.0


class Fed(Struct, frozen=True):
    """Packets one spell of sending took."""

    sound: int
    picture: int

    @property
    def packets(self) -> int:
        return self.sound + self.picture


class PublisherProcess:
    """The site on stage. ``close`` ends the process in any case."""

    program: tuple[str, ...] = ("benchmarks.publisher",)
    _child: asyncio.subprocess.Process | None = None

    async def start(self, host: str = "127.0.0.1") -> str:
        """Run it behind this address; returns its offer."""
        pipe = asyncio.subprocess.PIPE
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *self.program, host, stdin=pipe, stdout=pipe
        )
        return str((await self._hear())["offer"])

    async def connect(self, sdp: str, slots: dict[str, str]) -> None:
        self._say({"sdp": sdp, "slots": slots})
        await self._hear()

    async def send(self, pps: float, seconds: float, share: float = 1.0) -> Fed:
        """So many packets a second, or this share of it; all kinds in the proportion of the whole."""
        self._say({"pps": pps, "seconds": seconds, "share": share})
        told = await self._hear()
        return Fed(int(told["sound"]), int(told["picture"]))

    async def close(self) -> None:
        child = self._child
        if child is None:
            return
        with contextlib.suppress(OSError):
            self._say({})
        self._child = None
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()

    def _say(self, order: dict[str, Any]) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(order).encode() + b"\n")

    async def _hear(self) -> Any:
        assert self._child is not None
        assert self._child.stdout is not None
        line = await self._child.stdout.readline()
        if not line:
            raise RuntimeError("the publisher has ended")
        return json.loads(line)


class SpeakerProcess(PublisherProcess):
    """A site that sends without being told how much; see ``benchmarks.speaker``."""

    def __init__(self, mark: int) -> None:
        self.program = ("benchmarks.speaker", str(mark))

    def show(self, picture: bool) -> None:
        """Send the picture, or stop."""
        if self._child is not None:
            self._say({"picture": picture})
