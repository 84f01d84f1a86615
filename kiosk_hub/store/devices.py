"""The records of devices in SQL."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.device import Device
from kiosk_hub.store.tables import devices
from room_manager.store.database import Database


async def put(connection: AsyncConnection, device: Device) -> None:
    """The record is this, whatever it was before."""
    row = _row(device)
    changed = await connection.execute(devices.update().where(devices.c.id == device.id).values(**row))
    if changed.rowcount == 0:
        await connection.execute(insert(devices).values(**row))


async def put_all(connection: AsyncConnection, many: Sequence[Device]) -> None:
    """Devices that have a record, each at most once."""
    if not many:
        return
    named: dict[str, Any] = {
        name: bindparam(f"new_{name}") for name in ("kind", "state", "unit", "fingerprint", "body")
    }
    statement = devices.update().where(devices.c.id == bindparam("this")).values(**named)
    rows = [
        {"this": device.id} | {f"new_{name}": value for name, value in _row(device).items() if name != "id"}
        for device in many
    ]
    await connection.execute(statement, rows)


async def forget(connection: AsyncConnection, device: str) -> None:
    """For a record that never came to life."""
    await connection.execute(delete(devices).where(devices.c.id == device))


def _row(device: Device) -> dict[str, object]:
    return {
        "id": device.id,
        "kind": device.kind,
        "state": device.state,
        "unit": device.place.unit,
        "fingerprint": device.fingerprint,
        "body": msgspec.json.encode(device),
    }


async def load(database: Database) -> list[Device]:
    """All of them."""
    async with database.read() as connection:
        rows = await connection.execute(select(devices.c.body).order_by(devices.c.id))
        return [msgspec.json.decode(row.body, type=Device) for row in rows]
