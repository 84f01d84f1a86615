"""Devices that are expected: their key's fingerprint is known before they first ask."""

import csv
import re
from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.enrolment import Binding
from kiosk_hub.fleet.ids import Fingerprint
from kiosk_hub.fleet.places import Contact, Place
from kiosk_hub.fleet.values import DeviceKind
from room_manager.errors import DomainError, Invalid
from room_manager.ids import SiteId
from room_manager.text import one_line

COLUMNS: Final = (
    "fingerprint",
    "name",
    "kind",
    "unit",
    "building",
    "floor",
    "note",
    "contact_name",
    "contact_phone",
    "contact_email",
)
NEEDED: Final = ("fingerprint", "name", "unit")
MAX_ROWS: Final = 1_000
MAX_NAME_CHARS: Final = 100
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_MOST: Final = {"building": 100, "floor": 30, "note": 300, "contact_name": 100, "contact_phone": 30}


class Expected(Struct, frozen=True):
    """Whoever proves this key is bound at once. Used up when it is collected."""

    fingerprint: Fingerprint
    binding: Binding
    added_by: str
    added_at: float  # seconds, UTC


class Fault(Struct, frozen=True):
    """What is wrong with one line of a list; ``line`` counts from 1, the heading included."""

    line: int
    code: str
    text: str


class Row(Struct, frozen=True):
    """A good line."""

    line: int
    fingerprint: Fingerprint
    binding: Binding


def fingerprint_in(text: str) -> Fingerprint:
    """64 hexadecimal digits; spaces, colons and capital letters do not matter. Raises ``Invalid``."""
    plain = re.sub(r"[\s:]", "", text).lower()
    if not _FINGERPRINT.fullmatch(plain):
        raise Invalid("fingerprint: 64 hexadecimal digits (SHA-256 of the key)")
    return Fingerprint(plain)


def parse(text: str) -> tuple[list[Row], list[Fault]]:
    """The lines of a CSV list (comma, semicolon or tab; heading first), good and bad."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines:
        return [], [Fault(1, "empty", "the list is empty")]
    delimiter = max(",;\t", key=lines[0].count)
    try:
        table = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        return [], [Fault(1, "bad-csv", str(error))]
    heading = [name.strip().lower() for name in table[0]]
    missing = [name for name in NEEDED if name not in heading]
    if missing:
        return [], [Fault(1, "no-column", f"the heading lacks: {', '.join(missing)}")]
    if len(table) - 1 > MAX_ROWS:
        return [], [Fault(MAX_ROWS + 2, "too-many", f"at most {MAX_ROWS} lines at once")]
    rows: list[Row] = []
    faults: list[Fault] = []
    seen: dict[Fingerprint, int] = {}
    for number, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _row(number, dict(zip(heading, cells, strict=False)))
        except DomainError as error:
            faults.append(Fault(number, error.code, str(error)))
            continue
        if row.fingerprint in seen:
            faults.append(Fault(number, "twice", f"the fingerprint of line {seen[row.fingerprint]} again"))
        seen.setdefault(row.fingerprint, number)
        rows.append(row)
    return rows, faults


def _row(number: int, cells: dict[str, str]) -> Row:
    def cell(name: str) -> str:
        value = " ".join(cells.get(name, "").split())
        most = _MOST.get(name, MAX_NAME_CHARS)
        return one_line(value, most, name) if value else ""

    kind = cell("kind") or DeviceKind.KIOSK
    if kind not in tuple(DeviceKind):
        raise Invalid(f"kind: one of {', '.join(DeviceKind)}")
    place = Place(
        unit=SiteId(cell("unit")),
        building=cell("building"),
        floor=cell("floor"),
        note=cell("note"),
        contact=Contact(cell("contact_name"), cell("contact_phone"), cell("contact_email")),
    )
    name = one_line(cells.get("name", ""), MAX_NAME_CHARS, "name")
    return Row(number, fingerprint_in(cells.get("fingerprint", "")), Binding(name, DeviceKind(kind), place))
