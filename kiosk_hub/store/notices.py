"""Notices that go out, and where to, in SQL."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import NoticeState
from kiosk_hub.store.tables import fleet_settings, notices

_notice: Final = msgspec.json.Decoder(Notice)
T = TypeVar("T")


async def add(connection: AsyncConnection, new: Sequence[Notice]) -> None:
    if new:
        await connection.execute(insert(notices), [{"id": one.id, **_values(one)} for one in new])


async def put(connection: AsyncConnection, notice: Notice) -> None:
    """It is this now."""
    await connection.execute(notices.update().where(notices.c.id == notice.id).values(**_values(notice)))


def _values(one: Notice) -> dict[str, Any]:
    return {
        "state": one.state,
        "incident": one.incident,
        "route": one.route,
        "created_at": one.created_at,
        "due_at": one.due_at,
        "body": msgspec.json.encode(one),
    }


async def due(
    connection: AsyncConnection, now: float, besides: Iterable[str], busy: Iterable[str], limit: int
) -> list[Notice]:
    """Whose time has come, the longest due first; without these notices, and without these routes."""
    rows = await connection.execute(
        select(notices.c.body)
        .where(
            notices.c.state == NoticeState.WAITING,
            notices.c.due_at <= now,
            notices.c.id.not_in(list(besides)),
            notices.c.route.not_in(list(busy)),
        )
        .order_by(notices.c.due_at, notices.c.id)
        .limit(limit)
    )
    return [_notice.decode(body) for body in rows.scalars()]


async def next_due(connection: AsyncConnection, after: float) -> float | None:
    """When the next one's time comes that is not yet due."""
    found: float | None = (
        await connection.execute(
            select(func.min(notices.c.due_at)).where(
                notices.c.state == NoticeState.WAITING, notices.c.due_at > after
            )
        )
    ).scalar_one()
    return found


async def waiting(connection: AsyncConnection) -> int:
    found: int = (
        await connection.execute(
            select(func.count()).select_from(notices).where(notices.c.state == NoticeState.WAITING)
        )
    ).scalar_one()
    return found


async def get(connection: AsyncConnection, name: str) -> Notice | None:
    body = (await connection.execute(select(notices.c.body).where(notices.c.id == name))).scalar_one_or_none()
    return None if body is None else _notice.decode(body)


async def of_incident(connection: AsyncConnection, incident: str, limit: int = 500) -> list[Notice]:
    """The latest first."""
    rows = await connection.execute(
        select(notices.c.body)
        .where(notices.c.incident == incident)
        .order_by(notices.c.created_at.desc(), notices.c.id)
        .limit(limit)
    )
    return [_notice.decode(body) for body in rows.scalars()]


async def page(
    connection: AsyncConnection, state: NoticeState | None, offset: int, limit: int
) -> tuple[list[Notice], int]:
    """The latest first, and how many there are."""
    wanted = [notices.c.state == state] if state is not None else []
    total = (await connection.execute(select(func.count()).select_from(notices).where(*wanted))).scalar_one()
    rows = await connection.execute(
        select(notices.c.body)
        .where(*wanted)
        .order_by(notices.c.created_at.desc(), notices.c.id)
        .offset(offset)
        .limit(limit)
    )
    return [_notice.decode(body) for body in rows.scalars()], total


async def prune(connection: AsyncConnection, before: float) -> None:
    """What is over and older than that."""
    await connection.execute(
        delete(notices).where(notices.c.state != NoticeState.WAITING, notices.c.created_at < before)
    )


async def setting(connection: AsyncConnection, name: str, kind: type[T], default: T) -> T:
    """A value of the fleet's settings."""
    body = (
        await connection.execute(select(fleet_settings.c.body).where(fleet_settings.c.name == name))
    ).scalar_one_or_none()
    return default if body is None else msgspec.json.decode(body, type=kind)


async def set_setting(connection: AsyncConnection, name: str, value: object) -> None:
    body = msgspec.json.encode(value)
    changed = await connection.execute(
        fleet_settings.update().where(fleet_settings.c.name == name).values(body=body)
    )
    if changed.rowcount == 0:
        await connection.execute(insert(fleet_settings).values(name=name, body=body))
