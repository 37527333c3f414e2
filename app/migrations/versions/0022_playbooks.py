"""Playbooks with their versions, the one each escalation goes by, and tasks that wait for each other.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

KINDS = "'intake', 'qualification', 'customer_message', 'handover', 'manual', 'ladder', 'decision'"
OF_PROMISES = (
    "kind IN ('raise', 'approve', 'escalate', 'wait', 'resume', 'wait_budget_used', 'resolve', 'verify', "
    "'close_unresolved', 'merge', 'reopen', 'update', 'message', 'decision_asked', 'task_added', 'task', "
    "'task_ready', 'playbook')"
)
GUARDS = [
    'ALTER TABLE "playbook" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "playbook" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"playbook\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "playbook" TO {app}',
    'ALTER TABLE "playbook_version" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "playbook_version" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"playbook_version\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "playbook_version" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "playbook_version" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
]


def upgrade() -> None:
    op.create_table(
        "playbook",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_playbook")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_playbook_tenant_id_name")),
    )
    op.create_table(
        "playbook_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("playbook_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_playbook_version")),
        sa.UniqueConstraint(
            "tenant_id", "playbook_id", "number", name=op.f("uq_playbook_version_tenant_id_playbook_id_number")
        ),
    )
    op.add_column("escalation", sa.Column("playbook_version_id", sa.Uuid(), nullable=True))
    refer("playbook_version", "playbook_id", "playbook")
    refer("escalation", "playbook_version_id", "playbook_version")
    change_tasks()
    op.drop_index("ix_event_transaction", table_name="event")
    columns = ["tenant_id", "transaction_id", "id"]
    op.create_index("ix_event_transaction", "event", columns, postgresql_where=sa.text(OF_PROMISES))
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def change_tasks() -> None:
    op.add_column("task", sa.Column("key", sa.Text(), nullable=True))
    op.add_column("task", sa.Column("customer_visible", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("task", sa.Column("after", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("task", sa.Column("due", postgresql.JSONB(), nullable=True))
    op.alter_column("task", "customer_visible", server_default=None)
    op.alter_column("task", "after", server_default=None)
    op.alter_column("task", "ready_at", nullable=True)
    op.drop_constraint(op.f("ck_task_kind"), "task", type_="check")
    op.create_check_constraint(op.f("ck_task_kind"), "task", f"kind IN ({KINDS}, 'playbook')")


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
    raise RuntimeError("what was promised is not forgotten: drop the database instead")
