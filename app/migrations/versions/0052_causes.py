"""Causes and owners are counted from indexes alone: of what holds of ended cases, by day raised; root causes have names.

Facts and sums are made anew by the worker; until then reports answer that they are being made.

Revision ID: 0052
Revises: 0051
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

ANEW = (
    "TRUNCATE case_fact, cohort_day",
    'ALTER TABLE "report_cursor" NO FORCE ROW LEVEL SECURITY',
    "UPDATE report_cursor SET after_id = '00000000-0000-0000-0000-000000000000', summed_until = NULL",
    'ALTER TABLE "report_cursor" FORCE ROW LEVEL SECURITY',
)
DAYS = ["tenant_id", "day_raised"]
LASTING = "span = 99 and standing <> 'open'"
COUNTED = [
    "known_from",
    "escalation_id",
    "account_id",
    "reason",
    "standing",
    "raised_at",
    "days",
    "close_target_at",
    "preventable",
    "root_cause",
    "closer_id",
    "first_owner_id",
    "worth_id",
]
MISSED = [
    "known_from",
    "escalation_id",
    "account_id",
    "reason",
    "closer_id",
    "standing",
    "reroutes",
    "reopens",
    "raised_at",
    "close_target_at",
    "resolved_at",
    "closed_at",
    "acknowledged_at",
    "acknowledged_late",
    "extended",
    "waits",
    "waiting_for",
    "waiting_since",
]
INDEXES: tuple[tuple[str, list[str], list[str], str], ...] = (
    ("lasting", DAYS, COUNTED, LASTING),
    ("passed", ["tenant_id", "span", "known_from"], [], "span <> 99 and standing <> 'open'"),
    ("missed", DAYS, MISSED, f"{LASTING} and standing in ('late', 'unresolved', 'customer_silent')"),
    ("owners", DAYS, [], f"{LASTING} and owners <> '[]'"),
    ("prevention", DAYS, [], "prevention <> '[]'"),
)
# That nearly nothing that still holds is open: taken apart, the planner expects ten times as many and reads all else whole.
KNOW_OPEN = "CREATE STATISTICS case_fact_open (mcv) ON standing, span FROM case_fact"


def upgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    op.add_column("case_fact", sa.Column("root_cause", sa.Uuid(), nullable=True))
    for name, key, included, where in INDEXES:
        op.create_index(
            f"ix_case_fact_{name}",
            "case_fact",
            key,
            postgresql_include=included,
            postgresql_where=sa.text(where),
        )
    op.execute(KNOW_OPEN)


def downgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    op.execute("DROP STATISTICS case_fact_open")
    for name, *_ in INDEXES:
        op.drop_index(f"ix_case_fact_{name}", table_name="case_fact")
    op.drop_column("case_fact", "root_cause")
