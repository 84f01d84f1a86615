"""What administrators set up: thresholds, quiet hours, where notices go, roles."""

from typing import Final

from msgspec import Struct

TYPES: Final[tuple[type[Struct], ...]] = ()
