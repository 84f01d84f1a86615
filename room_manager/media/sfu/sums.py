"""Counters of several workers, added up. Pure."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

S = TypeVar("S", bound=Struct)


def added(parts: Sequence[S]) -> S | None:
    """A struct whose numbers are the sums of the parts' numbers, also inside dicts; None: no parts."""
    if not parts:
        return None
    return type(parts[0])(
        **{
            field.name: _sum([getattr(part, field.name) for part in parts])
            for field in msgspec.structs.fields(parts[0])
        }
    )


def _sum(values: Sequence[Any]) -> Any:
    if not isinstance(values[0], dict):
        return sum(values)
    keys = {key for value in values for key in value}
    return {key: sum(value.get(key, 0) for value in values) for key in sorted(keys)}
