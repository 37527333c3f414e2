"""Cases that may be the same again: likeness of texts, and recent outages by their time.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public")
    op.create_index(
        "ix_escalation_outage",
        "escalation",
        ["tenant_id", "raised_at"],
        postgresql_where=sa.text("reason = 'prolonged_outage'"),
    )
