"""Previews that the workers count, and the cases that zone rules are still to reach as rows.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "application_case" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "application_case" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"application_case\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "application_case" TO {app}',
]
# Of applications under way; the owner of the tables belongs to no tenant.
TAKE_OVER = [
    'ALTER TABLE "application" NO FORCE ROW LEVEL SECURITY',
    """
    insert into application_case (tenant_id, id, application_id, escalation_id)
    select tenant_id, gen_random_uuid(), id, unnest(case_ids) from application where ended_at is null
    """,
    "SET CONSTRAINTS ALL IMMEDIATE",  # a table with checks to come cannot be altered
    'ALTER TABLE "application" FORCE ROW LEVEL SECURITY',
    "SET CONSTRAINTS ALL DEFERRED",
]


def upgrade() -> None:
    op.create_table(
        "application_case",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_application_case")),
        sa.UniqueConstraint(
            "tenant_id",
            "application_id",
            "escalation_id",
            name=op.f("uq_application_case_tenant_id_application_id_escalation_id"),
        ),
    )
    _refer("application")
    _refer("escalation")
    for statement in TAKE_OVER:
        op.execute(statement)
    op.drop_column("application", "case_ids")
    op.add_column("application", sa.Column("preview", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("application", sa.Column("counted", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("application", sa.Column("examples", postgresql.JSONB(), nullable=False, server_default="[]"))
    for name in ("preview", "counted", "examples"):
        op.alter_column("application", name, server_default=None)
    op.drop_index("uq_application_open", table_name="application")
    _index(["tenant_id", "kind", "name", "preview"])
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def _refer(table: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_application_case_{table}_id"),
        "application_case",
        table,
        ["tenant_id", f"{table}_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def _index(columns: list[str]) -> None:
    open_ = sa.text("ended_at IS NULL")
    op.create_index("uq_application_open", "application", columns, unique=True, postgresql_where=open_)


def downgrade() -> None:
    raise RuntimeError("what was applied is not forgotten: drop the database instead")
