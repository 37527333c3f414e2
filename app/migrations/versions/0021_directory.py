"""What a directory says of people and teams, and when a user and a team last changed.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "directory_user" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "directory_user" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"directory_user\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "directory_user" TO {app}',
    'ALTER TABLE "directory_team" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "directory_team" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"directory_team\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "directory_team" TO {app}',
]
# When rows that were there before last changed is not known; the owner of the tables belongs to no tenant.
TAKE_OVER = [
    'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
    'UPDATE "{table}" SET changed_at = created_at',
    "SET CONSTRAINTS ALL IMMEDIATE",  # a table with checks to come cannot be altered
    'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
    'ALTER TABLE "{table}" ALTER COLUMN changed_at SET NOT NULL',
    "SET CONSTRAINTS ALL DEFERRED",
]


def upgrade() -> None:
    for table in ("user", "team"):
        op.add_column(table, sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
        for statement in TAKE_OVER:
            op.execute(statement.format(table=table))
        _create(f"directory_{table}", table)
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def _create(name: str, table: str) -> None:
    texts = ("external_id", "given_name", "family_name", "title") if table == "user" else ("external_id",)
    op.create_table(
        name,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(f"{table}_id", sa.Uuid(), nullable=False),
        *(sa.Column(text, sa.Text(), nullable=True) for text in texts),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("tenant_id", f"{table}_id", name=op.f(f"uq_{name}_tenant_id_{table}_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", f"{table}_id"],
            [f"{table}.tenant_id", f"{table}.id"],
            name=op.f(f"fk_{name}_{table}_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
    )
    op.create_index(f"ix_{name}_external_id", name, ["tenant_id", "external_id"])


def downgrade() -> None:
    for table in ("team", "user"):
        op.drop_table(f"directory_{table}")
        op.drop_column(table, "changed_at")
