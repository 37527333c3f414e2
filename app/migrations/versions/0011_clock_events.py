"""The ledger in the order of its transactions, so that it can be followed without missing an entry.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STAMP = """CREATE FUNCTION stamp_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.transaction_id := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$"""
TRIGGER = 'CREATE TRIGGER stamped BEFORE INSERT ON "clock_entry" FOR EACH ROW EXECUTE FUNCTION stamp_transaction()'


def upgrade() -> None:
    now = sa.text("pg_current_xact_id()::text::bigint")
    op.add_column("clock_entry", sa.Column("transaction_id", sa.BigInteger(), nullable=False, server_default=now))
    op.alter_column("clock_entry", "transaction_id", server_default=None)
    op.execute(STAMP)
    op.execute(TRIGGER)
    columns = ["tenant_id", "transaction_id", "clock_id", "seq"]
    op.create_index("ix_clock_entry_transaction", "clock_entry", columns)
    op.create_index(
        "ix_clock_entry_recorded",
        "clock_entry",
        ["recorded_at"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )


def downgrade() -> None:
    op.drop_index("ix_clock_entry_recorded", table_name="clock_entry")
    op.drop_index("ix_clock_entry_transaction", table_name="clock_entry")
    op.execute('DROP TRIGGER stamped ON "clock_entry"')
    op.execute("DROP FUNCTION stamp_transaction()")
    op.drop_column("clock_entry", "transaction_id")
