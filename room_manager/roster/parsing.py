"""Units and districts from CSV files."""

import re
from typing import Final

from room_manager.ids import SiteId
from room_manager.roster.districts import District
from room_manager.roster.errors import RosterError
from room_manager.roster.table import Row, decode, read
from room_manager.roster.units import Unit

MAX_UNITS: Final = 2_000
MAX_CODE_CHARS: Final = 10
MAX_DISTRICTS: Final = 100
MAX_TILE: Final = 19

_COLUMNS: Final = ("code", "name", "type", "full_name")
_DISTRICT_COLUMNS: Final = ("district_code", "district_name", "district_full_name")
_TILE_COLUMNS: Final = (*_DISTRICT_COLUMNS, "district_type", "units", "tile_row", "tile_col")


def parse_bytes(data: bytes) -> list[Unit]:
    """The units of a roster file. Raises ``RosterError``."""
    return parse_csv(decode(data))


def parse_csv(text: str) -> list[Unit]:
    """The units of a roster, in the order of the file.

    Columns ``code, name, type, full_name`` are required; ``district_code, district_name,
    district_full_name`` come together or not at all; ``valid_from, valid_to`` (YYYY-MM-DD, may be empty)
    are optional; others are ignored.

    Raises:
        RosterError: Names the row and the column at fault.
    """
    columns, rows = read(text, _COLUMNS, MAX_UNITS)
    has_districts = not columns.isdisjoint(_DISTRICT_COLUMNS)
    if has_districts and not columns.issuperset(_DISTRICT_COLUMNS):
        missing = next(column for column in _DISTRICT_COLUMNS if column not in columns)
        raise RosterError("this column is missing, while other columns speak of districts", 1, missing)
    if not rows:
        raise RosterError("there is no unit in it")
    units = [_unit(row, has_districts) for row in rows]
    _check_codes(units, rows)
    _check_districts(units, rows)
    return units


def parse_districts(text: str) -> list[District]:
    """The districts with their places on the tile map, in the order of the file. Raises ``RosterError``."""
    _, rows = read(text, _TILE_COLUMNS, MAX_DISTRICTS)
    districts = [_district(row) for row in rows]
    seen: dict[object, int] = {}
    for row, district in zip(rows, districts, strict=True):
        for field, value in (("district_code", district.code), ("tile_row", (district.row, district.col))):
            if value in seen:
                raise RosterError(f"the same as in row {seen[value]}", row.number, field)
            seen[value] = row.number
    return districts


def _unit(row: Row, has_districts: bool) -> Unit:
    valid_from, valid_to = _day(row, "valid_from"), _day(row, "valid_to")
    if valid_from is not None and valid_to is not None and valid_to < valid_from:
        raise RosterError("ends before it begins", row.number, "valid_to")
    return Unit(
        code=SiteId(row.digits("code", MAX_CODE_CHARS)),
        name=row.text("name"),
        kind=row.text("type"),
        full_name=row.text("full_name"),
        district_code=row.digits("district_code", MAX_CODE_CHARS) if has_districts else "",
        district_name=row.text("district_name") if has_districts else "",
        district_full_name=row.text("district_full_name") if has_districts else "",
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _district(row: Row) -> District:
    return District(
        code=row.digits("district_code", MAX_CODE_CHARS),
        name=row.text("district_name"),
        kind=row.text("district_type"),
        full_name=row.text("district_full_name"),
        units=int(row.digits("units", 4)),
        row=_tile(row, "tile_row"),
        col=_tile(row, "tile_col"),
    )


def _tile(row: Row, column: str) -> int:
    value = int(row.digits(column, 3))
    if value > MAX_TILE:
        raise RosterError(f"more than {MAX_TILE}", row.number, column)
    return value


def _day(row: Row, column: str) -> str | None:
    value = row.cells.get(column, "").strip()
    if value and not _is_day(value):
        raise RosterError("not a day like 2025-07-01", row.number, column)
    return value or None


def _is_day(text: str) -> bool:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    year, month, day = (int(part) for part in text.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= month <= 12 and 1 <= day <= lengths[month - 1]


def _check_codes(units: list[Unit], rows: list[Row]) -> None:
    seen: dict[SiteId, int] = {}
    for unit, row in zip(units, rows, strict=True):
        if unit.code in seen:
            raise RosterError(f"{unit.code} is in row {seen[unit.code]} too", row.number, "code")
        seen[unit.code] = row.number


def _check_districts(units: list[Unit], rows: list[Row]) -> None:
    """One code means one district, wherever it stands."""
    seen: dict[str, Unit] = {}
    for unit, row in zip(units, rows, strict=True):
        first = seen.setdefault(unit.district_code, unit)
        if unit.district_name != first.district_name:
            raise RosterError(
                f"not the name of district {first.district_code} above", row.number, "district_name"
            )
        if unit.district_full_name != first.district_full_name:
            raise RosterError(
                f"not the name of district {first.district_code} above", row.number, "district_full_name"
            )
