"""Solutions, ballots, votes and results as the API shows them."""

from collections.abc import Sequence
from typing import Any, Final

from app.lib import clock
from app.methods.ballot_log import Proof
from app.services.ballot_making import Checked
from app.services.ballots import OPEN, BallotView
from app.services.counting import ResultView
from app.services.solutions import SolutionView
from app.services.votes import MyVote, Receipt
from app.web.operations import PREFIX
from app.web.problems import said

Json = dict[str, Any]

_SETTINGS: Final = ("seats", "least", "most", "points", "budget", "threshold", "quorum", "sector_quorum")
_TALLY: Final = ("sectors", "standings", "turnout")


def solution(base_url: str, view: SolutionView) -> Json:
    """A solution."""
    return {
        "id": view.id,
        "url": f"{base_url}/solutions/{view.id}",
        "programme": view.programme_id,
        "challenge": view.challenge_id,
        "title": view.title,
        "summary": view.summary,
        "summary_html": view.summary_html,
        "language": view.language,
        "cost": view.cost,
        "carrier": view.carrier,
        "links": [{"title": link["title"], "url": link["url"]} for link in view.links],
        "ideas": list(view.idea_ids),
        "frozen": view.is_frozen,
        "withdrawn": view.withdrawn,
        **_dated(view),
    }


def ballot(base_url: str, view: BallotView, changes: Sequence[Any], language: str) -> Json:
    """A ballot, for one caller, whose `language` the reason is in if they may not vote."""
    return {
        "id": view.id,
        "url": f"{base_url}/ballots/{view.id}",
        "programme": view.programme_id,
        "challenge": view.challenge_id,
        "title": view.title,
        "explanation": view.explanation,
        "explanation_html": view.explanation_html,
        "language": view.language,
        "method": view.method,
        "rule": view.rule,
        "mode": view.mode,
        "unit": view.unit,
        "settings": {name: getattr(view.settings, name) for name in _SETTINGS},
        "eligibility": {
            "roles": list(view.roles),
            "sectors": list(view.sectors),
            "organisations": list(view.organisations),
            "member_since": clock.rfc3339(view.member_since),
        },
        "tallies_live": view.tallies_live,
        "opens_at": clock.rfc3339(view.opens_at),
        "closes_at": clock.rfc3339(view.closes_at),
        "reminder_hours": view.reminder_hours,
        "state": view.state,
        "tie_order": [int(key) for key in view.settings.tie_order],
        "solutions": sorted(int(key) for key in view.settings.tie_order),
        "changes": [_change(row) for row in changes],
        **_own(view, language),
        "tally": _tally(view),
        **_dated(view),
    }


def interest(row: Any) -> Json:
    """A declared conflict of interest."""
    return {
        "solution": row.solution_id,
        "name": row.name,
        "organisation": row.organisation,
        "statement": row.statement,
    }


def receipt(given: Receipt) -> Json:
    """What a voter keeps."""
    return {
        "receipt": given.code,
        "signature": given.signature,
        "choice": given.choice,
        "replaced": given.replaced,
    }


def receipt_check(code: str, proof: Proof | None) -> Json:
    """Where a receipt stands in the published log, or that it does not."""
    names = ("index", "size", "leaf_hash", "root")
    return {
        "receipt": code,
        "found": proof is not None,
        **{name: getattr(proof, name, None) for name in names},
        "path": None if proof is None else list(proof.path),
        "sector": None if proof is None else proof.vote["sector"],
        "choice": None if proof is None else proof.vote["choice"],
    }


def preview(challenge_id: int, checked: Checked) -> Json:
    """What would be made of a draft."""
    values = checked.values
    return {
        "challenge": challenge_id,
        **{name: values[name] for name in ("title", "explanation_html", "language", "mode")},
        "method": checked.settings.method,
        "rule": checked.settings.rule,
        "settings": {name: getattr(checked.settings, name) for name in _SETTINGS},
        "solutions": sorted(each.id for each in checked.solutions),
        "opens_at": clock.rfc3339(values["opens_at"]),
        "closes_at": clock.rfc3339(values["closes_at"]),
        "eligible": dict(checked.eligible),
    }


def my_vote(vote: MyVote) -> Json:
    """One's own vote."""
    return {"receipt": vote.code, "choice": vote.choice}


def result(base_url: str, ballot: BallotView, view: ResultView) -> Json:
    """What was counted."""
    return {
        "id": ballot.id,
        "url": f"{base_url}/ballots/{ballot.id}/result",
        "ballot": ballot.id,
        "log": f"{base_url}{PREFIX}/ballots/{ballot.id}/log",
        **view.result,
        "beside": view.beside,
        "seal": {
            "size": view.tree["size"],
            "root": view.tree["root"],
            "algorithm": view.signature["algorithm"],
            "key": view.signature["key"],
            "signature": view.signature["value"],
        },
        "version": ballot.version,
        "created_at": clock.rfc3339(ballot.counted_at or ballot.closes_at),
        "updated_at": clock.rfc3339(ballot.counted_at or ballot.closes_at),
    }


def _own(view: BallotView, language: str) -> Json:
    """What differs between callers."""
    refusal = view.why_not
    return {
        "may_vote": refusal is None,
        "why_not": None if refusal is None else said(language, refusal.message, refusal.values),
        "voted": view.has_voted,
    }


def _tally(view: BallotView) -> Json | None:
    if view.state != OPEN or not view.tallies_live or view.live_tally is None:
        return None
    return {name: view.live_tally[name] for name in _TALLY}


def _change(row: Any) -> Json:
    return {
        "kind": row.kind,
        "reason": row.reason,
        "by": row.by,
        "changed_at": clock.rfc3339(row.changed_at),
        "closed_at": clock.rfc3339(row.closed_at),
        "closes_at": clock.rfc3339(row.closes_at),
    }


def _dated(view: Any) -> Json:
    return {
        "version": view.version,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }
