"""Facts of cases by when they were known, their daily sums, and what a snapshot's value is made of.

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "case_fact" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "case_fact" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"case_fact\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "case_fact" TO {app}',
    'ALTER TABLE "cohort_day" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "cohort_day" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"cohort_day\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "cohort_day" TO {app}',
    'ALTER TABLE "report_cursor" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "report_cursor" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"report_cursor\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "report_cursor" TO {app}',
    'ALTER TABLE "late_entry" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "late_entry" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"late_entry\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "late_entry" TO {app}',
    'ALTER TABLE "rate_entry" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "rate_entry" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"rate_entry\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "rate_entry" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "rate_entry" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    'CREATE TRIGGER stamped BEFORE INSERT ON "rate_entry" FOR EACH ROW EXECUTE FUNCTION stamp_transaction()',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "late_entry" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
]
STAMPED = 'CREATE TRIGGER stamped BEFORE INSERT ON "snapshot" FOR EACH ROW EXECUTE FUNCTION stamp_transaction()'


def upgrade() -> None:
    _snapshots()
    _rates()
    _tables()
    names = quoted(role_names(context.config.attributes.get("settings") or load_settings()))
    bind = op.get_bind()
    for statement in GUARDS:
        bind.exec_driver_sql(statement.format(**names))


def _snapshots() -> None:
    """The lines of a snapshot's value, and which transaction wrote it; and what hides a case, found by an index."""
    now = sa.text("pg_current_xact_id()::text::bigint")
    op.add_column("snapshot", sa.Column("lines", postgresql.JSONB(), nullable=True))
    op.add_column("snapshot", sa.Column("transaction_id", sa.BigInteger(), nullable=False, server_default=now))
    op.alter_column("snapshot", "transaction_id", server_default=None)
    op.execute(STAMPED)
    op.create_index("ix_snapshot_transaction", "snapshot", ["tenant_id", "transaction_id"])
    quiet = sa.text("kind IN ('edit', 'extend')")
    op.create_index("ix_event_quiet", "event", ["tenant_id", "transaction_id"], postgresql_where=quiet)
    hidden = sa.text("restricted OR about_user_id IS NOT NULL")
    op.create_index("ix_escalation_hidden", "escalation", ["tenant_id", "id"], postgresql_where=hidden)


def _rates() -> None:
    """Rates as they were set; of those known already nobody noted when, so they count as always known."""
    op.create_table(
        "rate_entry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rate_entry")),
    )
    columns = ["tenant_id", "currency", "on_date", "recorded_at"]
    op.create_index("ix_rate_entry_currency", "rate_entry", columns)
    op.create_index("ix_rate_entry_transaction", "rate_entry", ["tenant_id", "transaction_id"])
    op.execute('ALTER TABLE "rate" NO FORCE ROW LEVEL SECURITY')
    op.execute(
        "INSERT INTO rate_entry (tenant_id, id, currency, on_date, rate, recorded_at, transaction_id) "
        "SELECT tenant_id, gen_random_uuid(), currency, on_date, rate, 'epoch', 0 FROM rate"
    )
    op.execute('ALTER TABLE "rate" FORCE ROW LEVEL SECURITY')


