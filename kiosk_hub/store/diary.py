"""What happened to each device, in SQL: its log, its statuses, its counts of sessions."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.news import Sessions
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import Status
from kiosk_hub.store.tables import device_log, session_counts, status_changes
from room_manager.store.database import Database

LOG_KEPT_S: Final = 90 * 86_400.0
STATUS_KEPT_S: Final = 60 * 86_400.0
SESSIONS_KEPT_HOURS: Final = 400 * 24


Level = Literal["info", "warning", "error"]


class Line(Struct, frozen=True, omit_defaults=True):
    """One line of a log."""

    level: Level
    code: str
    text: str = ""
    by: str = ""
    reason: Reason | None = None


class StatusChange(Struct, frozen=True):
    """It has been so since then."""

    status: Status
    reason: Reason | None = None


class Noted(Struct, frozen=True):
    """A line with where it belongs. ``seq`` orders the lines of a device and is used once."""

    device: DeviceId
    seq: int
    at: float
    line: Line


class Turned(Struct, frozen=True):
    """A change of status with where it belongs."""

    device: DeviceId
    at: float
    change: StatusChange


async def add_lines(connection: AsyncConnection, noted: Sequence[Noted]) -> None:
    if noted:
        await connection.execute(
            insert(device_log),
            [
                {"device": one.device, "seq": one.seq, "at": one.at, "body": msgspec.json.encode(one.line)}
                for one in noted
            ],
        )


_SAME: Final = delete(status_changes).where(
    status_changes.c.device == bindparam("of"), status_changes.c.at == bindparam("then")
)


async def add_changes(connection: AsyncConnection, turned: Sequence[Turned]) -> None:
    """Of two changes of one instant the later told holds."""
    newest = {(one.device, one.at): one for one in turned}
    if newest:
        await connection.execute(_SAME, [{"of": device, "then": at} for device, at in newest])
        await connection.execute(
            insert(status_changes),
            [
                {"device": one.device, "at": one.at, "body": msgspec.json.encode(one.change)}
                for one in newest.values()
            ],
        )


async def lines(
    database: Database, device: DeviceId, most: int, before: float | None = None
) -> list[tuple[float, Line]]:
    """The newest first."""
    wanted = select(device_log.c.at, device_log.c.body).where(device_log.c.device == device)
    if before is not None:
        wanted = wanted.where(device_log.c.at < before)
    wanted = wanted.order_by(device_log.c.at.desc(), device_log.c.seq.desc()).limit(most)
    async with database.read() as connection:
        return [
            (row.at, msgspec.json.decode(row.body, type=Line)) for row in await connection.execute(wanted)
        ]


async def changes(database: Database, device: DeviceId, since: float) -> list[tuple[float, StatusChange]]:
    """Those after ``since``, in order, and the one that held then."""
    c = status_changes.c
    async with database.read() as connection:
        held = await connection.execute(
            select(c.at, c.body).where(c.device == device, c.at <= since).order_by(c.at.desc()).limit(1)
        )
        later = await connection.execute(
            select(c.at, c.body).where(c.device == device, c.at > since).order_by(c.at)
        )
        rows = [*held, *later]
    return [(row.at, msgspec.json.decode(row.body, type=StatusChange)) for row in rows]


async def count_sessions(connection: AsyncConnection, device: DeviceId, more: Sessions) -> None:
    """Add to the hour's counts: a device that restarts within an hour tells that hour in parts."""
    c = session_counts.c
    row = (
        await connection.execute(select(c.body).where(c.device == device, c.hour == more.hour))
    ).one_or_none()
    if row is None:
        await connection.execute(
            insert(session_counts).values(device=device, hour=more.hour, body=msgspec.json.encode(more))
        )
        return
    before = msgspec.json.decode(row.body, type=Sessions)
    counts: dict[str, Any] = {
        name: getattr(before, name) + getattr(more, name)
        for name in Sessions.__struct_fields__
        if name != "hour"
    }
    both = Sessions(hour=more.hour, **counts)
    await connection.execute(
        update(session_counts)
        .where(c.device == device, c.hour == more.hour)
        .values(body=msgspec.json.encode(both))
    )


async def sessions(database: Database, device: DeviceId, since_hour: int) -> list[Sessions]:
    """In order; hours in which nothing was told are left out."""
    c = session_counts.c
    async with database.read() as connection:
        rows = await connection.execute(
            select(c.body).where(c.device == device, c.hour >= since_hour).order_by(c.hour)
        )
        return [msgspec.json.decode(row.body, type=Sessions) for row in rows]


_OLD_HOURS: Final = delete(session_counts).where(
    session_counts.c.device == bindparam("of"), session_counts.c.hour < bindparam("before")
)


async def prune(connection: AsyncConnection, devices: Sequence[DeviceId], now: float) -> None:
    """What is older than it is kept goes."""
    await connection.execute(delete(device_log).where(device_log.c.at < now - LOG_KEPT_S))
    await connection.execute(delete(status_changes).where(status_changes.c.at < now - STATUS_KEPT_S))
    if devices:
        before = int(now // 3600) - SESSIONS_KEPT_HOURS
        await connection.execute(_OLD_HOURS, [{"of": device, "before": before} for device in devices])
