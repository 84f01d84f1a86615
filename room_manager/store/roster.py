"""The units of the city, with the days on which each version of them is valid."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, structs
from sqlalchemy import bindparam, insert, or_, select, update

from room_manager.errors import Invalid
from room_manager.ids import SiteId
from room_manager.roster.search import search
from room_manager.roster.units import Unit
from room_manager.store.database import Database
from room_manager.store.rows import struct_of
from room_manager.store.tables import units

HANOI: Final = ZoneInfo("Asia/Ho_Chi_Minh")

SINCE_EVER: Final = ""
"""Stands in the key where a unit has no first day; before every day, as text compares."""

_FIELDS: Final = Unit.__struct_fields__


class Imported(Struct, frozen=True):
    """What an import did."""

    added: int
    changed: int
    unchanged: int


class RosterStore:
    """All versions of all units. A unit is found by its code and a day (YYYY-MM-DD); without one, today."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def import_units(self, imported: Collection[Unit]) -> Imported:
        """All of them are on the roster, or, if anything fails, none is. What is not named stays.

        A unit of the same code and first day is replaced; another first day makes another version.
        Raises ``Invalid`` if two have the same code and first day.
        """
        rows = {(unit.code, unit.valid_from or SINCE_EVER): _row(unit) for unit in imported}
        if len(rows) != len(imported):
            raise Invalid("a unit is there twice, with the same first day")
        async with self._database.write() as connection:
            known = {
                (SiteId(row["code"]), row["valid_from"]): dict(row)
                for row in (await connection.execute(select(units))).mappings()
            }
            new = [row for key, row in rows.items() if key not in known]
            changed = [row for key, row in rows.items() if key in known and row != known[key]]
            if new:
                await connection.execute(insert(units), new)
            if changed:
                await connection.execute(
                    _REPLACE, [{f"new_{k}": v for k, v in row.items()} for row in changed]
                )
        return Imported(len(new), len(changed), len(rows) - len(new) - len(changed))

    async def units(self, codes: Iterable[SiteId], day: str | None = None) -> dict[SiteId, Unit]:
        """These units as they are on that day; one that is not valid then, as it was last. In order."""
        wanted = set(codes)
        found: dict[SiteId, Unit] = {}
        for unit in _newest_last(await self._all(), day or _today()):
            if unit.code in wanted:
                found[unit.code] = unit
        return {unit.code: unit for unit in sorted(found.values(), key=Unit.sort_key)}

    async def current(self, day: str | None = None) -> list[Unit]:
        """The units that exist on that day, in Vietnamese order."""
        when = day or _today()
        valid = {
            unit.code: unit for unit in _newest_last(await self._all(when), when) if unit.is_valid_on(when)
        }
        return sorted(valid.values(), key=Unit.sort_key)

    async def search(self, query: str, district: str | None = None, day: str | None = None) -> list[Unit]:
        """The current units that fit, the best first; see :func:`room_manager.roster.search.search`."""
        return search(await self.current(day), query, district)

    async def _all(self, valid_on: str | None = None) -> list[Unit]:
        wanted = select(units).order_by(units.c.sort_key, units.c.valid_from)
        if valid_on is not None:
            wanted = wanted.where(
                units.c.valid_from <= valid_on, or_(units.c.valid_to.is_(None), units.c.valid_to >= valid_on)
            )
        async with self._database.read() as connection:
            found = [struct_of(Unit, row) for row in (await connection.execute(wanted)).mappings()]
        return [
            structs.replace(unit, valid_from=None) if unit.valid_from == SINCE_EVER else unit
            for unit in found
        ]


_REPLACE: Final = (
    update(units)
    .where(units.c.code == bindparam("new_code"), units.c.valid_from == bindparam("new_valid_from"))
    .values(
        {
            column.name: bindparam(f"new_{column.name}")
            for column in units.columns
            if column.name not in ("code", "valid_from")
        }
    )
)


def _newest_last(versions: Iterable[Unit], day: str) -> list[Unit]:
    """So that the one to take overwrites the others: valid on the day, and of those the one begun last."""
    return sorted(versions, key=lambda unit: (unit.is_valid_on(day), unit.valid_from or SINCE_EVER))


def _row(unit: Unit) -> dict[str, Any]:
    row: dict[str, Any] = {field: getattr(unit, field) for field in _FIELDS}
    return {**row, "valid_from": unit.valid_from or SINCE_EVER, "sort_key": unit.sort_key()}


def _today() -> str:
    return datetime.now(HANOI).date().isoformat()
