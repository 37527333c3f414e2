"""The sums of a day that is not over are made from an index alone.

Facts and sums are made anew by the worker; until then reports answer that they are being made.

Revision ID: 0055
Revises: 0054
"""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

ANEW = (
    "TRUNCATE case_fact, cohort_day, cohort_month",
    'ALTER TABLE "report_cursor" NO FORCE ROW LEVEL SECURITY',
    "UPDATE report_cursor SET after_id = '00000000-0000-0000-0000-000000000000', summed_until = NULL",
    'ALTER TABLE "report_cursor" FORCE ROW LEVEL SECURITY',
)
SUMMED = [
    "escalation_id",
    "day_raised",
    "was",
    "status",
    "first_owner_id",
    "closer_id",
    "standing",
    "verification",
    "days",
    "extended",
    "long_pause",
    "logged_late",
    "tier_1_seconds",
    "tier_2_seconds",
    "tier_3_seconds",
    "onsite_seconds",
    "vendor_seconds",
    "management_seconds",
]


def upgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    op.add_column("case_fact", sa.Column("was", sa.Text(), nullable=True))
    _index(SUMMED)


def _index(columns: list[str]) -> None:
    op.drop_index("ix_case_fact_counts", table_name="case_fact")
    op.create_index(
        "ix_case_fact_counts",
        "case_fact",
        ["tenant_id", "known_from"],
        postgresql_include=columns,
        postgresql_where=sa.text("counts"),
    )


def downgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    _index([])
    op.drop_column("case_fact", "was")
