"""The list of recordings. The files themselves are elsewhere; a deleted one stays on the list as deleted."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from sqlalchemy import delete, insert, select, update

from room_manager.ids import RoomId
from room_manager.store.database import Database
from room_manager.store.rows import struct_of
from room_manager.store.tables import recordings

MAX_LISTED = 1_000


class RecordingState(StrEnum):
    """Where a recording is in its life."""

    RECORDING = "recording"
    READY = "ready"
    DELETED = "deleted"


class RecordingRow(Struct, frozen=True):
    """One file, or what is known of one that is gone."""

    id: str
    room: RoomId
    state: RecordingState
    started_at: datetime
    ended_at: datetime | None = None
    file: str | None = None
    duration_s: float = 0.0
    size_bytes: int = 0
    mended: bool = False
    deleted_at: datetime | None = None
    deleted_by: str | None = None


class RecordingStore:
    """Rows of the list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, recording: str, room: RoomId, at: datetime) -> None:
        """A file is about to be written."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(recordings).values(
                    id=recording,
                    room=room,
                    state=RecordingState.RECORDING,
                    started_at=at,
                    duration_s=0.0,
                    size_bytes=0,
                    mended=False,
                )
            )

    async def finished(
        self, recording: str, at: datetime, file: str, duration_s: float, size_bytes: int, *, mended: bool
    ) -> None:
        """The file is complete under this name. Again is fine."""
        await self._set(
            recording,
            state=RecordingState.READY,
            ended_at=at,
            file=file,
            duration_s=duration_s,
            size_bytes=size_bytes,
            mended=mended,
        )

    async def forget(self, recording: str) -> None:
        """Nothing was recorded; there never was a file."""
        async with self._database.write() as connection:
            await connection.execute(delete(recordings).where(recordings.c.id == recording))

    async def deleted(self, recording: str, at: datetime, by: str) -> None:
        """The file is gone, the line stays."""
        await self._set(recording, state=RecordingState.DELETED, deleted_at=at, deleted_by=by)

    async def get(self, room: RoomId | None, recording: str) -> RecordingRow | None:
        """This recording of this meeting (None: of any)."""
        wanted = _ROWS.where(recordings.c.id == recording)
        if room is not None:
            wanted = wanted.where(recordings.c.room == room)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).mappings().one_or_none()
        return struct_of(RecordingRow, row) if row is not None else None

    async def ended_before(self, at: datetime) -> list[RecordingRow]:
        """Files that are older."""
        wanted = _ROWS.where(recordings.c.state == RecordingState.READY, recordings.c.ended_at < at)
        async with self._database.read() as connection:
            return [
                struct_of(RecordingRow, row)
                for row in (await connection.execute(wanted.limit(MAX_LISTED))).mappings()
            ]

    async def list(
        self, room: RoomId | None = None, state: RecordingState | None = None
    ) -> list[RecordingRow]:
        """The newest first, of one meeting or of all."""
        wanted = _ROWS.order_by(recordings.c.started_at.desc(), recordings.c.id).limit(MAX_LISTED)
        if room is not None:
            wanted = wanted.where(recordings.c.room == room)
        if state is not None:
            wanted = wanted.where(recordings.c.state == state)
        async with self._database.read() as connection:
            return [struct_of(RecordingRow, row) for row in (await connection.execute(wanted)).mappings()]

    async def _set(self, recording: str, **values: object) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(recordings).where(recordings.c.id == recording).values(**values))


_ROWS = select(*(recordings.c[name] for name in RecordingRow.__struct_fields__))
