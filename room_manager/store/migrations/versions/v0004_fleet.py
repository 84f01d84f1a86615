"""The fleet: devices, their health, commands, incidents, rollouts, and the audit."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_AUDIT_IS_APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "sqlite": (
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
        """CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
        # Also stops INSERT OR REPLACE, which deletes without the trigger above.
        """CREATE TRIGGER audit_grows_at_its_end BEFORE INSERT ON audit
        WHEN new.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit grows at its end'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$""",
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    ),
}
"""So that no code of ours, however wrong, rewrites it."""


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("fingerprint", name="uq_devices_fingerprint"),
    )
    op.create_table(
        "enrolments",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_enrolments"),
    )
    op.create_index("ix_enrolments_fingerprint", "enrolments", ["fingerprint"])
    op.create_table(
        "preauthorised",
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_preauthorised"),
    )
    op.create_table(
        "last_facts",
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("device", name="pk_last_facts"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_last_facts_device"),
    )
    op.create_table(
        "samples",
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("step_s", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("start", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("device", "step_s", "start", name="pk_samples"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_samples_device"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("district", sa.Text, nullable=False),
        sa.Column("ill", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("closed_at", sa.Float),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_closed_at", "incidents", ["closed_at"])
    op.create_index("ix_incidents_state", "incidents", ["state"])
    op.create_table(
        "incident_events",
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("incident", "seq", name="pk_incident_events"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_incident_events_incident"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("incident", sa.Text),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_created_at", "notices", ["created_at"])
    op.create_index("ix_notices_incident", "notices", ["incident"])
    op.create_index("ix_notices_state", "notices", ["state", "due_at"])
    op.create_table(
        "commands",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("bulk", sa.Text),
        sa.Column("request_key", sa.Text),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_commands_device"),
        sa.UniqueConstraint("request_key", name="uq_commands_request_key"),
    )
    op.create_index("ix_commands_bulk", "commands", ["bulk"])
    op.create_index("ix_commands_created_at", "commands", ["created_at"])
    op.create_index("ix_commands_device", "commands", ["device"])
    op.create_index("ix_commands_state", "commands", ["state"])
    op.create_table(
        "bulks",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("request_key", sa.Text),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bulks"),
        sa.UniqueConstraint("request_key", name="uq_bulks_request_key"),
    )
    op.create_index("ix_bulks_created_at", "bulks", ["created_at"])
    op.create_table(
        "evidence",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("command", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("taken_at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_evidence_device"),
    )
    op.create_index("ix_evidence_command", "evidence", ["command"])
    op.create_index("ix_evidence_device", "evidence", ["device"])
    op.create_table(
        "reports",
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("heard_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("device", "key", name="pk_reports"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_reports_device"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reports_heard_at", "reports", ["heard_at"])
    op.create_table(
        "device_log",
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("device", "seq", name="pk_device_log"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_device_log_device"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_device_log_at", "device_log", ["at"])
    op.create_table(
        "status_changes",
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("device", "at", name="pk_status_changes"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_status_changes_device"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_status_changes_at", "status_changes", ["at"])
    op.create_table(
        "session_counts",
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("hour", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("device", "hour", name="pk_session_counts"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_session_counts_device"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bundles",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("added_at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bundles"),
    )
    op.create_table(
        "rollouts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollouts"),
    )
    op.create_table(
        "rollout_devices",
        sa.Column("rollout", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("rollout", "device", name="pk_rollout_devices"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_rollout_devices_device"),
        sa.ForeignKeyConstraint(["rollout"], ["rollouts.id"], name="fk_rollout_devices_rollout"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rollout_devices_device", "rollout_devices", ["device"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("device", sa.Text),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_device", "audit", ["device"])
    op.create_index("ix_audit_account", "audit", ["account"])
    for statement in _AUDIT_IS_APPEND_ONLY[op.get_context().dialect.name]:
        op.execute(statement)
    op.create_table(
        "fleet_roles",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("districts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_fleet_roles"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_fleet_roles_account"),
    )
    op.create_table(
        "fleet_views",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_views"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_fleet_views_account"),
    )
    op.create_index("ix_fleet_views_account", "fleet_views", ["account"])
    op.create_table(
        "fleet_settings",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_fleet_settings"),
    )


def downgrade() -> None:
    op.drop_table("fleet_settings")
    op.drop_table("fleet_views")
    op.drop_table("fleet_roles")
    op.drop_table("audit")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_append_only()")
    op.drop_table("rollout_devices")
    op.drop_table("rollouts")
    op.drop_table("bundles")
    op.drop_table("session_counts")
    op.drop_table("status_changes")
    op.drop_table("device_log")
    op.drop_table("reports")
    op.drop_table("evidence")
    op.drop_table("bulks")
    op.drop_table("commands")
    op.drop_table("notices")
    op.drop_table("incident_events")
    op.drop_table("incidents")
    op.drop_table("samples")
    op.drop_table("last_facts")
    op.drop_table("preauthorised")
    op.drop_table("enrolments")
    op.drop_table("devices")
