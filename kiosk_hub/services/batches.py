"""Many small writes, one transaction: who comes while one is under way waits for the next.

A thousand devices that come back in the same second must not mean a thousand syncs of the disk.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar

from room_manager.errors import Busy

MOST: Final = 256
"""In one transaction: others write, too."""
MAX_WAITING: Final = 20_000

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

log = logging.getLogger(__name__)


class Batches(Generic[I, R]):
    """``work`` is given what has gathered, and gives a result or an error for each, in the same order.

    If it raises, all of them have failed with that.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[I]], Awaitable[Sequence[R | Exception]]],
        most: int = MOST,
    ) -> None:
        self._name = name
        self._work = work
        self._most = most
        self._waiting: deque[tuple[I, asyncio.Future[R]]] = deque()
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"batches of {self._name}")

    async def close(self) -> None:
        """Nothing more is taken; what waits is refused."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        while self._waiting:
            self._settle(self._waiting.popleft()[1], Busy("the server is stopping"))

    def put(self, item: I) -> "asyncio.Future[R]":
        """What becomes of it; ``Busy`` if too many wait, or the server is stopping."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        if self._task is None or len(self._waiting) >= MAX_WAITING:
            future.set_exception(Busy("too much at once; come again shortly"))
            return future
        self._waiting.append((item, future))
        self._some.set()
        return future

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            if not self._waiting:
                self._some.clear()
            try:
                results: Sequence[R | Exception] = await self._work([item for item, _ in taken])
            except asyncio.CancelledError:
                for _, future in taken:
                    self._settle(future, Busy("the server is stopping"))
                raise
            except Exception as error:
                results = [error] * len(taken)
            for (_, future), result in zip(taken, results, strict=True):
                self._settle(future, result)

    def _settle(self, future: "asyncio.Future[R]", result: R | Exception) -> None:
        if future.done():
            return  # whoever asked has gone
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
