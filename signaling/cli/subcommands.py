"""What the commands share: how one is added, and where the database is by default."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = object  # argparse has no public name for it


def add_command(commands: Commands, name: str, help_: str, examples: str = "") -> argparse.ArgumentParser:
    """A command with its line in the list, and its own help."""
    return commands.add_parser(
        name,
        help=help_,
        description=help_[0].upper() + help_[1:] + ".",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_db(command: argparse.ArgumentParser) -> None:
    """The database a command works on."""
    command.add_argument(
        "--db",
        type=Path,
        default=Path(os.environ.get("DIEMCAU_DB", "var/diemcau.db")),
        metavar="FILE",
        help="the SQLite database (default: $DIEMCAU_DB, else var/diemcau.db)",
    )
