"""The schema that the migrations make, and what every connection is set to."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from kiosk_hub.store import tables as fleet_tables
from room_manager.store.database import Database, open_database
from room_manager.store.tables import metadata
from tests.helpers import databases


def test_migrations_make_the_tables_the_code_knows(tmp_path: Path) -> None:
    assert fleet_tables.devices.metadata is metadata  # its tables are known, too

    async def differences() -> list[object]:
        database = await open_database(databases.url_of(tmp_path / "new.db"))

        def compare(connection: Connection) -> list[object]:
            return list(compare_metadata(MigrationContext.configure(connection), metadata))

        try:
            async with database.read() as connection:
                return await connection.run_sync(compare)
        finally:
            await database.close()

    assert asyncio.run(differences()) == []


def test_opening_a_database_again_changes_nothing(tmp_path: Path) -> None:
    databases.prepare()

    async def twice() -> None:
        url = databases.new(tmp_path)
        for _ in range(2):
            database = await open_database(url)
            await database.close()
            await database.close()

    asyncio.run(twice())


def test_every_connection_is_durable_and_keeps_references(tmp_path: Path) -> None:
    databases.prepare()

    async def settings() -> dict[str, object]:
        database = await open_database(databases.new(tmp_path))
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        try:
            async with database.write() as connection:
                return {name: await connection.scalar(text(f"PRAGMA {name}")) for name in names}
        finally:
            await database.close()

    assert asyncio.run(settings()) == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 5_000,
    }


async def write_what_refers_to_nothing(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO secrets VALUES ('a', x'00')"))
        await connection.execute(text("INSERT INTO memberships VALUES ('no room', 'nobody', 'chair')"))


def test_a_write_that_raises_leaves_nothing(tmp_path: Path) -> None:
    databases.prepare()

    async def write() -> object:
        database = await open_database(databases.new(tmp_path))
        try:
            with pytest.raises(IntegrityError):
                await write_what_refers_to_nothing(database)
            async with database.read() as connection:
                return await connection.scalar(text("SELECT count(*) FROM secrets"))
        finally:
            await database.close()

    assert asyncio.run(write()) == 0


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
def test_a_database_in_memory_is_refused_because_it_is_not_durable(url: str) -> None:
    with pytest.raises(ValueError, match="must be a file"):
        asyncio.run(open_database(url))
