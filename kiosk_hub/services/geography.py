"""Which unit lies in which district: the roster, kept in memory for looking up."""

from collections.abc import Iterable

from room_manager.ids import SiteId
from room_manager.roster.units import Unit
from room_manager.store.roster import RosterStore


class Geography:
    """The units of today. ``refresh`` after an import."""

    def __init__(self, store: RosterStore) -> None:
        self._store = store
        self._units: dict[SiteId, Unit] = {}

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
