"""What a person has done, the last first.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ["tenant_id", "assignee_id", "ended_at"]
    op.create_index("ix_task_ended", "task", columns, postgresql_where=sa.text("state <> 'open'"))


def downgrade() -> None:
    op.drop_index("ix_task_ended", table_name="task")
