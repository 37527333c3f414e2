"""How each person wants to be told: quiet hours, digests, channels.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "preference" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "preference" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"preference\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "preference" TO {app}',
]


def upgrade() -> None:
    op.create_table(
        "preference",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("quiet_hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest_at", sa.Text(), nullable=True),
        sa.Column("digest_days", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_preference")),
        sa.UniqueConstraint("tenant_id", "user_id", name=op.f("uq_preference_tenant_id_user_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_preference_user_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
    )
    collect_intents()
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def collect_intents() -> None:
    """A message may be carried by a digest, which is a message itself."""
    op.drop_constraint(op.f("ck_intent_channel"), "intent")
    op.create_check_constraint(op.f("ck_intent_channel"), "intent", "channel IN ('email', 'inbox', 'digest')")
    op.add_column("intent", sa.Column("digest_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_intent_digest_id"),
        "intent",
        "intent",
        ["tenant_id", "digest_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_index(
        "ix_intent_digest_id",
        "intent",
        ["tenant_id", "digest_id"],
        unique=False,
        postgresql_where=sa.text("digest_id IS NOT NULL"),
    )
    op.create_index(
        "ix_intent_to_collect",
        "intent",
        ["tenant_id", "user_id", "hold_until"],
        unique=False,
        postgresql_where=sa.text("state = 'pending' AND channel = 'digest' AND digest_id IS NULL"),
    )


def downgrade() -> None:
    raise RuntimeError("what people asked for is not forgotten: restore a backup instead")
