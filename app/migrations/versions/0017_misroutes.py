"""Why a decision was wrong, beside it; closed cases by the moment they were closed.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import context, op

from app.config import load_settings
from app.migrations.roles import quoted, role_names

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

GUARDS = [
    'ALTER TABLE "misroute" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "misroute" FORCE ROW LEVEL SECURITY',
    "CREATE POLICY tenant ON \"misroute\" TO {app} USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    'GRANT SELECT, INSERT ON "misroute" TO {app}',
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "misroute" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
]
REASONS = "'wrong_team', 'wrong_person', 'lacks_skill', 'no_capacity', 'wrong_account', 'conflict_of_interest', 'other'"


def upgrade() -> None:
    op.create_table(
        "misroute",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("reroute_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_misroute_reason")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_misroute")),
        sa.UniqueConstraint("tenant_id", "reroute_id", name=op.f("uq_misroute_tenant_id_reroute_id")),
    )
    op.create_index("ix_misroute_decision", "misroute", ["tenant_id", "decision_id"])
    _refer("decision_id")
    _refer("reroute_id")
    op.create_index("ix_assignment_escalation", "assignment", ["tenant_id", "escalation_id", "assigned_at"])
    op.create_index(
        "ix_assignment_closed", "assignment", ["tenant_id", "released_at"], postgresql_where=sa.text("closed")
    )
    settings = context.config.attributes.get("settings") or load_settings()
    names = quoted(role_names(settings))
    for statement in GUARDS:
        op.execute(statement.format(**names))


def _refer(column: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_misroute_{column}"),
        "misroute",
        "decision",
        ["tenant_id", column],
        ["tenant_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    op.drop_index("ix_assignment_closed", "assignment")
    op.drop_index("ix_assignment_escalation", "assignment")
    op.drop_table("misroute")
