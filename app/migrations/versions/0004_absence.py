"""Absences with their delegates, and who was told in the place of an absent recipient.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "absence" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "absence" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"absence\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "absence" TO {app}',
]


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delegate_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("delegate_id <> user_id", name=op.f("ck_absence_delegate")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_absence_span")),
        sa.CheckConstraint("mode IN ('move', 'cover')", name=op.f("ck_absence_mode")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_absence")),
    )
    op.create_index("ix_absence_delegate", "absence", ["tenant_id", "delegate_id"], unique=False)
    op.create_index("ix_absence_ends", "absence", ["tenant_id", "ends_at"], unique=False)
    op.create_index("ix_absence_user", "absence", ["tenant_id", "user_id", "starts_at"], unique=False)
    op.add_column("step_log", sa.Column("delegate_id", sa.Uuid(), nullable=True))
    _refer("absence", "user_id")
    _refer("absence", "delegate_id")
    _refer("step_log", "delegate_id")
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def _refer(table: str, column: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_{table}_{column}"),
        table,
        "user",
        ["tenant_id", column],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    op.drop_column("step_log", "delegate_id")
    op.drop_table("absence")
