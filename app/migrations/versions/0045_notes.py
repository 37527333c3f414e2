"""A note of an account keeps how its health moved, and of who wrote only what waits for an answer.

Revision ID: 0045
Revises: 0044
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("TRUNCATE account_fact")
    op.drop_column("account_fact", "heard_at")
    op.drop_column("account_fact", "told_at")
    op.add_column("account_fact", sa.Column("healths", postgresql.JSONB(), nullable=False))


def downgrade() -> None:
    op.execute("TRUNCATE account_fact")
    op.drop_column("account_fact", "healths")
    op.add_column("account_fact", sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account_fact", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
