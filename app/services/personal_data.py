"""Personal data: every table that refers to a person, by kind: what is kept, why, for how long, and on which ground.

The one list from which people see what is kept of them, take it along, and read beforehand what an erasure does. A
test holds it against the models: a table that refers to a person stands here, or under `ELSEWHERE` with its reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, false, func, or_, select, tuple_
from sqlalchemy.engine import Connection

from app.lib.i18n import N_
from app.models import (
    Ballot,
    Booking,
    Challenge,
    Idea,
    Organisation,
    Placement,
    Programme,
    Sector,
    Solution,
    metadata,
)
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require

BOOKING = table(Booking)
IDEA = table(Idea)

YOU, SOMEONE = "you", "someone else"
"""What stands for a person in one's own data: oneself, or another, whose data is not in it."""

SECRETS: Final = frozenset(
    {
        *("token_hash", "previous_hash", "id_token", "secret_hash", "previous_secret_hash"),
        *("hash", "previous", "content", "pseudonym", "uid", "public_keys"),
        *("body_html", "text_html", "summary_html", "rotated_at", "rotation_due_at"),
    }
)
"""Columns that nobody takes along: traces of secrets, keys, and what only machines read."""


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of one table that are someone's: by the columns `of`, or by the booking or the idea that they belong to.

    `only`: the columns that are taken along, where the others are someone else's data; else all but `SECRETS`.
    """

    table: Table
    of: tuple[str, ...] = ()
    of_bookings: bool = False
    of_ideas: bool = False
    only: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the table."""
        return str(self.table.name)

    def rows_of(self, person_id: int) -> ColumnElement[bool]:
        """The condition that a row is this person's."""
        found = [self.table.c[name] == person_id for name in self.of]
        if self.of_bookings:
            own = select(BOOKING.c.id).where(BOOKING.c.person_id == person_id)
            found.append(self.table.c.booking_id.in_(own))
        if self.of_ideas:
            written = select(IDEA.c.id).where(IDEA.c.author_id == person_id)
            found.append(self.table.c.idea_id.in_(written))
        if self.name == "audit_entry":
            found.append(and_(self.table.c.subject == "person", self.table.c.subject_id == person_id))
        return or_(false(), *found)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are taken along."""
        return self.only or tuple(column.name for column in self.table.c if column.name not in SECRETS)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of data in words (msgids): what it is, why and how long it is kept, on which ground, what erasing does.

    `path`: the page where one sees it, if there is one.
    """

    key: str
    title: str
    holds: str
    why: str
    kept: str
    ground: str
    erased: str
    sources: tuple[Source, ...]
    path: str = ""


def _from(name: str, *of: str, **how: Any) -> Source:
    return Source(metadata.tables[name], of, **how)


TASK: Final = N_(
    "A task in the public interest, or a legitimate interest: to run the programme (GDPR 6(1)(e), (f))."
)
SECURITY: Final = N_("A legitimate interest: to keep accounts and the programme secure (GDPR 6(1)(f)).")
AGREED: Final = N_("Your consent, which you can take back at any time (GDPR 6(1)(a)).")
DUTY: Final = N_("A legal duty: to be able to show how your data was treated (GDPR 6(1)(c)).")

UNTIL_ERASED: Final = N_("Until you are erased: by yourself, or by the clock some time after you have left.")

