"""A version of a playbook brings ladders of its own, which stand among the tenant's under their own number.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ladder_version", sa.Column("playbook_version_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_ladder_version_playbook_version_id"),
        "ladder_version",
        "playbook_version",
        ["tenant_id", "playbook_version_id"],
        ["tenant_id", "id"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_index(
        "ix_ladder_version_playbook",
        "ladder_version",
        ["tenant_id", "playbook_version_id"],
        postgresql_where=sa.text("playbook_version_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column("ladder_version", "playbook_version_id")
