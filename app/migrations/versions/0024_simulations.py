"""Policies replayed over the past: how far, what each case would have got, what each owner would have held.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "simulation" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "simulation" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"simulation\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "simulation" TO {app}',
    'GRANT SELECT (tenant_id, ended_at) ON "simulation" TO {finder}',
    'CREATE POLICY find ON "simulation" FOR SELECT TO {finder} USING (ended_at IS NULL)',
    'ALTER TABLE "simulation_case" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "simulation_case" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"simulation_case\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "simulation_case" TO {app}',
    'ALTER TABLE "simulation_load" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "simulation_load" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"simulation_load\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "simulation_load" TO {app}',
]
STATES = "'waiting', 'running', 'measuring', 'done', 'cancelled', 'failed'"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _simulation()
    _cases()
    _loads()
    op.create_index(
        "ix_decision_raised", "decision", ["tenant_id", "at", "id"], postgresql_where=sa.text("cause = 'raise'")
    )
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def _simulation() -> None:
    op.create_table(
        "simulation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("weights", postgresql.JSONB(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("after_at", MOMENT, nullable=True),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_simulation_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_simulation")),
    )
    _refer("simulation", "asked_by", "user")
    op.create_index(
        "uq_simulation_running", "simulation", ["tenant_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )


def _cases() -> None:
    op.create_table(
        "simulation_case",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("simulation_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("about_user_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("weight", sa.Numeric(6, 2), nullable=False),
        sa.Column("value", sa.Numeric(18, 2), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("real_owner_id", sa.Uuid(), nullable=False),
        sa.Column("real_failure", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("closer_id", sa.Uuid(), nullable=True),
        sa.Column("todays", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_simulation_case")),
        sa.UniqueConstraint(
            "tenant_id", "simulation_id", "place", name=op.f("uq_simulation_case_tenant_id_simulation_id_place")
        ),
    )
    _refer("simulation_case", "simulation_id", "simulation")
    for column in ("real_owner_id", "owner_id", "closer_id"):
        _refer("simulation_case", column, "user")
    op.create_index("ix_simulation_case_owner", "simulation_case", ["tenant_id", "simulation_id", "owner_id"])


def _loads() -> None:
    op.create_table(
        "simulation_load",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("simulation_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("capacity", sa.Numeric(8, 2), nullable=False),
        sa.Column("real_cases", sa.Integer(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("days", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_simulation_load")),
        sa.UniqueConstraint(
            "tenant_id", "simulation_id", "owner_id", name=op.f("uq_simulation_load_tenant_id_simulation_id_owner_id")
        ),
    )
    _refer("simulation_load", "simulation_id", "simulation")
    _refer("simulation_load", "owner_id", "user")


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
    op.drop_index("ix_decision_raised", "decision")
    for table in ("simulation_load", "simulation_case", "simulation"):
        op.drop_table(table)
