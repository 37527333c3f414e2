"""Reports by mail and behind links that end; files that go with mails.

Revision ID: 0042
Revises: 0041
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "intent_file" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "intent_file" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"intent_file\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "intent_file" TO {app}',
    'ALTER TABLE "report_schedule" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "report_schedule" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"report_schedule\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "report_schedule" TO {app}',
    'GRANT SELECT (tenant_id, next_at, active) ON "report_schedule" TO {finder}',
    'CREATE POLICY find ON "report_schedule" FOR SELECT TO {finder} USING (active)',
    'ALTER TABLE "report_recipient" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "report_recipient" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"report_recipient\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "report_recipient" TO {app}',
    'ALTER TABLE "report_delivery" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "report_delivery" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"report_delivery\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "report_delivery" TO {app}',
    'GRANT SELECT (tenant_id, state, retry_at, leased_until) ON "report_delivery" TO {finder}',
    "CREATE POLICY find ON \"report_delivery\" FOR SELECT TO {finder} USING (state = 'waiting')",
    'ALTER TABLE "report_link" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "report_link" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"report_link\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "report_link" TO {app}',
]


def upgrade() -> None:
    op.add_column("intent", sa.Column("opens", sa.Text(), nullable=True))
    op.add_column("intent", sa.Column("opens_id", sa.Uuid(), nullable=True))
    _tables()
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))


def _tables() -> None:
    op.create_table(
        "intent_file",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("intent_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "intent_id"],
            ["intent.tenant_id", "intent.id"],
            name=op.f("fk_intent_file_intent_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_intent_file")),
        sa.UniqueConstraint("tenant_id", "intent_id", name=op.f("uq_intent_file_tenant_id_intent_id")),
    )
    op.create_index(
        "ix_intent_file_kept",
        "intent_file",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "report_schedule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("view_id", sa.Uuid(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("own_accounts", sa.Boolean(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=True),
        sa.Column("day", sa.SmallInteger(), nullable=True),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("paper", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "CASE rhythm WHEN 'weekly' THEN weekday BETWEEN 0 AND 6 ELSE day BETWEEN 1 AND 31 END",
            name=op.f("ck_report_schedule_when"),
        ),
        sa.CheckConstraint("paper IN ('a4', 'letter')", name=op.f("ck_report_schedule_paper")),
        sa.CheckConstraint("rhythm IN ('weekly', 'monthly', 'quarterly')", name=op.f("ck_report_schedule_rhythm")),
        sa.CheckConstraint(
            "(view_id IS NULL) <> (report IS NULL) OR ended_at IS NOT NULL", name=op.f("ck_report_schedule_one_report")
        ),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name=op.f("ck_report_schedule_hour")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_report_schedule_owner_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "view_id"],
            ["report_view.tenant_id", "report_view.id"],
            name=op.f("fk_report_schedule_view_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_schedule")),
        info={"finder": ("active", ("next_at", "active"))},
    )
    op.create_index(
        "ix_report_schedule_due",
        "report_schedule",
        ["tenant_id", "next_at"],
        unique=False,
        postgresql_where=sa.text("active"),
    )
    op.create_index("ix_report_schedule_name", "report_schedule", ["tenant_id", "name", "id"], unique=False)
    op.create_table(
        "report_recipient",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["report_schedule.tenant_id", "report_schedule.id"],
            name=op.f("fk_report_recipient_schedule_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_report_recipient_user_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_recipient")),
        sa.UniqueConstraint(
            "tenant_id", "schedule_id", "user_id", name=op.f("uq_report_recipient_tenant_id_schedule_id_user_id")
        ),
    )
    op.create_index("ix_report_recipient_user_id", "report_recipient", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "report_delivery",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("intent_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'posted', 'suppressed', 'failed')", name=op.f("ck_report_delivery_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "intent_id"],
            ["intent.tenant_id", "intent.id"],
            name=op.f("fk_report_delivery_intent_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["report_schedule.tenant_id", "report_schedule.id"],
            name=op.f("fk_report_delivery_schedule_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_report_delivery_user_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_delivery")),
        sa.UniqueConstraint(
            "tenant_id",
            "schedule_id",
            "period",
            "user_id",
            name=op.f("uq_report_delivery_tenant_id_schedule_id_period_user_id"),
        ),
        info={"finder": ("state = 'waiting'", ("state", "retry_at", "leased_until"))},
    )
    op.create_index(
        "ix_report_delivery_waiting",
        "report_delivery",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "report_link",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "maker_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_report_link_maker_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "revoked_by_id"],
            ["user.tenant_id", "user.id"],
            name=op.f("fk_report_link_revoked_by_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_link")),
        sa.UniqueConstraint("tenant_id", "secret_hash", name=op.f("uq_report_link_tenant_id_secret_hash")),
    )
    op.create_index("ix_report_link_maker_id", "report_link", ["tenant_id", "maker_id", "id"], unique=False)


def downgrade() -> None:
    for table in ("report_link", "report_delivery", "report_recipient", "report_schedule", "intent_file"):
        op.drop_table(table)
    op.drop_column("intent", "opens_id")
    op.drop_column("intent", "opens")
