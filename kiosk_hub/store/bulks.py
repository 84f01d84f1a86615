"""Bulks in SQL; their commands are with all others."""

from typing import Final

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.bulks import Bulk
from kiosk_hub.fleet.ids import BulkId
from kiosk_hub.store.tables import bulks

_decoder: Final = msgspec.json.Decoder(Bulk)


async def add(connection: AsyncConnection, bulk: Bulk, request_key: str | None) -> None:
    await connection.execute(
        insert(bulks).values(
            id=bulk.id,
            request_key=request_key,
            created_at=bulk.created_at,
            body=msgspec.json.encode(bulk),
        )
    )


async def get(connection: AsyncConnection, bulk: BulkId) -> Bulk | None:
    row = (await connection.execute(select(bulks.c.body).where(bulks.c.id == bulk))).one_or_none()
    return None if row is None else _decoder.decode(row.body)


async def by_request(connection: AsyncConnection, request_key: str) -> Bulk | None:
    found = await connection.execute(select(bulks.c.body).where(bulks.c.request_key == request_key))
    row = found.one_or_none()
    return None if row is None else _decoder.decode(row.body)


async def newest(connection: AsyncConnection, limit: int) -> list[Bulk]:
    rows = await connection.execute(
        select(bulks.c.body).order_by(bulks.c.created_at.desc(), bulks.c.id).limit(limit)
    )
    return [_decoder.decode(row.body) for row in rows]
