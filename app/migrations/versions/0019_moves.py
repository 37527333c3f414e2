"""What is moved for an absence or because somebody left: when it is due, and which cases it was.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

GUARDS = [
    'GRANT SELECT (tenant_id, next_at) ON "absence" TO {finder}',
    'CREATE POLICY find ON "absence" FOR SELECT TO {finder} USING (next_at IS NOT NULL)',
    'GRANT SELECT (tenant_id, leaving) ON "user" TO {finder}',
    'CREATE POLICY find ON "user" FOR SELECT TO {finder} USING (leaving)',
    'ALTER TABLE "absence_move" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "absence_move" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"absence_move\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "absence_move" TO {app}',
]
# Absences from when modes were kept and not yet acted upon, and what those who left still hold.
TAKE_OVER = [
    'ALTER TABLE "absence" NO FORCE ROW LEVEL SECURITY',
    'ALTER TABLE "user" NO FORCE ROW LEVEL SECURITY',
    "update absence set next_at = starts_at where mode = 'move'",
    "update \"user\" set leaving = true where not active or role = 'integration'",
    "SET CONSTRAINTS ALL IMMEDIATE",  # a table with checks to come cannot be altered
    'ALTER TABLE "absence" FORCE ROW LEVEL SECURITY',
    'ALTER TABLE "user" FORCE ROW LEVEL SECURITY',
    "SET CONSTRAINTS ALL DEFERRED",
]


def upgrade() -> None:
    op.add_column("absence", sa.Column("next_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user", sa.Column("leaving", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("user", "leaving", server_default=None)
    for statement in TAKE_OVER:
        op.execute(statement)
    moves = sa.text("next_at IS NOT NULL")
    op.create_index("ix_absence_next", "absence", ["tenant_id", "next_at"], postgresql_where=moves)
    op.create_index("ix_user_leaving", "user", ["tenant_id"], postgresql_where=sa.text("leaving"))
    op.create_table(
        "absence_move",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("absence_id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_absence_move")),
        sa.UniqueConstraint(
            "tenant_id",
            "absence_id",
            "escalation_id",
            name=op.f("uq_absence_move_tenant_id_absence_id_escalation_id"),
        ),
    )
    op.create_index("ix_absence_move_escalation", "absence_move", ["tenant_id", "escalation_id"])
    _refer("absence_id", "absence", ondelete="CASCADE")
    _refer("escalation_id", "escalation")
    _refer("to_id", "user")
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def _refer(column: str, table: str, **options: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_absence_move_{column}"),
        "absence_move",
        table,
        ["tenant_id", column],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
        **options,
    )


def downgrade() -> None:
    raise RuntimeError("who was given whose work is not forgotten: drop the database instead")
