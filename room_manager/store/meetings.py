"""Meetings and who is expected at them. Epoch and head of a room are the journal's, not ours."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct
from sqlalchemy import insert, select, update

from room_manager.ids import RoomId, SiteId
from room_manager.store.database import Database
from room_manager.store.journal import UnknownMeeting
from room_manager.store.rows import struct_of
from room_manager.store.tables import meeting_sites, meetings


class MeetingState(StrEnum):
    """Where a meeting is in its life."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    ENDED = "ended"


class MeetingRow(Struct, frozen=True):
    """One meeting as the list of meetings shows it."""

    id: RoomId
    title: str
    state: MeetingState
    created_at: datetime
    opened_at: datetime | None = None
    ended_at: datetime | None = None


class MeetingStore:
    """What is known of meetings outside their journals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        room: RoomId,
        title: str,
        sites: Iterable[SiteId],
        simulated: frozenset[SiteId] = frozenset(),
    ) -> MeetingRow:
        """The meeting is scheduled, with these units expected (the host is not named: it always is)."""
        row = MeetingRow(room, title, MeetingState.SCHEDULED, created_at=datetime.now(UTC))
        expected = [{"room": room, "code": site, "simulated": site in simulated} for site in sites]
        async with self._database.write() as connection:
            await connection.execute(
                insert(meetings).values(
                    id=room, title=title, state=row.state, created_at=row.created_at, epoch=0, seq=0
                )
            )
            if expected:
                await connection.execute(insert(meeting_sites), expected)
        return row

    async def get(self, room: RoomId) -> MeetingRow:
        """Raises ``UnknownMeeting``."""
        async with self._database.read() as connection:
            row = (await connection.execute(_ROWS.where(meetings.c.id == room))).mappings().one_or_none()
        if row is None:
            raise UnknownMeeting("there is no such meeting")
        return struct_of(MeetingRow, row)

    async def list(self, state: MeetingState | None = None, limit: int = 1_000) -> list[MeetingRow]:
        """The newest meetings first."""
        wanted = _ROWS.order_by(meetings.c.created_at.desc(), meetings.c.id).limit(limit)
        if state is not None:
            wanted = wanted.where(meetings.c.state == state)
        async with self._database.read() as connection:
            return [struct_of(MeetingRow, row) for row in (await connection.execute(wanted)).mappings()]

    async def sites(self, room: RoomId) -> dict[SiteId, bool]:
        """The codes of the units expected, and whether each is simulated."""
        wanted = (
            select(meeting_sites.c.code, meeting_sites.c.simulated)
            .where(meeting_sites.c.room == room)
            .order_by(meeting_sites.c.code)
        )
        async with self._database.read() as connection:
            return {SiteId(row.code): row.simulated for row in await connection.execute(wanted)}

    async def set_simulated(self, room: RoomId, simulated: frozenset[SiteId]) -> None:
        """These of the units expected are simulated, the others are not."""
        of_room = update(meeting_sites).where(meeting_sites.c.room == room)
        async with self._database.write() as connection:
            await connection.execute(of_room.values(simulated=False))
            await connection.execute(
                of_room.where(meeting_sites.c.code.in_(simulated)).values(simulated=True)
            )

    async def mark_open(self, room: RoomId) -> None:
        """The meeting has begun. Again is fine; an ended one stays ended."""
        await self._move(room, MeetingState.SCHEDULED, state=MeetingState.OPEN, opened_at=datetime.now(UTC))

    async def mark_ended(self, room: RoomId) -> None:
        """The meeting is over. Again is fine."""
        await self._move(room, MeetingState.OPEN, state=MeetingState.ENDED, ended_at=datetime.now(UTC))

    async def _move(self, room: RoomId, before: MeetingState, **values: object) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(meetings).where(meetings.c.id == room, meetings.c.state == before).values(**values)
            )


_ROWS = select(
    meetings.c.id,
    meetings.c.title,
    meetings.c.state,
    meetings.c.created_at,
    meetings.c.opened_at,
    meetings.c.ended_at,
)
