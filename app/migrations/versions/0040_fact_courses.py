"""What facts say besides: the chain of owners, waits by party, late acknowledgement, root cause, prevention.

Facts and sums are made anew by the worker; until then reports answer that they are being made.

Revision ID: 0040
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

ANEW = (
    "TRUNCATE case_fact, cohort_day",
    'ALTER TABLE "report_cursor" NO FORCE ROW LEVEL SECURITY',
    "UPDATE report_cursor SET after_id = '00000000-0000-0000-0000-000000000000', summed_until = NULL",
    'ALTER TABLE "report_cursor" FORCE ROW LEVEL SECURITY',
)


def columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("acknowledged_late", sa.Boolean(), nullable=False),
        sa.Column("owners", postgresql.JSONB(), nullable=False),
        sa.Column("waits", postgresql.JSONB(), nullable=False),
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution_id", sa.Uuid(), nullable=True),
        sa.Column("prevention", postgresql.JSONB(), nullable=False),
    )


def upgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    for column in columns():
        op.add_column("case_fact", column)
    _look_for("'edit', 'extend', 'wait', 'prevention'")


def _look_for(kinds: str) -> None:
    op.drop_index("ix_event_quiet", table_name="event")
    quiet = sa.text(f"kind IN ({kinds})")
    op.create_index("ix_event_quiet", "event", ["tenant_id", "transaction_id"], postgresql_where=quiet)


def downgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    for column in columns():
        op.drop_column("case_fact", column.name)
    _look_for("'edit', 'extend'")
