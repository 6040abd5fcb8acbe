"""Let tokens make smaller tokens, which end with them.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead to this revision."""
    op.add_column(
        "token", sa.Column("made_with", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.create_index(op.f("ix_token_made_with"), "token", ["made_with"], unique=False)


def downgrade() -> None:
    """Lead back from it."""
    op.drop_index(op.f("ix_token_made_with"), table_name="token")
    op.drop_column("token", "made_with")
