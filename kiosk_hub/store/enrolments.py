"""Enrolments that staff have decided on, and devices that are expected, in SQL. Who only waits is in
memory."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.enrolment import Enrolment
from kiosk_hub.fleet.ids import Fingerprint
from kiosk_hub.fleet.preauthorisation import Expected
from kiosk_hub.store.tables import enrolments, preauthorised
from room_manager.store.database import Database


async def put(connection: AsyncConnection, enrolment: Enrolment) -> None:
    """It is this now."""
    await connection.execute(delete(enrolments).where(enrolments.c.id == enrolment.id))
    await connection.execute(
        insert(enrolments).values(
            id=enrolment.id,
            state=enrolment.state,
            fingerprint=enrolment.fingerprint,
            expires_at=enrolment.expires_at,
            body=msgspec.json.encode(enrolment),
        )
    )


async def forget_expired(connection: AsyncConnection, before: float) -> None:
    await connection.execute(delete(enrolments).where(enrolments.c.expires_at < before))


async def load(database: Database) -> list[Enrolment]:
    async with database.read() as connection:
        rows = await connection.execute(select(enrolments.c.body))
        return [msgspec.json.decode(row.body, type=Enrolment) for row in rows]


async def expect(connection: AsyncConnection, many: Sequence[Expected]) -> None:
    """These are expected; what was written of them before is replaced."""
    for one in many:
        await connection.execute(delete(preauthorised).where(preauthorised.c.fingerprint == one.fingerprint))
    if many:
        rows = [{"fingerprint": one.fingerprint, "body": msgspec.json.encode(one)} for one in many]
        await connection.execute(insert(preauthorised), rows)


async def expect_no_more(connection: AsyncConnection, fingerprint: Fingerprint) -> None:
    await connection.execute(delete(preauthorised).where(preauthorised.c.fingerprint == fingerprint))


async def load_expected(database: Database) -> list[Expected]:
    async with database.read() as connection:
        rows = await connection.execute(select(preauthorised.c.body).order_by(preauthorised.c.fingerprint))
        return [msgspec.json.decode(row.body, type=Expected) for row in rows]
