"""The database for one command, opened and closed around it. A server may have it open at the same time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError

from room_manager.store.stores import Stores
from signaling.app import opened_stores
from signaling.cli.failure import Failed
from signaling.cli.settings_from import database_url


@asynccontextmanager
async def opened(db: Path) -> AsyncIterator[Stores]:
    """Every store of the database; the file is made if there is none. Raises ``Bad`` or ``Failed``."""
    try:
        async with opened_stores(database_url(db)) as stores:
            yield stores
    except OperationalError as error:
        raise Failed(f"--db: {db}: {error.orig}") from None
