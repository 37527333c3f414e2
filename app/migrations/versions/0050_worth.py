"""What a case has at stake is kept once for each content, and facts name it.

Facts and sums are made anew by the worker; until then reports answer that they are being made.

Revision ID: 0050
Revises: 0049
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

ANEW = (
    "TRUNCATE case_fact, cohort_day",
    'ALTER TABLE "report_cursor" NO FORCE ROW LEVEL SECURITY',
    "UPDATE report_cursor SET after_id = '00000000-0000-0000-0000-000000000000', summed_until = NULL",
    'ALTER TABLE "report_cursor" FORCE ROW LEVEL SECURITY',
)
GUARDS = [
    'ALTER TABLE "worth" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "worth" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"worth\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "worth" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "worth" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
]
KEY = ["tenant_id", "span", "known_from"]
FORMERLY = [
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
COUNTED = [*FORMERLY[:3], "group_id", "worth_id", "renewal_on", *FORMERLY[3:]]
OPEN = "standing = 'open'"


def upgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    op.create_table(
        "worth",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("amounts", sa.ARRAY(sa.Numeric()), nullable=False),
        sa.Column("currencies", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("ends_on", sa.ARRAY(sa.Date()), nullable=False),
        sa.Column("renewal_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("renewal_amounts", sa.ARRAY(sa.Numeric()), nullable=False),
        sa.Column("renewal_currencies", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_worth")),
    )
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))
    op.drop_column("case_fact", "lines")
    op.add_column("case_fact", sa.Column("worth_id", sa.Uuid(), nullable=False))
    op.create_foreign_key(
        op.f("fk_case_fact_worth_id"),
        "case_fact",
        "worth",
        ["tenant_id", "worth_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    _cover(COUNTED)


def _cover(columns: list[str]) -> None:
    op.drop_index("ix_case_fact_open", table_name="case_fact")
    op.create_index("ix_case_fact_open", "case_fact", KEY, postgresql_include=columns, postgresql_where=sa.text(OPEN))


def downgrade() -> None:
    for statement in ANEW:
        op.execute(statement)
    _cover(FORMERLY)
    op.drop_column("case_fact", "worth_id")
    op.add_column("case_fact", sa.Column("lines", postgresql.JSONB(), nullable=False))
    op.drop_table("worth")
