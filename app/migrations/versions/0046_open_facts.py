"""Open cases of a moment are counted from the index alone.

Revision ID: 0046
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

KEY = ["tenant_id", "span", "known_from"]
COUNTED = [
    "known_until",
    "escalation_id",
    "account_id",
    "status",
    "tier",
    "severity",
    "reopens",
    "due_at",
    "raised_at",
    "day_raised",
    "close_target_at",
]
OPEN = "standing = 'open'"


def upgrade() -> None:
    op.drop_index("ix_case_fact_open", table_name="case_fact")
    op.create_index("ix_case_fact_open", "case_fact", KEY, postgresql_include=COUNTED, postgresql_where=sa.text(OPEN))


def downgrade() -> None:
    op.drop_index("ix_case_fact_open", table_name="case_fact")
    op.create_index("ix_case_fact_open", "case_fact", KEY, postgresql_where=sa.text(OPEN))
