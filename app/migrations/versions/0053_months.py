"""The daily sums of months that are over; facts say whether they change sums, and ended ones are told from an index.

Facts and sums are made anew by the worker; until then reports answer that they are being made.

Revision ID: 0053
Revises: 0052
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

ANEW = (
    "TRUNCATE case_fact, cohort_day",
    'ALTER TABLE "report_cursor" NO FORCE ROW LEVEL SECURITY',
    "UPDATE report_cursor SET after_id = '00000000-0000-0000-0000-000000000000', summed_until = NULL",
    'ALTER TABLE "report_cursor" FORCE ROW LEVEL SECURITY',
)
GUARDS = [
    'ALTER TABLE "cohort_month" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "cohort_month" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"cohort_month\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "cohort_month" TO {app}',
]
MEASURES = (
    "raised",
    "on_time",
    "late",
    "unresolved",
    "customer_silent",
    "withdrawn",
    "mistaken",
    "merged",
    "extended",
    "long_pause",
    "logged_late",
    "unanswered",
    "ended",
    "by_first_owner",
    "left_tier_1",
    "left_tier_2",
    "left_tier_3",
    "left_onsite",
    "left_vendor",
    "left_management",
    "tier_1_seconds",
    "tier_2_seconds",
    "tier_3_seconds",
    "onsite_seconds",
    "vendor_seconds",
    "management_seconds",
)
KEY = ["tenant_id", "known_from"]
TOLD = [
    "known_until",
    "escalation_id",
    "account_id",
    "standing",
    "status",
    "tier",
    "severity",
    "reopens",
    "due_at",
    "close_target_at",
]


def upgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    op.create_table(
        "cohort_month",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("month_raised", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in MEASURES),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cohort_month")),
        sa.UniqueConstraint(
            "tenant_id",
            "ended_at",
            "month_raised",
            "days",
            name=op.f("uq_cohort_month_tenant_id_ended_at_month_raised_days"),
        ),
    )
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))
    op.add_column("case_fact", sa.Column("counts", sa.Boolean(), nullable=False))
    op.drop_index("ix_case_fact_known", table_name="case_fact")
    op.create_index("ix_case_fact_counts", "case_fact", KEY, postgresql_where=sa.text("counts"))
    ended = sa.text("standing <> 'open'")
    op.create_index("ix_case_fact_ended", "case_fact", KEY, postgresql_include=TOLD, postgresql_where=ended)


def downgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    op.drop_index("ix_case_fact_ended", table_name="case_fact")
    op.drop_index("ix_case_fact_counts", table_name="case_fact")
    op.create_index("ix_case_fact_known", "case_fact", KEY)
    op.drop_column("case_fact", "counts")
    op.drop_table("cohort_month")
