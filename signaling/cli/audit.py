"""``diemcau audit``: is the fleet's audit what was written?

The database is only read, with nothing but SQLite between: it may be a copy, and a server may have it open.
A whole JSON export is looked through the same way, far from any server.
"""

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from kiosk_hub.store.audit import Entry, Written
from kiosk_hub.store.chain import Fault, Head, Row, Verifier, head_from
from signaling.cli.failure import Bad, Failed
from signaling.cli.subcommands import Commands, add_command, add_db

EXAMPLES: Final = """\
examples:
  diemcau audit head                     number and hash of the last entry: keep it somewhere else
  diemcau audit verify                   finds any entry changed, removed, added or moved
  diemcau audit verify --head 812:9f…    and whether entries were cut off at the end since that head
  diemcau audit verify --export FILE     the same of an export in JSON
"""
BUSY_S: Final = 10.0


def add_to(commands: Commands) -> None:
    """Make ``diemcau audit`` known."""
    group = add_command(commands, "audit", "is the fleet's audit what was written", EXAMPLES)
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    verify = add_command(inner, "verify", "look through the whole chain", EXAMPLES)
    verify.add_argument(
        "--head", metavar="NUMBER:HASH", help="a head that was kept elsewhere: that entry must be there still"
    )
    verify.add_argument("--export", type=Path, metavar="FILE", help="a whole JSON export, not the database")
    add_db(verify)
    verify.set_defaults(run=run_verify)
    head = add_command(inner, "head", "number and hash of the last entry, to be kept elsewhere", EXAMPLES)
    add_db(head)
    head.set_defaults(run=run_head)


def run_verify(chosen: argparse.Namespace) -> None:
    """Exit code 0: nothing is wrong; 1: the first fault is named."""
    known: Head | None = None
    if chosen.head is not None:
        known = head_from(chosen.head)
        if known is None:
            raise Bad("--head: a number, a colon, 64 hexadecimal digits, as `diemcau audit head` prints it")
    head, fault = verify(chosen.db, known) if chosen.export is None else verify_export(chosen.export, known)
    if fault is not None:
        raise Failed(f"audit: {fault.code}: {fault.text}")
    print(f"{head.seq} entries, nothing is wrong. Head: {head}")
    if known is None:
        print("Keep this head elsewhere: with --head it shows whether entries were cut off at the end.")


def run_head(chosen: argparse.Namespace) -> None:
    """One line."""
    with closing(_connect(chosen.db)) as connection:
        row = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    print(Head(row[0], row[1]) if row is not None else Head())


def verify(db: Path, known: Head | None = None) -> tuple[Head, Fault | None]:
    """The head, and the first fault. Raises ``Bad`` or ``Failed`` if the file cannot be read."""
    verifier = Verifier(known=known)
    try:
        with closing(_connect(db)) as connection:
            for row in connection.execute(
                "SELECT seq, at, account, action, device, body, hash FROM audit ORDER BY seq"
            ):
                if not verifier.feed(Row(*row)):
                    break
    except sqlite3.DatabaseError as error:
        raise Failed(f"--db: {db}: {error}") from None
    return verifier.head, verifier.end()


class _Exported(Struct):
    """One entry of an export: what was hashed, and the same for reading."""

    seq: int
    text: str
    hash: str
    entry: Entry


class _Export(Struct):
    entries: list[_Exported]
    count: int
    whole: bool
    head: str


def verify_export(file: Path, known: Head | None = None) -> tuple[Head, Fault | None]:
    """As :func:`verify`, of a file that was given out. Raises ``Bad``."""
    try:
        told = msgspec.json.decode(file.read_bytes(), type=_Export)
    except OSError as error:
        raise Bad(f"--export: {file}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise Bad(f"--export: {file} is no whole export in JSON: {error}") from None
    if not told.whole:
        raise Bad(f"--export: {file} holds only some entries: a chain has no gaps")
    verifier = Verifier(known=known)
    for one in told.entries:
        if not verifier.feed(_row_of(one)):
            break
    fault = verifier.end()
    if fault is None and told.head != str(verifier.head):
        fault = Fault(verifier.head.seq + 1, "cut-off", "entries are missing at the end of the file")
    return verifier.head, fault


def _row_of(one: _Exported) -> Row:
    """What is shown must be what was hashed."""
    try:
        written = msgspec.json.decode(one.text, type=Written)
        hash = bytes.fromhex(one.hash)
    except (msgspec.DecodeError, ValueError):
        return Row(one.seq, None, None, None, None, None, None)
    shown = one.entry
    at = written.at if shown == written.entry else None
    return Row(one.seq, at, shown.account, shown.action, shown.device, one.text.encode(), hash)


def _connect(db: Path) -> sqlite3.Connection:
    if not db.is_file():
        raise Bad(f"--db: there is no file {db}")
    try:
        connection = sqlite3.connect(f"{db.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)
        connection.text_factory = _text
        connection.execute("SELECT 1 FROM audit LIMIT 1")
    except sqlite3.DatabaseError as error:
        raise Failed(f"--db: {db}: {error}") from None
    return connection


def _text(raw: bytes) -> str:
    """What is no UTF-8 was put there by somebody, and is to be told, not stumbled over."""
    return raw.decode(errors="backslashreplace")
