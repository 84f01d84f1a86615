"""Rollouts in SQL, and each device's place and step in each."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.experience import Counts
from kiosk_hub.fleet.ids import DeviceId, RolloutId
from kiosk_hub.fleet.rollouts import Member, Rollout
from kiosk_hub.store.tables import rollout_devices, rollouts, session_counts
from room_manager.store.database import Database

_MANY = 400  # parameters of one statement


async def put(connection: AsyncConnection, rollout: Rollout) -> None:
    """The record is this, whatever it was before."""
    row = {
        "id": rollout.id,
        "state": rollout.state,
        "created_at": rollout.planned_at,
        "body": msgspec.json.encode(rollout),
    }
    changed = await connection.execute(update(rollouts).where(rollouts.c.id == rollout.id).values(**row))
    if changed.rowcount == 0:
        await connection.execute(insert(rollouts).values(**row))


async def load(database: Database) -> list[Rollout]:
    """All of them, the newest first."""
    async with database.read() as connection:
        rows = await connection.execute(select(rollouts.c.body).order_by(rollouts.c.created_at.desc()))
        return [msgspec.json.decode(row.body, type=Rollout) for row in rows]


def _row(rollout: RolloutId, member: Member) -> dict[str, object]:
    return {
        "rollout": rollout,
        "device": member.device,
        "state": member.step,
        "body": msgspec.json.encode(member),
    }


async def add_members(connection: AsyncConnection, rollout: RolloutId, members: Iterable[Member]) -> None:
    """They are in none of its rings yet."""
    rows = [_row(rollout, member) for member in members]
    if rows:
        await connection.execute(insert(rollout_devices), rows)


async def set_members(connection: AsyncConnection, rollout: RolloutId, members: Iterable[Member]) -> None:
    """These and no others."""
    await connection.execute(delete(rollout_devices).where(rollout_devices.c.rollout == rollout))
    await add_members(connection, rollout, members)


async def change_member(connection: AsyncConnection, rollout: RolloutId, member: Member) -> None:
    await connection.execute(
        update(rollout_devices)
        .where(rollout_devices.c.rollout == rollout, rollout_devices.c.device == member.device)
        .values(state=member.step, body=msgspec.json.encode(member))
    )


async def member_of(connection: AsyncConnection, rollout: RolloutId, device: DeviceId) -> Member | None:
    """As the transaction sees it."""
    row = (
        await connection.execute(
            select(rollout_devices.c.body).where(
                rollout_devices.c.rollout == rollout, rollout_devices.c.device == device
            )
        )
    ).one_or_none()
    return None if row is None else msgspec.json.decode(row.body, type=Member)


async def load_members(database: Database, rollout: RolloutId) -> list[Member]:
    async with database.read() as connection:
        rows = await connection.execute(
            select(rollout_devices.c.body).where(rollout_devices.c.rollout == rollout)
        )
        return [msgspec.json.decode(row.body, type=Member) for row in rows]


async def counts_of(
    database: Database, devices: Sequence[DeviceId], from_hour: int
) -> dict[DeviceId, list[tuple[int, Counts]]]:
    """Residents' sessions of these devices by hour (since 1970, UTC), from this hour on."""
    found: dict[DeviceId, list[tuple[int, Counts]]] = {device: [] for device in devices}
    async with database.read() as connection:
        for start in range(0, len(devices), _MANY):
            rows = await connection.execute(
                select(session_counts.c.device, session_counts.c.hour, session_counts.c.body).where(
                    session_counts.c.device.in_(devices[start : start + _MANY]),
                    session_counts.c.hour >= from_hour,
                )
            )
            for row in rows:
                found[DeviceId(row.device)].append((row.hour, msgspec.json.decode(row.body, type=Counts)))
    return found
