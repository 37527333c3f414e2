"""Service levels with their versions, and the one each escalation goes by.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "service_level" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "service_level" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"service_level\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "service_level" TO {app}',
    'ALTER TABLE "service_level_version" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "service_level_version" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"service_level_version\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "service_level_version" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "service_level_version" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
]


def upgrade() -> None:
    op.create_table(
        "service_level",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_service_level")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_service_level_tenant_id_name")),
    )
    op.create_table(
        "service_level_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_level_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_service_level_version")),
        sa.UniqueConstraint(
            "tenant_id",
            "service_level_id",
            "number",
            name=op.f("uq_service_level_version_tenant_id_service_level_id_number"),
        ),
    )
    op.add_column("escalation", sa.Column("service_level_version_id", sa.Uuid(), nullable=True))
    refer("service_level_version", "service_level_id", "service_level")
    refer("escalation", "service_level_version_id", "service_level_version")
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def refer(table: str, column: str, to: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_{table}_{column}"),
        table,
        to,
        ["tenant_id", column],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    raise RuntimeError("what was promised is not forgotten: drop the database instead")
