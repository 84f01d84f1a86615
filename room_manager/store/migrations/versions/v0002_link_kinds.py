"""Links for encoders and players beside those for pages."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("links", sa.Column("kind", sa.Text, nullable=False, server_default="page"))


def downgrade() -> None:
    op.drop_column("links", "kind")
