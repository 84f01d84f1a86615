"""Devices that want to be let in, and those expected."""

from typing import Final

from msgspec import Struct

TYPES: Final[tuple[type[Struct], ...]] = ()