KINDS: Final = (
    Kind(
        "account",
        N_("Your account"),
        N_(
            "Your name, mail address and language, the logins by which you are known again, and what "
            "your organisation's directory tells of you."
        ),
        N_("So that you can sign in, and others know whom they work with."),
        UNTIL_ERASED,
        TASK,
        N_("The name, the address and every login are deleted. A number stays, which leads to nobody."),
        (
            _from("person", "id"),
            _from("login", "person_id"),
            _from("scim_user", "person_id"),
            _from(
                "invitation",
                "used_by",
                only=(
                    "id",
                    "programme_id",
                    "organisation_id",
                    "role",
                    "provider",
                    "name",
                    "email",
                    "created_at",
                    "used_at",
                ),
            ),
            _from("join_request", "person_id"),
        ),
    ),
    Kind(
        "places",
        N_("Your places and roles"),
        N_("In which programmes you take part, for which organisation, and in which roles, now and before."),
        N_("They decide what you see and may do."),
        UNTIL_ERASED,
        TASK,
        N_(
            "All places, roles and delegations end. That someone of that organisation took part "
            "stays, without a name."
        ),
        (_from("membership", "person_id"), _from("assignment", "person_id", "delegated_by")),
    ),
    Kind(
        "sessions",
        N_("Your sign-ins"),
        N_("When and through which provider you signed in, and on which kind of device."),
        N_("So that you stay signed in, and can see and end what is not yours."),
        N_("A session ends after 12 hours; what is left of it is deleted 30 days later."),
        SECURITY,
        N_("Every session ends and is deleted."),
        (_from("session", "person_id"),),
    ),
    Kind(
        "tokens",
        N_("Your access for programs"),
        N_(
            "Tokens that you have made, and machines that you have let in: names, scopes and times. "
            "Of a secret only a trace is kept."
        ),
        N_("So that programs can do in your name what you let them do."),
        N_("A token is deleted 90 days after it has ended."),
        TASK,
        N_(
            "Your tokens end at once and are deleted. A machine that serves a whole programme goes "
            "on, without your name."
        ),
        (
            _from("token", "person_id"),
            _from(
                "client",
                "person_id",
                "created_by",
                only=(
                    "id",
                    "programme_id",
                    "organisation_id",
                    "name",
                    "scopes",
                    "created_at",
                    "expires_at",
                    "revoked_at",
                ),
            ),
        ),
        "/me/tokens",
    ),
    Kind(
        "ideas",
        N_("Your ideas and comments"),
        N_(
            "What you have written, with its history, and what came of it: merges, objections, what "
            "was hidden and why."
        ),
        N_("It is what the programme is for."),
        N_("As long as the programme is kept, since others have answered and voted on it."),
        TASK,
        N_(
            "Your name goes. The texts stay, since others have answered them, unless you choose that "
            "they go as well."
        ),
        (
            _from("idea", "author_id"),
            _from("idea_version", "editor_id"),
            _from("co_author", "person_id"),
            _from("comment", "author_id"),
            _from(
                "hiding",
                of_ideas=True,
                only=(
                    "id",
                    "programme_id",
                    "idea_id",
                    "reason",
                    "hidden_at",
                    "answer",
                    "answered_at",
                    "lifted_at",
                ),
            ),
            _from("merge", "proposed_by", "asked_id", "decided_by"),
            _from("objection", "person_id"),
        ),
        "/me#ideas",
    ),
    Kind(
        "support",
        N_("What you support"),
        N_("Which ideas you support, and since when. Others see only how many do, by sector."),
        N_("So that each person counts once."),
        N_("As long as the programme is kept."),
        TASK,
        N_("It goes on counting, without a name."),
        (_from("support", "person_id"),),
    ),
    Kind(
        "votes",
        N_("That you have voted"),
        N_(
            "On which ballots you have voted. How, is kept of ballots with open votes alone: until they are "
            "counted, and then in their published log. Interests that you have declared."
        ),
        N_("So that each person votes once, and everyone can check the count."),
        N_("As long as the programme is kept."),
        TASK,
        N_(
            "Secret votes stay secret and count. An open vote is taken back where the ballot is "
            "still open. In the published log of a ballot with open votes that is counted, your name "
            "stays: whoever has checked that log holds it, and a log without you would no longer "
            "prove anything."
        ),
        (
            _from("roll_entry", "person_id"),
            _from("vote", "person_id"),
            _from("interest", "person_id"),
        ),
    ),
    Kind(
        "stays",
        N_("Your stays"),
        N_(
            "Stays that you have asked for, with what was decided and agreed; what you and your host "
            "took from them; stories, wishes, what hosts prefer, conflicts of interest, and your "
            "calendars' addresses."
        ),
        N_("So that exchanges can be arranged, and learnt from."),
        N_("As long as the programme is kept; wishes until you take them back."),
        TASK,
        N_(
            "Stays to come are cancelled, and hosts are told. Of those that were, days and "
            "organisations stay for the ledger; messages, answers and reflections are deleted, "
            "stories are taken off the page, wishes and conflicts are deleted."
        ),
        (
            _from(
                "booking",
                "person_id",
                only=(
                    "id",
                    "programme_id",
                    "placement_id",
                    "period_id",
                    "organisation_id",
                    "sector_id",
                    "state",
                    "first_day",
                    "last_day",
                    "message",
                    "manager_name",
                    "created_at",
                    "updated_at",
                    "confirmed_at",
                ),
            ),
            _from("booking_step", of_bookings=True),
            _from(
                "decision",
                of_bookings=True,
                only=("id", "booking_id", "role", "approved", "reason", "decided_at"),
            ),
            _from("agreement", "agreed_by", of_bookings=True),
            _from("reflection", "written_by"),
            _from("story", "written_by", of_bookings=True),
            _from("wish_list", "person_id"),
            _from("wish", "person_id"),
            _from("preference", "person_id"),
            _from("conflict_of_interest", "person_id"),
            _from("calendar_feed", "person_id"),
        ),
        "/exchanges/mine",
    ),
    Kind(
        "office",
        N_("What you did in a role"),
        N_(
            "What you have offered, made or decided for others: placements, solutions, ballots, "
            "matches, decisions, what you pinned or hid, with the reasons that you gave."
        ),
        N_("So that those whom it concerns can see what was decided, and why."),
        N_("As long as the programme is kept."),
        TASK,
        N_(
            "Your name goes; what was decided and its reasons stay, since others rely on them. "
            "Placements pass to another host of the organisation, or to a coordinator; one's own desk is "
            "taken back. In the signed log of a ballot that you extended or closed early, your name stays."
        ),
        (
            _from(
                "placement",
                "contact_id",
                "offered_by",
                "published_by",
                only=(
                    "id",
                    "programme_id",
                    "organisation_id",
                    "title",
                    "description",
                    "note",
                    "created_at",
                    "published_at",
                    "withdrawn_at",
                ),
            ),
            _from("solution", "promoted_by"),
            _from(
                "ballot",
                "made_by",
                only=(
                    "id",
                    "programme_id",
                    "challenge_id",
                    "title",
                    "explanation",
                    "opens_at",
                    "closes_at",
                    "created_at",
                ),
            ),
            _from("ballot_change", "changed_by"),
            _from(
                "match",
                "made_by",
                "published_by",
                only=(
                    "id",
                    "programme_id",
                    "name",
                    "aim",
                    "first_day",
                    "last_day",
                    "created_at",
                    "published_at",
                ),
            ),
            _from(
                "import",
                "made_by",
                "carried_by",
                only=("id", "programme_id", "kind", "name", "state", "created_at", "ended_at"),
            ),
            _from(
                "decision",
                "decided_by",
                only=("id", "booking_id", "role", "approved", "reason", "decided_at"),
            ),
            _from(
                "booking_step", "actor_id", only=("id", "booking_id", "action", "role", "reason", "taken_at")
            ),
            _from(
                "hiding", "hidden_by", "lifted_by", only=("id", "idea_id", "reason", "hidden_at", "lifted_at")
            ),
            _from("pin", "pinned_by"),
            _from("erasure", "asked_by", "person_id"),
        ),
    ),
    Kind(
        "notices",
        N_("What you were told"),
        N_("Notices on your own page, some of which went out by mail."),
        N_("So that you hear of what concerns you."),
        N_("A year."),
        TASK,
        N_("They are deleted."),
        (_from("notice", "person_id"),),
        "/me#notices",
    ),
    Kind(
        "consents",
        N_("What you have consented to"),
        N_("To which purpose, in the words of which version, when, and when you took it back."),
        N_("So that your wish is followed, and can be shown."),
        UNTIL_ERASED,
        AGREED,
        N_("They are deleted, and with them every permission that they gave."),
        (_from("consent", "person_id"),),
        "/me/data#consents",
    ),
    Kind(
        "exports",
        N_("Copies of your data"),
        N_("When you asked for a copy of your data and fetched it."),
        N_("So that you can fetch it, and nobody else."),
        N_("The copy itself for 7 days, the note of it for 90."),
        DUTY,
        N_("They are deleted."),
        (_from("data_export", "person_id"),),
        "/me/data#copy",
    ),
    Kind(
        "log",
        N_("What was logged"),
        N_(
            "What you did and when, as numbers without texts; acts of administration and security "
            "are kept in a log that nobody can change unseen."
        ),
        N_("So that everyone sees a board in step, and wrongs can be found out."),
        N_("As long as the programme is kept; acts of administration and security for some years."),
        SECURITY,
        N_("The numbers stay, and lead to nobody any more."),
        (_from("event", "actor_id"), _from("audit_entry", "actor_id")),
    ),
)

