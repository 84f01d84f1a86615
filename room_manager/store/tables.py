"""The tables as SQLAlchemy sees them. ``migrations`` make the schema; a test keeps both equal."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)


class Utc(TypeDecorator[datetime]):
    """An aware UTC datetime, also where the database keeps no zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meetings: Final = Table(
    "meetings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column(
        "state", Text, CheckConstraint("state IN ('scheduled', 'open', 'ended')", "state"), nullable=False
    ),
    Column("created_at", Utc, nullable=False),
    Column("opened_at", Utc),
    Column("ended_at", Utc),
    Column("epoch", Integer, nullable=False),  # counts owners; a write must carry the newest
    Column("seq", Integer, nullable=False),  # of the last event in the journal
)

events: Final = Table(
    "events",
    metadata,
    Column("room", Text, ForeignKey("meetings.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("at", Float, nullable=False),  # seconds on the room's clock, UTC
    Column("by", Text, nullable=False),  # who asked; empty: the server
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the event as JSON
    sqlite_with_rowid=False,
)

meeting_sites: Final = Table(
    "meeting_sites",
    metadata,
    Column("room", Text, ForeignKey("meetings.id"), primary_key=True),
    Column("code", Text, primary_key=True),
    Column("simulated", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

units: Final = Table(
    "units",
    metadata,
    Column("code", Text, primary_key=True),
    Column("valid_from", Text, primary_key=True),  # YYYY-MM-DD; empty: since ever
    Column("valid_to", Text),  # the last day
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("district_code", Text, nullable=False),
    Column("district_name", Text, nullable=False),
    Column("district_full_name", Text, nullable=False),
    Column("sort_key", Text, nullable=False),  # Vietnamese order, by comparing as text
    sqlite_with_rowid=False,
)
Index("ix_units_sort_key", units.c.sort_key)

accounts: Final = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", Text),  # in every meeting where no membership says otherwise
    Column("created_at", Utc, nullable=False),
    Column("disabled", Boolean, nullable=False),
)

memberships: Final = Table(
    "memberships",
    metadata,
    Column("room", Text, ForeignKey("meetings.id"), primary_key=True),
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("role", Text, nullable=False),
)
Index("ix_memberships_account", memberships.c.account)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("last_seen_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
)
Index("ix_sessions_account", sessions.c.account)
Index("ix_sessions_expires_at", sessions.c.expires_at)

links: Final = Table(
    "links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("room", Text, ForeignKey("meetings.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("site", Text),
    Column("device", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("revoked_at", Utc),
    Column("kind", Text, nullable=False, server_default="page"),
)
Index("ix_links_room", links.c.room)

recordings: Final = Table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("room", Text, ForeignKey("meetings.id"), nullable=False),
    Column(
        "state", Text, CheckConstraint("state IN ('recording', 'ready', 'deleted')", "state"), nullable=False
    ),
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("file", Text),  # its name in the folder of recordings, once it is finished
    Column("duration_s", Float, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("mended", Boolean, nullable=False),  # a crash cut it off; it ends with the last whole cluster
    Column("deleted_at", Utc),
    Column("deleted_by", Text),
)
Index("ix_recordings_room", recordings.c.room)

secrets: Final = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
