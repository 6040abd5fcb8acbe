"""A signed-in browser, and a sign-in on its way."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from app.models.base import instant, key, refers


class BrowserSession(SQLModel, table=True):
    """The cookie's value is kept only as a SHA-256; `issuer`, `subject` and `sid` find it for a sign-out there.

    `authenticated_at`: when the person last proved at a provider who they are. `rotation_due_at`: a role has changed,
    so the next answer brings another cookie; `previous_hash` holds for a moment after, for what was on its way.
    `other_person_id`: another account whose login was proved in this session too, at `other_proved_at`, to become one.
    """

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_issuer_sid", "issuer", "sid"),
        Index("ix_session_issuer_subject", "issuer", "subject"),
    )

    id: int | None = key()
    token_hash: bytes = Field(max_length=32, unique=True)
    person_id: int = refers("person.id", index=True)
    provider: str = Field(max_length=60)
    issuer: str = Field(max_length=400)
    subject: str = Field(max_length=255)
    sid: str | None = Field(default=None, max_length=255)
    id_token: str | None = Field(default=None, sa_type=Text)
    acr: str | None = Field(default=None, max_length=200)
    device: str = Field(default="", max_length=160)
    previous_hash: bytes | None = Field(default=None, sa_type=LargeBinary(32), index=True)
    rotated_at: datetime | None = instant(nullable=True)
    rotation_due_at: datetime | None = instant(nullable=True)
    other_person_id: int | None = refers("person.id", nullable=True)
    other_proved_at: datetime | None = instant(nullable=True)
    created_at: datetime = instant()
    authenticated_at: datetime = instant()
    seen_at: datetime = instant()
    expires_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)


class SignIn(SQLModel, table=True):
    """A way to a provider: ten minutes, used once, several at a time.

    `purpose`: sign_in, link (another login for the person of `session_id`), step_up (they prove again who they are),
    merge (with the person behind that login) or trial (nothing comes of it). `invitation_id`: what they came with.
    """

    __tablename__ = "sign_in"

    id: int | None = key()
    state_hash: bytes = Field(max_length=32, unique=True)
    browser_hash: bytes = Field(max_length=32)
    provider: str = Field(max_length=60)
    nonce: str = Field(max_length=128)
    code_verifier: str = Field(max_length=128)
    next: str = Field(max_length=2000)
    purpose: str = Field(default="sign_in", max_length=20)
    session_id: int | None = refers("session.id", nullable=True, on_delete="CASCADE")
    invitation_id: int | None = refers("invitation.id", nullable=True)
    expires_at: datetime = instant()


class KeptForm(SQLModel, table=True):
    """A form that waits ten minutes while its sender signs in once more; the browser's cookie alone opens it.

    `path`: where it is sent. `back`: the page that it stood on.
    """

    __tablename__ = "kept_form"

    id: int | None = key()
    session_id: int = refers("session.id", index=True, on_delete="CASCADE")
    path: str = Field(max_length=2000)
    back: str = Field(max_length=2000)
    sealed: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = instant()


class UsedLogoutToken(SQLModel, table=True):
    """The `jti` of a logout token that a provider has sent, as a SHA-256: it is good for one use."""

    __tablename__ = "used_logout_token"

    id: int | None = key()
    jti_hash: bytes = Field(sa_type=LargeBinary(32), unique=True)
    expires_at: datetime = instant()
