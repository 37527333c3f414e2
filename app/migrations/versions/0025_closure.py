"""Exit criteria of each case, and what was promised so that it does not happen again.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARDS = [
    'ALTER TABLE "exit_criterion" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "exit_criterion" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"exit_criterion\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "exit_criterion" TO {app}',
    'ALTER TABLE "prevention_action" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "prevention_action" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"prevention_action\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "prevention_action" TO {app}',
]


def upgrade() -> None:
    _criteria()
    _prevention()
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def _criteria() -> None:
    op.create_table(
        "exit_criterion",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("agreed_with", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'met', 'waived')", name=op.f("ck_exit_criterion_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_exit_criterion")),
        sa.UniqueConstraint(
            "tenant_id", "escalation_id", "key", name=op.f("uq_exit_criterion_tenant_id_escalation_id_key")
        ),
    )
    _refer("exit_criterion", "escalation_id", "escalation")
    _refer("exit_criterion", "settled_by_id", "user")


def _prevention() -> None:
    op.create_table(
        "prevention_action",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("remind_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'done', 'dropped')", name=op.f("ck_prevention_action_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_prevention_action")),
    )
    _refer("prevention_action", "escalation_id", "escalation")
    _refer("prevention_action", "owner_id", "user")
    _refer("prevention_action", "ended_by_id", "user")
    op.create_index("ix_prevention_action_escalation", "prevention_action", ["tenant_id", "escalation_id"])
    op.create_index("ix_prevention_action_due", "prevention_action", ["tenant_id", "due_on", "id"])
    op.create_index("ix_prevention_action_owner", "prevention_action", ["tenant_id", "owner_id", "due_on", "id"])
    op.create_index(
        "ix_prevention_action_remind",
        "prevention_action",
        ["tenant_id", "remind_on"],
        postgresql_where=sa.text("state = 'open'"),
    )


def _refer(table: str, column: str, other: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_{table}_{column}"),
        table,
        other,
        ["tenant_id", column],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    raise RuntimeError("what was promised is not forgotten: drop the database instead")
