"""Districts, each with its place on a schematic map of tiles."""

from msgspec import Struct


class District(Struct, frozen=True):
    """One district. ``row`` and ``col`` count from 0, from the north-west."""

    code: str
    name: str  # "Ba Đình"
    kind: str  # "Quận"
    full_name: str  # "Quận Ba Đình"
    units: int  # how many units it has
    row: int
    col: int
