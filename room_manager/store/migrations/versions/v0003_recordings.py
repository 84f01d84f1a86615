"""What was recorded of which meeting."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

UTC_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", UTC_TIME, nullable=False),
        sa.Column("ended_at", UTC_TIME),
        sa.Column("file", sa.Text),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("mended", sa.Boolean, nullable=False),
        sa.Column("deleted_at", UTC_TIME),
        sa.Column("deleted_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
        sa.ForeignKeyConstraint(["room"], ["meetings.id"], name="fk_recordings_room"),
        sa.CheckConstraint("state IN ('recording', 'ready', 'deleted')", name="ck_recordings_state"),
    )
    op.create_index("ix_recordings_room", "recordings", ["room"])


def downgrade() -> None:
    op.drop_table("recordings")
