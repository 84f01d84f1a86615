"""Links by which a site's devices enter. The signature is checked elsewhere; here is what it refers to."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import insert, select, update

from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Device, LinkKind, Role
from room_manager.store.database import Database
from room_manager.store.rows import struct_of
from room_manager.store.tables import links


class Link(Struct, frozen=True):
    """Whoever shows it is this member of this meeting, until it expires or is revoked."""

    id: str
    room: RoomId
    role: Role
    site: SiteId | None
    device: Device | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    kind: LinkKind = LinkKind.PAGE


class LinkStore:
    """The links that have been given out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, link: Link) -> None:
        await self.add_all([link])

    async def add_all(self, new: list[Link]) -> None:
        """All of them or none."""
        if not new:
            return
        rows = [{field: getattr(link, field) for field in Link.__struct_fields__} for link in new]
        async with self._database.write() as connection:
            await connection.execute(insert(links), rows)

    async def get(self, link_id: str, now: datetime) -> Link | None:
        """None: unknown, expired or revoked."""
        wanted = select(links).where(
            links.c.id == link_id, links.c.expires_at > now, links.c.revoked_at.is_(None)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).mappings().one_or_none()
        return None if row is None else struct_of(Link, row)

    async def list(
        self, room: RoomId, now: datetime, offset: int = 0, limit: int = 100, site: SiteId | None = None
    ) -> list[Link]:
        """Those that still open the door, the newest first; of one site only, if one is named."""
        of_site = (links.c.site == site,) if site is not None else ()
        wanted = (
            select(links)
            .where(links.c.room == room, links.c.expires_at > now, links.c.revoked_at.is_(None), *of_site)
            .order_by(links.c.created_at.desc(), links.c.id)
            .offset(offset)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [struct_of(Link, row) for row in (await connection.execute(wanted)).mappings()]

    async def revoke(self, room: RoomId, link_id: str, now: datetime) -> bool:
        """False: this meeting has no such link, or it has been revoked before."""
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(links)
                .where(links.c.id == link_id, links.c.room == room, links.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )
        return changed.rowcount > 0

    async def revoked(self, now: datetime) -> set[str]:
        """The links that would still open the door, had they not been revoked."""
        wanted = select(links.c.id).where(links.c.revoked_at.is_not(None), links.c.expires_at > now)
        async with self._database.read() as connection:
            return set(await connection.scalars(wanted))