ELSEWHERE: Final[Mapping[str, str]] = {
    "assignment.created_by": "the role is another's; that one gave it stands in the log of events",
    "booking.manager_id": "the stay is the guest's; one's own decisions and steps are taken along",
    "comment.hidden_by": "the text is another's; that one hid it stands in the log of events",
    "invitation.created_by": "the one invited is another; that one invited them stands in the log of events",
    "join_request.decided_by": "the one who asked is another; that one decided stands in the log of events",
    "kept_answer.person_id": "a copy of answers about what is taken along already, kept for a day",
    "sign_in.session_id": "a ticket of ten minutes, with nothing but random numbers",
    "kept_form.session_id": "a form of ten minutes, sealed: its own browser alone can open it",
    "webhook.owner_id": "it is the programme's; that one made it or switched it on stands in the log of events",
    "webhook_replay.asked_by": "it is the programme's; that one asked for it stands in the log of events",
    "session.other_person_id": "a proof of fifteen minutes that another account is theirs too",
}
"""References to a person that are not taken along, each with its reason."""

_TITLES: Final = {
    "programme_id": table(Programme).c.name,
    "organisation_id": table(Organisation).c.name,
    "sector_id": table(Sector).c.name,
    "challenge_id": table(Challenge).c.title,
    "placement_id": table(Placement).c.title,
    "ballot_id": table(Ballot).c.title,
    "solution_id": table(Solution).c.title,
}
"""What numbers are called, so that whoever takes their data along can read it."""


