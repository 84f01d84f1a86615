"""A CSV file as people save it, read into rows with their numbers, or refused in one line."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from room_manager.errors import Invalid
from room_manager.roster.errors import RosterError
from room_manager.text import one_line

MAX_BYTES: Final = 1_000_000
MAX_COLUMNS: Final = 64
MAX_CELL_CHARS: Final = 100
_DELIMITERS: Final = ",;\t"


class Row(Struct, frozen=True):
    """One row. ``number`` counts as a spreadsheet does: the header is row 1."""

    number: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell as one line of text; an empty one is refused."""
        try:
            return one_line(self.cells[column], MAX_CELL_CHARS, "the cell")
        except Invalid as fault:
            raise RosterError(str(fault), self.number, column) from None

    def digits(self, column: str, max_chars: int) -> str:
        """The cell as digits, kept as text with leading zeros."""
        value = self.text(column)
        if not (value.isascii() and value.isdecimal()):
            raise RosterError(f"{value[:40]!r} is not all digits", self.number, column)
        if len(value) > max_chars:
            raise RosterError(f"more than {max_chars} digits", self.number, column)
        return value


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark."""
    if len(data) > MAX_BYTES:
        raise RosterError(f"the file is larger than {MAX_BYTES:,} bytes")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RosterError("the file is in UTF-16; save it as CSV UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        row = data.count(b"\n", 0, fault.start) + 1
        raise RosterError("not UTF-8 text; save the file as CSV UTF-8", row) from None


def read(text: str, required: Iterable[str], max_rows: int) -> tuple[frozenset[str], list[Row]]:
    """The columns there are and the rows that are not blank.

    Cells are separated by commas, semicolons or tabs, whichever the header has most of.

    Raises:
        RosterError: Not CSV, no header, a required column missing or named twice, a row of another
            length, too large, or too many rows.
    """
    if len(text) > MAX_BYTES:
        raise RosterError(f"the file is larger than {MAX_BYTES:,} bytes")
    numbered = _numbered(text.removeprefix("\ufeff"))
    _, header = next(numbered, (0, []))
    columns = [cell.strip().casefold() for cell in header]
    if not any(columns):
        raise RosterError("the first row must name the columns", 1)
    if len(columns) > MAX_COLUMNS:
        raise RosterError(f"more than {MAX_COLUMNS} columns", 1)
    for column in required:
        if column not in columns:
            raise RosterError("this column is missing", 1, column)
    for column in columns:
        if column and columns.count(column) > 1:
            raise RosterError("this column is there twice", 1, repr(column[:40])[1:-1])
    rows: list[Row] = []
    for number, cells in numbered:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise RosterError(f"{len(cells)} cells, but {len(columns)} columns", number)
        if len(rows) == max_rows:
            raise RosterError(f"more than {max_rows:,} rows", number)
        rows.append(Row(number, dict(zip(columns, cells, strict=True))))
    return frozenset(columns) - {""}, rows


def _numbered(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    lines = (f"{line}\n" for line in text.split("\n"))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, cells
    except csv.Error:
        raise RosterError("not CSV: a quote or a control character out of place", number + 1) from None
