"""From a row of SQL to one of our structs."""

from typing import TypeVar

import msgspec
from sqlalchemy import RowMapping

S = TypeVar("S", bound=msgspec.Struct)


def struct_of(kind: type[S], row: RowMapping) -> S:
    """The struct whose fields are the row's columns, with words turned into enumerations."""
    return msgspec.convert({field: row[field] for field in kind.__struct_fields__}, kind)
