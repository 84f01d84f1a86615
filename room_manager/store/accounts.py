"""Accounts of city hall, and what role each has in which meeting. Hashing passwords is not done here."""

from datetime import UTC, datetime
from typing import ClassVar

from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from room_manager.errors import DomainError
from room_manager.ids import RoomId
from room_manager.meeting.values import Role
from room_manager.store.database import Database
from room_manager.store.rows import struct_of
from room_manager.store.tables import accounts, memberships


class AccountExists(DomainError):
    """Another account has this name."""

    code: ClassVar[str] = "account-exists"


class UnknownAccount(DomainError):
    """There is no such account."""

    code: ClassVar[str] = "unknown-account"


class Account(Struct, frozen=True):
    """One person of city hall. ``role`` is had in every meeting where no membership says otherwise."""

    name: str
    display_name: str
    password_hash: str
    role: Role | None
    created_at: datetime
    disabled: bool


class AccountStore:
    """Who has an account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, display_name: str, password_hash: str, role: Role | None) -> Account:
        """Raises ``AccountExists``."""
        account = Account(name, display_name, password_hash, role, datetime.now(UTC), disabled=False)
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert(accounts).values(
                        name=name,
                        display_name=display_name,
                        password_hash=password_hash,
                        role=role,
                        created_at=account.created_at,
                        disabled=False,
                    )
                )
        except IntegrityError:
            raise AccountExists(f"an account with the name {name} is already there") from None
        return account

    async def get(self, name: str) -> Account | None:
        """None: there is no such account. A disabled one is found, and says so."""
        async with self._database.read() as connection:
            found = await connection.execute(select(accounts).where(accounts.c.name == name))
            row = found.mappings().one_or_none()
        return None if row is None else struct_of(Account, row)

    async def all(self) -> list[Account]:
        """Every account, by name."""
        async with self._database.read() as connection:
            found = await connection.execute(select(accounts).order_by(accounts.c.name))
            return [struct_of(Account, row) for row in found.mappings()]

    async def count(self) -> int:
        async with self._database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(accounts)) or 0

    async def set_password_hash(self, name: str, password_hash: str) -> None:
        """Raises ``UnknownAccount``."""
        await self._set(name, password_hash=password_hash)

    async def set_disabled(self, name: str, disabled: bool) -> None:
        """Raises ``UnknownAccount``. Sessions are ended by ``SessionStore.end_all``."""
        await self._set(name, disabled=disabled)

    async def set_membership(self, room: RoomId, name: str, role: Role | None) -> None:
        """In this meeting the account has this role; None: what its account says."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(memberships).where(memberships.c.room == room, memberships.c.account == name)
            )
            if role is not None:
                await connection.execute(insert(memberships).values(room=room, account=name, role=role))

    async def role_in(self, room: RoomId, name: str) -> Role | None:
        """The role in this meeting; None: none, or no such account, or a disabled one."""
        wanted = (
            select(func.coalesce(memberships.c.role, accounts.c.role))
            .select_from(
                accounts.outerjoin(
                    memberships,
                    (memberships.c.account == accounts.c.name) & (memberships.c.room == room),
                )
            )
            .where(accounts.c.name == name, accounts.c.disabled.is_(False))
        )
        async with self._database.read() as connection:
            role = await connection.scalar(wanted)
        return None if role is None else Role(role)

    async def memberships(self, name: str) -> dict[RoomId, Role]:
        """The meetings in which a membership gives this account a role of its own."""
        wanted = select(memberships.c.room, memberships.c.role).where(memberships.c.account == name)
        async with self._database.read() as connection:
            return {RoomId(row.room): Role(row.role) for row in await connection.execute(wanted)}

    async def _set(self, name: str, **values: object) -> None:
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(accounts).where(accounts.c.name == name).values(**values)
            )
        if changed.rowcount == 0:
            raise UnknownAccount(f"there is no account {name}")
