"""Files on a case.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATES = "'unscanned', 'clean', 'failed', 'infected', 'removed'"
UNPURGED = "state IN ('infected', 'removed') AND purged_at IS NULL"
GUARDS = [
    'ALTER TABLE "attachment" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "attachment" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"attachment\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "attachment" TO {app}',
    'GRANT SELECT (tenant_id, state, leased_until, purged_at) ON "attachment" TO {finder}',
    "CREATE POLICY find ON \"attachment\" FOR SELECT TO {finder} USING (state = 'unscanned' OR (state IN ('infected', 'removed') AND purged_at IS NULL))",
]


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("uploaded_by_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.Column("removed_by_id", sa.Uuid(), nullable=True),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("scanned_at", MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("purged_at", MOMENT, nullable=True),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_attachment_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attachment")),
    )
    refer("escalation_id", "escalation")
    refer("uploaded_by_id", "user")
    refer("removed_by_id", "user")
    op.create_index("ix_attachment_escalation", "attachment", ["tenant_id", "escalation_id", "id"])
    op.create_index("ix_attachment_sha256", "attachment", ["tenant_id", "sha256"])
    for name, condition in (("unscanned", "state = 'unscanned'"), ("unpurged", UNPURGED)):
        op.create_index(f"ix_attachment_{name}", "attachment", ["tenant_id", "id"], postgresql_where=sa.text(condition))
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def refer(column: str, to: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_attachment_{column}"),
        "attachment",
        to,
        ["tenant_id", column],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    op.drop_table("attachment")
