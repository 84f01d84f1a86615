"""``diemcau roster``: which units there are."""

import argparse
import asyncio
from pathlib import Path
from typing import Final

from room_manager.errors import DomainError
from room_manager.roster.errors import RosterError
from room_manager.roster.parsing import parse_bytes
from room_manager.roster.units import Unit
from room_manager.store.roster import Imported
from signaling.cli.failure import Bad
from signaling.cli.storage import opened
from signaling.cli.subcommands import Commands, add_command, add_db

MAX_FILE_BYTES: Final = 4 * 1024 * 1024

EXAMPLES: Final = """\
The file is CSV in UTF-8 with a header. Columns code, name, type, full_name are required; district_code,
district_name, district_full_name come together or not at all; valid_from and valid_to (YYYY-MM-DD) may be
empty. Codes are text: leading zeros count. A unit of the same code and first day is replaced; the others
stay.

examples:
  diemcau roster import wards.csv
  diemcau roster import wards.csv --check       only say whether the file is right
"""


def add_to(commands: Commands) -> None:
    """Make ``diemcau roster`` known."""
    group = add_command(commands, "roster", "the units that may be expected at a meeting")
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    take = add_command(inner, "import", "take the units of a CSV file into the roster", EXAMPLES)
    take.add_argument("file", type=Path, metavar="FILE", help="the CSV file")
    take.add_argument("--check", action="store_true", help="change nothing")
    add_db(take)
    take.set_defaults(run=run_import)


def run_import(chosen: argparse.Namespace) -> None:
    """All units of the file are on the roster, or, if one of them is at fault, none."""
    units = read_units(chosen.file)
    districts = len({unit.district_code for unit in units if unit.district_code})
    found = f"{chosen.file}: {len(units)} units in {districts} districts"
    if chosen.check:
        print(f"{found}; nothing changed.")
        return
    done = asyncio.run(_import(chosen.db, units))
    print(f"{found}; {done.added} added, {done.changed} changed, {done.unchanged} as they were.")


def read_units(file: Path) -> list[Unit]:
    """Raises ``Bad`` naming the row and the column at fault."""
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise Bad(f"{file}: larger than {MAX_FILE_BYTES // 1024 // 1024} MiB")
        return parse_bytes(file.read_bytes())
    except OSError as error:
        raise Bad(f"{file}: cannot be read: {error.strerror}") from None
    except RosterError as error:
        raise Bad(f"{file}: {error}") from None


async def _import(db: Path, units: list[Unit]) -> Imported:
    async with opened(db) as stores:
        try:
            return await stores.roster.import_units(units)
        except DomainError as error:
            raise Bad(f"FILE: {error}") from None
