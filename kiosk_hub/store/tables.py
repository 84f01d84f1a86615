"""The fleet's tables, beside those of ``room_manager.store.tables`` in one schema.

Columns are what is looked up by; ``body`` is the whole value as JSON, so that a new field of a struct needs
no
migration. A value and the audit entry that says who changed it are written in one transaction.
"""

from typing import Final

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text

from room_manager.store.tables import metadata

devices: Final = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
)

enrolments: Final = Table(
    "enrolments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("ix_enrolments_fingerprint", enrolments.c.fingerprint)

preauthorised: Final = Table(
    "preauthorised",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

last_facts: Final = Table(
    "last_facts",
    metadata,
    Column("device", Text, ForeignKey("devices.id"), primary_key=True),
    Column("at", Float, nullable=False),  # seconds, UTC, when it was heard
    Column("body", LargeBinary, nullable=False),  # what a restart must know to judge as before
)

samples: Final = Table(
    "samples",
    metadata,
    Column("device", Text, ForeignKey("devices.id"), primary_key=True),
    Column("step_s", Integer, primary_key=True, autoincrement=False),  # how far apart its points are
    Column("start", Integer, primary_key=True, autoincrement=False),  # seconds, UTC, of the first point
    Column("body", LargeBinary, nullable=False),  # many points in one row
    sqlite_with_rowid=False,
)

incidents: Final = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("scope", Text, nullable=False),  # a device, a building, a unit …, by its key
    Column("district", Text, nullable=False),  # code; empty: none, or all
    Column("ill", Integer, nullable=False),  # devices it covers that are not well
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),
    Column("body", LargeBinary, nullable=False),  # its row on the board
)
Index("ix_incidents_state", incidents.c.state)
Index("ix_incidents_closed_at", incidents.c.closed_at)

incident_events: Final = Table(
    "incident_events",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

notices: Final = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("incident", Text),  # what it is about; none: a digest
    Column("route", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("ix_notices_state", notices.c.state, notices.c.due_at)
Index("ix_notices_incident", notices.c.incident)
Index("ix_notices_created_at", notices.c.created_at)

commands: Final = Table(
    "commands",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", Text, ForeignKey("devices.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("bulk", Text),
    Column("request_key", Text, unique=True),  # of whoever asked: asking twice is asking once
    Column("created_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("ix_commands_device", commands.c.device)
Index("ix_commands_state", commands.c.state)
Index("ix_commands_bulk", commands.c.bulk)
Index("ix_commands_created_at", commands.c.created_at)

bulks: Final = Table(
    "bulks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request_key", Text, unique=True),
    Column("created_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("ix_bulks_created_at", bulks.c.created_at)

evidence: Final = Table(
    "evidence",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", Text, ForeignKey("devices.id"), nullable=False),
    Column("command", Text),
    Column("kind", Text, nullable=False),
    Column("taken_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),  # what is known of the file; the file is in a folder
)
Index("ix_evidence_device", evidence.c.device)
Index("ix_evidence_command", evidence.c.command)

reports: Final = Table(
    "reports",
    metadata,
    Column("device", Text, ForeignKey("devices.id"), primary_key=True),
    Column("key", Text, primary_key=True),  # the device's own; a report told twice is kept once
    Column("heard_at", Float, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_reports_heard_at", reports.c.heard_at)

device_log: Final = Table(
    "device_log",
    metadata,
    Column("device", Text, ForeignKey("devices.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_device_log_at", device_log.c.at)

status_changes: Final = Table(
    "status_changes",
    metadata,
    Column("device", Text, ForeignKey("devices.id"), primary_key=True),
    Column("at", Float, primary_key=True),  # seconds, UTC, when it became so
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_status_changes_at", status_changes.c.at)

session_counts: Final = Table(
    "session_counts",
    metadata,
    Column("device", Text, ForeignKey("devices.id"), primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),  # hours since 1970, UTC
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

bundles: Final = Table(
    "bundles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("added_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

rollouts: Final = Table(
    "rollouts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

rollout_devices: Final = Table(
    "rollout_devices",
    metadata,
    Column("rollout", Text, ForeignKey("rollouts.id"), primary_key=True),
    Column("device", Text, ForeignKey("devices.id"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_rollout_devices_device", rollout_devices.c.device)

audit: Final = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("account", Text, nullable=False),  # empty: the server itself
    Column("action", Text, nullable=False),
    Column("device", Text),  # no reference: an entry outlives everything
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # of this entry and the hash before it
)
Index("ix_audit_at", audit.c.at)
Index("ix_audit_device", audit.c.device)
Index("ix_audit_account", audit.c.account)

fleet_roles: Final = Table(
    "fleet_roles",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("districts", Text, nullable=False),  # codes with spaces between
)

fleet_views: Final = Table(
    "fleet_views",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name"), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("ix_fleet_views_account", fleet_views.c.account)

fleet_settings: Final = Table(
    "fleet_settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
