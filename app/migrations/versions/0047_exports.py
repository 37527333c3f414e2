"""Files of reports that the worker makes.

Revision ID: 0047
Revises: 0046
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARDS = [
    'ALTER TABLE "report_export" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "report_export" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"report_export\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "report_export" TO {app}',
    'GRANT SELECT (tenant_id, state, leased_until, expires_at, purged_at) ON "report_export" TO {finder}',
    'CREATE POLICY find ON "report_export" FOR SELECT TO {finder} USING (purged_at IS NULL)',
]


def upgrade() -> None:
    op.create_table(
        "report_export",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(), nullable=False),
        sa.Column("as_of", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("hidden", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("purged_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_export")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_report_export_user_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'expired')",
            name=op.f("ck_report_export_state"),
        ),
        sa.CheckConstraint("format IN ('csv', 'xlsx', 'pdf')", name=op.f("ck_report_export_format")),
    )
    op.create_index("ix_report_export_user", "report_export", ["tenant_id", "user_id", "id"])
    unpurged = sa.text("purged_at IS NULL")
    op.create_index("ix_report_export_unpurged", "report_export", ["tenant_id", "id"], postgresql_where=unpurged)
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    for statement in GUARDS:
        op.get_bind().exec_driver_sql(statement.format(**names))


def downgrade() -> None:
    op.drop_table("report_export")
