"""The foundation: every table, its policies, grants and triggers.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GUARDS = [
    "GRANT USAGE ON SCHEMA public TO {app}, {finder}, {eraser}",
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_NARGS = 1 AND TG_OP = 'UPDATE' AND current_user = TG_ARGV[0] THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$""",
    'ALTER TABLE "account" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "account" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"account\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "account" TO {app}',
    'ALTER TABLE "calendar" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "calendar" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"calendar\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "calendar" TO {app}',
    'ALTER TABLE "daily_job" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "daily_job" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"daily_job\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "daily_job" TO {app}',
    'GRANT SELECT (tenant_id, name, next_at, retry_at) ON "daily_job" TO {finder}',
    'CREATE POLICY find ON "daily_job" FOR SELECT TO {finder} USING (true)',
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "heartbeat" TO {app}',
    'GRANT SELECT ON "heartbeat" TO {finder}',
    'ALTER TABLE "idempotency_key" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "idempotency_key" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"idempotency_key\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "idempotency_key" TO {app}',
    'ALTER TABLE "ladder_version" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "ladder_version" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"ladder_version\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "ladder_version" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "ladder_version" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "policy_version" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "policy_version" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"policy_version\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "policy_version" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "policy_version" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "rate" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "rate" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"rate\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "rate" TO {app}',
    'ALTER TABLE "sandbox_advance" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "sandbox_advance" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"sandbox_advance\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "sandbox_advance" TO {app}',
    'ALTER TABLE "tenant" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "tenant" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"tenant\" TO {app} USING (id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "tenant" TO {app}',
    'GRANT SELECT (id, clock_offset) ON "tenant" TO {finder}',
    'CREATE POLICY find ON "tenant" FOR SELECT TO {finder} USING (true)',
    'ALTER TABLE "timeline_seal" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "timeline_seal" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"timeline_seal\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "timeline_seal" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "timeline_seal" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "user" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "user" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"user\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "user" TO {app}',
    'ALTER TABLE "account_history" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "account_history" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"account_history\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "account_history" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "account_history" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "api_token" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "api_token" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"api_token\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "api_token" TO {app}',
    'ALTER TABLE "assignment" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "assignment" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"assignment\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "assignment" TO {app}',
    'ALTER TABLE "book_day" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "book_day" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"book_day\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "book_day" TO {app}',
    'ALTER TABLE "calendar_version" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "calendar_version" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"calendar_version\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "calendar_version" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "calendar_version" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "contact" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "contact" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"contact\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "contact" TO {app}',
    'ALTER TABLE "contract" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "contract" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"contract\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "contract" TO {app}',
    'ALTER TABLE "decision" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "decision" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"decision\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "decision" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "decision" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "import" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "import" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"import\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "import" TO {app}',
    'ALTER TABLE "intent" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "intent" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"intent\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "intent" TO {app}',
    'GRANT SELECT (tenant_id, hold_until, retry_at, leased_until, state) ON "intent" TO {finder}',
    "CREATE POLICY find ON \"intent\" FOR SELECT TO {finder} USING (state IN ('pending', 'dead'))",
    'ALTER TABLE "link_view" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "link_view" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"link_view\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "link_view" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "link_view" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "opportunity" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "opportunity" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"opportunity\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "opportunity" TO {app}',
    'ALTER TABLE "team" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "team" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"team\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "team" TO {app}',
    'ALTER TABLE "escalation" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "escalation" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"escalation\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "escalation" TO {app}',
    'GRANT SELECT (tenant_id, status, wake_at) ON "escalation" TO {finder}',
    "CREATE POLICY find ON \"escalation\" FOR SELECT TO {finder} USING (status = 'waiting')",
    'ALTER TABLE "import_error" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "import_error" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"import_error\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "import_error" TO {app}',
    'ALTER TABLE "membership" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "membership" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"membership\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "membership" TO {app}',
    'ALTER TABLE "clock" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "clock" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"clock\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "clock" TO {app}',
    'GRANT SELECT (tenant_id, next_step_at, problem) ON "clock" TO {finder}',
    'CREATE POLICY find ON "clock" FOR SELECT TO {finder} USING (next_step_at IS NOT NULL OR problem IS NOT NULL)',
    'ALTER TABLE "escalation_contract" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "escalation_contract" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"escalation_contract\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "escalation_contract" TO {app}',
    'ALTER TABLE "event" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "event" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"event\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "event" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "event" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "forecast" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "forecast" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"forecast\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "forecast" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "forecast" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "link" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "link" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"link\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "link" TO {app}',
    'ALTER TABLE "request" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "request" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"request\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "request" TO {app}',
    'ALTER TABLE "snapshot" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "snapshot" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"snapshot\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "snapshot" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "snapshot" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "task" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "task" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"task\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "task" TO {app}',
    'ALTER TABLE "watcher" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "watcher" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"watcher\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "watcher" TO {app}',
    'ALTER TABLE "clock_entry" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "clock_entry" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"clock_entry\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "clock_entry" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "clock_entry" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "event_text" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "event_text" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"event_text\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "event_text" TO {app}',
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON \"event_text\" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{eraser_name}')",
    'ALTER TABLE "step_log" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "step_log" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"step_log\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "step_log" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "step_log" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    "GRANT SELECT, UPDATE (text, salt) ON event_text TO {eraser}",
    "CREATE POLICY erasure ON event_text TO {eraser} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    """CREATE FUNCTION claim_place(candidates uuid[], capacities numeric[], work numeric, escalation uuid) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE held numeric;
