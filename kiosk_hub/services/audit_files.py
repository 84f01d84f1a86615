"""The two files an audit is given out as. Pure: entries in, bytes out."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

import msgspec

from kiosk_hub.store.audit import Written

Format = Literal["csv", "json"]

COLUMNS: Final = ("seq", "at", "account", "action", "device", "address", "result", "values", "hash")
BOM: Final = "\ufeff"
"""Spreadsheets take a CSV file for UTF-8 only with this."""


class Writer(Protocol):
    """Begin, entries in order, end."""

    media_type: str

    def begin(self) -> bytes: ...

    def entry(self, written: Written, text: str, hash: bytes, first: bool) -> bytes: ...

    def end(self, head: str, many: int, whole: bool) -> bytes: ...


class Csv:
    """One line for each entry (RFC 4180). The last line says how many there are, so that a file that was
    cut off is seen to be."""

    media_type = "text/csv; charset=utf-8"

    def begin(self) -> bytes:
        return (BOM + _line(COLUMNS)).encode()

    def entry(self, written: Written, text: str, hash: bytes, first: bool) -> bytes:
        entry = written.entry
        at = datetime.fromtimestamp(written.at, UTC).isoformat(timespec="milliseconds")
        values = msgspec.json.encode(entry.values).decode() if entry.values else ""
        return _line(
            (
                str(written.seq),
                at,
                entry.account,
                entry.action,
                entry.device or "",
                entry.address,
                entry.result,
                values,
                hash.hex(),
            )
        ).encode()

    def end(self, head: str, many: int, whole: bool) -> bytes:
        return _line(("end", str(many), "", "", "", "", "", "", head)).encode()


class Json:
    """One object. ``text`` is the exact JSON that was hashed, so that anybody can verify a whole export:
    ``hash = SHA-256(hash before + text)``, and 32 zero bytes before the first."""

    media_type = "application/json"

    def begin(self) -> bytes:
        return b'{"entries":[\n'

    def entry(self, written: Written, text: str, hash: bytes, first: bool) -> bytes:
        body = {"seq": written.seq, "text": text, "hash": hash.hex(), "entry": written.entry}
        return (b"" if first else b",\n") + msgspec.json.encode(body)

    def end(self, head: str, many: int, whole: bool) -> bytes:
        tail = {"count": many, "whole": whole, "head": head}
        return b"\n]," + msgspec.json.encode(tail)[1:] + b"\n"


FORMATS: Final[Mapping[Format, Writer]] = {"csv": Csv(), "json": Json()}


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def _harmless(cell: str) -> str:
    """A spreadsheet must not take it for a formula (OWASP, "CSV Injection"): a quote goes before it."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%") else cell
