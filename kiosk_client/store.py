"""The one SQLite file of a device: what must reach the city, and what the city has ordered.

A transaction that has returned is on the disk (WAL with ``synchronous=FULL``): the machine may lose power in
the next instant. Who calls from the event loop goes through ``Disk``.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from kiosk_client.errors import BadState, NotKept

SCHEMA_VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    rank INTEGER NOT NULL,        -- 0: never dropped; the lower, the earlier it is told
    merge TEXT,                   -- later news with the same word are put into this row …
    sealed INTEGER NOT NULL DEFAULT 0,  -- … until it has been told once
    kept_at REAL,                 -- the city's clock; NULL: unknown
    at BLOB NOT NULL,
    news BLOB NOT NULL,
    evidence TEXT                 -- a file to be uploaded first
);
CREATE INDEX outbox_order ON outbox (rank, seq);
CREATE INDEX outbox_merge ON outbox (merge) WHERE merge IS NOT NULL;
CREATE TABLE orders (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    ends_at REAL NOT NULL,        -- the city's clock; when a finished one may be forgotten
    body BLOB,                    -- NULL: taken back before it came
    boot TEXT NOT NULL DEFAULT '',
    run TEXT NOT NULL DEFAULT ''
);
CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""

FULL_CODES: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)
DAMAGED_CODES: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class _Damaged(sqlite3.DatabaseError):
    """What SQLite's own check has found."""


class Store:
    """The open file. Used by one thread at a time."""

    def __init__(self, database: str) -> None:
        """A damaged file is put aside, and ``put_aside`` says so: an agent with a new file is worth more than
        none. Raises NotKept, BadState."""
        self._database = database
        self._refuses = False
        self.put_aside = False
        self.failed = False  # the last write was refused
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            damaged = isinstance(error, _Damaged) or _code(error) in DAMAGED_CODES
            if not damaged or database == ":memory:":
                raise NotKept(f"cannot open {database}: {error}") from None
            self._put_aside()
            self._connection = self._open()

    @classmethod
    def or_refusing(cls, database: str) -> "Store":
        """The store; on a disk that does not even let it be opened, one that is empty and refuses every
        write: its agent can take no orders, but can say what ails it."""
        try:
            return cls(database)
        except NotKept:
            refusing = cls(":memory:")
            refusing._refuses = refusing.failed = True
            return refusing

    @property
    def refuses(self) -> bool:
        """It is empty, and takes nothing; a process that starts anew may find a better disk."""
        return self._refuses

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: durable when this returns, nothing of it when it raises.

        Raises:
            NotKept: the disk refuses.
        """
        if self._refuses:
            raise NotKept("the disk does not let the store be opened")
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            if _code(error) not in FULL_CODES:
                raise
            self.failed = True
            raise NotKept(f"the disk refuses: {error}") from None
        self.failed = False

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Raises NotKept when the disk does not even let itself be read."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if _code(error) not in FULL_CODES:
                raise
            self.failed = True
            raise NotKept(f"the disk refuses: {error}") from None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._database, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA journal_size_limit=1048576")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            # A damaged page is met only when it is read: every start would end there, before the screen.
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != ("ok",):
                raise _Damaged(found)
            if version == 0:
                connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
            elif version != SCHEMA_VERSION:
                raise BadState(f"{self._database} is of another version: {version}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _put_aside(self) -> None:
        path = Path(self._database)
        stamp = time.time_ns()
        for suffix in ("", "-wal", "-shm"):
            part = Path(f"{path}{suffix}")
            if part.exists():
                part.rename(f"{path}.damaged-{stamp}{suffix}")
        for old in sorted(path.parent.glob(f"{path.name}.damaged-*"))[:-3]:
            old.unlink()
        self.put_aside = True


def _code(error: sqlite3.Error) -> int:
    """The primary result code (sqlite.org/rescode.html): the low byte of the extended one."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else code & 0xFF
