"""An account's cases: the open ones by due time, and what has ended with all that counting it asks for.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_escalation_account_standing",
        "escalation",
        ["tenant_id", "account_id", "due_at", "id"],
        postgresql_where=sa.text("status IN ('requested', 'open', 'in_progress', 'waiting', 'resolved')"),
    )
    op.create_index(
        "ix_escalation_account_ended",
        "escalation",
        ["tenant_id", "account_id", sa.text("raised_at DESC"), sa.text("id DESC")],
        postgresql_include=[
            "status",
            "outcome",
            "closed_at",
            "close_target_at",
            "owner_id",
            "about_user_id",
            "restricted",
        ],
        postgresql_where=sa.text("status IN ('closed', 'merged', 'declined')"),
    )
