"""``diemcau bundle``: what devices are to install, and the keys by which they believe it."""

import argparse
import asyncio
import os
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DatabaseError

from kiosk_hub.fleet.bundles import Bundle, Needs
from kiosk_hub.fleet.values import BundleKind
from kiosk_hub.services.bundle_files import examine
from kiosk_hub.services.bundles import Bundles
from kiosk_hub.services.signing import ROLES, Repository
from room_manager.errors import DomainError
from signaling.cli.failure import Bad, Failed
from signaling.cli.settings_from import database_url
from signaling.cli.subcommands import Commands, add_command, add_db
from signaling.fleet.assembly import opened_bundles
from signaling.settings import Settings

BY: Final = "command line"
MIB: Final = 1 << 20
EXAMPLES: Final = """\
examples:
  diemcau bundle build-content thang-11/ thang-11.zip   announcements.json and its pictures, packed
  diemcau bundle add thang-11.zip --kind content --version 2026.11
  diemcau bundle list
  diemcau bundle keys show                              whose keys sign, until when, and which lie here
  diemcau bundle sign --keys /media/usb                 what was added while the targets key was elsewhere
"""


def add_to(commands: Commands) -> None:
    """Make ``diemcau bundle`` known."""
    group = add_command(commands, "bundle", "what devices install, and the keys that sign it", EXAMPLES)
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    add = add_command(inner, "add", "look through a bundle, sign it, keep it", EXAMPLES)
    add.add_argument("file", metavar="FILE", type=Path, help="a ZIP archive")
    add.add_argument("--kind", choices=tuple(BundleKind), required=True)
    add.add_argument("--version", required=True, metavar="TEXT", help="never used again for other contents")
    add.add_argument("--note", default="", metavar="TEXT", help="for staff")
    add.add_argument("--agent-from", default="", metavar="VERSION", help="only from this agent on")
    add.add_argument("--agent-below", default="", metavar="VERSION", help="only below this agent")
    add.add_argument(
        "--hardware", action="append", default=[], metavar="TEXT", help="only what calls itself so"
    )
    _with_folder(add, run_add)
    _with_folder(add_command(inner, "list", "list bundles, the newest first", EXAMPLES), run_list)
    _with_folder(add_command(inner, "sign", "sign what waits for the targets key", EXAMPLES), run_sign)
    build = add_command(inner, "build-content", "pack a folder of announcements", EXAMPLES)
    build.add_argument("folder", metavar="FOLDER", type=Path)
    build.add_argument("out", metavar="OUT.zip", type=Path)
    build.set_defaults(run=run_build)
    keys = add_command(inner, "keys", "the keys that sign", EXAMPLES)
    acts = keys.add_subparsers(metavar="COMMAND", required=True)
    _with_folder(add_command(acts, "init", "make the keys, once and for ever", EXAMPLES), run_init)
    _with_folder(add_command(acts, "show", "how the four roles stand", EXAMPLES), run_show)
    rotate = add_command(acts, "rotate", "a new key for a role; needs the root key", EXAMPLES)
    rotate.add_argument("role", metavar="ROLE", choices=ROLES, help=", ".join(ROLES))
    _with_folder(rotate, run_rotate)


def _with_folder(command: argparse.ArgumentParser, run: object) -> None:
    command.add_argument(
        "--bundles",
        type=Path,
        metavar="DIR",
        default=Path(os.environ["DIEMCAU_BUNDLES"]) if "DIEMCAU_BUNDLES" in os.environ else None,
        help="where they are kept (default: $DIEMCAU_BUNDLES, else bundles beside the database)",
    )
    command.add_argument("--keys", type=Path, metavar="DIR", help="where the keys are (default: keys in DIR)")
    add_db(command)
    command.set_defaults(run=run)


def _folder(chosen: argparse.Namespace) -> Path:
    return chosen.bundles or Settings(database_url(chosen.db)).bundles_folder


def _repository(chosen: argparse.Namespace) -> Repository:
    return Repository(_folder(chosen), chosen.keys)


