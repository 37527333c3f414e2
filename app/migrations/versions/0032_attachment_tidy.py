"""Where the daily comparison of a tenant's attachment store with its rows stands.

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "attachment_tidy" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "attachment_tidy" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"attachment_tidy\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "attachment_tidy" TO {app}',
    'GRANT SELECT (tenant_id, due_at) ON "attachment_tidy" TO {finder}',
    'CREATE POLICY find ON "attachment_tidy" FOR SELECT TO {finder} USING (true)',
]


def upgrade() -> None:
    op.create_table(
        "attachment_tidy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attachment_tidy")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_attachment_tidy_tenant_id")),
    )
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def downgrade() -> None:
    op.drop_table("attachment_tidy")
