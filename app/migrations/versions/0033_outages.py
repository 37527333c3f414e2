"""Outages: one cause behind escalations of many accounts, with a timeline of its own, and what it offers to its cases.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())
KINDS = (
    "'intake', 'qualification', 'customer_message', 'handover', 'manual', 'ladder', 'decision', 'playbook', "
    "'outage_update', 'outage_resolution'"
)
OPEN_OFFER = "state = 'open' AND kind IN ('outage_update', 'outage_resolution')"
GUARDS = [
    'ALTER TABLE "outage" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "outage" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"outage\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "outage" TO {app}',
    'GRANT SELECT (tenant_id, settled, news_seq) ON "outage" TO {finder}',
    'CREATE POLICY find ON "outage" FOR SELECT TO {finder} USING (NOT settled AND news_seq > 0)',
    'ALTER TABLE "outage_event" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "outage_event" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"outage_event\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "outage_event" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "outage_event" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'ALTER TABLE "outage_text" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "outage_text" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"outage_text\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "outage_text" TO {app}',
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON \"outage_text\" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{eraser_name}')",
    "GRANT SELECT, UPDATE (text, salt) ON outage_text TO {eraser}",
    "CREATE POLICY erasure ON outage_text TO {eraser} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    # It belongs to the eraser, who alone may change it.
    "GRANT CREATE ON SCHEMA public TO {eraser}",
    "SET LOCAL ROLE {eraser}",
    """CREATE OR REPLACE FUNCTION erase_event_text(ids uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE erased integer; more integer;
BEGIN
  UPDATE event_text SET text = NULL, salt = NULL WHERE id = ANY(ids) AND text IS NOT NULL;
  GET DIAGNOSTICS erased = ROW_COUNT;
  UPDATE outage_text SET text = NULL, salt = NULL WHERE id = ANY(ids) AND text IS NOT NULL;
  GET DIAGNOSTICS more = ROW_COUNT;
  RETURN erased + more;
END $$""",
    "RESET ROLE",
    "REVOKE CREATE ON SCHEMA public FROM {eraser}",
]


def upgrade() -> None:
    create_outage()
    create_timeline()
    change_cases()
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def create_outage() -> None:
    op.create_table(
        "outage",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("resolved_at", MOMENT, nullable=True),
        sa.Column("news_seq", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("event_hash", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'resolved')", name=op.f("ck_outage_state")),
        sa.CheckConstraint(
            "(state = 'resolved') = (resolved_at IS NOT NULL)", name=op.f("ck_outage_resolved_has_moment")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outage")),
    )
    refer("outage", "owner_id", "user")
    op.create_index("ix_outage_state", "outage", ["tenant_id", "state", sa.text("id DESC")])
    op.create_index(
        "ix_outage_unsettled", "outage", ["tenant_id"], postgresql_where=sa.text("NOT settled AND news_seq > 0")
    )


def create_timeline() -> None:
    op.create_table(
        "outage_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("outage_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("acting_for_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("text_hashes", JSON, nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outage_event")),
        sa.UniqueConstraint("tenant_id", "outage_id", "seq", name=op.f("uq_outage_event_tenant_id_outage_id_seq")),
    )
    refer("outage_event", "outage_id", "outage")
    op.create_table(
        "outage_text",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("outage_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outage_text")),
        sa.UniqueConstraint("tenant_id", "event_id", "field", name=op.f("uq_outage_text_tenant_id_event_id_field")),
    )
    refer("outage_text", "event_id", "outage_event")
    op.create_index("ix_outage_text_outage", "outage_text", ["tenant_id", "outage_id"])


def change_cases() -> None:
    op.add_column("escalation", sa.Column("outage_id", sa.Uuid(), nullable=True))
    op.add_column("escalation", sa.Column("outage_seq", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("escalation", "outage_seq", server_default=None)
    refer("escalation", "outage_id", "outage")
    op.create_index(
        "ix_escalation_of_outage",
        "escalation",
        ["tenant_id", "outage_id", "id"],
        postgresql_where=sa.text("outage_id IS NOT NULL"),
    )
    op.add_column("task", sa.Column("outage_event_id", sa.Uuid(), nullable=True))
    refer("task", "outage_event_id", "outage_event")
    op.drop_constraint(op.f("ck_task_kind"), "task", type_="check")
    op.create_check_constraint(op.f("ck_task_kind"), "task", f"kind IN ({KINDS})")
    op.create_index(
        "uq_task_offer",
        "task",
        ["tenant_id", "escalation_id"],
        unique=True,
        postgresql_where=sa.text(OPEN_OFFER),
    )


def refer(table: str, column: str, to: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_{table}_{column}"),
        table,
        to,
        ["tenant_id", column],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    raise RuntimeError("what customers were told is not forgotten: drop the database instead")
