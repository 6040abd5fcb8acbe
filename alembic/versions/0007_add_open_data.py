"""Add open data: what a programme shows to everyone.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead to this revision."""
    op.create_table(
        "open_data",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("licence", sa.String(length=20), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("publisher", sa.String(length=160), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=False),
        sa.Column("with_texts", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_open_data_programme_id")),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_open_data")),
    )
    op.create_table(
        "open_file",
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_open_file_programme_id")),
        sa.PrimaryKeyConstraint("programme_id", "name", name=op.f("pk_open_file")),
    )


def downgrade() -> None:
    """Lead back from it."""
    op.drop_table("open_file")
    op.drop_table("open_data")
