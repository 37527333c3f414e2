"""Facts say what they have at stake in one amount; which contracts and opportunities several accounts share is kept.

Facts and sums are made anew by the worker; until then reports answer that they are being made.

Revision ID: 0054
Revises: 0053
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

ANEW = (
    "TRUNCATE case_fact, cohort_day, cohort_month",
    'ALTER TABLE "report_cursor" NO FORCE ROW LEVEL SECURITY',
    "UPDATE report_cursor SET after_id = '00000000-0000-0000-0000-000000000000', summed_until = NULL",
    'ALTER TABLE "report_cursor" FORCE ROW LEVEL SECURITY',
)
GUARDS = [
    'ALTER TABLE "line_holder" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "line_holder" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"line_holder\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "line_holder" TO {app}',
]
KEY = ["tenant_id", "span", "known_from"]
BEFORE = ["known_until", "escalation_id", "account_id", "group_id", "worth_id"]
STAKE = ["stake_amount", "stake_currency", "stake_lines", "stake_until"]
AFTER = [
    "renewal_on",
    "status",
    "tier",
    "severity",
    "reopens",
    "due_at",
    "raised_at",
    "day_raised",
    "close_target_at",
]


def upgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    op.create_table(
        "line_holder",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_line_holder")),
        sa.UniqueConstraint(
            "tenant_id", "line_id", "account_id", name=op.f("uq_line_holder_tenant_id_line_id_account_id")
        ),
    )
    shared = sa.text("shared")
    op.create_index("ix_line_holder_shared", "line_holder", ["tenant_id", "account_id"], postgresql_where=shared)
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))
    op.add_column("case_fact", sa.Column("stake_amount", sa.Numeric(), nullable=True))
    op.add_column("case_fact", sa.Column("stake_currency", sa.Text(), nullable=True))
    op.add_column("case_fact", sa.Column("stake_lines", sa.Integer(), nullable=False))
    op.add_column("case_fact", sa.Column("stake_until", sa.Date(), nullable=True))
    _cover([*BEFORE, *STAKE, *AFTER])


def _cover(columns: list[str]) -> None:
    op.drop_index("ix_case_fact_open", table_name="case_fact")
    is_open = sa.text("standing = 'open'")
    op.create_index("ix_case_fact_open", "case_fact", KEY, postgresql_include=columns, postgresql_where=is_open)


def downgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    _cover([*BEFORE, *AFTER])
    for column in STAKE:
        op.drop_column("case_fact", column)
    op.drop_table("line_holder")
