"""begin.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

FORGET = (
    "INSERT INTO idea_search(idea_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);"
)
LEARN = "INSERT INTO idea_search(rowid, title, body) VALUES (new.id, new.title, new.body);"
KIND = "content='idea', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='3'"
SQLITE_SEARCH = (
    f"CREATE VIRTUAL TABLE idea_search USING fts5(title, body, {KIND})",
    f"CREATE TRIGGER idea_search_insert AFTER INSERT ON idea BEGIN {LEARN} END",
    f"CREATE TRIGGER idea_search_delete AFTER DELETE ON idea BEGIN {FORGET} END",
    f"CREATE TRIGGER idea_search_update AFTER UPDATE OF title, body ON idea BEGIN {FORGET} {LEARN} END",
)
VECTOR = "to_tsvector('simple', translate(lower(title || ' ' || body), 'ČŠŽĆĐčšžćđ', 'cszcdcszcd'))"
POSTGRESQL_SEARCH = (f"CREATE INDEX ix_idea_search ON idea USING gin ({VECTOR})",)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead to this revision."""
    op.create_table(
        "person",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_email"), ["email"], unique=False)

    op.create_table(
        "programme",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=4000), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("slug", name=op.f("uq_programme_slug")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", Key, nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("nonce", sa.String(length=128), nullable=False),
        sa.Column("code_verifier", sa.String(length=128), nullable=False),
        sa.Column("next", sa.String(length=2000), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_sign_in_state_hash")),
    )
    op.create_table(
        "kept_answer",
        sa.Column("person_id", Key, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.String(length=400), nullable=True),
        sa.Column("etag", sa.String(length=80), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_kept_answer_person_id")),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("pk_kept_answer")),
    )
    op.create_table(
        "login",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("issuer", sa.String(length=400), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_login_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_login_issuer_subject")),
    )
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_person_id"), ["person_id"], unique=False)

    op.create_table(
        "sector",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_sector_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sector")),
        sa.UniqueConstraint("programme_id", "key", name=op.f("uq_sector_programme_id_key")),
    )
    op.create_table(
        "session",
        sa.Column("id", Key, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("issuer", sa.String(length=400), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("sid", sa.String(length=255), nullable=True),
        sa.Column("id_token", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_session_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_session_token_hash")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index("ix_session_issuer_sid", ["issuer", "sid"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "token",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("ending", sa.String(length=4), nullable=False),
        sa.Column("scopes", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_token_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_token_token_hash")),
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_token_person_id"), ["person_id"], unique=False)

    op.create_table(
        "organisation",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_organisation_programme_id")
        ),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_organisation_sector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_organisation_programme_id_name")),
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organisation_sector_id"), ["sector_id"], unique=False)

    op.create_table(
        "challenge",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("sponsor_id", Key, nullable=True),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("brief", sa.String(length=10000), nullable=False),
        sa.Column("brief_html", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("anonymous_allowed", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_challenge_programme_id")),
        sa.ForeignKeyConstraint(["sponsor_id"], ["organisation.id"], name=op.f("fk_challenge_sponsor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
    )
    with op.batch_alter_table("challenge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_challenge_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_membership_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_membership_programme_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_membership_sector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("programme_id", "person_id", name=op.f("uq_membership_programme_id_person_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_person_id"), ["person_id"], unique=False)

    op.create_table(
        "organisation_domain",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_domain_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_organisation_domain_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_domain")),
        sa.UniqueConstraint(
            "programme_id", "domain", name=op.f("uq_organisation_domain_programme_id_domain")
        ),
    )
    with op.batch_alter_table("organisation_domain", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_organisation_domain_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "organisation_identity",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("issuer", sa.String(length=400), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_identity_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_organisation_identity_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_identity")),
        sa.UniqueConstraint(
            "programme_id", "issuer", "value", name=op.f("uq_organisation_identity_programme_id_issuer_value")
        ),
    )
    with op.batch_alter_table("organisation_identity", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_organisation_identity_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "cluster",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_cluster_challenge_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_cluster_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cluster")),
    )
    with op.batch_alter_table("cluster", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cluster_challenge_id"), ["challenge_id"], unique=False)

    op.create_table(
        "phase",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("posting", sa.Boolean(), nullable=False),
        sa.Column("commenting", sa.Boolean(), nullable=False),
        sa.Column("supporting", sa.Boolean(), nullable=False),
        sa.Column("tallies", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_phase_challenge_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_phase_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phase")),
        sa.UniqueConstraint("challenge_id", "kind", name=op.f("uq_phase_challenge_id_kind")),
    )
    with op.batch_alter_table("phase", schema=None) as batch_op:
        batch_op.create_index("ix_phase_challenge_id_starts_at", ["challenge_id", "starts_at"], unique=False)

    op.create_table(
        "tally",
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("idea_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_tally_challenge_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_tally_programme_id")),
        sa.PrimaryKeyConstraint("challenge_id", "idea_id", "sector_id", name=op.f("pk_tally")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tally_most_supported", ["challenge_id", "sector_id", "people", "idea_id"], unique=False
        )

    op.create_table(
        "idea",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("cluster_id", Key, nullable=True),
        sa.Column("author_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.String(length=10000), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("merged_into_id", Key, nullable=True),
        sa.Column("comments", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_idea_author_id")),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_idea_challenge_id")),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name=op.f("fk_idea_cluster_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["idea.id"], name=op.f("fk_idea_merged_into_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_idea_organisation_id")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_idea_programme_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_idea_sector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idea")),
    )
    with op.batch_alter_table("idea", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idea_author_id"), ["author_id"], unique=False)
        batch_op.create_index("ix_idea_challenge_id_state_id", ["challenge_id", "state", "id"], unique=False)
        batch_op.create_index("ix_idea_cluster_id", ["cluster_id"], unique=False)

    op.create_table(
        "co_author",
        sa.Column("idea_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_co_author_idea_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_co_author_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_co_author_programme_id")),
        sa.PrimaryKeyConstraint("idea_id", "person_id", name=op.f("pk_co_author")),
    )
    op.create_table(
        "comment",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("idea_id", Key, nullable=False),
        sa.Column("author_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("body", sa.String(length=4000), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_by", Key, nullable=True),
        sa.Column("hidden_reason", sa.String(length=1000), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_comment_author_id")),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_comment_challenge_id")),
        sa.ForeignKeyConstraint(["hidden_by"], ["person.id"], name=op.f("fk_comment_hidden_by")),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_comment_idea_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_comment_organisation_id")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_comment_programme_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_comment_sector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_comment_author_id"), ["author_id"], unique=False)
        batch_op.create_index("ix_comment_idea_id_id", ["idea_id", "id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=True),
        sa.Column("challenge_id", Key, nullable=True),
        sa.Column("idea_id", Key, nullable=True),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("actor_id", Key, nullable=True),
        sa.Column("subject_id", Key, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_event_challenge_id")),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_event_idea_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_event_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_challenge_id_id", ["challenge_id", "id"], unique=False)
        batch_op.create_index("ix_event_programme_id_id", ["programme_id", "id"], unique=False)

    op.create_table(
        "hiding",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("idea_id", Key, nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("hidden_by", Key, nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=2000), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", Key, nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hidden_by"], ["person.id"], name=op.f("fk_hiding_hidden_by")),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_hiding_idea_id")),
        sa.ForeignKeyConstraint(["lifted_by"], ["person.id"], name=op.f("fk_hiding_lifted_by")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_hiding_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hiding")),
    )
    with op.batch_alter_table("hiding", schema=None) as batch_op:
        batch_op.create_index("ix_hiding_idea_id", ["idea_id"], unique=False)

    op.create_table(
        "idea_version",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("idea_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.String(length=10000), nullable=False),
        sa.Column("editor_id", Key, nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["person.id"], name=op.f("fk_idea_version_editor_id")),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_idea_version_idea_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_idea_version_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idea_version")),
    )
    with op.batch_alter_table("idea_version", schema=None) as batch_op:
        batch_op.create_index("uq_idea_version_idea_id_number", ["idea_id", "number"], unique=True)

    op.create_table(
        "merge",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("target_id", Key, nullable=False),
        sa.Column("proposed_by", Key, nullable=False),
        sa.Column("asked_id", Key, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", Key, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_id"], ["person.id"], name=op.f("fk_merge_asked_id")),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_merge_challenge_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_merge_decided_by")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_merge_programme_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_merge_proposed_by")),
        sa.ForeignKeyConstraint(["source_id"], ["idea.id"], name=op.f("fk_merge_source_id")),
        sa.ForeignKeyConstraint(["target_id"], ["idea.id"], name=op.f("fk_merge_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge")),
    )
    with op.batch_alter_table("merge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_merge_asked_id"), ["asked_id"], unique=False)
        batch_op.create_index("ix_merge_source_id", ["source_id"], unique=False)
        batch_op.create_index("ix_merge_target_id", ["target_id"], unique=False)

    op.create_table(
        "pin",
        sa.Column("idea_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("pinned_by", Key, nullable=False),
        sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_pin_challenge_id")),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_pin_idea_id")),
        sa.ForeignKeyConstraint(["pinned_by"], ["person.id"], name=op.f("fk_pin_pinned_by")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_pin_programme_id")),
        sa.PrimaryKeyConstraint("idea_id", name=op.f("pk_pin")),
    )
    with op.batch_alter_table("pin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pin_challenge_id"), ["challenge_id"], unique=False)

    op.create_table(
        "support",
        sa.Column("idea_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("challenge_id", Key, nullable=False),
        sa.Column("sector_id", Key, nullable=False),
        sa.Column("via_id", Key, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_support_challenge_id")),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_support_idea_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_support_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_support_programme_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["sector.id"], name=op.f("fk_support_sector_id")),
        sa.ForeignKeyConstraint(["via_id"], ["idea.id"], name=op.f("fk_support_via_id")),
        sa.PrimaryKeyConstraint("idea_id", "person_id", name=op.f("pk_support")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("support", schema=None) as batch_op:
        batch_op.create_index(
            "ix_support_challenge_id_person_id", ["challenge_id", "person_id", "idea_id"], unique=False
        )

    op.create_table(
        "notice",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("idea_id", Key, nullable=True),
        sa.Column("merge_id", Key, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_notice_idea_id")),
        sa.ForeignKeyConstraint(["merge_id"], ["merge.id"], name=op.f("fk_notice_merge_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_notice_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index("ix_notice_person_id_id", ["person_id", "id"], unique=False)

    op.create_table(
        "objection",
        sa.Column("merge_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("objected_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["merge_id"], ["merge.id"], name=op.f("fk_objection_merge_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_objection_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_objection_programme_id")),
        sa.PrimaryKeyConstraint("merge_id", "person_id", name=op.f("pk_objection")),
    )

    for statement in SQLITE_SEARCH if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_SEARCH:
        op.execute(sa.text(statement.replace(":", "\\:")))


def downgrade() -> None:
    """Lead back to the one before."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER idea_search_{name}")
        op.execute("DROP TABLE idea_search")
    else:
        op.execute("DROP INDEX ix_idea_search")
    op.drop_table("objection")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_person_id_id")

    op.drop_table("notice")
    with op.batch_alter_table("support", schema=None) as batch_op:
        batch_op.drop_index("ix_support_challenge_id_person_id")

    op.drop_table("support")
    with op.batch_alter_table("pin", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pin_challenge_id"))

    op.drop_table("pin")
    with op.batch_alter_table("merge", schema=None) as batch_op:
        batch_op.drop_index("ix_merge_target_id")
        batch_op.drop_index("ix_merge_source_id")
        batch_op.drop_index(batch_op.f("ix_merge_asked_id"))

    op.drop_table("merge")
    with op.batch_alter_table("idea_version", schema=None) as batch_op:
        batch_op.drop_index("uq_idea_version_idea_id_number")

    op.drop_table("idea_version")
    with op.batch_alter_table("hiding", schema=None) as batch_op:
        batch_op.drop_index("ix_hiding_idea_id")

    op.drop_table("hiding")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_programme_id_id")
        batch_op.drop_index("ix_event_challenge_id_id")

    op.drop_table("event")
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.drop_index("ix_comment_idea_id_id")
        batch_op.drop_index(batch_op.f("ix_comment_author_id"))

    op.drop_table("comment")
    op.drop_table("co_author")
    with op.batch_alter_table("idea", schema=None) as batch_op:
        batch_op.drop_index("ix_idea_cluster_id")
        batch_op.drop_index("ix_idea_challenge_id_state_id")
        batch_op.drop_index(batch_op.f("ix_idea_author_id"))

    op.drop_table("idea")
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.drop_index("ix_tally_most_supported")

    op.drop_table("tally")
    with op.batch_alter_table("phase", schema=None) as batch_op:
        batch_op.drop_index("ix_phase_challenge_id_starts_at")

    op.drop_table("phase")
    with op.batch_alter_table("cluster", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cluster_challenge_id"))

    op.drop_table("cluster")
    with op.batch_alter_table("organisation_identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organisation_identity_organisation_id"))

    op.drop_table("organisation_identity")
    with op.batch_alter_table("organisation_domain", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organisation_domain_organisation_id"))

    op.drop_table("organisation_domain")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_person_id"))
        batch_op.drop_index(batch_op.f("ix_membership_organisation_id"))

    op.drop_table("membership")
    with op.batch_alter_table("challenge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_challenge_programme_id"))

    op.drop_table("challenge")
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organisation_sector_id"))

    op.drop_table("organisation")
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_token_person_id"))

    op.drop_table("token")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_person_id"))
        batch_op.drop_index("ix_session_issuer_sid")

    op.drop_table("session")
    op.drop_table("sector")
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_person_id"))

    op.drop_table("login")
    op.drop_table("kept_answer")
    op.drop_table("sign_in")
    op.drop_table("programme")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_email"))

    op.drop_table("person")
