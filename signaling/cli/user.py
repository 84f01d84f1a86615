"""``diemcau user``: accounts for the people of city hall. Wards enter by links and need none."""

import argparse
import asyncio
import getpass
import re
import sys
from pathlib import Path
from typing import Final

from room_manager.meeting.values import Role
from room_manager.store.accounts import AccountExists
from signaling.cli.failure import Bad
from signaling.cli.storage import opened
from signaling.cli.subcommands import Commands, add_command, add_db
from signaling.passwords import hash_password

ROLES: Final = (Role.CHAIR, Role.SECRETARY, Role.OPERATOR, Role.OBSERVER)
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SHORTEST_PASSWORD_CHARS: Final = 12
LONGEST_PASSWORD_CHARS: Final = 256
MAX_DISPLAY_CHARS: Final = 100
FEWEST_DIFFERENT_CHARS: Final = 5
COMMON: Final = (
    "password",
    "matkhau",
    "qwerty",
    "123456",
    "abcdef",
    "iloveyou",
    "letmein",
    "diemcau",
    "hanoi",
)

EXAMPLES = """\
examples:
  diemcau user add binh --role chair --display "Ông Trần Văn Bình"
  pass show binh | diemcau user add binh --role chair
"""


def add_to(commands: Commands) -> None:
    """Make ``diemcau user`` known."""
    group = add_command(commands, "user", "accounts of city hall")
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    add = add_command(
        inner, "add", "add an account; asks for its password, or reads it from a pipe", EXAMPLES
    )
    add.add_argument("name", metavar="NAME", help="for logging in: small letters, digits, . _ -")
    add.add_argument("--role", required=True, choices=[role.value for role in ROLES], help="in every meeting")
    add.add_argument("--display", metavar="TEXT", help="how the person is shown to others (default: NAME)")
    add_db(add)
    add.set_defaults(run=run_add)


def run_add(chosen: argparse.Namespace) -> None:
    """Add one account, or say what is wrong with it."""
    display = (chosen.display or chosen.name).strip()
    if not NAME.fullmatch(chosen.name):
        raise Bad(
            "NAME: up to 64 small letters, digits, dots, dashes and underscores, first a letter or digit"
        )
    if not display or len(display) > MAX_DISPLAY_CHARS or not display.isprintable():
        raise Bad(f"--display: one line of at most {MAX_DISPLAY_CHARS} characters")
    password = _ask()
    check_password(password, chosen.name)
    asyncio.run(_add(chosen.db, chosen.name, display, Role(chosen.role), password))
    print(f"Added {chosen.name} ({display}) as {chosen.role}.")


async def _add(db: Path, name: str, display: str, role: Role, password: str) -> None:
    async with opened(db) as stores:
        try:
            await stores.accounts.add(name, display, hash_password(password), role)
        except AccountExists as error:
            raise Bad(f"NAME: {error}") from None


def check_password(password: str, name: str) -> None:
    """Refuse what is guessed first. Length matters more than signs (NIST SP 800-63B, section 3.1.1.2)."""
    if len(password) < SHORTEST_PASSWORD_CHARS:
        raise Bad(f"password: at least {SHORTEST_PASSWORD_CHARS} characters")
    if len(password) > LONGEST_PASSWORD_CHARS:
        raise Bad(f"password: at most {LONGEST_PASSWORD_CHARS} characters")
    plain = re.sub(r"[\W_]", "", password.casefold())
    if len(set(plain)) < FEWEST_DIFFERENT_CHARS:
        raise Bad("password: too few different characters")
    without = plain
    for word in (*COMMON, re.sub(r"[\W_]", "", name.casefold())):
        without = without.replace(word, "")
    if len(without) < FEWEST_DIFFERENT_CHARS:
        raise Bad("password: made of words that are guessed first; take a sentence of your own")


def _ask() -> str:
    """From the keyboard twice, or one line from a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise Bad("password: the two are not the same")
    return password
