"""The traces of someone who is erased: what was only theirs is deleted, copies of their name and address emptied."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Table, delete, func, or_, select, tuple_, update

from app.database import Transaction, same_in_any_case
from app.models import (
    AccessToken,
    BrowserSession,
    CalendarFeed,
    ConflictOfInterest,
    Consent,
    DataExport,
    Decision,
    DecisionLink,
    Invitation,
    JoinRequest,
    KeptAnswer,
    Login,
    Match,
    Membership,
    Notice,
    Person,
    Preference,
    ScimUser,
    Wish,
    WishList,
)
from app.models.base import table
from app.services import answers, imports
from app.services.logins import NAMELESS

DECISION = table(Decision)
DECISION_LINK = table(DecisionLink)
INVITATION = table(Invitation)
JOIN_REQUEST = table(JoinRequest)
LOGIN = table(Login)
MATCH = table(Match)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
SCIM_USER = table(ScimUser)

NO_ADDRESS: Final = "@"
"""Equals no address that anyone has."""

OWN: Final[tuple[Table, ...]] = tuple(
    table(model)
    for model in (
        BrowserSession,
        AccessToken,
        Login,
        CalendarFeed,
        Notice,
        WishList,
        Wish,
        Preference,
        ConflictOfInterest,
        Consent,
        DataExport,
        KeptAnswer,
    )
)
"""What is of use to nobody without the person: deleted."""


def remove(tx: Transaction, person: Any) -> None:
    """Delete what was only theirs, and empty every copy of the name, the address and the logins of `person` (a row)."""
    _of_ways_in(tx, person)
    _of_links(tx, person)
    _of_matches(tx, person)
    _of_imports(tx, person)
    for own in OWN:
        tx.execute(delete(own).where(own.c.person_id == person.id))
    answers.rename(tx, person.name, NAMELESS)


def _of_ways_in(tx: Transaction, person: Any) -> None:
    """Invitations, requests and directories: by whom they led to, by login, or by address in one's organisations."""
    mail = _mail(tx, person)
    by_mail = same_in_any_case(INVITATION.c.email, mail)
    tx.execute(
        update(INVITATION)
        .where(or_(INVITATION.c.used_by == person.id, by_mail))
        .values(name="", email=None, revoked_at=func.coalesce(INVITATION.c.revoked_at, tx.now))
    )
    logins = tx.execute(select(LOGIN.c.issuer, LOGIN.c.subject).where(LOGIN.c.person_id == person.id)).all()
    theirs = [JOIN_REQUEST.c.person_id == person.id]
    if logins:
        pairs = [(row.issuer, row.subject) for row in logins]
        theirs.append(tuple_(JOIN_REQUEST.c.issuer, JOIN_REQUEST.c.subject).in_(pairs))
    tx.execute(delete(JOIN_REQUEST).where(or_(*theirs)))
    organisations = select(MEMBERSHIP.c.organisation_id).where(MEMBERSHIP.c.person_id == person.id)
    named = or_(*(same_in_any_case(text, mail) for text in (SCIM_USER.c.email, SCIM_USER.c.user_name)))
    told = SCIM_USER.c.organisation_id.in_(organisations) & named & SCIM_USER.c.person_id.is_(None)
    tx.execute(delete(SCIM_USER).where(or_(SCIM_USER.c.person_id == person.id, told)))


def _of_links(tx: Transaction, person: Any) -> None:
    """Links that were mailed to a person as a manager without an account, and the name under which they decided."""
    mail = _mail(tx, person)
    links = select(DECISION_LINK.c.id).where(same_in_any_case(DECISION_LINK.c.email, mail))
    found = tx.execute(links).scalars().all()
    tx.execute(update(DECISION).where(DECISION.c.link_id.in_(found)).values(decided_as=NAMELESS))
    tx.execute(
        update(DECISION_LINK)
        .where(DECISION_LINK.c.id.in_(found))
        .values(name="", email="", revoked_at=func.coalesce(DECISION_LINK.c.revoked_at, tx.now))
    )


def _of_matches(tx: Transaction, person: Any) -> None:
    """What was wrong with the demands of a run is said with names: theirs, and those that nobody there has any more."""
    programmes = select(MEMBERSHIP.c.programme_id).where(MEMBERSHIP.c.person_id == person.id)
    present = set(
        tx.execute(
            select(PERSON.c.name)
            .join(MEMBERSHIP, MEMBERSHIP.c.person_id == PERSON.c.id)
            .where(MEMBERSHIP.c.programme_id.in_(programmes), PERSON.c.id != person.id)
        ).scalars()
    )
    runs = select(MATCH.c.id, MATCH.c.problems).where(MATCH.c.programme_id.in_(programmes))
    for run in tx.execute(runs).all():
        kept = [
            {**problem, "values": _nameless(problem["values"], present)} for problem in run.problems or ()
        ]
        if kept != list(run.problems or ()):
            tx.execute(update(MATCH).where(MATCH.c.id == run.id).values(problems=kept))


def _of_imports(tx: Transaction, person: Any) -> None:
    """Files that are kept for a while after an import, which may name them."""
    places = select(MEMBERSHIP.c.programme_id).where(MEMBERSHIP.c.person_id == person.id).distinct()
    imports.forget_of(tx, person.id, tx.execute(places).scalars().all())


def _nameless(values: Mapping[str, Any], present: Collection[str]) -> dict[str, Any]:
    is_gone = "person" in values and values["person"] not in present
    return {**values, **({"person": NAMELESS} if is_gone else {})}


def _mail(tx: Transaction, person: Any) -> str:
    """The address by which they are known; one that another person has too says nothing of whose a thing is."""
    mail = str(person.email or NO_ADDRESS)
    others = same_in_any_case(PERSON.c.email, mail) & (PERSON.c.id != person.id)
    return NO_ADDRESS if tx.execute(select(PERSON.c.id).where(others).limit(1)).first() else mail
