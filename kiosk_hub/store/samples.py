"""Rows of measured points in SQL: many points to a row, many rows to a transaction."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.history import COARSE_KEPT_S, COARSE_S, FINE_KEPT_S, FINE_S, ROW_POINTS
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.store.tables import samples
from room_manager.store.database import Database

Key = tuple[DeviceId, int, int]
"""Device, step, start of the row."""

_c: Final = samples.c
_PRUNE: Final = delete(samples).where(
    _c.device == bindparam("of"), _c.step_s == bindparam("of_step_s"), _c.start < bindparam("before")
)
_REPLACE: Final = delete(samples).where(
    _c.device == bindparam("of"), _c.step_s == bindparam("of_step_s"), _c.start == bindparam("at")
)
KEPT_S: Final = {FINE_S: FINE_KEPT_S, COARSE_S: COARSE_KEPT_S}


async def rows(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, bytes]:
    """Those of these rows that are there."""
    if not keys:
        return {}
    named = tuple_(_c.device, _c.step_s, _c.start)
    found = await connection.execute(select(samples).where(named.in_(keys)))
    return {(row.device, row.step_s, row.start): row.body for row in found}


async def put(connection: AsyncConnection, bodies: Mapping[Key, bytes]) -> None:
    """These rows are as given, whatever they were."""
    if not bodies:
        return
    await connection.execute(
        _REPLACE, [{"of": device, "of_step_s": step_s, "at": start} for device, step_s, start in bodies]
    )
    await connection.execute(
        insert(samples),
        [
            {"device": device, "step_s": step_s, "start": start, "body": body}
            for (device, step_s, start), body in bodies.items()
        ],
    )


async def prune(connection: AsyncConnection, devices: Sequence[DeviceId], now: float) -> None:
    """What is older than it is kept goes."""
    if devices:
        await connection.execute(
            _PRUNE,
            [
                {"of": device, "of_step_s": step_s, "before": int(now) - kept_s}
                for device in devices
                for step_s, kept_s in KEPT_S.items()
            ],
        )


async def between(
    database: Database, device: DeviceId, step_s: int, begins: int, ends: int
) -> list[tuple[int, bytes]]:
    """The rows of one device that touch the stretch, in order."""
    span_s = step_s * ROW_POINTS[step_s]
    async with database.read() as connection:
        found = await connection.execute(
            select(_c.start, _c.body)
            .where(_c.device == device, _c.step_s == step_s, _c.start > begins - span_s, _c.start < ends)
            .order_by(_c.start)
        )
        return [(row.start, row.body) for row in found]
