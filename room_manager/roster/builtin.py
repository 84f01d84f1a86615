"""The rosters that come with the package. Reads files, so it is not pure."""

from functools import cache
from importlib.resources import files

from room_manager.roster.districts import District
from room_manager.roster.parsing import parse_bytes, parse_districts
from room_manager.roster.table import decode
from room_manager.roster.units import Unit

_DATA = files("room_manager.roster") / "data"


def hanoi_579_csv() -> bytes:
    """The file itself, as one would import it."""
    return (_DATA / "hanoi_579.csv").read_bytes()


def hanoi_579() -> list[Unit]:
    """The 579 units of Hà Nội as on 2021-11-06; licence notice beside the file."""
    return list(_hanoi_579())


def hanoi_districts() -> list[District]:
    """The 30 districts of that list with their places on the tile map."""
    return list(_hanoi_districts())


@cache
def _hanoi_579() -> tuple[Unit, ...]:
    return tuple(parse_bytes(hanoi_579_csv()))


@cache
def _hanoi_districts() -> tuple[District, ...]:
    return tuple(parse_districts(decode((_DATA / "hanoi_30_districts.csv").read_bytes())))