BEGIN
  FOR n IN 1 .. cardinality(candidates) LOOP
    BEGIN
      PERFORM 1 FROM "user" WHERE id = candidates[n] AND active FOR NO KEY UPDATE;
      IF FOUND THEN
        SELECT coalesce(sum(weight), 0) INTO held FROM assignment
        WHERE owner_id = candidates[n] AND released_at IS NULL AND escalation_id <> escalation;
        IF held + work <= capacities[n] THEN
          RETURN candidates[n];
        END IF;
      END IF;
      RAISE EXCEPTION 'no room' USING ERRCODE = 'FH001';
    EXCEPTION WHEN SQLSTATE 'FH001' THEN
      NULL;
    END;
  END LOOP;
  RETURN NULL;
END $$""",
    """CREATE FUNCTION number_sequence() RETURNS text
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT 'escalation_number_' || replace((current_setting('app.tenant_id')::uuid)::text, '-', '')
$$""",
    """CREATE FUNCTION start_numbers() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE SEQUENCE %I', number_sequence());
END $$""",
    """CREATE FUNCTION next_number() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT nextval(number_sequence()::regclass)
$$""",
    "REVOKE ALL ON FUNCTION start_numbers() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION start_numbers() TO {app}",
    "REVOKE ALL ON FUNCTION next_number() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION next_number() TO {app}",
    """CREATE FUNCTION erase_event_text(ids uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE erased integer;
BEGIN
  UPDATE event_text SET text = NULL, salt = NULL WHERE id = ANY(ids) AND text IS NOT NULL;
  GET DIAGNOSTICS erased = ROW_COUNT;
  RETURN erased;
END $$""",
    "GRANT CREATE ON SCHEMA public TO {eraser}",
    "ALTER FUNCTION erase_event_text(uuid[]) OWNER TO {eraser}",
    "REVOKE CREATE ON SCHEMA public FROM {eraser}",
    "REVOKE ALL ON FUNCTION erase_event_text(uuid[]) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION erase_event_text(uuid[]) TO {app}",
]


def upgrade() -> None:
    create_tables()
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def create_tables() -> None:
    op.create_table(
        "account",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("calendar", sa.Text(), nullable=True),
        sa.Column("health", sa.Integer(), nullable=True),
        sa.Column("lifecycle", sa.Text(), nullable=True),
        sa.Column("owner_email", sa.Text(), nullable=True),
        sa.Column("csm_email", sa.Text(), nullable=True),
        sa.Column("sponsor_email", sa.Text(), nullable=True),
        sa.Column("parent_external_id", sa.Text(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "segment IN ('strategic', 'enterprise', 'mid_market', 'small')", name=op.f("ck_account_segment")
        ),
        sa.CheckConstraint("health BETWEEN 0 AND 100", name=op.f("ck_account_health")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_account")),
        sa.UniqueConstraint("tenant_id", "source", "external_id", name=op.f("uq_account_tenant_id_source_external_id")),
    )
    op.create_index("ix_account_changed", "account", ["tenant_id", "changed_at"], unique=False)
    op.create_index("ix_account_name", "account", ["tenant_id", "name", "id"], unique=False)
    op.create_index(
        "ix_account_parent",
        "account",
        ["tenant_id", "source", "parent_external_id"],
        unique=False,
        postgresql_where=sa.text("parent_external_id IS NOT NULL"),
    )
    op.create_table(
        "account_history",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_account_history")),
        info={"append_only": True},
    )
    op.create_index("ix_account_history_account_at", "account_history", ["tenant_id", "account_id", "at"], unique=False)
    op.create_table(
        "api_token",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("tenant_id", "secret_hash", name=op.f("uq_api_token_tenant_id_secret_hash")),
    )
    op.create_table(
        "assignment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("weight", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("value", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assignment")),
    )
    op.create_index(
        "ix_assignment_account",
        "assignment",
        ["tenant_id", "account_id", "reason", sa.literal_column("escalation_id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_assignment_last",
        "assignment",
        ["tenant_id", "owner_id", sa.literal_column("assigned_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_assignment_owner",
        "assignment",
        ["tenant_id", "owner_id"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_index(
        "uq_assignment_escalation",
        "assignment",
        ["tenant_id", "escalation_id"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "book_day",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("value", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("percentile", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_book_day")),
        sa.UniqueConstraint(
            "tenant_id", "account_id", "on_date", name=op.f("uq_book_day_tenant_id_account_id_on_date")
        ),
    )
    op.create_index(
        "ix_book_day_on_date", "book_day", ["tenant_id", sa.literal_column("on_date DESC"), "value"], unique=False
    )
    op.create_table(
        "calendar",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calendar")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_calendar_tenant_id_name")),
    )
    op.create_table(
        "calendar_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calendar_version")),
        sa.UniqueConstraint(
            "tenant_id", "calendar_id", "number", name=op.f("uq_calendar_version_tenant_id_calendar_id_number")
        ),
        info={"append_only": True},
    )
    op.create_table(
        "clock",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("original_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_kind", sa.Text(), nullable=False),
        sa.Column("target_value", sa.Integer(), nullable=False),
        sa.Column("calendar_version_id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("ladder_number", sa.Integer(), nullable=False),
        sa.Column("due_version", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("elapsed_seconds", sa.Integer(), nullable=False),
        sa.Column("paused_seconds", sa.Integer(), nullable=False),
        sa.Column("next_step_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_step", sa.Integer(), nullable=True),
        sa.Column("next_repeat", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('decide', 'acknowledge', 'respond', 'reply', 'customer_update', 'account_team_update', 'executive_update', 'tier', 'plan', 'still_on_it', 'close', 'verify', 'task')",
            name=op.f("ck_clock_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'breached', 'met', 'missed', 'cancelled')", name=op.f("ck_clock_state")
        ),
        sa.CheckConstraint(
            "target_kind IN ('calendar_days', 'business_seconds', 'fixed')", name=op.f("ck_clock_target_kind")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_clock")),
        sa.UniqueConstraint(
            "tenant_id",
            "escalation_id",
            "kind",
            "subject",
            "cycle",
            name=op.f("uq_clock_tenant_id_escalation_id_kind_subject_cycle"),
        ),
        info={"finder": ("next_step_at IS NOT NULL OR problem IS NOT NULL", ("next_step_at", "problem"))},
    )
    op.create_index(
        "ix_clock_due",
        "clock",
        ["tenant_id", "next_step_at"],
        unique=False,
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.create_index(
        "ix_clock_due_at",
        "clock",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("kind = 'close' AND ended_at IS NULL"),
    )
    op.create_index(
        "ix_clock_problem", "clock", ["tenant_id", "id"], unique=False, postgresql_where=sa.text("problem IS NOT NULL")
    )
    op.create_table(
        "clock_entry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clock_id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "type IN ('activate', 'reopen', 'resume', 'pause', 'fulfil', 'cancel', 'breach', 'retarget')",
            name=op.f("ck_clock_entry_type"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_clock_entry")),
        sa.UniqueConstraint("tenant_id", "clock_id", "seq", name=op.f("uq_clock_entry_tenant_id_clock_id_seq")),
        info={"append_only": True},
    )
    op.create_table(
        "contact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact")),
        sa.UniqueConstraint(
            "tenant_id",
            "account_id",
            "source",
            "external_id",
            name=op.f("uq_contact_tenant_id_account_id_source_external_id"),
        ),
    )
    op.create_index("ix_contact_email", "contact", ["tenant_id", "account_id", "email"], unique=False)
    op.create_table(
        "contract",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("arr", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("escalator_kind", sa.Text(), nullable=False),
        sa.Column("escalator_percent", sa.Numeric(), nullable=True),
        sa.Column("escalator_floor", sa.Numeric(), nullable=True),
        sa.Column("escalator_cap", sa.Numeric(), nullable=True),
        sa.Column("service_level", sa.Text(), nullable=True),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_contract_currency")),
        sa.CheckConstraint("escalator_kind IN ('none', 'fixed', 'index')", name=op.f("ck_contract_escalator_kind")),
        sa.CheckConstraint("arr >= 0", name=op.f("ck_contract_arr")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_contract_dates")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contract")),
        sa.UniqueConstraint(
            "tenant_id",
            "account_id",
            "source",
            "external_id",
            name=op.f("uq_contract_tenant_id_account_id_source_external_id"),
        ),
    )
    op.create_table(
        "daily_job",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ran_on", sa.Date(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_daily_job")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_daily_job_tenant_id_name")),
        info={"finder": ("true", ("name", "next_at", "retry_at"))},
    )
    op.create_table(
        "decision",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_number", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("excluded", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_decision")),
        info={"append_only": True},
    )
    op.create_index("ix_decision_escalation", "decision", ["tenant_id", "escalation_id", "at"], unique=False)
    op.create_index(
        "ix_decision_failed",
        "decision",
        ["tenant_id", "at"],
        unique=False,
        postgresql_where=sa.text("failure IS NOT NULL"),
    )
    op.create_table(
        "escalation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("customer_statement", sa.Text(), nullable=True),
        sa.Column("desired_outcome", sa.Text(), nullable=True),
        sa.Column("impact", sa.Text(), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("completeness", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("verification", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("first_owner_id", sa.Uuid(), nullable=True),
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        sa.Column("brief_missing", sa.Boolean(), nullable=False),
        sa.Column("assignment_failed", sa.Boolean(), nullable=False),
        sa.Column("raised_by_kind", sa.Text(), nullable=False),
        sa.Column("raised_by_email", sa.Text(), nullable=True),
        sa.Column("requester_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("about_user_id", sa.Uuid(), nullable=True),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("calendar_version_id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("ladder_number", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day_raised", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("close_target_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolve_by_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forecast_close_on", sa.Date(), nullable=True),
        sa.Column("waiting_party", sa.Text(), nullable=True),
        sa.Column("waiting_reason", sa.Text(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resume_on", sa.Date(), nullable=True),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wait_used_seconds", sa.Integer(), nullable=False),
        sa.Column("wait_exhausted", sa.Boolean(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopens", sa.Integer(), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("recurrence_of_id", sa.Uuid(), nullable=True),
        sa.Column("value_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("value_currency", sa.Text(), nullable=False),
        sa.Column("value_incomplete", sa.Boolean(), nullable=False),
        sa.Column("value_unconverted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("priority_score", sa.Numeric(precision=5, scale=1), nullable=False),
        sa.Column("priority_parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("priority_on", sa.Date(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("account_version", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("event_hash", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('resolved', 'unresolved', 'withdrawn', 'customer_silent', 'mistaken')",
            name=op.f("ck_escalation_outcome"),
        ),
        sa.CheckConstraint(
            "owner_id IS NOT NULL OR NOT (status IN ('open', 'in_progress', 'waiting', 'resolved'))",
            name=op.f("ck_escalation_live_has_owner"),
        ),
        sa.CheckConstraint(
            "raised_by_kind IN ('customer', 'colleague', 'system')", name=op.f("ck_escalation_raised_by_kind")
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'declined', 'open', 'in_progress', 'waiting', 'resolved', 'closed', 'merged')",
            name=op.f("ck_escalation_status"),
        ),
        sa.CheckConstraint(
            "tier IN ('tier_1', 'tier_2', 'tier_3', 'onsite', 'vendor', 'management')", name=op.f("ck_escalation_tier")
        ),
        sa.CheckConstraint(
            "waiting_party IN ('customer', 'vendor', 'internal')", name=op.f("ck_escalation_waiting_party")
        ),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_escalation_severity")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_escalation")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_escalation_tenant_id_number")),
        info={"finder": ("status = 'waiting'", ("status", "wake_at"))},
    )
    op.create_index("ix_escalation_account", "escalation", ["tenant_id", "account_id", "raised_at"], unique=False)
    op.create_index("ix_escalation_due", "escalation", ["tenant_id", "due_at", "id"], unique=False)
    op.create_index(
        "ix_escalation_live_due",
        "escalation",
        ["tenant_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'in_progress', 'waiting', 'resolved')"),
    )
    op.create_index(
        "ix_escalation_merged",
        "escalation",
        ["tenant_id", "merged_into_id"],
        unique=False,
        postgresql_where=sa.text("status = 'merged'"),
    )
    op.create_index(
        "ix_escalation_owner_live",
        "escalation",
        ["tenant_id", "owner_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'in_progress', 'waiting', 'resolved')"),
    )
    op.create_index(
        "ix_escalation_priority",
        "escalation",
        ["tenant_id", sa.literal_column("priority_score DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_escalation_priority_on",
        "escalation",
        ["tenant_id", "priority_on"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'in_progress', 'waiting', 'resolved')"),
    )
    op.create_index("ix_escalation_raised", "escalation", ["tenant_id", "raised_at", "id"], unique=False)
    op.create_index(
        "ix_escalation_value",
        "escalation",
        [
            "tenant_id",
            sa.literal_column("(coalesce(value_amount, 0) + CASE WHEN value_incomplete THEN 1e16 ELSE 0 END) DESC"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
    )
    op.create_index(
        "ix_escalation_wake",
        "escalation",
        ["tenant_id", "wake_at"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "escalation_contract",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_escalation_contract")),
        sa.UniqueConstraint(
            "tenant_id",
            "escalation_id",
            "contract_id",
            name=op.f("uq_escalation_contract_tenant_id_escalation_id_contract_id"),
        ),
    )
    op.create_table(
        "event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("acting_for_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("text_hashes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("external_key", sa.Text(), nullable=True),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_event")),
        sa.UniqueConstraint(
            "tenant_id", "escalation_id", "external_key", name=op.f("uq_event_tenant_id_escalation_id_external_key")
        ),
        sa.UniqueConstraint("tenant_id", "escalation_id", "seq", name=op.f("uq_event_tenant_id_escalation_id_seq")),
        info={"append_only": True},
    )
    op.create_table(
        "event_text",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_event_text")),
        sa.UniqueConstraint("tenant_id", "event_id", "field", name=op.f("uq_event_text_tenant_id_event_id_field")),
        info={"append_only": True},
    )
    op.create_index("ix_event_text_escalation", "event_text", ["tenant_id", "escalation_id"], unique=False)
    op.create_table(
        "forecast",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("was", sa.Date(), nullable=True),
        sa.Column("close_on", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_forecast")),
        info={"append_only": True},
    )
    op.create_index("ix_forecast_escalation", "forecast", ["tenant_id", "escalation_id", "at"], unique=False)
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
        info={"machine": True},
    )
    op.create_table(
        "idempotency_key",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint(
            "tenant_id", "principal_id", "path", "key", name=op.f("uq_idempotency_key_tenant_id_principal_id_path_key")
        ),
    )
    op.create_table(
        "import",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("stale", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_import_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import")),
    )
    op.create_table(
        "import_error",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_error")),
    )
    op.create_index("ix_import_error_import", "import_error", ["tenant_id", "import_id", "line"], unique=False)
    op.create_table(
        "intent",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("escalation_id", sa.Uuid(), nullable=True),
        sa.Column("clock_id", sa.Uuid(), nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('email', 'inbox')", name=op.f("ck_intent_channel")),
        sa.CheckConstraint("state IN ('pending', 'sent', 'dead', 'suppressed')", name=op.f("ck_intent_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_intent")),
        sa.UniqueConstraint("tenant_id", "dedupe_key", name=op.f("uq_intent_tenant_id_dedupe_key")),
        info={"finder": ("state IN ('pending', 'dead')", ("hold_until", "retry_at", "leased_until", "state"))},
    )
    op.create_index(
        "ix_intent_dead", "intent", ["tenant_id", "id"], unique=False, postgresql_where=sa.text("state = 'dead'")
    )
    op.create_index(
        "ix_intent_due",
        "intent",
        ["tenant_id", "hold_until"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_intent_escalation",
        "intent",
        ["tenant_id", "escalation_id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_intent_inbox",
        "intent",
        ["tenant_id", "user_id", sa.literal_column("at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "ladder_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ladder_version")),
        sa.UniqueConstraint("tenant_id", "kind", "number", name=op.f("uq_ladder_version_tenant_id_kind_number")),
        info={"append_only": True},
    )
    op.create_table(
        "link",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=True),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_link")),
        sa.UniqueConstraint(
            "tenant_id",
            "escalation_id",
            "system",
            "external_id",
            name=op.f("uq_link_tenant_id_escalation_id_system_external_id"),
        ),
    )
    op.create_index("ix_link_external", "link", ["tenant_id", "system", "external_id"], unique=False)
    op.create_table(
        "link_view",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_link_view")),
        info={"append_only": True},
    )
    op.create_index(
        "ix_link_view_subject", "link_view", ["tenant_id", "subject_id", sa.literal_column("at DESC")], unique=False
    )
    op.create_table(
        "membership",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_membership_capacity")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_membership")),
        sa.UniqueConstraint("tenant_id", "team_id", "user_id", name=op.f("uq_membership_tenant_id_team_id_user_id")),
    )
    op.create_table(
        "opportunity",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("probability", sa.Numeric(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_opportunity_currency")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_opportunity_amount")),
        sa.CheckConstraint("probability BETWEEN 0 AND 1", name=op.f("ck_opportunity_probability")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_opportunity")),
        sa.UniqueConstraint(
            "tenant_id",
            "account_id",
            "source",
            "external_id",
            name=op.f("uq_opportunity_tenant_id_account_id_source_external_id"),
        ),
    )
    op.create_table(
        "policy_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("weights", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_policy_version_tenant_id_number")),
        info={"append_only": True},
    )
    op.create_table(
        "rate",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_rate_currency")),
        sa.CheckConstraint("rate > 0", name=op.f("ck_rate_rate")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rate")),
        sa.UniqueConstraint("tenant_id", "currency", "on_date", name=op.f("uq_rate_tenant_id_currency_on_date")),
    )
    op.create_table(
        "request",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("customer_agreed", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('raise', 'extension')", name=op.f("ck_request_kind")),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'declined', 'replaced', 'void')", name=op.f("ck_request_state")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_request")),
    )
    op.create_index(
        "uq_request_pending",
        "request",
        ["tenant_id", "escalation_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "sandbox_advance",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sandbox_advance")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_sandbox_advance_tenant_id")),
    )
    op.create_table(
        "snapshot",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("health", sa.Integer(), nullable=True),
        sa.Column("arr", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("value_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("value_currency", sa.Text(), nullable=False),
        sa.Column("value_incomplete", sa.Boolean(), nullable=False),
        sa.Column("renewal_on", sa.Date(), nullable=True),
        sa.Column("renewal_value", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("parents", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("contracts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opportunities", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_snapshot")),
        info={"append_only": True},
    )
    op.create_index("ix_snapshot_escalation_at", "snapshot", ["tenant_id", "escalation_id", "at"], unique=False)
    op.create_table(
        "step_log",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clock_id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("due_version", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("folded", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('sent', 'done', 'suppressed', 'folded', 'passed_over')", name=op.f("ck_step_log_outcome")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_step_log")),
        sa.UniqueConstraint(
            "tenant_id",
            "clock_id",
            "cycle",
            "due_version",
            "step",
            "repeat",
            "recipient",
            "action",
            name=op.f("uq_step_log_tenant_id_clock_id_cycle_due_version_step_repeat_recipient_action"),
        ),
        info={"append_only": True},
    )
    op.create_index("ix_step_log_escalation", "step_log", ["tenant_id", "escalation_id", "at"], unique=False)
    op.create_table(
        "task",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('intake', 'qualification', 'customer_message', 'handover', 'manual')", name=op.f("ck_task_kind")
        ),
        sa.CheckConstraint("state IN ('open', 'done', 'waived')", name=op.f("ck_task_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_task")),
    )
    op.create_index("ix_task_escalation", "task", ["tenant_id", "escalation_id"], unique=False)
    op.create_table(
        "team",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_team")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_team_tenant_id_name")),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("clock_offset", sa.Interval(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("current", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
    )
    op.create_table(
        "timeline_seal",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed_on", sa.Date(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_timeline_seal")),
        sa.UniqueConstraint("tenant_id", "sealed_on", name=op.f("uq_timeline_seal_tenant_id_sealed_on")),
        info={"append_only": True},
    )
    op.create_table(
        "user",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "role IN ('csm', 'specialist', 'manager', 'executive', 'admin', 'integration')", name=op.f("ck_user_role")
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_user_email_lower")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f("uq_user_tenant_id_email")),
    )
    op.create_index("ix_user_manager_id", "user", ["tenant_id", "manager_id"], unique=False)
    op.create_table(
        "watcher",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_watcher")),
        sa.UniqueConstraint(
            "tenant_id", "escalation_id", "user_id", name=op.f("uq_watcher_tenant_id_escalation_id_user_id")
        ),
    )
    op.create_foreign_key(
        op.f("fk_account_merged_into_id"),
        "account",
        "account",
        ["tenant_id", "merged_into_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_account_history_account_id"),
        "account_history",
        "account",
        ["tenant_id", "account_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_api_token_user_id"),
        "api_token",
        "user",
        ["tenant_id", "user_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_assignment_owner_id"),
        "assignment",
        "user",
        ["tenant_id", "owner_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_book_day_account_id"),
        "book_day",
        "account",
        ["tenant_id", "account_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_calendar_version_calendar_id"),
        "calendar_version",
        "calendar",
        ["tenant_id", "calendar_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_clock_calendar_version_id"),
        "clock",
        "calendar_version",
        ["tenant_id", "calendar_version_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_clock_escalation_id"),
        "clock",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_clock_entry_clock_id"),
        "clock_entry",
        "clock",
        ["tenant_id", "clock_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_contact_account_id"),
        "contact",
        "account",
        ["tenant_id", "account_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_contract_account_id"),
        "contract",
        "account",
        ["tenant_id", "account_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_decision_owner_id"),
        "decision",
        "user",
        ["tenant_id", "owner_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_about_user_id"),
        "escalation",
        "user",
        ["tenant_id", "about_user_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_account_id"),
        "escalation",
        "account",
        ["tenant_id", "account_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_calendar_version_id"),
        "escalation",
        "calendar_version",
        ["tenant_id", "calendar_version_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_contact_id"),
        "escalation",
        "contact",
        ["tenant_id", "contact_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_merged_into_id"),
        "escalation",
        "escalation",
        ["tenant_id", "merged_into_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_owner_id"),
        "escalation",
        "user",
        ["tenant_id", "owner_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_recurrence_of_id"),
        "escalation",
        "escalation",
        ["tenant_id", "recurrence_of_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_requester_id"),
        "escalation",
        "user",
        ["tenant_id", "requester_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_contract_contract_id"),
        "escalation_contract",
        "contract",
        ["tenant_id", "contract_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_escalation_contract_escalation_id"),
        "escalation_contract",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_event_escalation_id"),
        "event",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_event_text_event_id"),
        "event_text",
        "event",
        ["tenant_id", "event_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_forecast_escalation_id"),
        "forecast",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_import_actor_id"),
        "import",
        "user",
        ["tenant_id", "actor_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_import_error_import_id"),
        "import_error",
        "import",
        ["tenant_id", "import_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_intent_user_id"),
        "intent",
        "user",
        ["tenant_id", "user_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_link_escalation_id"),
        "link",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_link_view_user_id"),
        "link_view",
        "user",
        ["tenant_id", "user_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_membership_team_id"),
        "membership",
        "team",
        ["tenant_id", "team_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_membership_user_id"),
        "membership",
        "user",
        ["tenant_id", "user_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_opportunity_account_id"),
        "opportunity",
        "account",
        ["tenant_id", "account_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_request_answered_by_id"),
        "request",
        "user",
        ["tenant_id", "answered_by_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_request_asker_id"),
        "request",
        "user",
        ["tenant_id", "asker_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_request_escalation_id"),
        "request",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_snapshot_escalation_id"),
        "snapshot",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_step_log_clock_id"),
        "step_log",
        "clock",
        ["tenant_id", "clock_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_task_assignee_id"),
        "task",
        "user",
        ["tenant_id", "assignee_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_task_escalation_id"),
        "task",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_team_lead_id"),
        "team",
        "user",
        ["tenant_id", "lead_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_user_manager_id"),
        "user",
        "user",
        ["tenant_id", "manager_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_watcher_escalation_id"),
        "watcher",
        "escalation",
        ["tenant_id", "escalation_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_foreign_key(
        op.f("fk_watcher_user_id"),
        "watcher",
        "user",
        ["tenant_id", "user_id"],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    raise RuntimeError("the first migration is not undone: drop the database instead")
