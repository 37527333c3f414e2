"""Skills and who masters them, the weight of a member in a team, the calendars of colleagues and of teams.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "skill" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "skill" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"skill\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "skill" TO {app}',
    'ALTER TABLE "user_skill" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "user_skill" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"user_skill\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "user_skill" TO {app}',
]


def upgrade() -> None:
    op.add_column("user", sa.Column("calendar", sa.Text(), nullable=True))
    op.add_column("team", sa.Column("calendar", sa.Text(), nullable=True))
    op.add_column("membership", sa.Column("weight", sa.Numeric(3, 2), nullable=False, server_default="1"))
    op.alter_column("membership", "weight", server_default=None)
    op.create_check_constraint(op.f("ck_membership_weight"), "membership", "weight > 0 AND weight <= 1")
    op.create_index("ix_membership_user", "membership", ["tenant_id", "user_id"])
    op.create_table(
        "skill",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_skill")),
    )
    op.create_index("uq_skill_name", "skill", ["tenant_id", sa.text("lower(name)")], unique=True)
    op.create_table(
        "user_skill",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("skill_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 5", name=op.f("ck_user_skill_level")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_skill")),
        sa.UniqueConstraint("tenant_id", "user_id", "skill_id", name=op.f("uq_user_skill_tenant_id_user_id_skill_id")),
    )
    op.create_index("ix_user_skill_skill", "user_skill", ["tenant_id", "skill_id"])
    _refer("user")
    _refer("skill")
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def _refer(table: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_user_skill_{table}_id"),
        "user_skill",
        table,
        ["tenant_id", f"{table}_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    op.drop_table("user_skill")
    op.drop_table("skill")
    op.drop_index("ix_membership_user", table_name="membership")
    op.drop_column("membership", "weight")
    op.drop_column("team", "calendar")
    op.drop_column("user", "calendar")
