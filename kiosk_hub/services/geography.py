"""Which unit lies in which district: the roster, kept in memory for looking up."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from room_manager.ids import SiteId
from room_manager.roster.units import Unit
from room_manager.store.roster import RosterStore

REFRESH_EVERY_S: Final = 60.0

log = logging.getLogger(__name__)


class Geography:
    """The units of today. An import by another process is known a minute later; at once after ``refresh``."""

    def __init__(self, store: RosterStore) -> None:
        self._store = store
        self._units: dict[SiteId, Unit] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.refresh()
        self._task = asyncio.create_task(self._keep_fresh(), name="look at the roster")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_EVERY_S)
            try:
                await self.refresh()
            except Exception:
                log.exception("! the roster cannot be read; next time again")

    async def refresh(self) -> None:
        self.set(await self._store.current())

    def set(self, units: Iterable[Unit]) -> None:
        self._units = {unit.code: unit for unit in units}

    def units(self) -> Iterable[Unit]:
        return self._units.values()

    def unit(self, code: SiteId) -> Unit | None:
        return self._units.get(code)

    def district_of(self, code: SiteId) -> str:
        """The district's code; empty for a unit that is not (any more) on the roster."""
        unit = self._units.get(code)
        return unit.district_code if unit is not None else ""
