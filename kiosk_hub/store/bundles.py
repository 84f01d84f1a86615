"""Bundles in SQL; their files and signatures are in a folder."""

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.bundles import Bundle
from kiosk_hub.store.tables import bundles
from room_manager.store.database import Database


async def put(connection: AsyncConnection, bundle: Bundle) -> None:
    """The record is this, whatever it was before."""
    row = {
        "id": bundle.id,
        "kind": bundle.kind,
        "version": bundle.version,
        "added_at": bundle.added_at,
        "body": msgspec.json.encode(bundle),
    }
    changed = await connection.execute(update(bundles).where(bundles.c.id == bundle.id).values(**row))
    if changed.rowcount == 0:
        await connection.execute(insert(bundles).values(**row))


async def forget(connection: AsyncConnection, bundle: str) -> None:
    await connection.execute(delete(bundles).where(bundles.c.id == bundle))


async def load(database: Database) -> list[Bundle]:
    """All of them, the newest first."""
    async with database.read() as connection:
        rows = await connection.execute(select(bundles.c.body).order_by(bundles.c.added_at.desc()))
        return [msgspec.json.decode(row.body, type=Bundle) for row in rows]
