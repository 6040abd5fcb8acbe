"""Making a ballot: drafting, changing it before it opens, extending and closing it with a reason."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.database import Transaction, present
from app.errors import Conflict, FieldError, Invalid, Moved
from app.integrations import seal
from app.lib import markdown
from app.lib.i18n import LANGUAGES, N_
from app.methods import choices
from app.methods.election import Option, Settings
from app.methods.shuffle import shuffled
from app.models import (
    Ballot,
    BallotChange,
    BallotKey,
    BallotOption,
    Challenge,
    Interest,
    Organisation,
    Solution,
)
from app.models.ballot import CLOSURE, EXTENSION, MODES, SECRET
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require, require_fresh_in_browser
from app.schemas import text
from app.services import ballots, challenges, solutions
from app.services.ballots import CANCELLED, OPEN, SCHEDULED, VOTERS, BallotView
from app.services.events import record
from app.services.solutions import SolutionView

BALLOT = table(Ballot)
BALLOT_CHANGE = table(BallotChange)
BALLOT_KEY = table(BallotKey)
BALLOT_OPTION = table(BallotOption)
CHALLENGE = table(Challenge)
INTEREST = table(Interest)
ORGANISATION = table(Organisation)
SOLUTION = table(Solution)

MOST_SOLUTIONS: Final = 100
LONGEST: Final = timedelta(days=366)
"""How long a ballot may be open."""

MOST_REMINDER_HOURS: Final = 24 * 30

USUAL_RULE: Final = "least_sector"
USUAL_RULE_OF: Final[Mapping[str, str]] = {"budget": "equal_split"}
USUAL_THRESHOLD: Final = 50
USUAL_THRESHOLD_OF: Final[Mapping[str, int]] = {"points": 0, "quadratic": 0, "budget": 0}
"""Who spreads points or money supports few solutions, so that half of a sector is no fair bar there."""

NUMBERS: Final = (
    "seats",
    "least",
    "most",
    "points",
    "budget",
    "threshold",
    "quorum",
    "sector_quorum",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A ballot as a coordinator or sponsor describes it.

    `rule` None: the usual one of the method. `numbers` are those of `NUMBERS` that are not as usual. `solutions`:
    ids, in any order. `roles`, `sectors` (keys), `organisations` (ids): whose people may vote; empty: all. `opens_at`
    None: at once. `member_since` None: when it opens. `reminder_hours` before it closes; 0: no reminder.
    """

    title: str = ""
    explanation: str = ""
    language: str = "en"
    method: str = "approval"
    rule: str | None = None
    mode: str = SECRET
    unit: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    solutions: Sequence[int] = ()
    roles: Sequence[str] = ()
    sectors: Sequence[str] = ()
    organisations: Sequence[int] = ()
    member_since: datetime | None = None
    tallies_live: bool = False
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    reminder_hours: int = 24


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft that can be made: the values of its row, its solutions, how many may vote in each sector."""

    values: Mapping[str, Any]
    settings: Settings
    solutions: tuple[SolutionView, ...]
    eligible: Mapping[str, int]


# verbs


def make(tx: Transaction, actor: Actor, challenge_id: int, draft: Draft) -> int:
    """Make a ballot over solutions of a challenge; its id. It opens and closes by the clock.

    :raises NotFound: there is no such challenge for this actor
    :raises NotAllowed: the actor is neither coordinator nor sponsor
    :raises Invalid: something of the draft cannot be taken; each error names its field
    """
    _lock_challenge(tx, challenge_id)
    challenge = challenges.find(tx.connection, actor, challenge_id)
    require(actor, Permission.MAKE_BALLOT, challenge)
    _lock_solutions(tx, draft.solutions)
    checked = check(tx.connection, actor, challenge_id, draft)
    seed = secrets.token_hex(16)
    ballot = Ballot(
        **checked.values,
        programme_id=challenge.programme_id,
        challenge_id=challenge_id,
        seed=seed,
        tie_order=list(shuffled((each.key for each in checked.solutions), seed, "ties")),
        made_by=actor.person_id or 0,
    )
    tx.session.add(ballot)
    tx.session.flush()
    identity = int(ballot.id or 0)
    _write_options(tx, challenge.programme_id, identity, checked.solutions)
    tx.execute(
        BALLOT_KEY.insert(),
        {
            "ballot_id": identity,
            "programme_id": challenge.programme_id,
            "secret": seal.new_ballot_key(),
        },
    )
    _record(tx, "ballot.made", actor, ballot)
    return identity


def change(tx: Transaction, actor: Actor, ballot_id: int, draft: Draft, *, version: int | None = None) -> int:
    """Make the ballot as `draft` says, before it opens; the new version. As it was, nothing happens.

    :raises Conflict: it has opened, so its rules stand
    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: something of the draft cannot be taken
    """
    ballot = _held(tx, actor, ballot_id, Permission.CHANGE_BALLOT)
    if ballot.state != SCHEDULED:
        raise Conflict(N_("This ballot has opened, so nothing of it can change any more."))
    if version is not None and version != ballot.version:
        raise Moved(N_("Someone has changed this ballot in the meantime."), current=ballot.version)
    _lock_solutions(tx, draft.solutions)
    checked = check(tx.connection, actor, ballot.challenge_id, draft)
    if _is_as_held(ballot, checked):
        return ballot.version
    tie_order = list(shuffled((each.key for each in checked.solutions), ballot.seed, "ties"))
    tx.execute(
        BALLOT.update()
        .where(BALLOT.c.id == ballot_id)
        .values(
            **checked.values,
            tie_order=tie_order,
            reminded_at=None,
            announced_at=None,
            version=ballot.version + 1,
            updated_at=tx.now,
        )
    )
    tx.execute(BALLOT_OPTION.delete().where(BALLOT_OPTION.c.ballot_id == ballot_id))
    _write_options(tx, ballot.programme_id, ballot_id, checked.solutions)
    kept = _ids(checked.solutions)
    tx.execute(
        INTEREST.delete().where(INTEREST.c.ballot_id == ballot_id, INTEREST.c.solution_id.not_in(kept))
    )
    _record(tx, "ballot.changed", actor, ballot)
    return ballot.version + 1


def cancel(tx: Transaction, actor: Actor, ballot_id: int, *, version: int | None = None) -> None:
    """Take a ballot back before it opens.

    :raises Conflict: it has opened
    """
    ballot = _held(tx, actor, ballot_id, Permission.CHANGE_BALLOT)
    if ballot.state == CANCELLED:
        return
    if ballot.state != SCHEDULED:
        raise Conflict(N_("This ballot has opened, so it cannot be taken back; it can be closed early."))
    if version is not None and version != ballot.version:
        raise Moved(N_("Someone has changed this ballot in the meantime."), current=ballot.version)
    tx.execute(
        BALLOT.update()
        .where(BALLOT.c.id == ballot_id)
        .values(cancelled_at=tx.now, updated_at=tx.now, version=ballot.version + 1)
    )
    tx.execute(BALLOT_KEY.delete().where(BALLOT_KEY.c.ballot_id == ballot_id))
    _record(tx, "ballot.cancelled", actor, ballot)


def extend(tx: Transaction, actor: Actor, ballot_id: int, *, closes_at: datetime, reason: str) -> int:
    """Let an open ballot close later, for a reason that is shown to all; the new version.

    :raises NotAllowed: the actor is no coordinator
    :raises Conflict: it is not open
    :raises Invalid: no reason, or an end that is not later
    """
    ballot = _open(tx, actor, ballot_id)
    reason, errors = text.passage("reason", reason, most=1000, least=1)
    if closes_at <= ballot.closes_at:
        errors.append(FieldError("closes_at", N_("Please give an end that is later than the present one.")))
    if closes_at - ballot.opens_at > LONGEST:
        errors.append(_too_long())
    if errors:
        raise Invalid(*errors)
    return _end_at(tx, actor, ballot, closes_at, reason)


def close(tx: Transaction, actor: Actor, ballot_id: int, *, reason: str) -> int:
    """Close an open ballot now, for a reason that is shown to all; the new version. `counting` does the rest.

    :raises NotAllowed: the actor is no coordinator
    :raises Conflict: it is not open
    :raises Invalid: no reason
    :raises NotFresh: at a page, too long after the sign-in
    """
    ballot = _open(tx, actor, ballot_id)
    require_fresh_in_browser(actor)
    reason, errors = text.passage("reason", reason, most=1000, least=1)
    if errors:
        raise Invalid(*errors)
    return _end_at(tx, actor, ballot, ballot.now, reason)


# drafts


def check(connection: Connection, actor: Actor, challenge_id: int, draft: Draft) -> Checked:
    """Look at a draft without making anything, for the preview and for `make`.

    :raises Invalid: something of it cannot be taken; each error names its field
    """
    challenge = challenges.find(connection, actor, challenge_id)
    require(actor, Permission.MAKE_BALLOT, challenge)
    now = connection.execute(select(present(connection.dialect.name))).scalar_one()
    values, errors = _texts(draft)
    times, wrong = _times(draft, now)
    errors += wrong + _names(connection, challenge.programme_id, draft)
    chosen, missing = _solutions(connection, actor, challenge_id, draft.solutions)
    settings = _settings(draft, chosen)
    errors += missing + choices.check_settings(settings, [Option(each.key, each.cost) for each in chosen])
    eligible: Mapping[str, int] = {}
    if not errors:
        eligible = ballots.eligible(connection, _Electorate(challenge.programme_id, draft, times))
        errors += _empty_sectors(eligible)
    if errors:
        raise Invalid(*_once(errors))
    numbers = {name: getattr(settings, name) for name in NUMBERS}
    rows = {
        **values,
        **times,
        "method": settings.method,
        "rule": settings.rule,
        "settings": numbers,
        "eligibility": {
            "roles": list(draft.roles),
            "sectors": list(draft.sectors),
            "organisations": list(draft.organisations),
        },
        "tallies_live": draft.tallies_live,
    }
    return Checked(rows, settings, tuple(chosen), eligible)


def draft_of(ballot: BallotView) -> Draft:
    """The draft that would make this ballot again, to change it."""
    return Draft(
        title=ballot.title,
        explanation=ballot.explanation,
        language=ballot.language,
        method=ballot.method,
        rule=ballot.rule,
        mode=ballot.mode,
        unit=ballot.unit,
        numbers={name: getattr(ballot.settings, name) for name in NUMBERS},
        solutions=_ids(ballot.solutions),
        roles=ballot.roles,
        sectors=ballot.sectors,
        organisations=ballot.organisations,
        member_since=None if ballot.member_since == ballot.opens_at else ballot.member_since,
        tallies_live=ballot.tallies_live,
        opens_at=ballot.opens_at,
        closes_at=ballot.closes_at,
        reminder_hours=ballot.reminder_hours,
    )


def preview(actor: Actor, challenge: Any, checked: Checked, now: datetime) -> BallotView:
    """The ballot that a checked draft would make, as a voter will see it; it has the id 0."""
    values = dict(checked.values)
    eligibility: dict[str, Any] = values.pop("eligibility")
    del values["settings"]
    seed = "preview"
    return BallotView(
        **values,
        roles=tuple(eligibility["roles"]),
        sectors=tuple(eligibility["sectors"]),
        organisations=tuple(eligibility["organisations"]),
        id=0,
        programme_id=challenge.programme_id,
        programme_slug=challenge.programme_slug,
        programme_name=challenge.programme_name,
        challenge_id=challenge.id,
        challenge_title=challenge.title,
        challenge_language=challenge.language,
        settings=replace(
            checked.settings,
            tie_order=shuffled((each.key for each in checked.solutions), seed, "ties"),
        ),
        reminded_at=None,
        announced_at=None,
        seed=seed,
        made_by=actor.person_id or 0,
        live_tally=None,
        cancelled_at=None,
        counted_at=None,
        version=0,
        created_at=now,
        updated_at=now,
        now=now,
        voter=None,
        has_voted=False,
        solutions=checked.solutions,
    )


# within


class _Electorate:
    """Who may vote by a draft, as `ballots.eligible` asks for it."""

    def __init__(self, programme_id: int, draft: Draft, times: Mapping[str, Any]) -> None:
        self.id = None
        self.programme_id = programme_id
        self.roles = draft.roles
        self.sectors = draft.sectors
        self.organisations = draft.organisations
        self.member_since = times["member_since"]


def _texts(draft: Draft) -> tuple[dict[str, Any], list[FieldError]]:
    title, errors = text.line("title", draft.title, most=120)
    explanation, more = text.passage("explanation", draft.explanation, most=4000)
    unit, most = text.line("unit", draft.unit, most=20, least=1 if draft.method == "budget" else 0)
    errors += more + most
    if draft.language not in LANGUAGES:
        errors.append(FieldError("language", N_("Please choose one of the languages in the list.")))
    if draft.mode not in MODES:
        errors.append(FieldError("mode", N_("Please choose secret or open.")))
    if draft.mode == SECRET and draft.tallies_live:
        message = N_("In a secret ballot this would tell how single people voted. Only the turnout can show.")
        errors.append(FieldError("tallies_live", message))
    values = {
        "title": title,
        "explanation": explanation,
        "explanation_html": markdown.render(explanation),
        "language": draft.language,
        "mode": draft.mode,
        "unit": unit,
    }
    return values, errors


def _times(draft: Draft, now: datetime) -> tuple[dict[str, Any], list[FieldError]]:
    opens_at = max(draft.opens_at or now, now)
    errors: list[FieldError] = []
    if draft.closes_at is None:
        errors.append(FieldError("closes_at", N_("Please say when the ballot closes.")))
    elif draft.closes_at <= now:
        errors.append(FieldError("closes_at", N_("Please give an end that lies ahead.")))
    elif draft.closes_at <= opens_at:
        errors.append(FieldError("closes_at", N_("Please let the ballot close after it opens.")))
    elif draft.closes_at - opens_at > LONGEST:
        errors.append(_too_long())
    if not 0 <= draft.reminder_hours <= MOST_REMINDER_HOURS:
        most = (("most", MOST_REMINDER_HOURS),)
        errors.append(FieldError("reminder_hours", N_("Please give 0 to %(most)s hours."), most))
    if draft.member_since is not None and draft.member_since > opens_at:
        message = N_(
            "Please give a day before the ballot opens: who may vote does not change while it is open."
        )
        errors.append(FieldError("member_since", message))
    values = {
        "opens_at": opens_at,
        "closes_at": draft.closes_at,
        "member_since": draft.member_since or opens_at,
        "reminder_hours": draft.reminder_hours,
    }
    return values, errors


def _too_long() -> FieldError:
    return FieldError("closes_at", N_("Please let the ballot close within a year."))


def _names(connection: Connection, programme_id: int, draft: Draft) -> list[FieldError]:
    """What is wrong with whom a draft lets vote."""
    errors: list[FieldError] = []
    if set(draft.roles) - set(VOTERS):
        errors.append(FieldError("roles", N_("Please choose roles from the list; observers never vote.")))
    known = {row.key for row in ballots.sectors(connection, programme_id)}
    if set(draft.sectors) - known:
        errors.append(FieldError("sectors", N_("Please choose sectors of this programme.")))
    if draft.organisations:
        found = connection.execute(
            select(ORGANISATION.c.id).where(
                ORGANISATION.c.programme_id == programme_id,
                ORGANISATION.c.id.in_(list(draft.organisations)),
            )
        ).all()
        if len(found) != len(set(draft.organisations)):
            errors.append(FieldError("organisations", N_("Please choose organisations of this programme.")))
    return errors


def _solutions(
    connection: Connection, actor: Actor, challenge_id: int, chosen: Sequence[int]
) -> tuple[list[SolutionView], list[FieldError]]:
    """The chosen solutions by id, and what is wrong with the choice."""
    if not chosen:
        return [], [FieldError("solutions", N_("Please choose the solutions that are decided on."))]
    if len(set(chosen)) != len(chosen):
        return [], [FieldError("solutions", N_("Please name each solution once."))]
    if len(chosen) > MOST_SOLUTIONS:
        most = (("most", MOST_SOLUTIONS),)
        return [], [FieldError("solutions", N_("Please choose at most %(most)s solutions."), most)]
    known = {each.id: each for each in solutions.on_challenge(connection, actor, challenge_id, limit=10_000)}
    if set(chosen) - set(known):
        return [], [FieldError("solutions", N_("Please choose solutions of this challenge."))]
    return [known[each] for each in sorted(chosen)], []


def _settings(draft: Draft, chosen: Sequence[SolutionView]) -> Settings:
    usual = {
        "threshold": USUAL_THRESHOLD_OF.get(draft.method, USUAL_THRESHOLD),
    }
    return Settings(
        method=draft.method,
        rule=draft.rule or USUAL_RULE_OF.get(draft.method, USUAL_RULE),
        tie_order=tuple(each.key for each in chosen),
        secret=draft.mode == SECRET,
        **(usual | {name: number for name, number in draft.numbers.items() if name in NUMBERS}),
    )


def _empty_sectors(eligible: Mapping[str, int]) -> list[FieldError]:
    return [
        FieldError(
            "sectors",
            N_("Nobody of the sector “%(sector)s” may vote. Let more people vote, or leave it out."),
            (("sector", sector),),
        )
        for sector, people in eligible.items()
        if not people
    ]


def _once(errors: Sequence[FieldError]) -> list[FieldError]:
    return list({error.field: error for error in reversed(errors)}.values())[::-1]


def _lock_challenge(tx: Transaction, challenge_id: int) -> None:
    """Let nobody delete the challenge until the ballot stands."""
    tx.execute(select(CHALLENGE.c.id).where(CHALLENGE.c.id == challenge_id).with_for_update(read=True))


def _lock_solutions(tx: Transaction, solution_ids: Sequence[int]) -> None:
    """Let nobody change or take back the solutions until the ballot stands."""
    ids = sorted(set(solution_ids))[:MOST_SOLUTIONS]
    tx.execute(select(SOLUTION.c.id).where(SOLUTION.c.id.in_(ids)).order_by(SOLUTION.c.id).with_for_update())


def _write_options(
    tx: Transaction, programme_id: int, ballot_id: int, chosen: Sequence[SolutionView]
) -> None:
    tx.execute(
        BALLOT_OPTION.insert(),
        [
            {
                "ballot_id": ballot_id,
                "solution_id": solution.id,
                "programme_id": programme_id,
                "position": position,
            }
            for position, solution in enumerate(chosen)
        ],
    )


def _held(tx: Transaction, actor: Actor, ballot_id: int, permission: Permission) -> BallotView:
    ballots.take_turns(tx, [ballot_id])
    ballot = ballots.find(tx.connection, actor, ballot_id)
    require(actor, permission, ballot)
    return ballot


def _is_as_held(ballot: BallotView, checked: Checked) -> bool:
    """Whether a draft says nothing but what the ballot says already."""
    values = dict(checked.values)
    del values["explanation_html"]
    settings, eligibility = values.pop("settings"), values.pop("eligibility")
    return (
        all(getattr(ballot, name) == value for name, value in values.items())
        and all(getattr(ballot.settings, name) == number for name, number in settings.items())
        and all(list(getattr(ballot, name)) == chosen for name, chosen in eligibility.items())
        and _ids(ballot.solutions) == _ids(checked.solutions)
    )


def _ids(chosen: Sequence[SolutionView]) -> list[int]:
    return [solution.id for solution in chosen]


def _open(tx: Transaction, actor: Actor, ballot_id: int) -> BallotView:
    ballot = _held(tx, actor, ballot_id, Permission.CLOSE_BALLOT)
    if ballot.state != OPEN:
        raise Conflict(N_("This ballot is not open."))
    return ballot


def _end_at(tx: Transaction, actor: Actor, ballot: BallotView, closes_at: datetime, reason: str) -> int:
    kind = EXTENSION if closes_at > ballot.closes_at else CLOSURE
    tx.execute(
        BALLOT_CHANGE.insert(),
        {
            "programme_id": ballot.programme_id,
            "ballot_id": ballot.id,
            "kind": kind,
            "reason": reason,
            "closed_at": ballot.closes_at,
            "closes_at": closes_at,
            "changed_by": actor.person_id,
            "changed_at": tx.now,
        },
    )
    tx.execute(
        BALLOT.update()
        .where(BALLOT.c.id == ballot.id)
        .values(
            closes_at=closes_at,
            reminded_at=None if _is_far(ballot, closes_at) else BALLOT.c.reminded_at,
            version=ballot.version + 1,
            updated_at=tx.now,
        )
    )
    _record(tx, "ballot.extended" if kind == EXTENSION else "ballot.closed", actor, ballot)
    return ballot.version + 1


def _is_far(ballot: BallotView, closes_at: datetime) -> bool:
    """Whether the reminder of a ballot that closes then is still to come."""
    return closes_at - ballot.now > timedelta(hours=ballot.reminder_hours)


def _record(tx: Transaction, type: str, actor: Actor | None, ballot: Any) -> None:
    record(
        tx,
        type,
        actor,
        programme_id=ballot.programme_id,
        challenge_id=ballot.challenge_id,
        subject_id=ballot.id,
    )
