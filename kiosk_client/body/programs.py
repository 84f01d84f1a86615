"""Other programs of the machine, asked for something: never a shell, always a limit in time and in size."""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

OUTPUT_LIMIT_BYTES: Final = 256 * 1024
NOT_THERE: Final = 127
TOO_SLOW: Final = 124


class Ran(Struct, frozen=True):
    """How it went. ``code`` is 127 when there is no such program, 124 when it took too long."""

    code: int
    output: bytes = b""

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def text(self) -> str:
        return self.output.decode("utf-8", "replace")


class Programs:
    """How the machine's programs are found and asked. ``environment`` is added to ours."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})}

    @property
    def environment(self) -> Mapping[str, str]:
        return self._environment

    def has(self, name: str) -> bool:
        """Is there such a program?"""
        return shutil.which(name, path=self._environment.get("PATH")) is not None

    async def run(
        self,
        command: Sequence[str],
        limit_s: float = 5.0,
        given: bytes = b"",
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        """Ask, and wait for no longer than ``limit_s``; whoever takes longer is killed. ``more``: of its
        environment."""
        found = shutil.which(command[0], path=self._environment.get("PATH"))
        if found is None:
            return Ran(NOT_THERE)
        try:
            child = await asyncio.create_subprocess_exec(
                found,
                *command[1:],
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**self._environment, **(more or {})},
            )
        except OSError:
            return Ran(NOT_THERE)
        try:
            output = await asyncio.wait_for(_exchange(child, given), limit_s)
            return Ran(child.returncode or 0, output)
        except TimeoutError:
            return Ran(TOO_SLOW)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()


async def _exchange(child: asyncio.subprocess.Process, given: bytes) -> bytes:
    """Give it what it reads, take what it says up to the limit; what is beyond is read and dropped."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(given)
        await child.stdin.drain()
        child.stdin.close()
    except ConnectionError:
        pass  # it did not want to read
    kept = bytearray()
    while chunk := await child.stdout.read(65_536):
        kept += chunk[: max(0, OUTPUT_LIMIT_BYTES - len(kept))]
    await child.wait()
    return bytes(kept)
