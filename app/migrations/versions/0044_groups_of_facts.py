"""The cases of a group are found by its ultimate parent.

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    below = sa.text("group_id <> account_id")
    op.create_index("ix_case_fact_group", "case_fact", ["tenant_id", "group_id", "known_from"], postgresql_where=below)


def downgrade() -> None:
    op.drop_index("ix_case_fact_group", table_name="case_fact")
