"""Restricted cases by account: few, so that who may see which is asked of them alone.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_escalation_account_restricted",
        "escalation",
        ["tenant_id", "account_id"],
        postgresql_where=sa.text("restricted"),
    )
