"""Bundles and rollouts as the pages see them."""

from typing import Final

from msgspec import Struct

TYPES: Final[tuple[type[Struct], ...]] = ()
