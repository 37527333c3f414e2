"""The timeline in the order of its transactions, so that tiers without a target can be followed beside the ledger.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TRIGGER = 'CREATE TRIGGER stamped BEFORE INSERT ON "event" FOR EACH ROW EXECUTE FUNCTION stamp_transaction()'
OF_TIERS = (
    "kind IN ('raise', 'approve', 'escalate', 'wait', 'resume', 'wait_budget_used', 'resolve', 'verify', "
    "'close_unresolved', 'merge', 'reopen')"
)


def upgrade() -> None:
    now = sa.text("pg_current_xact_id()::text::bigint")
    op.add_column("event", sa.Column("transaction_id", sa.BigInteger(), nullable=False, server_default=now))
    op.alter_column("event", "transaction_id", server_default=None)
    op.execute(TRIGGER)
    columns = ["tenant_id", "transaction_id", "id"]
    op.create_index("ix_event_transaction", "event", columns, postgresql_where=sa.text(OF_TIERS))
    op.create_index(
        "ix_event_recorded",
        "event",
        ["recorded_at"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )


def downgrade() -> None:
    op.drop_index("ix_event_recorded", table_name="event")
    op.drop_index("ix_event_transaction", table_name="event")
    op.execute('DROP TRIGGER stamped ON "event"')
    op.drop_column("event", "transaction_id")
