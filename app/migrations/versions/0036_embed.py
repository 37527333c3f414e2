"""Connected CRMs, who their users are here, and signed requests that were used once.

Revision ID: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARDS = [
    'ALTER TABLE "embed_installation" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "embed_installation" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"embed_installation\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "embed_installation" TO {app}',
    'ALTER TABLE "crm_identity" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "crm_identity" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"crm_identity\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "crm_identity" TO {app}',
    'ALTER TABLE "used_request" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "used_request" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"used_request\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "used_request" TO {app}',
]


def upgrade() -> None:
    _installation()
    _identity()
    _used()
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))


def _installation() -> None:
    op.create_table(
        "embed_installation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("external_key", sa.Text(), nullable=False),
        sa.Column("account_source", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("origins", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('salesforce', 'hubspot', 'zendesk', 'generic')", name=op.f("ck_embed_installation_kind")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_embed_installation")),
        sa.UniqueConstraint(
            "tenant_id", "kind", "external_key", name=op.f("uq_embed_installation_tenant_id_kind_external_key")
        ),
    )


def _identity() -> None:
    op.create_table(
        "crm_identity",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("installation_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("learnt", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_crm_identity_user_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        _of_installation("crm_identity"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_crm_identity")),
        sa.UniqueConstraint(
            "tenant_id",
            "installation_id",
            "external_id",
            name=op.f("uq_crm_identity_tenant_id_installation_id_external_id"),
        ),
    )
    op.create_index("ix_crm_identity_user_id", "crm_identity", ["tenant_id", "user_id"])


def _used() -> None:
    op.create_table(
        "used_request",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("installation_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kept_until", MOMENT, nullable=False),
        _of_installation("used_request"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_used_request")),
        sa.UniqueConstraint(
            "tenant_id", "installation_id", "digest", name=op.f("uq_used_request_tenant_id_installation_id_digest")
        ),
    )
    op.create_index("ix_used_request_kept_until", "used_request", ["tenant_id", "kept_until"])


def _of_installation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "installation_id"],
        ["embed_installation.tenant_id", "embed_installation.id"],
        name=op.f(f"fk_{table}_installation_id"),
        ondelete="CASCADE",
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    op.drop_table("used_request")
    op.drop_table("crm_identity")
    op.drop_table("embed_installation")
