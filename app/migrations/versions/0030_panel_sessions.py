"""Launches that open a panel once, and the sessions they are exchanged for.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARDS = [
    'ALTER TABLE "panel_launch" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "panel_launch" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"panel_launch\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "panel_launch" TO {app}',
    'ALTER TABLE "panel_session" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "panel_session" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"panel_session\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "panel_session" TO {app}',
]


def upgrade() -> None:
    _launch()
    _session()
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))


def _launch() -> None:
    op.create_table(
        "panel_launch",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("renewal", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        *_shared("panel_launch"),
    )
    op.create_index("ix_panel_launch_expires_at", "panel_launch", ["tenant_id", "expires_at"])


def _session() -> None:
    op.create_table(
        "panel_session",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("renewal", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        *_shared("panel_session"),
    )
    op.create_index("ix_panel_session_ends_at", "panel_session", ["tenant_id", "ends_at"])


def _shared(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    """Keys and checks that launches and sessions have alike."""
    return (
        sa.CheckConstraint("renewal IN ('host', 'self')", name=op.f(f"ck_{table}_renewal")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user.tenant_id", "user.id"],
            name=op.f(f"fk_{table}_user_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("tenant_id", "secret_hash", name=op.f(f"uq_{table}_tenant_id_secret_hash")),
    )


def downgrade() -> None:
    op.drop_table("panel_session")
    op.drop_table("panel_launch")
