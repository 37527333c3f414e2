"""Every event is found by its transaction's number, also those that webhooks tell of; nothing waits for ended webhooks.

Revision ID: 0051
Revises: 0050
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

OF_PROMISES = (
    "kind IN ('raise', 'approve', 'escalate', 'wait', 'resume', 'wait_budget_used', 'resolve', 'verify', "
    "'close_unresolved', 'merge', 'reopen', 'update', 'message', 'decision_asked', 'task_added', 'task', "
    "'task_ready', 'playbook')"
)
GIVE_UP = [
    'ALTER TABLE "webhook_subscription" NO FORCE ROW LEVEL SECURITY',
    'ALTER TABLE "webhook_delivery" NO FORCE ROW LEVEL SECURITY',
    """
    update webhook_delivery d
    set state = 'dead', last_error = 'The webhook was switched off', retry_at = null, leased_until = null
    from webhook_subscription s
    where s.tenant_id = d.tenant_id and s.id = d.subscription_id and not s.active and d.state = 'pending'
    """,
    "SET CONSTRAINTS ALL IMMEDIATE",  # a table with checks to come cannot be altered
    'ALTER TABLE "webhook_subscription" FORCE ROW LEVEL SECURITY',
    'ALTER TABLE "webhook_delivery" FORCE ROW LEVEL SECURITY',
    "SET CONSTRAINTS ALL DEFERRED",
]


def upgrade() -> None:
    _index(None)
    for statement in GIVE_UP:
        op.execute(statement)


def downgrade() -> None:
    _index(sa.text(OF_PROMISES))


def _index(kinds: sa.TextClause | None) -> None:
    op.drop_index("ix_event_transaction", table_name="event")
    op.create_index("ix_event_transaction", "event", ["tenant_id", "transaction_id", "id"], postgresql_where=kinds)
