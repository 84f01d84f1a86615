"""What went wrong, as the pages see it."""

from typing import Final

from msgspec import Struct

TYPES: Final[tuple[type[Struct], ...]] = ()
