"""Newer versions on their way to open escalations.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "application" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "application" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"application\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "application" TO {app}',
    'GRANT SELECT (tenant_id, started_at, ended_at) ON "application" TO {finder}',
    'CREATE POLICY find ON "application" FOR SELECT TO {finder} USING (ended_at IS NULL)',
]


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("spread_seconds", sa.Integer(), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("firing", sa.Integer(), nullable=False),
        sa.Column("fired", sa.Integer(), nullable=False),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("clocks", sa.Integer(), nullable=False),
        sa.Column("breached", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("failed_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('service_level', 'calendar', 'ladder', 'zone')", name=op.f("ck_application_kind")),
        sa.CheckConstraint(
            "phase IN ('counting', 'moving', 'spreading', 'done', 'replaced')", name=op.f("ck_application_phase")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_application")),
    )
    op.create_index(
        "uq_application_open",
        "application",
        ["tenant_id", "kind", "name"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def downgrade() -> None:
    raise RuntimeError("what was applied is not forgotten: drop the database instead")