def _tables() -> None:
    op.create_table(
        "case_fact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("span", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("verification", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("first_owner_id", sa.Uuid(), nullable=True),
        sa.Column("closer_id", sa.Uuid(), nullable=True),
        sa.Column("reroutes", sa.Integer(), nullable=False),
        sa.Column("reopens", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day_raised", sa.Date(), nullable=False),
        sa.Column("close_target_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("customer_agreed", sa.Boolean(), nullable=True),
        sa.Column("long_pause", sa.Boolean(), nullable=False),
        sa.Column("logged_late", sa.Boolean(), nullable=False),
        sa.Column("preventable", sa.Boolean(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("health", sa.Integer(), nullable=True),
        sa.Column("renewal_on", sa.Date(), nullable=True),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("tier_1_seconds", sa.BigInteger(), nullable=True),
        sa.Column("tier_2_seconds", sa.BigInteger(), nullable=True),
        sa.Column("tier_3_seconds", sa.BigInteger(), nullable=True),
        sa.Column("onsite_seconds", sa.BigInteger(), nullable=True),
        sa.Column("vendor_seconds", sa.BigInteger(), nullable=True),
        sa.Column("management_seconds", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "standing IN ('open', 'on_time', 'late', 'unresolved', 'customer_silent', 'withdrawn', 'mistaken', 'merged', 'requested', 'declined')",
            name=op.f("ck_case_fact_standing"),
        ),
        sa.CheckConstraint("known_from < known_until", name=op.f("ck_case_fact_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "escalation_id"],
            ["escalation.tenant_id", "escalation.id"],
            name=op.f("fk_case_fact_escalation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_case_fact")),
        sa.UniqueConstraint(
            "tenant_id", "escalation_id", "known_from", name=op.f("uq_case_fact_tenant_id_escalation_id_known_from")
        ),
    )
    op.create_index("ix_case_fact_account", "case_fact", ["tenant_id", "account_id", "known_from"], unique=False)
    op.create_index("ix_case_fact_known", "case_fact", ["tenant_id", "known_from"], unique=False)
    op.create_index(
        "ix_case_fact_open",
        "case_fact",
        ["tenant_id", "span", "known_from"],
        unique=False,
        postgresql_where=sa.text("standing = 'open'"),
    )
    op.create_index("ix_case_fact_raised", "case_fact", ["tenant_id", "day_raised", "escalation_id"], unique=False)
    op.create_table(
        "cohort_day",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day_raised", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("raised", sa.BigInteger(), nullable=False),
        sa.Column("on_time", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.BigInteger(), nullable=False),
        sa.Column("unresolved", sa.BigInteger(), nullable=False),
        sa.Column("customer_silent", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=False),
        sa.Column("mistaken", sa.BigInteger(), nullable=False),
        sa.Column("merged", sa.BigInteger(), nullable=False),
        sa.Column("extended", sa.BigInteger(), nullable=False),
        sa.Column("long_pause", sa.BigInteger(), nullable=False),
        sa.Column("logged_late", sa.BigInteger(), nullable=False),
        sa.Column("unanswered", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.Column("by_first_owner", sa.BigInteger(), nullable=False),
        sa.Column("left_tier_1", sa.BigInteger(), nullable=False),
        sa.Column("left_tier_2", sa.BigInteger(), nullable=False),
        sa.Column("left_tier_3", sa.BigInteger(), nullable=False),
        sa.Column("left_onsite", sa.BigInteger(), nullable=False),
        sa.Column("left_vendor", sa.BigInteger(), nullable=False),
        sa.Column("left_management", sa.BigInteger(), nullable=False),
        sa.Column("tier_1_seconds", sa.BigInteger(), nullable=False),
        sa.Column("tier_2_seconds", sa.BigInteger(), nullable=False),
        sa.Column("tier_3_seconds", sa.BigInteger(), nullable=False),
        sa.Column("onsite_seconds", sa.BigInteger(), nullable=False),
        sa.Column("vendor_seconds", sa.BigInteger(), nullable=False),
        sa.Column("management_seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cohort_day")),
        sa.UniqueConstraint(
            "tenant_id", "ended_at", "day_raised", "days", name=op.f("uq_cohort_day_tenant_id_ended_at_day_raised_days")
        ),
    )
    op.create_index("ix_cohort_day_raised", "cohort_day", ["tenant_id", "day_raised"])
    op.create_table(
        "report_cursor",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_cursor")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_report_cursor_tenant_id")),
    )
    op.create_table(
        "late_entry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_late_entry")),
        sa.UniqueConstraint("tenant_id", "entry_id", name=op.f("uq_late_entry_tenant_id_entry_id")),
        info={"append_only": True},
    )


def downgrade() -> None:
    for table in ("rate_entry", "late_entry", "report_cursor", "cohort_day", "case_fact"):
        op.drop_table(table)
    op.drop_index("ix_escalation_hidden", table_name="escalation")
    op.drop_index("ix_event_quiet", table_name="event")
    op.drop_index("ix_snapshot_transaction", table_name="snapshot")
    op.execute('DROP TRIGGER stamped ON "snapshot"')
    op.drop_column("snapshot", "transaction_id")
    op.drop_column("snapshot", "lines")
