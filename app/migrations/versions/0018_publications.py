"""When which version of the routing policy came into force, by whom and why.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "policy_publication" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "policy_publication" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"policy_publication\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "policy_publication" TO {app}',
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON \"policy_publication\" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{eraser_name}')",
    "GRANT SELECT, UPDATE (reason) ON policy_publication TO {eraser}",
    "CREATE POLICY erasure ON policy_publication TO {eraser} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    # It belongs to the eraser, who alone may change it.
    "GRANT CREATE ON SCHEMA public TO {eraser}",
    "SET LOCAL ROLE {eraser}",
    """CREATE OR REPLACE FUNCTION erase_mentions(pattern text, mark text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE decision SET inputs = regexp_replace(inputs::text, pattern, mark, 'gi')::jsonb,
    why = regexp_replace(why, pattern, mark, 'gi'), rule = regexp_replace(rule, pattern, mark, 'gi'),
    rules = regexp_replace(rules::text, pattern, mark, 'gi')::jsonb
  WHERE concat_ws(' ', inputs, why, rule, rules) ~* pattern;
  UPDATE account_history SET changes = regexp_replace(changes::text, pattern, mark, 'gi')::jsonb
  WHERE changes::text ~* pattern;
  UPDATE policy_version SET rules = regexp_replace(rules::text, pattern, mark, 'gi')::jsonb
  WHERE rules::text ~* pattern;
  UPDATE policy_publication SET reason = regexp_replace(reason, pattern, mark, 'gi') WHERE reason ~* pattern;
END $$""",
    "RESET ROLE",
    "REVOKE CREATE ON SCHEMA public FROM {eraser}",
]


def upgrade() -> None:
    op.create_table(
        "policy_publication",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("previous_number", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cases", sa.Integer(), nullable=True),
        sa.Column("unrouted", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_policy_publication")),
    )
    op.create_foreign_key(
        op.f("fk_policy_publication_published_by"),
        "policy_publication",
        "user",
        ["tenant_id", "published_by"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_index("ix_policy_publication_number", "policy_publication", ["tenant_id", "number", "id"])
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def downgrade() -> None:
    raise RuntimeError("what was published is not forgotten: drop the database instead")
