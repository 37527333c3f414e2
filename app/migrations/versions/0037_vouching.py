"""By which claim an identity provider vouches for an address.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("vouched_by", sa.Text(), nullable=False, server_default="email_verified")
    op.add_column("identity_provider", column)
    op.alter_column("identity_provider", "vouched_by", server_default=None)
    op.create_check_constraint(
        op.f("ck_identity_provider_vouched_by"), "identity_provider", "vouched_by IN ('email_verified', 'xms_edov')"
    )


def downgrade() -> None:
    op.drop_column("identity_provider", "vouched_by")
