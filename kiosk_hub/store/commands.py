"""Commands in SQL."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.acts import name_of
from kiosk_hub.fleet.commands import OPEN, Command, CommandState
from kiosk_hub.fleet.ids import BulkId, CommandId, DeviceId
from kiosk_hub.store.tables import commands

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Command)


async def add(connection: AsyncConnection, new: Sequence[Command], request_key: str | None = None) -> None:
    """In the caller's transaction. A key that another command has is refused by the database."""
    if new:
        rows: list[dict[str, Any]] = [
            {
                "id": command.id,
                "device": command.device,
                "state": command.state,
                "act": name_of(command.do),
                "bulk": command.bulk,
                "request_key": request_key,
                "created_at": command.created_at,
                "body": _encoder.encode(command),
            }
            for command in new
        ]
        await connection.execute(insert(commands), rows)


async def put(connection: AsyncConnection, changed: Iterable[Command]) -> None:
    """Each of them is this now."""
    rows = [
        {"key": command.id, "new_state": command.state, "new_body": _encoder.encode(command)}
        for command in changed
    ]
    if rows:
        wanted = (
            update(commands)
            .where(commands.c.id == bindparam("key"))
            .values(state=bindparam("new_state"), body=bindparam("new_body"))
        )
        await connection.execute(wanted, rows)


async def get(connection: AsyncConnection, command: CommandId) -> Command | None:
    found = await connection.execute(select(commands.c.body).where(commands.c.id == command))
    row = found.one_or_none()
    return None if row is None else _decoder.decode(row.body)


async def by_request(connection: AsyncConnection, request_key: str) -> Command | None:
    found = await connection.execute(select(commands.c.body).where(commands.c.request_key == request_key))
    row = found.one_or_none()
    return None if row is None else _decoder.decode(row.body)


async def all_open(connection: AsyncConnection) -> list[Command]:
    """The oldest first."""
    rows = await connection.execute(
        select(commands.c.body).where(commands.c.state.in_(OPEN)).order_by(commands.c.created_at)
    )
    return [_decoder.decode(row.body) for row in rows]


async def newest(
    connection: AsyncConnection,
    *,
    device: DeviceId | None = None,
    devices: Sequence[DeviceId] | None = None,
    bulk: BulkId | None = None,
    states: Iterable[CommandState] = (),
    act: str = "",
    before: CommandId | None = None,
    since: float | None = None,
    limit: int,
) -> list[Command]:
    """The newest first; ``devices`` None: of any; ``before``: those that come after this one in the list."""
    wanted = select(commands.c.body).limit(limit)
    wanted = wanted.order_by(commands.c.created_at.desc(), commands.c.id.desc())
    if device is not None:
        wanted = wanted.where(commands.c.device == device)
    if devices is not None:
        wanted = wanted.where(commands.c.device.in_(devices))
    if bulk is not None:
        wanted = wanted.where(commands.c.bulk == bulk)
    if states:
        wanted = wanted.where(commands.c.state.in_(list(states)))
    if act:
        wanted = wanted.where(commands.c.act == act)
    if before is not None:
        at = select(commands.c.created_at).where(commands.c.id == before).scalar_subquery()
        wanted = wanted.where(
            (commands.c.created_at < at) | ((commands.c.created_at == at) & (commands.c.id < before))
        )
    if since is not None:
        wanted = wanted.where(commands.c.created_at >= since)
    rows = await connection.execute(wanted)
    return [_decoder.decode(row.body) for row in rows]


async def count_by_state(connection: AsyncConnection, bulk: BulkId) -> dict[CommandState, int]:
    rows = await connection.execute(
        select(commands.c.state, func.count().label("many"))
        .where(commands.c.bulk == bulk)
        .group_by(commands.c.state)
    )
    return {CommandState(row.state): row.many for row in rows}
