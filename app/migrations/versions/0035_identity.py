"""Identity providers, who somebody is there, and sign-ins under way.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARDS = [
    'ALTER TABLE "identity_provider" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "identity_provider" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"identity_provider\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "identity_provider" TO {app}',
    'ALTER TABLE "user_identity" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "user_identity" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"user_identity\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "user_identity" TO {app}',
    'ALTER TABLE "sign_in" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "sign_in" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"sign_in\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "sign_in" TO {app}',
]


def upgrade() -> None:
    _provider()
    _identity()
    _sign_in()
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))


def _provider() -> None:
    op.create_table(
        "identity_provider",
        *_key("identity_provider"),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.Text(), nullable=True),
        sa.Column("email_matches", sa.Boolean(), nullable=False),
        sa.Column("required_claims", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_identity_provider_tenant_id")),
    )


def _identity() -> None:
    op.create_table(
        "user_identity",
        *_key("user_identity"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("linked_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_user_identity_user_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.UniqueConstraint("tenant_id", "issuer", "subject", name=op.f("uq_user_identity_tenant_id_issuer_subject")),
        sa.UniqueConstraint("tenant_id", "issuer", "user_id", name=op.f("uq_user_identity_tenant_id_issuer_user_id")),
    )


def _sign_in() -> None:
    op.create_table(
        "sign_in",
        *_key("sign_in"),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("code_verifier", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "state_hash", name=op.f("uq_sign_in_tenant_id_state_hash")),
    )
    op.create_index("ix_sign_in_expires_at", "sign_in", ["tenant_id", "expires_at"])


def _key(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    """What every table of tenants' rows begins with."""
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    )


def downgrade() -> None:
    for table in ("sign_in", "user_identity", "identity_provider"):
        op.drop_table(table)
