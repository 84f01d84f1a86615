"""``diemcau audit``: is the fleet's audit what was written?

The database is only read, with nothing but SQLite between: it may be a copy, and a server may have it open.
"""

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from kiosk_hub.store.chain import Fault, Head, Row, Verifier, head_from
from signaling.cli.failure import Bad, Failed
from signaling.cli.subcommands import Commands, add_command, add_db

EXAMPLES: Final = """\
examples:
  diemcau audit head                     number and hash of the last entry: keep it somewhere else
  diemcau audit verify                   finds any entry changed, removed, added or moved
  diemcau audit verify --head 812:9f…    and whether entries were cut off at the end since that head
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
    head, fault = verify(chosen.db, known)
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
