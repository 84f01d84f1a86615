"""A roster file that cannot be taken, and where it is at fault."""

from typing import ClassVar

from room_manager.errors import Invalid


class RosterError(Invalid):
    """The file is not a roster. One line of text; ``row`` counts as a spreadsheet does, header first."""

    code: ClassVar[str] = "invalid-roster"

    def __init__(self, text: str, row: int | None = None, field: str | None = None) -> None:
        where = ", ".join([f"row {row}"] * (row is not None) + ([] if field is None else [field]))
        super().__init__(f"{where}: {text}" if where else text)
        self.row = row
        self.field = field
