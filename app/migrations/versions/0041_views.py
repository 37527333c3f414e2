"""Saved views of reports.

Revision ID: 0041
Revises: 0040
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARDS = [
    'ALTER TABLE "report_view" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "report_view" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"report_view\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "report_view" TO {app}',
]


def upgrade() -> None:
    op.create_table(
        "report_view",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_view")),
        sa.UniqueConstraint("tenant_id", "owner_id", "name", name=op.f("uq_report_view_tenant_id_owner_id_name")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_report_view_owner_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
    )
    op.create_index("ix_report_view_name", "report_view", ["tenant_id", "name", "id"])
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))


def downgrade() -> None:
    op.drop_table("report_view")