def counts(connection: Connection, actor: Actor) -> dict[str, int]:
    """How much of each kind is kept about the actor. One statement."""
    require(actor, Permission.MANAGE_OWN)
    return counted(connection, actor.person_id or 0)


def counted(connection: Connection, person_id: int) -> dict[str, int]:
    """How much of each kind is kept about a person. One statement."""
    numbers = [
        sum(
            (_count(source, person_id) for source in kind.sources[1:]),
            start=_count(kind.sources[0], person_id),
        ).label(kind.key)
        for kind in KINDS
    ]
    return dict(connection.execute(select(*numbers)).one()._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it


def _count(source: Source, person_id: int) -> Any:
    return select(func.count()).select_from(source.table).where(source.rows_of(person_id)).scalar_subquery()


def rows(
    connection: Connection, source: Source, person_id: int, *, at_once: int = 500
) -> Iterator[dict[str, Any]]:
    """The rows of a source that are this person's, in order, as they take them along; read `at_once` at a time.

    What some of their numbers are called stands with them; other people are no one in particular.
    """
    key = list(source.table.primary_key.columns)
    page = _selected(source, person_id).order_by(*key).limit(at_once)
    found = connection.execute(page).mappings().all()
    while found:
        for row in found:
            yield {name: _masked(source, name, row[name], person_id) for name in fields(source)}
        last = tuple_(*(bindparam(None, found[-1][_KEY + each.name], each.type) for each in key))
        found = connection.execute(page.where(tuple_(*key) > last)).mappings().all()


_KEY: Final = "key_of_"


def _selected(source: Source, person_id: int) -> Select[Any]:
    """The rows of a person's, with what their numbers are called, and the key by which they are read on."""
    chosen: list[Any] = [source.table.c[name] for name in source.columns]
    chosen += [column.label(_KEY + column.name) for column in source.table.primary_key.columns]
    joined: Any = source.table
    for name, title in _TITLES.items():
        if name in source.columns and source.table is not title.table:
            there = title.table.alias(f"of_{name}")
            joined = joined.outerjoin(there, there.c.id == source.table.c[name])
            chosen.append(there.c[title.name].label(_called(name)))
    return select(*chosen).select_from(joined).where(source.rows_of(person_id))


def fields(source: Source) -> list[str]:
    """The names of all that `rows` tell, in their order."""
    named = [
        _called(name)
        for name, title in _TITLES.items()
        if name in source.columns and source.table is not title.table
    ]
    return [*source.columns, *named]


def _called(name: str) -> str:
    return f"{name.removesuffix('_id')}_name"


def _masked(source: Source, name: str, value: Any, person_id: int) -> Any:
    column = source.table.c.get(name)
    if column is None or value is None or not refers_to_person(column):
        return value
    return YOU if value == person_id else SOMEONE


def refers_to_person(column: Any) -> bool:
    """Whether a column is a person's number."""
    return any(key.target_fullname == "person.id" for key in column.foreign_keys)
