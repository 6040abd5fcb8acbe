"""Add identity: ways in, roles besides the membership's, the audit log, clients of the API, one's own data.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead to this revision."""
    op.create_table(
        "used_logout_token",
        sa.Column("id", Key, nullable=False),
        sa.Column("jti_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_logout_token")),
        sa.UniqueConstraint("jti_hash", name=op.f("uq_used_logout_token_jti_hash")),
    )
    op.create_table(
        "kept_form",
        sa.Column("id", Key, nullable=False),
        sa.Column("session_id", Key, nullable=False),
        sa.Column("path", sa.String(length=2000), nullable=False),
        sa.Column("back", sa.String(length=2000), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_kept_form_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_form")),
    )
    with op.batch_alter_table("kept_form", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_form_session_id"), ["session_id"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_consent_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(
            "ix_consent_now",
            ["person_id", "programme_id", "purpose"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.create_table(
        "data_export",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_data_export_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_export")),
    )
    with op.batch_alter_table("data_export", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_data_export_person_id"), ["person_id"], unique=False)

    op.create_table(
        "erasure",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("asked_by", Key, nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_erasure_asked_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_erasure_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("person_id", name=op.f("uq_erasure_person_id")),
    )
    op.create_table(
        "retention_rules",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("months_after_leaving", sa.Integer(), nullable=False),
        sa.Column("months_unused", sa.Integer(), nullable=False),
        sa.Column("days_of_requests", sa.Integer(), nullable=False),
        sa.Column("months_of_audit", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_retention_rules_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_retention_rules")),
    )
    op.create_table(
        "client",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("client_id", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("scopes", sa.String(length=120), nullable=False),
        sa.Column("auth_method", sa.String(length=20), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("secret_ending", sa.String(length=4), nullable=False),
        sa.Column("previous_secret_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_keys", sa.JSON(), nullable=True),
        sa.Column("created_by", Key, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_client_created_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_client_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_client_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_client_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("client_id", name=op.f("uq_client_client_id")),
    )
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_client_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_client_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("created_by", Key, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", Key, nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_invitation_created_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_invitation_organisation_id")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_invitation_programme_id")),
        sa.ForeignKeyConstraint(["used_by"], ["person.id"], name=op.f("fk_invitation_used_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "join_request",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("issuer", sa.String(length=400), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("organisation_claim", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("decided_by", Key, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("person_id", Key, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_join_request_decided_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_join_request_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_join_request_person_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_join_request_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_request")),
    )
    with op.batch_alter_table("join_request", schema=None) as batch_op:
        batch_op.create_index(
            "ix_join_request_waiting",
            ["programme_id", "issuer", "subject"],
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "scim_group",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("display_name", sa.String(length=160), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_scim_group_organisation_id")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_scim_group_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_group")),
        sa.UniqueConstraint(
            "organisation_id", "display_name", name=op.f("uq_scim_group_organisation_id_display_name")
        ),
    )
    op.create_table(
        "scim_user",
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=True),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("user_name", sa.String(length=254), nullable=False),
        sa.Column("given_name", sa.String(length=120), nullable=False),
        sa.Column("family_name", sa.String(length=120), nullable=False),
        sa.Column("display_name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_scim_user_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_scim_user_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_scim_user_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_user")),
        sa.UniqueConstraint(
            "organisation_id", "user_name", name=op.f("uq_scim_user_organisation_id_user_name")
        ),
    )
    with op.batch_alter_table("scim_user", schema=None) as batch_op:
        batch_op.create_index(
            "ix_scim_user_external_id",
            ["organisation_id", "external_id"],
            unique=True,
            sqlite_where=sa.text("external_id IS NOT NULL"),
            postgresql_where=sa.text("external_id IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_scim_user_person_id"), ["person_id"], unique=False)

    op.create_table(
        "assignment",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("challenge_id", Key, nullable=True),
        sa.Column("delegated_by", Key, nullable=True),
        sa.Column("scim_group_id", Key, nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", Key, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["challenge_id"], ["challenge.id"], name=op.f("fk_assignment_challenge_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_assignment_created_by")),
        sa.ForeignKeyConstraint(["delegated_by"], ["person.id"], name=op.f("fk_assignment_delegated_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_assignment_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_assignment_person_id")),
        sa.ForeignKeyConstraint(
            ["scim_group_id"], ["scim_group.id"], name=op.f("fk_assignment_scim_group_id")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_assignment_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignment_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assignment_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=True),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("actor_id", Key, nullable=True),
        sa.Column("client_id", Key, nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("subject_id", Key, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_audit_entry_actor_id")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_audit_entry_client_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_audit_entry_organisation_id")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_audit_entry_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entry_hash")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_actor_id"), ["actor_id"], unique=False)
        batch_op.create_index("ix_audit_entry_programme_id_id", ["programme_id", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_organisation_id_id", ["organisation_id", "id"], unique=False)
    _keep_audit()

    op.create_table(
        "scim_member",
        sa.Column("id", Key, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("group_id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_scim_member_programme_id")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["scim_group.id"], name=op.f("fk_scim_member_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["scim_user.id"], name=op.f("fk_scim_member_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_member")),
        sa.UniqueConstraint("group_id", "user_id", name=op.f("uq_scim_member_group_id_user_id")),
    )
    with op.batch_alter_table("scim_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scim_member_user_id"), ["user_id"], unique=False)

    op.create_table(
        "used_assertion",
        sa.Column("id", Key, nullable=False),
        sa.Column("client_id", Key, nullable=False),
        sa.Column("jti_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_used_assertion_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_assertion")),
        sa.UniqueConstraint("client_id", "jti_hash", name=op.f("uq_used_assertion_client_id_jti_hash")),
    )
    op.add_column("login", sa.Column("provider", sa.String(length=60), nullable=False, server_default=""))
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_membership_programme_id_person_id"), type_="unique")
        batch_op.add_column(sa.Column("is_given", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index(
            "ix_membership_now",
            ["programme_id", "person_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.add_column("person", sa.Column("administrator_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("is_machine", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("person", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("name_is_own", "email_is_own"):
        op.add_column("person", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column(
        "programme", sa.Column("joining", sa.String(length=10), nullable=False, server_default="join")
    )
    op.add_column("session", sa.Column("acr", sa.String(length=200), nullable=True))
    op.add_column("session", sa.Column("device", sa.String(length=160), nullable=False, server_default=""))
    op.add_column("session", sa.Column("previous_hash", sa.LargeBinary(length=32), nullable=True))
    op.add_column("session", sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("session", sa.Column("rotation_due_at", sa.DateTime(timezone=True), nullable=True))
    # A session of before is not fresh: whatever asks for a fresh sign-in gets one.
    op.add_column(
        "session",
        sa.Column(
            "authenticated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default="1970-01-01 00:00:00.000000",
        ),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("other_person_id", Key, nullable=True))
        batch_op.add_column(sa.Column("other_proved_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_session_other_person_id"), "person", ["other_person_id"], ["id"]
        )
    op.create_index("ix_session_issuer_subject", "session", ["issuer", "subject"], unique=False)
    op.create_index(op.f("ix_session_previous_hash"), "session", ["previous_hash"], unique=False)
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("purpose", sa.String(length=20), nullable=False, server_default="sign_in")
        )
        batch_op.add_column(sa.Column("session_id", Key, nullable=True))
        batch_op.add_column(sa.Column("invitation_id", Key, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_sign_in_session_id"), "session", ["session_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_sign_in_invitation_id"), "invitation", ["invitation_id"], ["id"]
        )

    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("client_id", Key, nullable=True))
        batch_op.add_column(sa.Column("programme_id", Key, nullable=True))
        batch_op.add_column(sa.Column("organisation_id", Key, nullable=True))
        batch_op.create_index(batch_op.f("ix_token_client_id"), ["client_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_token_organisation_id"), "organisation", ["organisation_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_token_programme_id"), "programme", ["programme_id"], ["id"]
        )
        batch_op.create_foreign_key(batch_op.f("fk_token_client_id"), "client", ["client_id"], ["id"])


# An entry of the audit log is never changed, and taken away only from the beginning, where a later entry, the
# checkpoint, says up to which one. A migration that makes the table anew on SQLite has to make these anew as well.
_IS_KEPT = (
    "NOT EXISTS (SELECT 1 FROM audit_entry AS checkpoint WHERE checkpoint.action = 'audit.pruned' "
    "AND checkpoint.subject_id >= OLD.id AND checkpoint.id > checkpoint.subject_id)"
)


def _keep_audit() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_entry_unchanged BEFORE UPDATE ON audit_entry "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END"
        )
        op.execute(
            f"CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry WHEN {_IS_KEPT} "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION audit_entry_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN IF {_IS_KEPT} THEN "
        "RAISE EXCEPTION 'the audit log is only ever added to'; END IF; RETURN OLD; END IF; "
        "RAISE EXCEPTION 'the audit log is only ever added to'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_kept BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_is_kept()"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_not_emptied BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_kept()"
    )


def _let_go_of_audit() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_unchanged")
        op.execute("DROP TRIGGER audit_entry_kept")
        return
    op.execute("DROP TRIGGER audit_entry_kept ON audit_entry")
    op.execute("DROP TRIGGER audit_entry_not_emptied ON audit_entry")
    op.execute("DROP FUNCTION audit_entry_is_kept()")


def downgrade() -> None:
    """Lead back to the one before; of places that someone had one after another the last one stays."""
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_token_client_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_token_programme_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_token_organisation_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_token_client_id"))
        batch_op.drop_column("organisation_id")
        batch_op.drop_column("programme_id")
        batch_op.drop_column("client_id")

    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_sign_in_invitation_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_sign_in_session_id"), type_="foreignkey")
        batch_op.drop_column("invitation_id")
        batch_op.drop_column("session_id")
        batch_op.drop_column("purpose")

    op.drop_index(op.f("ix_session_previous_hash"), table_name="session")
    op.drop_index("ix_session_issuer_subject", table_name="session")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_session_other_person_id"), type_="foreignkey")
        batch_op.drop_column("other_proved_at")
        batch_op.drop_column("other_person_id")
    for column in ("authenticated_at", "rotation_due_at", "rotated_at", "previous_hash", "device", "acr"):
        op.drop_column("session", column)
    op.drop_column("programme", "joining")
    for column in (
        *("email_is_own", "name_is_own", "warned_at"),
        *("erased_at", "is_machine", "administrator_since"),
    ):
        op.drop_column("person", column)
    op.execute(
        "DELETE FROM membership WHERE ended_at IS NOT NULL AND EXISTS (SELECT 1 FROM membership AS later "
        "WHERE later.programme_id = membership.programme_id AND later.person_id = membership.person_id "
        "AND later.id > membership.id)"
    )
    op.execute(
        "DELETE FROM membership WHERE ended_at IS NOT NULL AND EXISTS (SELECT 1 FROM membership AS now "
        "WHERE now.programme_id = membership.programme_id AND now.person_id = membership.person_id "
        "AND now.ended_at IS NULL)"
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_membership_now",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_column("is_given")
        batch_op.create_unique_constraint(
            batch_op.f("uq_membership_programme_id_person_id"), ["programme_id", "person_id"]
        )

    op.drop_column("login", "provider")
    op.drop_table("used_assertion")
    with op.batch_alter_table("scim_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scim_member_user_id"))

    op.drop_table("scim_member")
    _let_go_of_audit()
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_organisation_id_id")
        batch_op.drop_index("ix_audit_entry_programme_id_id")
        batch_op.drop_index(batch_op.f("ix_audit_entry_actor_id"))

    op.drop_table("audit_entry")
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assignment_programme_id"))
        batch_op.drop_index(batch_op.f("ix_assignment_person_id"))

    op.drop_table("assignment")
    with op.batch_alter_table("scim_user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scim_user_person_id"))
        batch_op.drop_index(
            "ix_scim_user_external_id",
            sqlite_where=sa.text("external_id IS NOT NULL"),
            postgresql_where=sa.text("external_id IS NOT NULL"),
        )

    op.drop_table("scim_user")
    op.drop_table("scim_group")
    with op.batch_alter_table("join_request", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_join_request_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.drop_table("join_request")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_programme_id"))

    op.drop_table("invitation")
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_client_programme_id"))
        batch_op.drop_index(batch_op.f("ix_client_person_id"))

    op.drop_table("client")
    op.drop_table("retention_rules")
    op.drop_table("erasure")
    with op.batch_alter_table("data_export", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_data_export_person_id"))

    op.drop_table("data_export")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_consent_now",
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.drop_table("consent")
    with op.batch_alter_table("kept_form", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_form_session_id"))

    op.drop_table("kept_form")
    op.drop_table("used_logout_token")
