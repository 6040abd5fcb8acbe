"""Add imports: many rows at once, and what became of each.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead to this revision."""
    op.create_table(
        "import",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("has_file", sa.Boolean(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("rows_made", sa.Integer(), nullable=False),
        sa.Column("rows_fine", sa.Integer(), nullable=False),
        sa.Column("rows_skipped", sa.Integer(), nullable=False),
        sa.Column("rows_refused", sa.Integer(), nullable=False),
        sa.Column("made_by", Key, nullable=False),
        sa.Column("carried_by", Key, nullable=False),
        sa.Column("token_id", Key, nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_import_programme_id")),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_import_challenge_id")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_import_made_by")),
        sa.ForeignKeyConstraint(["carried_by"], ["person.id"], name=op.f("fk_import_carried_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
    )
    op.create_index("ix_import_programme_id_id", "import", ["programme_id", "id"], unique=False)
    op.create_table(
        "import_chunk",
        sa.Column("import_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import.id"], name=op.f("fk_import_chunk_import_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_import_chunk_programme_id")
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_chunk")),
    )
    op.create_table(
        "import_row",
        sa.Column("import_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("made_id", Key, nullable=True),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import.id"], name=op.f("fk_import_row_import_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_import_row_programme_id")),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_row")),
    )
    op.create_index(
        "ix_import_row_import_id_state_number", "import_row", ["import_id", "state", "number"], unique=False
    )
    op.create_table(
        "import_reference",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("scope_id", Key, nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("made_id", Key, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_import_reference_programme_id")
        ),
        sa.PrimaryKeyConstraint("kind", "scope_id", "reference", name=op.f("pk_import_reference")),
    )
    op.create_index(
        op.f("ix_import_reference_programme_id"), "import_reference", ["programme_id"], unique=False
    )


def downgrade() -> None:
    """Lead back from it."""
    op.drop_index(op.f("ix_import_reference_programme_id"), table_name="import_reference")
    op.drop_table("import_reference")
    op.drop_index("ix_import_row_import_id_state_number", table_name="import_row")
    op.drop_table("import_row")
    op.drop_table("import_chunk")
    op.drop_index("ix_import_programme_id_id", table_name="import")
    op.drop_table("import")
