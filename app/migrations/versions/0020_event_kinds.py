"""More kinds of event found in the order of their transactions: those that tell of updates and tasks without a clock.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

OF_TIERS = (
    "kind IN ('raise', 'approve', 'escalate', 'wait', 'resume', 'wait_budget_used', 'resolve', 'verify', "
    "'close_unresolved', 'merge', 'reopen')"
)
OF_PROMISES = (
    "kind IN ('raise', 'approve', 'escalate', 'wait', 'resume', 'wait_budget_used', 'resolve', 'verify', "
    "'close_unresolved', 'merge', 'reopen', 'update', 'message', 'decision_asked', 'task_added', 'task')"
)


def upgrade() -> None:
    _index(OF_PROMISES)


def downgrade() -> None:
    _index(OF_TIERS)


def _index(kinds: str) -> None:
    op.drop_index("ix_event_transaction", table_name="event")
    columns = ["tenant_id", "transaction_id", "id"]
    op.create_index("ix_event_transaction", "event", columns, postgresql_where=sa.text(kinds))
