"""``diemcau user``: accounts for the people of city hall. Wards enter by links and need none."""

import argparse
import asyncio
import getpass
import re
import sys
import time
from pathlib import Path
from typing import Final

from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.services.grants import check_grant, give_from_here
from room_manager.errors import Invalid
from room_manager.meeting.values import Role
from room_manager.roster.builtin import hanoi_districts
from room_manager.store.accounts import AccountExists, UnknownAccount
from room_manager.store.stores import Stores
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
  diemcau user add lan --fleet technician --districts 001,002
"""

FLEET_EXAMPLES = """\
examples:
  diemcau user fleet lan --role technician --districts 001,002
  diemcau user fleet binh --role administrator
  diemcau user fleet lan --none
"""


def add_to(commands: Commands) -> None:
    """Make ``diemcau user`` known."""
    group = add_command(commands, "user", "accounts of city hall")
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    add = add_command(
        inner, "add", "add an account; asks for its password, or reads it from a pipe", EXAMPLES
    )
    add.add_argument("name", metavar="NAME", help="for logging in: small letters, digits, . _ -")
    add.add_argument("--role", choices=[role.value for role in ROLES], help="in every meeting")
    add.add_argument(
        "--fleet", choices=[role.value for role in FleetRole], help="in the fleet of kiosks and bridge points"
    )
    _add_districts(add)
    add.add_argument("--display", metavar="TEXT", help="how the person is shown to others (default: NAME)")
    add_db(add)
    add.set_defaults(run=run_add)
    fleet = add_command(inner, "fleet", "change what an account may do with the fleet", FLEET_EXAMPLES)
    fleet.add_argument("name", metavar="NAME", help="an account that there is")
    which = fleet.add_mutually_exclusive_group(required=True)
    which.add_argument("--role", choices=[role.value for role in FleetRole], help="from now on")
    which.add_argument("--none", action="store_true", help="it has no part in the fleet any more")
    _add_districts(fleet)
    add_db(fleet)
    fleet.set_defaults(run=run_fleet)


def _add_districts(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--districts",
        default="",
        metavar="CODES",
        help="codes with commas between: a technician's own; of the other roles, all unless given",
    )


def run_add(chosen: argparse.Namespace) -> None:
    """Add one account, or say what is wrong with it."""
    display = (chosen.display or chosen.name).strip()
    if not NAME.fullmatch(chosen.name):
        raise Bad(
            "NAME: up to 64 small letters, digits, dots, dashes and underscores, first a letter or digit"
        )
    if not display or len(display) > MAX_DISPLAY_CHARS or not display.isprintable():
        raise Bad(f"--display: one line of at most {MAX_DISPLAY_CHARS} characters")
    if chosen.role is None and chosen.fleet is None:
        raise Bad("--role: a role in meetings, or one in the fleet (--fleet), is needed")
    if chosen.fleet is None and chosen.districts:
        raise Bad("--districts: they belong to a role in the fleet (--fleet)")
    grant = _grant(chosen.fleet, chosen.districts)
    password = _ask()
    check_password(password, chosen.name)
    role = Role(chosen.role) if chosen.role is not None else None
    asyncio.run(_add(chosen.db, chosen.name, display, role, grant, password))
    roles = [chosen.role] if chosen.role else []
    if chosen.fleet:
        roles.append(f"{chosen.fleet} of the fleet")
    print(f"Added {chosen.name} ({display}) as {', '.join(roles)}.")


def run_fleet(chosen: argparse.Namespace) -> None:
    """Give or take one role in the fleet."""
    asyncio.run(_set_fleet(chosen.db, chosen.name, _grant(chosen.role, chosen.districts)))
    told = "no part in the fleet any more" if chosen.none else f"the role {chosen.role} in the fleet"
    print(f"{chosen.name} has {told}.")


def _grant(role: str | None, districts: str) -> Grant | None:
    """As the flags say it; its districts are not looked up yet."""
    if role is None:
        return None
    codes = frozenset(code.strip() for code in districts.split(",") if code.strip())
    return Grant(FleetRole(role), codes)


async def _add(
    db: Path, name: str, display: str, role: Role | None, grant: Grant | None, password: str
) -> None:
    async with opened(db) as stores:
        districts = await _districts(stores)
        try:
            if grant is not None:
                check_grant(grant, districts)
            await stores.accounts.add(name, display, hash_password(password), role)
            if grant is not None:
                await give_from_here(stores.database, name, grant, districts, time.time())
        except AccountExists as error:
            raise Bad(f"NAME: {error}") from None
        except Invalid as error:
            raise Bad(f"--{error}") from None


async def _set_fleet(db: Path, name: str, grant: Grant | None) -> None:
    async with opened(db) as stores:
        try:
            await give_from_here(stores.database, name, grant, await _districts(stores), time.time())
        except UnknownAccount as error:
            raise Bad(f"NAME: {error}") from None
        except Invalid as error:
            raise Bad(f"--{error}") from None


async def _districts(stores: Stores) -> set[str]:
    """Those of the roster; before the first import, those of the list that comes with the package."""
    units = await stores.roster.current()
    return {unit.district_code for unit in units} or {one.code for one in hanoi_districts()}


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
