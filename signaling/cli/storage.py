"""The database for one command, opened and closed around it. A server may have it open at the same time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from room_manager.store.stores import Stores
from signaling.app import opened_stores
from signaling.cli.failure import Failed
from signaling.cli.settings_from import database_url


@asynccontextmanager
async def opened(db: Path) -> AsyncIterator[Stores]:
    """Every store of the database; the file is made if there is none. Raises ``Bad`` or ``Failed``."""
    async with opened_url(database_url(db)) as stores:
        yield stores


@asynccontextmanager
async def opened_url(url: str) -> AsyncIterator[Stores]:
    """As :func:`opened`, by the address that settings carry."""
    try:
        async with opened_stores(url) as stores:
            yield stores
    except DatabaseError as error:
        raise Failed(f"--db: {url.partition(':///')[2]}: {error.orig}") from None


async def check(url: str) -> None:
    """The database can be opened and has, from now on, the newest schema."""
    async with opened_url(url):
        pass
