"""Models of how cases close, and what was known of each account.

Revision ID: 0043
Revises: 0042
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARDS = [
    'ALTER TABLE "hazard_model" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "hazard_model" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"hazard_model\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "hazard_model" TO {app}',
    'GRANT SELECT (tenant_id, state, leased_until) ON "hazard_model" TO {finder}',
    "CREATE POLICY find ON \"hazard_model\" FOR SELECT TO {finder} USING (state = 'wanted')",
    'ALTER TABLE "account_fact" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "account_fact" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"account_fact\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "account_fact" TO {app}',
]


def upgrade() -> None:
    _models()
    _accounts()
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))


def _models() -> None:
    op.create_table(
        "hazard_model",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("holds_from", MOMENT, nullable=True),
        sa.Column("cases", sa.Integer(), nullable=True),
        sa.Column("measures", postgresql.JSONB(), nullable=True),
        sa.Column("content", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("state IN ('wanted', 'trained', 'skipped', 'failed')", name=op.f("ck_hazard_model_state")),
        sa.CheckConstraint(
            "(state = 'trained') = (holds_from IS NOT NULL)", name=op.f("ck_hazard_model_trained_holds")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_hazard_model")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_hazard_model_tenant_id_number")),
    )
    trained = sa.text("state = 'trained'")
    op.create_index("ix_hazard_model_holds", "hazard_model", ["tenant_id", "holds_from"], postgresql_where=trained)


def _accounts() -> None:
    op.create_table(
        "account_fact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("known_from", MOMENT, nullable=False),
        sa.Column("known_until", MOMENT, nullable=False),
        sa.Column("health", sa.Integer(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("raised", postgresql.JSONB(), nullable=False),
        sa.Column("heard_at", MOMENT, nullable=True),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.Column("unanswered_at", MOMENT, nullable=True),
        sa.CheckConstraint("known_from < known_until", name=op.f("ck_account_fact_known")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_account_fact")),
        sa.UniqueConstraint(
            "tenant_id", "account_id", "known_from", name=op.f("uq_account_fact_tenant_id_account_id_known_from")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_account_fact_account_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
    )
    op.create_index("ix_account_fact_known", "account_fact", ["tenant_id", "known_until"])


def downgrade() -> None:
    op.drop_table("account_fact")
    op.drop_table("hazard_model")
