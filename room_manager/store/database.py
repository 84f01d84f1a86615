"""One database: its connections, their settings, the way to write, and its schema.

On SQLite a commit is on the disk when it returns (WAL with ``synchronous=FULL``), writers queue for one
lock in this process instead of polling the file's, and a transaction that will write says so at its
start, so that it can never fail half way for want of the lock.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from room_manager.errors import Busy, DomainError, InDoubt, NotStored

POOL_SIZE: Final = 5
POOL_WAIT_S: Final = 10.0
BUSY_TIMEOUT_MS: Final = 5_000  # another process holds the file: a back-up, a second server
READ_LIMIT_S: Final = 15.0
WRITE_LIMIT_S: Final = 30.0  # a roster import is the longest
CLOSE_LIMIT_S: Final = 5.0

_IMMEDIATE: Final = {"diemcau_writes": True}
_MIGRATIONS: Final = Path(__file__).parent / "migrations"

log = logging.getLogger(__name__)


class Database:
    """Owns the connections. ``read`` and ``write`` lend one; ``close`` ends them all."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        sqlite = engine.dialect.name == "sqlite"
        self._writing: AbstractAsyncContextManager[Any] = asyncio.Lock() if sqlite else nullcontext()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for looking; what it sees does not change until it is given back.

        Raises ``Busy`` if that takes too long.
        """
        busy = Busy("the database does not answer; try again shortly")
        async with _within(READ_LIMIT_S, busy), self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it is durable after the block, or, if the block raises, none.

        Raises ``NotStored`` (no space, input/output error), or ``InDoubt`` if it takes too long.
        """
        try:
            async with (
                _within(WRITE_LIMIT_S, InDoubt("the database does not answer; look again")),
                self._writing,
                self._engine.connect() as plain,
            ):
                connection = await plain.execution_options(**_IMMEDIATE)
                async with connection.begin():
                    yield connection
        except OperationalError as error:
            log.error("! database: nothing can be stored: %s", error.orig)
            raise NotStored("no space is left, or the disk fails; nothing was done") from error

    def writing(self) -> AbstractAsyncContextManager[Any]:
        """To be held while writing on a connection of one's own (see :meth:`threaded`)."""
        return self._writing

    def threaded(self) -> Connection:
        """A connection for writing from one thread, for whoever writes all the time.

        It costs one hop to the thread and back for a transaction, where the pool's connections cost
        several for each statement. The caller closes it.
        """
        url = self._engine.url
        driver = "sqlite" if url.get_backend_name() == "sqlite" else url.drivername
        engine = create_engine(url.set(drivername=driver), poolclass=NullPool)
        _set_up(engine)
        return engine.connect().execution_options(**_IMMEDIATE)

    async def upgrade(self) -> None:
        """Bring the schema to the newest version. Does nothing when it is."""
        async with self.write() as connection:
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        """Give back every connection. Idempotent."""
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await self._engine.dispose()
        except TimeoutError:
            log.error("! database: connections still busy after %.0f s", CLOSE_LIMIT_S)


async def open_database(url: str) -> Database:
    """Connect and bring the schema up to date.

    Args:
        url: ``sqlite+aiosqlite:///path/to/file`` or, with its driver installed,
            ``postgresql+psycopg://…``.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("the database must be a file: what is in memory is not durable")
    engine = create_async_engine(parsed, pool_size=POOL_SIZE, max_overflow=0, pool_timeout=POOL_WAIT_S)
    _set_up(engine.sync_engine)
    database = Database(engine)
    try:
        await database.upgrade()
    except BaseException:
        await database.close()
        raise
    return database


@asynccontextmanager
async def _within(limit_s: float, otherwise: DomainError) -> AsyncIterator[None]:
    """As ``asyncio.timeout``, with a refusal in words."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        raise otherwise from error


def _set_up(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _set_up_sqlite(connection: DBAPIConnection, record: object) -> None:
    """Every connection is durable and keeps references whole; transactions begin when we say so."""
    connection.isolation_level = None  # the driver's own implicit BEGIN comes too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")  # a full disk must not stop a sort
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("diemcau_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
