"""A moment that becomes final for reports once all who wrote then have ended.

Revision ID: 0049
Revises: 0048
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("report_cursor", sa.Column("marked_transaction", sa.BigInteger(), nullable=True))
    op.add_column("report_cursor", sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("report_cursor", "marked_at")
    op.drop_column("report_cursor", "marked_transaction")
