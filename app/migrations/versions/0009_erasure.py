"""Erasure of a person: whom not to bring back, and what stands for ever may lose a name.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "erased_person" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "erased_person" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"erased_person\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "erased_person" TO {app}',
    "DROP TRIGGER append_only ON account_history",
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_history FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{eraser_name}')",
    "GRANT SELECT, UPDATE (changes) ON account_history TO {eraser}",
    "CREATE POLICY erasure ON account_history TO {eraser} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    "DROP TRIGGER append_only ON decision",
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decision FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{eraser_name}')",
    "GRANT SELECT, UPDATE (inputs, why, rule, rules) ON decision TO {eraser}",
    "CREATE POLICY erasure ON decision TO {eraser} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    "DROP TRIGGER append_only ON policy_version",
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON policy_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{eraser_name}')",
    "GRANT SELECT, UPDATE (rules) ON policy_version TO {eraser}",
    "CREATE POLICY erasure ON policy_version TO {eraser} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    """CREATE FUNCTION erase_mentions(pattern text, mark text) RETURNS void
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
END $$""",
    "GRANT CREATE ON SCHEMA public TO {eraser}",
    "ALTER FUNCTION erase_mentions(text, text) OWNER TO {eraser}",
    "REVOKE CREATE ON SCHEMA public FROM {eraser}",
    "REVOKE ALL ON FUNCTION erase_mentions(text, text) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION erase_mentions(text, text) TO {app}",
]


def upgrade() -> None:
    op.create_table(
        "erased_person",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_erased_person")),
        sa.UniqueConstraint("tenant_id", "address_hash", name=op.f("uq_erased_person_tenant_id_address_hash")),
    )
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def downgrade() -> None:
    raise RuntimeError("what was erased stays known as erased: restore the backup instead")
