"""Databases in temporary files. The schema is made once; every test starts from a copy."""

import asyncio
import shutil
import tempfile
from functools import cache
from pathlib import Path

from room_manager.store.database import open_database


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@cache
def _empty() -> bytes:
    """A database file with the schema and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"

        async def make() -> None:
            await (await open_database(url_of(path))).close()

        asyncio.run(make())
        return path.read_bytes()


def prepare() -> None:
    """Make the schema now; must be called outside a running loop, before the first :func:`new`."""
    _empty()


def new(folder: Path, name: str = "diemcau.db") -> str:
    """The URL of a fresh database with the schema in it. Folder and file are made."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(_empty())
    return url_of(path)


def copy(url: str, target: Path) -> str:
    """A copy of a database nobody has open."""
    shutil.copyfile(url.removeprefix("sqlite+aiosqlite:///"), target)
    return url_of(target)
