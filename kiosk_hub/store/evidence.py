"""What is known of each piece of evidence; the files are in a folder
(:mod:`kiosk_hub.services.evidence_intake`)."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.ids import CommandId, DeviceId, EvidenceId
from kiosk_hub.store.tables import evidence


class Piece(Struct, frozen=True):
    """One file that a device sent. ``at``: seconds, UTC, when it was taken in."""

    id: EvidenceId
    device: DeviceId
    command: CommandId
    kind: Literal["screenshot", "log"]
    sha256: str
    length_bytes: int
    at: float
    file: str  # its name in the folder, chosen by us


async def add(connection: AsyncConnection, piece: Piece) -> None:
    await connection.execute(
        insert(evidence).values(
            id=piece.id,
            device=piece.device,
            command=piece.command,
            kind=piece.kind,
            taken_at=piece.at,
            body=msgspec.json.encode(piece),
        )
    )


async def get(connection: AsyncConnection, id: EvidenceId) -> Piece | None:
    row = (await connection.execute(select(evidence.c.body).where(evidence.c.id == id))).one_or_none()
    return msgspec.json.decode(row.body, type=Piece) if row is not None else None


async def of_command(connection: AsyncConnection, command: CommandId) -> list[Piece]:
    """The oldest first."""
    wanted = select(evidence.c.body).where(evidence.c.command == command).order_by(evidence.c.taken_at)
    return [msgspec.json.decode(row.body, type=Piece) for row in await connection.execute(wanted)]


async def of_commands(connection: AsyncConnection, commands: Sequence[CommandId]) -> list[Piece]:
    """The oldest first."""
    wanted = select(evidence.c.body).where(evidence.c.command.in_(commands)).order_by(evidence.c.taken_at)
    return [msgspec.json.decode(row.body, type=Piece) for row in await connection.execute(wanted)]


async def how_many(connection: AsyncConnection, command: CommandId) -> int:
    found = await connection.scalar(select(func.count()).where(evidence.c.command == command))
    return int(found or 0)


async def older_than(connection: AsyncConnection, before: float, most: int) -> list[Piece]:
    wanted = (
        select(evidence.c.body).where(evidence.c.taken_at < before).order_by(evidence.c.taken_at).limit(most)
    )
    return [msgspec.json.decode(row.body, type=Piece) for row in await connection.execute(wanted)]


async def forget(connection: AsyncConnection, id: EvidenceId) -> None:
    await connection.execute(delete(evidence).where(evidence.c.id == id))


async def files(connection: AsyncConnection) -> set[str]:
    """The names of all files that have a row."""
    rows = await connection.execute(select(evidence.c.body))
    return {msgspec.json.decode(row.body, type=Piece).file for row in rows}
