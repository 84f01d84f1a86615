"""Where what waits for the disk is run, so that beats go on while an SD card thinks for seconds."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")


class Disk(Protocol):
    """Runs acts one after another, in the order they were asked for."""

    async def do(self, act: Callable[[], T]) -> T:
        """The act's result, or what it raised. An act that was begun is finished, whoever is cancelled."""

    def close(self) -> None: ...


class ThreadDisk:
    """In a thread of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "disk")

    async def do(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    def close(self) -> None:
        """Returns when the last act is finished."""
        self._thread.shutdown()


class InlineDisk:
    """At once: for a store in memory."""

    async def do(self, act: Callable[[], T]) -> T:
        return act()

    def close(self) -> None:
        pass
