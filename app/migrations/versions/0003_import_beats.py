"""Imports say when they were last alive, and the finder sees those that run.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

GUARDS = [
    'GRANT SELECT (tenant_id, state, beat_at) ON "import" TO {finder}',
    "CREATE POLICY find ON \"import\" FOR SELECT TO {finder} USING (state = 'running')",
]


def upgrade() -> None:
    op.add_column("import", sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True))
    op.execute('ALTER TABLE "import" NO FORCE ROW LEVEL SECURITY')
    op.execute('UPDATE "import" SET beat_at = coalesce(ended_at, started_at)')
    op.execute('ALTER TABLE "import" FORCE ROW LEVEL SECURITY')
    op.alter_column("import", "beat_at", nullable=False)
    op.create_index(
        "ix_import_running", "import", ["tenant_id", "beat_at"], postgresql_where=sa.text("state = 'running'")
    )
    _run(GUARDS)


def downgrade() -> None:
    _run(['DROP POLICY find ON "import"', 'REVOKE SELECT (tenant_id, state) ON "import" FROM {finder}'])
    op.drop_index("ix_import_running", "import")
    op.drop_column("import", "beat_at")


def _run(statements: list[str]) -> None:
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    for statement in statements:
        op.execute(statement.format(**names))
