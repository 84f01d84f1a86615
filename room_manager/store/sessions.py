"""Log-in sessions. Only the hash of a token is kept: who reads the database cannot log in with it."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete, insert, select, update

from room_manager.store.database import Database
from room_manager.store.rows import struct_of
from room_manager.store.tables import accounts, sessions


class Session(Struct, frozen=True):
    """One log-in of one account in one browser."""

    token_hash: bytes
    account: str
    csrf: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class SessionStore:
    """Who is logged in. Every method that depends on time is given it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, session: Session) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                insert(sessions).values(
                    token_hash=session.token_hash,
                    account=session.account,
                    csrf=session.csrf,
                    created_at=session.created_at,
                    last_seen_at=session.last_seen_at,
                    expires_at=session.expires_at,
                )
            )

    async def get(self, token_hash: bytes, now: datetime) -> Session | None:
        """None: unknown, expired, or its account is disabled."""
        wanted = (
            select(sessions)
            .join(accounts, accounts.c.name == sessions.c.account)
            .where(
                sessions.c.token_hash == token_hash,
                sessions.c.expires_at > now,
                accounts.c.disabled.is_(False),
            )
        )
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).mappings().one_or_none()
        return None if row is None else struct_of(Session, row)

    async def touch(self, token_hash: bytes, now: datetime, expires_at: datetime) -> None:
        """The session was used now and lasts until then."""
        async with self._database.write() as connection:
            await connection.execute(
                update(sessions)
                .where(sessions.c.token_hash == token_hash)
                .values(last_seen_at=now, expires_at=expires_at)
            )

    async def end(self, token_hash: bytes) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    async def end_all(self, account: str) -> None:
        """The account is logged out everywhere."""
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.account == account))

    async def forget_expired(self, now: datetime) -> int:
        """How many were forgotten."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
        return gone.rowcount
