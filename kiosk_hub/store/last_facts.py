"""What a restart must know of each device to judge it as before, in SQL: many at a time, seldom."""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, insert, select

from kiosk_hub.fleet.health import Health
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.store.tables import last_facts
from room_manager.store.database import Database

_DELETE: Final = delete(last_facts).where(last_facts.c.device == bindparam("gone"))

log = logging.getLogger(__name__)


async def put_all(database: Database, kept: Sequence[tuple[DeviceId, Health]], now: float) -> None:
    """One transaction. Raises what :meth:`Database.write` raises; then nothing of it is kept."""
    if not kept:
        return
    rows = [{"device": device, "at": now, "body": msgspec.json.encode(health)} for device, health in kept]
    async with database.write() as connection:
        await connection.execute(_DELETE, [{"gone": device} for device, _ in kept])
        await connection.execute(insert(last_facts), rows)


async def load(database: Database) -> dict[DeviceId, Health]:
    """All of them. One that cannot be read (an older version wrote it) is as if never kept."""
    found: dict[DeviceId, Health] = {}
    async with database.read() as connection:
        for row in await connection.execute(select(last_facts.c.device, last_facts.c.body)):
            try:
                found[DeviceId(row.device)] = msgspec.json.decode(row.body, type=Health)
            except msgspec.ValidationError as error:
                log.warning("! device %s: its last facts cannot be read: %s", row.device, error)
    return found
