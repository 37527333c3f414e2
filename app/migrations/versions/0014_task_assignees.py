"""A person's open tasks, for the calendar of what they do on cases of others.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ["tenant_id", "assignee_id"]
    op.create_index("ix_task_assignee", "task", columns, postgresql_where=sa.text("state = 'open'"))


def downgrade() -> None:
    op.drop_index("ix_task_assignee", table_name="task")
