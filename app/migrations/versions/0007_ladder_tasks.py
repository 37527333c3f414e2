"""Tasks that a ladder makes, and the one by which management is asked to decide.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = "kind IN ('intake', 'qualification', 'customer_message', 'handover', 'manual'"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_task_kind"), "task", type_="check")
    op.create_check_constraint(op.f("ck_task_kind"), "task", f"{KINDS}, 'ladder', 'decision')")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_task_kind"), "task", type_="check")
    op.create_check_constraint(op.f("ck_task_kind"), "task", f"{KINDS})")
