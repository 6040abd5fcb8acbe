"""Add ballots: solutions, votes, and what was counted.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead to this revision."""
    op.create_table(
        "ballot",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("explanation", sa.String(length=4000), nullable=False),
        sa.Column("explanation_html", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("eligibility", sa.JSON(), nullable=False),
        sa.Column("member_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tallies_live", sa.Boolean(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminder_hours", sa.Integer(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("tie_order", sa.JSON(), nullable=False),
        sa.Column("made_by", Key, nullable=False),
        sa.Column("live_tally", sa.JSON(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_ballot_challenge_id")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_ballot_made_by")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_ballot_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot")),
    )
    with op.batch_alter_table("ballot", schema=None) as batch_op:
        batch_op.create_index("ix_ballot_challenge_id_id", ["challenge_id", "id"], unique=False)
        batch_op.create_index("ix_ballot_counted_at_closes_at", ["counted_at", "closes_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "solution",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("summary", sa.String(length=4000), nullable=False),
        sa.Column("summary_html", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("cost", Key, nullable=False),
        sa.Column("carrier", sa.String(length=160), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("promoted_by", Key, nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_solution_challenge_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_solution_programme_id")),
        sa.ForeignKeyConstraint(["promoted_by"], ["person.id"], name=op.f("fk_solution_promoted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_solution")),
    )
    with op.batch_alter_table("solution", schema=None) as batch_op:
        batch_op.create_index("ix_solution_challenge_id_id", ["challenge_id", "id"], unique=False)

    op.create_table(
        "ballot_change",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", Key, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_change_ballot_id")),
        sa.ForeignKeyConstraint(["changed_by"], ["person.id"], name=op.f("fk_ballot_change_changed_by")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_ballot_change_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_change")),
    )
    with op.batch_alter_table("ballot_change", schema=None) as batch_op:
        batch_op.create_index("ix_ballot_change_ballot_id", ["ballot_id"], unique=False)

    op.create_table(
        "ballot_key",
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_key_ballot_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_ballot_key_programme_id")),
        sa.PrimaryKeyConstraint("ballot_id", name=op.f("pk_ballot_key")),
    )
    op.create_table(
        "ballot_option",
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("solution_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_option_ballot_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_ballot_option_programme_id")
        ),
        sa.ForeignKeyConstraint(["solution_id"], ["solution.id"], name=op.f("fk_ballot_option_solution_id")),
        sa.PrimaryKeyConstraint("ballot_id", "solution_id", name=op.f("pk_ballot_option")),
    )
    with op.batch_alter_table("ballot_option", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ballot_option_solution_id"), ["solution_id"], unique=False)

    op.create_table(
        "ballot_result",
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("beside", sa.JSON(), nullable=False),
        sa.Column("head", sa.JSON(), nullable=False),
        sa.Column("tree", sa.JSON(), nullable=False),
        sa.Column("signature", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_result_ballot_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_ballot_result_programme_id")
        ),
        sa.PrimaryKeyConstraint("ballot_id", name=op.f("pk_ballot_result")),
    )
    op.create_table(
        "interest",
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("solution_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("statement", sa.String(length=500), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_interest_ballot_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_interest_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_interest_programme_id")),
        sa.ForeignKeyConstraint(["solution_id"], ["solution.id"], name=op.f("fk_interest_solution_id")),
        sa.PrimaryKeyConstraint("ballot_id", "person_id", "solution_id", name=op.f("pk_interest")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "published_vote",
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("position", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("sector", sa.String(length=40), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("voter", sa.JSON(), nullable=True),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_published_vote_ballot_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_published_vote_programme_id")
        ),
        sa.PrimaryKeyConstraint("ballot_id", "position", name=op.f("pk_published_vote")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("published_vote", schema=None) as batch_op:
        batch_op.create_index("ix_published_vote_receipt", ["ballot_id", "receipt"], unique=True)

    op.create_table(
        "roll_entry",
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_roll_entry_ballot_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_roll_entry_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_roll_entry_programme_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_roll_entry_sector_id")),
        sa.PrimaryKeyConstraint("ballot_id", "person_id", name=op.f("pk_roll_entry")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("roll_entry", schema=None) as batch_op:
        batch_op.create_index("ix_roll_entry_person_id", ["person_id"], unique=False)

    op.create_table(
        "turnout",
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("voters", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_turnout_ballot_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_turnout_programme_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_turnout_sector_id")),
        sa.PrimaryKeyConstraint("ballot_id", "sector_id", "hour", name=op.f("pk_turnout")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vote",
        sa.Column("ballot_id", Key, nullable=False),
        sa.Column("pseudonym", sa.LargeBinary(length=32), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=True),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_vote_ballot_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_vote_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_vote_programme_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_vote_sector_id")),
        sa.PrimaryKeyConstraint("ballot_id", "pseudonym", name=op.f("pk_vote")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("vote", schema=None) as batch_op:
        batch_op.create_index("ix_vote_receipt", ["ballot_id", "receipt"], unique=True)

    op.create_table(
        "solution_idea",
        sa.Column("solution_id", Key, nullable=False),
        sa.Column("idea_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_solution_idea_idea_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_solution_idea_programme_id")
        ),
        sa.ForeignKeyConstraint(["solution_id"], ["solution.id"], name=op.f("fk_solution_idea_solution_id")),
        sa.PrimaryKeyConstraint("solution_id", "idea_id", name=op.f("pk_solution_idea")),
    )
    with op.batch_alter_table("solution_idea", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_solution_idea_idea_id"), ["idea_id"], unique=False)

    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ballot_id", Key, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_notice_ballot_id"), "ballot", ["ballot_id"], ["id"])


def downgrade() -> None:
    """Lead back to the one before; what people were told of ballots goes with them."""
    op.execute("DELETE FROM notice WHERE ballot_id IS NOT NULL")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_notice_ballot_id"), type_="foreignkey")
        batch_op.drop_column("ballot_id")

    with op.batch_alter_table("solution_idea", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_solution_idea_idea_id"))

    op.drop_table("solution_idea")
    with op.batch_alter_table("vote", schema=None) as batch_op:
        batch_op.drop_index("ix_vote_receipt")

    op.drop_table("vote")
    op.drop_table("turnout")
    with op.batch_alter_table("roll_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_roll_entry_person_id")

    op.drop_table("roll_entry")
    with op.batch_alter_table("published_vote", schema=None) as batch_op:
        batch_op.drop_index("ix_published_vote_receipt")

    op.drop_table("published_vote")
    op.drop_table("interest")
    op.drop_table("ballot_result")
    with op.batch_alter_table("ballot_option", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_option_solution_id"))

    op.drop_table("ballot_option")
    op.drop_table("ballot_key")
    with op.batch_alter_table("ballot_change", schema=None) as batch_op:
        batch_op.drop_index("ix_ballot_change_ballot_id")

    op.drop_table("ballot_change")
    with op.batch_alter_table("solution", schema=None) as batch_op:
        batch_op.drop_index("ix_solution_challenge_id_id")

    op.drop_table("solution")
    with op.batch_alter_table("ballot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_programme_id"))
        batch_op.drop_index("ix_ballot_counted_at_closes_at")
        batch_op.drop_index("ix_ballot_challenge_id_id")

    op.drop_table("ballot")
