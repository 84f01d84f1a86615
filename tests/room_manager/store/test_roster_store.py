"""The roster in the database: imported whole or not at all, found by code and day."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy.exc import IntegrityError

from room_manager.errors import Invalid
from room_manager.ids import SiteId
from room_manager.roster.builtin import hanoi_579
from room_manager.roster.units import Unit
from room_manager.store.database import open_database
from room_manager.store.roster import Imported, RosterStore
from tests.helpers import databases

REFORM = "2025-07-01"
PHUC_XA = SiteId("00001")


def with_roster(folder: Path, test: Callable[[RosterStore], Awaitable[None]]) -> None:
    databases.prepare()

    async def inside() -> None:
        database = await open_database(databases.new(folder))
        try:
            await test(RosterStore(database))
        finally:
            await database.close()

    asyncio.run(inside())


def test_the_city_is_imported_once_and_found_again(tmp_path: Path) -> None:
    async def test(roster: RosterStore) -> None:
        city = hanoi_579()
        assert await roster.import_units(city) == Imported(579, 0, 0)
        assert await roster.import_units(city) == Imported(0, 0, 579)

        found = await roster.current()
        assert found == sorted(city, key=Unit.sort_key)
        assert await roster.units([PHUC_XA, SiteId("99999")]) == {
            PHUC_XA: next(unit for unit in city if unit.code == PHUC_XA)
        }
        assert {unit.district_name for unit in await roster.search("dong da")} >= {"Đống Đa"}
        assert "Đức Giang" in {unit.name for unit in await roster.search("duc")}

    with_roster(tmp_path, test)


def test_an_import_that_fails_leaves_the_roster_as_it_was(tmp_path: Path) -> None:
    async def test(roster: RosterStore) -> None:
        city = hanoi_579()
        await roster.import_units(city[:10])

        with pytest.raises(Invalid):
            await roster.import_units([*city, city[-1]])
        broken = structs.replace(city[-1], kind=None)
        with pytest.raises(IntegrityError, match="kind"):
            await roster.import_units([*city[:-1], broken])

        assert len(await roster.current()) == 10

    with_roster(tmp_path, test)


def test_a_corrected_unit_replaces_the_old_one_and_others_stay(tmp_path: Path) -> None:
    async def test(roster: RosterStore) -> None:
        city = hanoi_579()
        await roster.import_units(city)
        corrected = structs.replace(city[0], name="Phúc Xá Mới")

        assert await roster.import_units([corrected]) == Imported(0, 1, 0)
        assert (await roster.units([city[0].code]))[city[0].code] == corrected
        assert len(await roster.current()) == 579

    with_roster(tmp_path, test)


def test_a_code_means_what_it_meant_on_that_day(tmp_path: Path) -> None:
    before, after = "2025-06-30", REFORM
    old = Unit(PHUC_XA, "Phúc Xá", "Phường", "Phường Phúc Xá", "001", "Ba Đình", "Quận Ba Đình", None, before)
    new = Unit(PHUC_XA, "Hồng Hà", "Phường", "Phường Hồng Hà", valid_from=REFORM)
    gone = Unit(SiteId("00002"), "Cũ", "Phường", "Phường Cũ", valid_to=before)

    async def test(roster: RosterStore) -> None:
        await roster.import_units([old, gone])
        assert await roster.import_units([new]) == Imported(1, 0, 0)

        assert await roster.current(before) == [gone, old]
        assert await roster.current(after) == [new]
        assert await roster.units([PHUC_XA, gone.code], before) == {PHUC_XA: old, gone.code: gone}
        assert await roster.units([PHUC_XA, gone.code], after) == {PHUC_XA: new, gone.code: gone}

    with_roster(tmp_path, test)