@asynccontextmanager
async def _opened(chosen: argparse.Namespace) -> AsyncIterator[Bundles]:
    """A refusal is one line, and exit code 2."""
    try:
        async with opened_bundles(database_url(chosen.db), _folder(chosen), chosen.keys) as bundles:
            yield bundles
    except DomainError as error:
        raise Bad(f"{error.code}: {error}") from None
    except DatabaseError as error:
        raise Failed(f"--db: {chosen.db}: {error.orig}") from None
    except OSError as error:
        raise Failed(f"{error.filename or _folder(chosen)}: {error.strerror}") from None


def run_add(chosen: argparse.Namespace) -> None:
    """One line: what it is called now."""
    if not chosen.file.is_file():
        raise Bad(f"FILE: there is no file {chosen.file}")
    asyncio.run(_add(chosen))


async def _add(chosen: argparse.Namespace) -> None:
    needs = Needs(chosen.agent_from, chosen.agent_below, tuple(chosen.hardware))
    async with _opened(chosen) as bundles:
        bundle = await bundles.add(
            chosen.file,
            BundleKind(chosen.kind),
            chosen.version,
            needs=needs,
            note=chosen.note,
            account=BY,
        )
    print(_line(bundle))
    if not bundle.signed:
        print("It is not signed: the targets key is elsewhere. There: diemcau bundle sign --keys DIR")


def run_list(chosen: argparse.Namespace) -> None:
    """One line for each."""

    async def list_() -> list[Bundle]:
        async with _opened(chosen) as bundles:
            return list(bundles)

    for bundle in asyncio.run(list_()):
        print(_line(bundle))


def _line(bundle: Bundle) -> str:
    size = f"{bundle.length_bytes / MIB:.1f} MiB"
    state = "signed" if bundle.signed else "waits for its signature"
    return f"{bundle.id}  {size}  {state}  {bundle.sha256[:16]}"


def run_sign(chosen: argparse.Namespace) -> None:
    """What waited is signed afterwards."""

    async def sign() -> list[Bundle]:
        async with _opened(chosen) as bundles:
            return await bundles.sign(BY)

    signed = asyncio.run(sign())
    for bundle in signed:
        print(_line(bundle))
    if not signed:
        print("Nothing waits for a signature.")


def run_build(chosen: argparse.Namespace) -> None:
    """A ZIP archive that any device would take."""
    folder: Path = chosen.folder
    if not (folder / "announcements.json").is_file():
        raise Bad(f"FOLDER: {folder} has no announcements.json")
    try:
        with zipfile.ZipFile(chosen.out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                if file.is_file() and not file.is_symlink() and file.resolve() != chosen.out.resolve():
                    archive.write(file, file.relative_to(folder).as_posix())
        examine(chosen.out, BundleKind.CONTENT)
    except DomainError as error:
        chosen.out.unlink(missing_ok=True)
        raise Bad(f"{error.code}: {error}") from None
    except OSError as error:
        raise Failed(f"{error.filename or chosen.out}: {error.strerror}") from None
    print(f"{chosen.out}: {chosen.out.stat().st_size / MIB:.1f} MiB")


def run_init(chosen: argparse.Namespace) -> None:
    """Four keys, readable by their owner only."""
    repository = _repository(chosen)
    try:
        repository.set_up(_now())
    except DomainError as error:
        raise Bad(f"{error.code}: {error}") from None
    except OSError as error:
        raise Failed(f"{error.filename}: {error.strerror}") from None
    print(f"Keys were made in {repository.keys}.")
    print("Move root.pem and targets.pem to a medium that is not connected, and keep a copy elsewhere.")


def run_show(chosen: argparse.Namespace) -> None:
    """One line for each role."""
    repository = _repository(chosen)
    if not repository.is_set_up():
        raise Bad(f"there are no keys in {repository.folder}: diemcau bundle keys init")
    for role in repository.roles():
        ends = datetime.fromtimestamp(role.expires_at, UTC).strftime("%Y-%m-%d")
        where = "key here" if role.key_here else "key elsewhere"
        print(f"{role.name}  version {role.version}  until {ends}  {where}")


def run_rotate(chosen: argparse.Namespace) -> None:
    """What the old key signs counts no more."""
    try:
        _repository(chosen).rotate(chosen.role, _now())
    except DomainError as error:
        raise Bad(f"{error.code}: {error}") from None
    except OSError as error:
        raise Failed(f"{error.filename}: {error.strerror}") from None
    print(f"The role {chosen.role} has a new key. Devices follow at their next update.")


def _now() -> float:
    return datetime.now(UTC).timestamp()
