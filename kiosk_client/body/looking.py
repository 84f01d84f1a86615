"""Senses that take their time are looked through beside the beats; a beat tells the last look."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

log = logging.getLogger("diemcau.body")


class Looking(Generic[T]):
    """Looks every ``every_s``, each time for ``limit_s`` at most; what a failed look tells is ``failed``."""

    def __init__(
        self, name: str, look: Callable[[], Awaitable[T]], failed: T, every_s: float, limit_s: float
    ) -> None:
        self._name = name
        self._look = look
        self._failed = failed
        self._every_s = every_s
        self._limit_s = limit_s
        self._task: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        self._now = asyncio.Event()
        self.last = failed
        self.looked_at: float | None = None  # on the loop's clock

    def start(self) -> None:
        """Begin with a look at once."""
        self._task = asyncio.create_task(self._keep(), name=f"looking-{self._name}")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def first(self) -> None:
        """Until there was one look, well or not."""
        await self._first.wait()

    def again(self) -> None:
        """Look soon, whenever the next one was due."""
        self._now.set()

    async def _keep(self) -> None:
        while True:
            try:
                self.last = await asyncio.wait_for(self._look(), self._limit_s)
            except TimeoutError:
                self.last = self._failed
            except Exception:  # one sense that fails must not blind the others
                log.exception("! %s", self._name)
                self.last = self._failed
            self.looked_at = asyncio.get_running_loop().time()
            self._first.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._now.wait(), self._every_s)
            self._now.clear()
