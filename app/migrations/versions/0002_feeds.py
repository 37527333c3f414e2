"""Calendar feeds: one secret address for each person.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "calendar_feed" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "calendar_feed" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"calendar_feed\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "calendar_feed" TO {app}',
]


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_calendar_feed_user_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("tenant_id", "user_id", name=op.f("uq_calendar_feed_tenant_id_user_id")),
        sa.UniqueConstraint("tenant_id", "secret_hash", name=op.f("uq_calendar_feed_tenant_id_secret_hash")),
    )
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def downgrade() -> None:
    op.drop_table("calendar_feed")
