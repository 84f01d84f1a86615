"""Saved views of the list, each one person's own."""

from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select

from kiosk_hub.store.tables import fleet_views
from room_manager.errors import DomainError
from room_manager.store.database import Database

MOST_VIEWS: Final = 50  # of one person


class TooManyViews(DomainError):
    """This person has saved as many as are kept."""

    code: ClassVar[str] = "too-many-views"


class SavedView(Struct, frozen=True):
    """Filters of the list under a name."""

    id: str
    name: str
    query: str


async def of(database: Database, account: str) -> Sequence[SavedView]:
    """In the order they were saved."""
    async with database.read() as connection:
        rows = await connection.execute(select(fleet_views.c.body).where(fleet_views.c.account == account))
        kept = [msgspec.json.decode(row.body, type=_Kept) for row in rows]
    return sorted(kept, key=lambda one: one.at)


class _Kept(SavedView, frozen=True):
    at: float = 0.0


async def add(database: Database, account: str, view: SavedView, at: float) -> None:
    """Raises ``TooManyViews``, or what the store raises."""
    body = msgspec.json.encode(_Kept(view.id, view.name, view.query, at))
    async with database.write() as connection:
        count = select(func.count()).select_from(fleet_views).where(fleet_views.c.account == account)
        if (await connection.scalar(count) or 0) >= MOST_VIEWS:
            raise TooManyViews(f"at most {MOST_VIEWS} views; delete one first")
        await connection.execute(insert(fleet_views).values(id=view.id, account=account, body=body))


async def forget(database: Database, account: str, view: str) -> bool:
    """False: this person has no such view."""
    async with database.write() as connection:
        gone = await connection.execute(
            delete(fleet_views).where(fleet_views.c.id == view, fleet_views.c.account == account)
        )
    return bool(gone.rowcount)
