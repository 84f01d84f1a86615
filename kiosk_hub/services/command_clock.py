"""What time does to commands: it starts them, has them sent again, ends them.

One task for all of them, on the heap of the book. It also writes what may be forgotten: that orders were
sent and acknowledged.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from kiosk_hub.fleet import commands as rules
from kiosk_hub.fleet.commands import Command, CommandEvent
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.values import DeviceState
from kiosk_hub.services.command_audit import ended_entry
from kiosk_hub.services.command_book import CommandBook
from kiosk_hub.services.directory import Directory
from kiosk_hub.store import audit
from kiosk_hub.store import commands as store
from room_manager.errors import DomainError
from room_manager.store.database import Database

ENDS_PER_TRANSACTION: Final = 200
LOOK_EVERY_S: Final = 20.0  # at least so often: the city's clock may be set
FLUSH_EVERY_S: Final = 1.0
CLOSE_LIMIT_S: Final = 5.0

log = logging.getLogger(__name__)


class CommandClock:
    """Owns the task. ``clock`` gives seconds, UTC."""

    def __init__(
        self, database: Database, directory: Directory, book: CommandBook, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._book = book
        self._clock = clock
        self._retired: set[DeviceId] = set()
        self._task: asyncio.Task[None] | None = None
        directory.listen(self._on_directory)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="commands: clock")

    async def close(self) -> None:
        """Waits at most ``CLOSE_LIMIT_S`` for what is only in memory."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await self.flush()
        except (TimeoutError, DomainError) as error:
            log.warning("- commands: not written at the end, will be sent again: %s", error)

    async def _run(self) -> None:
        while True:
            pause_s = FLUSH_EVERY_S
            try:
                await self.flush()
                pause_s = await self.look()
            except Exception as error:
                log.error("! commands: the clock's work waits: %s", error)
            if self._book.unwritten:
                pause_s = min(pause_s, FLUSH_EVERY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._book.wake.wait()
                    # Many that change at once are written at once.
                    self._book.wake.clear()
                    await asyncio.sleep(min(pause_s, FLUSH_EVERY_S / 10))

    async def look(self) -> float:
        """Do what the clock asks for now; in how many seconds to look again."""
        now = self._clock()
        await self._end_retired()
        ended = self._book.due(now)
        for start in range(0, len(ended), ENDS_PER_TRANSACTION):
            try:
                await self._end(ended[start : start + ENDS_PER_TRANSACTION])
            except BaseException:
                for id in ended[start:]:
                    self._book.look_at(id, now)
                raise
        soon = self._book.next_look_at()
        return LOOK_EVERY_S if soon is None else min(LOOK_EVERY_S, max(0.05, soon - now))

    async def _end(self, ids: Sequence[CommandId]) -> None:
        decided: list[tuple[Command, CommandEvent]] = []
        async with self._database.write() as connection:
            now = self._clock()
            for id in ids:
                command = self._book.get(id)
                event = rules.due(command, now) if command is not None else None
                if command is not None and event is not None:
                    decided.append((command, event))
            ended = [rules.apply(command, event) for command, event in decided]
            await store.put(connection, ended)
            await audit.append_all(connection, [ended_entry(command) for command in ended], now)
        for command, event in decided:
            self._book.apply(command.id, event)
            self._book.take_back(command)

    def _on_directory(self, before: Device | None, after: Device | None) -> None:
        if after is not None and after.state is DeviceState.RETIRED and self._book.many_at(after.id):
            self._retired.add(after.id)
            self._book.wake.set()

    async def _end_retired(self) -> None:
        """What waited for a device that was retired will never be asked for."""
        while self._retired:
            device = next(iter(self._retired))
            async with self._database.write() as connection:
                now = self._clock()
                event = rules.Cancelled(now, "", "not-in-use", "the device was retired")
                waiting = [one for one in self._book.of_device(device) if one.state in rules.RETRACTABLE]
                ended = [rules.apply(one, event) for one in waiting]
                await store.put(connection, ended)
                await audit.append_all(connection, [ended_entry(one) for one in ended], now)
            self._retired.discard(device)
            for one in waiting:
                self._book.apply(one.id, event)

    async def flush(self) -> None:
        """Write what is only in memory: that orders were sent and acknowledged."""
        book = self._book
        if not book.unwritten:
            return
        taken: set[CommandId] = set()
        try:
            async with self._database.write() as connection:
                taken, book.unwritten = book.unwritten, set()
                found = (book.get(id) for id in taken)
                await store.put(connection, [command for command in found if command is not None])
        except BaseException:
            book.unwritten |= taken
            raise
