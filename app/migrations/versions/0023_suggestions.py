"""Models of who closes what, learnt from closed cases.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "suggestion_model" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "suggestion_model" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"suggestion_model\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "suggestion_model" TO {app}',
    'GRANT SELECT (tenant_id, state, leased_until) ON "suggestion_model" TO {finder}',
    "CREATE POLICY find ON \"suggestion_model\" FOR SELECT TO {finder} USING (state = 'wanted')",
]


def upgrade() -> None:
    op.create_table(
        "suggestion_model",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cases", sa.Integer(), nullable=True),
        sa.Column("measures", postgresql.JSONB(), nullable=True),
        sa.Column("content", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "state IN ('wanted', 'trained', 'skipped', 'failed')", name=op.f("ck_suggestion_model_state")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_suggestion_model")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_suggestion_model_tenant_id_number")),
    )
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def downgrade() -> None:
    op.drop_table("suggestion_model")
