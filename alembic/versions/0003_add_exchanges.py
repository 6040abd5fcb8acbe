"""Add exchanges: placements, bookings, wishes and matches.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead to this revision."""
    op.create_table(
        "exchange_rules",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("way", sa.String(length=20), nullable=False),
        sa.Column("approvals", sa.JSON(), nullable=False),
        sa.Column("in_order", sa.Boolean(), nullable=False),
        sa.Column("checklist", sa.JSON(), nullable=False),
        sa.Column("hold_days", sa.Integer(), nullable=False),
        sa.Column("offer_days", sa.Integer(), nullable=False),
        sa.Column("link_days", sa.Integer(), nullable=False),
        sa.Column("remind_days", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=10), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("aim", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_exchange_rules_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_exchange_rules")),
    )
    op.create_table(
        "match",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("aim", sa.String(length=10), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("demands", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("input_hash", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("made_by", Key, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", Key, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_match_made_by")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_match_programme_id")),
        sa.ForeignKeyConstraint(["published_by"], ["person.id"], name=op.f("fk_match_published_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match")),
    )
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.create_index("ix_match_programme_id_id", ["programme_id", "id"], unique=False)

    op.create_table(
        "wish_list",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("unavailable", sa.JSON(), nullable=False),
        sa.Column("offers_desk", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_wish_list_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_wish_list_programme_id")),
        sa.PrimaryKeyConstraint("programme_id", "person_id", name=op.f("pk_wish_list")),
    )
    with op.batch_alter_table("wish_list", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wish_list_person_id"), ["person_id"], unique=False)

    op.create_table(
        "calendar_feed",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_calendar_feed_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_calendar_feed_person_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_calendar_feed_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    with op.batch_alter_table("calendar_feed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_calendar_feed_person_id"), ["person_id"], unique=False)

    op.create_table(
        "conflict_of_interest",
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("statement", sa.String(length=400), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_conflict_of_interest_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_conflict_of_interest_person_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_conflict_of_interest_programme_id")
        ),
        sa.PrimaryKeyConstraint(
            "programme_id", "person_id", "organisation_id", name=op.f("pk_conflict_of_interest")
        ),
    )
    with op.batch_alter_table("conflict_of_interest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conflict_of_interest_person_id"), ["person_id"], unique=False)

    op.create_table(
        "placement",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=4000), nullable=False),
        sa.Column("description_html", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("competencies", sa.JSON(), nullable=False),
        sa.Column("spoken", sa.JSON(), nullable=False),
        sa.Column("place", sa.String(length=160), nullable=False),
        sa.Column("accessibility", sa.String(length=1000), nullable=False),
        sa.Column("confidentiality", sa.String(length=2000), nullable=False),
        sa.Column("open_to", sa.String(length=10), nullable=False),
        sa.Column("least_days", sa.Integer(), nullable=False),
        sa.Column("most_days", sa.Integer(), nullable=False),
        sa.Column("contact_id", Key, nullable=False),
        sa.Column("offered_by", Key, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", Key, nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_desk", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["person.id"], name=op.f("fk_placement_contact_id")),
        sa.ForeignKeyConstraint(["offered_by"], ["person.id"], name=op.f("fk_placement_offered_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_placement_organisation_id")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_placement_programme_id")),
        sa.ForeignKeyConstraint(["published_by"], ["person.id"], name=op.f("fk_placement_published_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
    )
    with op.batch_alter_table("placement", schema=None) as batch_op:
        batch_op.create_index("ix_placement_organisation_id", ["organisation_id"], unique=False)
        batch_op.create_index("ix_placement_programme_id_id", ["programme_id", "id"], unique=False)

    op.create_table(
        "period",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("placement_id", Key, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("is_window", sa.Boolean(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["placement_id"], ["placement.id"], name=op.f("fk_period_placement_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_period_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period")),
    )
    with op.batch_alter_table("period", schema=None) as batch_op:
        batch_op.create_index("ix_period_placement_id_first_day", ["placement_id", "first_day"], unique=False)
        batch_op.create_index("ix_period_programme_id_first_day", ["programme_id", "first_day"], unique=False)

    op.create_table(
        "preference",
        sa.Column("placement_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_preference_person_id")),
        sa.ForeignKeyConstraint(["placement_id"], ["placement.id"], name=op.f("fk_preference_placement_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_preference_programme_id")),
        sa.PrimaryKeyConstraint("placement_id", "person_id", name=op.f("pk_preference")),
    )
    with op.batch_alter_table("preference", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_preference_person_id"), ["person_id"], unique=False)

    op.create_table(
        "booking",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("placement_id", Key, nullable=False),
        sa.Column("period_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("manager_id", Key, nullable=True),
        sa.Column("manager_name", sa.String(length=120), nullable=False),
        sa.Column("manager_email", sa.String(length=254), nullable=False),
        sa.Column("line_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("match_id", Key, nullable=True),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["manager_id"], ["person.id"], name=op.f("fk_booking_manager_id")),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name=op.f("fk_booking_match_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_booking_organisation_id")
        ),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"], name=op.f("fk_booking_period_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_booking_person_id")),
        sa.ForeignKeyConstraint(["placement_id"], ["placement.id"], name=op.f("fk_booking_placement_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_booking_programme_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_booking_sector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
        sa.UniqueConstraint("uid", name=op.f("uq_booking_uid")),
    )
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_booking_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_booking_match_id"), ["match_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_booking_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index("ix_booking_period_id_state", ["period_id", "state"], unique=False)
        batch_op.create_index("ix_booking_person_id_state", ["person_id", "state"], unique=False)
        batch_op.create_index("ix_booking_placement_id_id", ["placement_id", "id"], unique=False)
        batch_op.create_index("ix_booking_programme_id_state", ["programme_id", "state"], unique=False)
        batch_op.create_index("ix_booking_state_expires_at", ["state", "expires_at"], unique=False)

    op.create_table(
        "wish",
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("placement_id", Key, nullable=True),
        sa.Column("period_id", Key, nullable=True),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("competency", sa.String(length=80), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_wish_organisation_id")
        ),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"], name=op.f("fk_wish_period_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_wish_person_id")),
        sa.ForeignKeyConstraint(["placement_id"], ["placement.id"], name=op.f("fk_wish_placement_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_wish_programme_id")),
        sa.PrimaryKeyConstraint("programme_id", "person_id", "rank", name=op.f("pk_wish")),
    )
    with op.batch_alter_table("wish", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wish_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_placement_id"), ["placement_id"], unique=False)

    op.create_table(
        "agreement",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("booking_id", Key, nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("party", sa.String(length=20), nullable=False),
        sa.Column("statement", sa.String(length=4000), nullable=False),
        sa.Column("answer", sa.String(length=400), nullable=False),
        sa.Column("agreed_by", Key, nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agreed_by"], ["person.id"], name=op.f("fk_agreement_agreed_by")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_agreement_booking_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_agreement_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("booking_id", "item", name=op.f("uq_agreement_booking_id_item")),
    )
    op.create_table(
        "booking_step",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("booking_id", Key, nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("actor_id", Key, nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_booking_step_actor_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_step_booking_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_booking_step_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_step")),
    )
    with op.batch_alter_table("booking_step", schema=None) as batch_op:
        batch_op.create_index("ix_booking_step_booking_id_id", ["booking_id", "id"], unique=False)

    op.create_table(
        "decision_link",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("booking_id", Key, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_decision_link_booking_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_decision_link_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_link")),
    )
    with op.batch_alter_table("decision_link", schema=None) as batch_op:
        batch_op.create_index("ix_decision_link_booking_id", ["booking_id"], unique=False)

    op.create_table(
        "reflection",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("booking_id", Key, nullable=False),
        sa.Column("party", sa.String(length=20), nullable=False),
        sa.Column("learned", sa.String(length=1000), nullable=False),
        sa.Column("surprised", sa.String(length=1000), nullable=False),
        sa.Column("next", sa.String(length=1000), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("written_by", Key, nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_reflection_booking_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_reflection_programme_id")),
        sa.ForeignKeyConstraint(["written_by"], ["person.id"], name=op.f("fk_reflection_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reflection")),
        sa.UniqueConstraint("booking_id", "party", name=op.f("uq_reflection_booking_id_party")),
    )
    op.create_table(
        "story",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("booking_id", Key, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("text_html", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("written_by", Key, nullable=False),
        sa.Column("guest_consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("host_consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_story_booking_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_story_programme_id")),
        sa.ForeignKeyConstraint(["written_by"], ["person.id"], name=op.f("fk_story_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_story_booking_id")),
    )
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.create_index(
            "ix_story_programme_id_published_at", ["programme_id", "published_at"], unique=False
        )

    op.create_table(
        "decision",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("booking_id", Key, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("decided_by", Key, nullable=True),
        sa.Column("decided_as", sa.String(length=120), nullable=False),
        sa.Column("link_id", Key, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_decision_booking_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_decision_decided_by")),
        sa.ForeignKeyConstraint(["link_id"], ["decision_link.id"], name=op.f("fk_decision_link_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_decision_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("booking_id", "round", "role", name=op.f("uq_decision_booking_id_round_role")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("booking_id", Key, nullable=True))
        batch_op.add_column(sa.Column("placement_id", Key, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_notice_booking_id"), "booking", ["booking_id"], ["id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_notice_placement_id"), "placement", ["placement_id"], ["id"]
        )


def downgrade() -> None:
    """Lead back to the one before; what people were told of exchanges goes with them."""
    op.execute("DELETE FROM notice WHERE booking_id IS NOT NULL OR placement_id IS NOT NULL")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_notice_placement_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_notice_booking_id"), type_="foreignkey")
        batch_op.drop_column("placement_id")
        batch_op.drop_column("booking_id")

    op.drop_table("decision")
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.drop_index("ix_story_programme_id_published_at")

    op.drop_table("story")
    op.drop_table("reflection")
    with op.batch_alter_table("decision_link", schema=None) as batch_op:
        batch_op.drop_index("ix_decision_link_booking_id")

    op.drop_table("decision_link")
    with op.batch_alter_table("booking_step", schema=None) as batch_op:
        batch_op.drop_index("ix_booking_step_booking_id_id")

    op.drop_table("booking_step")
    op.drop_table("agreement")
    with op.batch_alter_table("wish", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wish_placement_id"))
        batch_op.drop_index(batch_op.f("ix_wish_person_id"))

    op.drop_table("wish")
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.drop_index("ix_booking_state_expires_at")
        batch_op.drop_index("ix_booking_programme_id_state")
        batch_op.drop_index("ix_booking_placement_id_id")
        batch_op.drop_index("ix_booking_person_id_state")
        batch_op.drop_index("ix_booking_period_id_state")
        batch_op.drop_index(batch_op.f("ix_booking_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_booking_match_id"))
        batch_op.drop_index(batch_op.f("ix_booking_manager_id"))

    op.drop_table("booking")
    with op.batch_alter_table("preference", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_preference_person_id"))

    op.drop_table("preference")
    with op.batch_alter_table("period", schema=None) as batch_op:
        batch_op.drop_index("ix_period_programme_id_first_day")
        batch_op.drop_index("ix_period_placement_id_first_day")

    op.drop_table("period")
    with op.batch_alter_table("placement", schema=None) as batch_op:
        batch_op.drop_index("ix_placement_programme_id_id")
        batch_op.drop_index("ix_placement_organisation_id")

    op.drop_table("placement")
    with op.batch_alter_table("conflict_of_interest", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conflict_of_interest_person_id"))

    op.drop_table("conflict_of_interest")
    with op.batch_alter_table("calendar_feed", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_calendar_feed_person_id"))

    op.drop_table("calendar_feed")
    with op.batch_alter_table("wish_list", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wish_list_person_id"))

    op.drop_table("wish_list")
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.drop_index("ix_match_programme_id_id")

    op.drop_table("match")
    op.drop_table("exchange_rules")
