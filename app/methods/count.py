"""The count of an election: quorum, sector rule and method together; beside it, the other rules and methods."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module
from math import ceil
from typing import Any, Final

from app.lib.i18n import N_
from app.methods import election as elections
from app.methods import sector_rule
from app.methods.election import (
    SMALLEST_SECTOR,
    TOP_SCORE,
    Election,
    Profile,
    Reason,
    Result,
    SectorTurnout,
    Settings,
    Standing,
)

WORDS: Final[Mapping[str, str]] = {
    # Of the ballot
    "passed": N_("Chosen: %(winners)s of %(options)s."),
    "no_votes": N_("Nobody has voted for or against anything, so nothing is chosen."),
    "quorum_missing": N_("%(voted)s of %(eligible)s people took part; at least %(needed)s were needed."),
    "sector_quorum_missing": N_(
        "%(voted)s of %(eligible)s people of %(sector)s took part; at least %(needed)s were needed."
    ),
    "too_few_votes": N_(
        "Only %(voted)s people voted. In a secret ballot fewer than %(least)s votes are not counted, "
        "since the result would tell how each of them voted."
    ),
    "sector_too_small": N_(
        "Fewer than %(least)s people voted in %(sectors)s. To keep their votes secret, no sector is counted apart, "
        "so it cannot be shown that each carries the decision."
    ),
    "none_over_bar": N_("No solution has the support that is needed."),
    "none_chosen": N_("Solutions have the support that is needed, but none could be chosen."),
    # Of a solution and the bar
    "no_bar": N_("No least support is asked for."),
    "bar_reached": N_("It has the support that is needed."),
    "no_support": N_("Nobody supports it."),
    "sector_below_bar": N_(
        "In %(sector)s %(yes)s of %(votes)s votes support it; at least %(needed)s are needed."
    ),
    "sector_without_votes": N_("Nobody voted in %(sector)s."),
    "whole_below_bar": N_("%(yes)s of %(votes)s votes support it; at least %(needed)s are needed."),
    "mean_below_bar": N_(
        "Over the sectors, its mean support is %(given)s %%; at least %(needed)s %% is needed."
    ),
    "mean_not_over_bar": N_(
        "Over the sectors, its mean support is %(given)s %%; more than %(needed)s %% is needed."
    ),
    "product_below_bar": N_(
        "The sectors' shares of support multiplied make %(given)s %%; at least %(needed)s %% is needed."
    ),
    "product_not_over_bar": N_(
        "The sectors' shares of support multiplied make %(given)s %%; more than %(needed)s %% is needed."
    ),
    # Of a solution over the bar
    "won": N_("Chosen, in place %(place)s."),
    "no_seat": N_("Others came before it; %(seats)s could be chosen."),
    "no_money": N_("What others cost left too little money for it."),
}
"""What each `Reason.code` says. In `values`, `sector` and `sectors` are keys of sectors, for the door to name;
`given` and `needed` of means and products are per cent with one decimal; all else are whole numbers."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """An election as it is counted, with what does not depend on rule and method."""

    election: Election
    profile: Profile
    turnout: tuple[SectorTurnout, ...]
    hash: str


def count(election: Election) -> Result:
    """The result of an election under its own rule and method.

    Every choice and the settings must have passed `choices`. Where `too_small` names sectors, all votes are counted as
    of one sector called ``, turnout is told in all only, and the ballot does not pass under any rule but one person,
    one vote, nor if a quorum in each sector was asked for: neither can be shown without telling sectors apart. It is
    not decided here which are too small (see `sector_rule.pooled`), so a published log counts to the same result.
    """
    return _result(_ready(election), election.settings)


def under_rules(election: Election) -> dict[str, Result]:
    """The result under each rule that suits the method, from the same votes; `input_hash` is the election's own."""
    ready = _ready(election)
    return {
        rule: _result(ready, replace(election.settings, rule=rule))
        for rule in sector_rule.suiting(election.settings.method)
    }


def under_methods(election: Election) -> dict[str, tuple[str, ...]]:
    """Whom each method would have chosen from the same votes: among the options over the same bar, by its own order.

    Keys: `approval`, `score`, `schulze`, `stv`, `points`, `quadratic`, and, where there is a budget and each option has
    a cost, `budget` (equal shares) and `greedy`. The method's order decides under every rule, also where the rule's
    measure comes first in the result: otherwise the methods could not differ. Nothing is chosen where the ballot does
    not pass for want of a quorum or because of small sectors. How a vote of one kind is read as another: see `read_as`.
    """
    ready = _ready(election)
    comparable = {name: module for name, module in _MODULES.items() if name != "ranked"}
    if not _has_budget(election):
        del comparable["budget"]
    names = ("schulze", "stv", *comparable, *(["greedy"] if "budget" in comparable else []))
    return {name: _chosen(ready, name) for name in names}


def read_as(profile: Profile, settings: Settings, method: str) -> Profile:
    """Votes given for one method, as votes for another; whom they support stays.

    A vote holds a grade for each option, larger for better: approvals 0 or 1, scores, points as given, and for rankings
    how many places an option stands over the voter's last one. From grades:

    - approval, budget: whom the vote supports
    - ranked: the larger grade stands before the smaller, equal ones are tied
    - score: the voter's largest grade becomes 5, the others in proportion, rounded down
    - points: `PARTS` shared out in proportion to the grades, rounded down
    - quadratic: votes in proportion to the grades, their squares adding up to `PARTS`², rounded down
    """
    if _family(method) == _family(settings.method):
        return profile
    if _family(method) == "approval":
        return replace(profile, values=profile.supports.astype("int64"))
    return replace(profile, values=_READ[method](_grades(profile, settings.method)))


PARTS: Final = 1_000_000
"""How finely a vote that was given for another method is shared out; fine enough to lose no preference."""


def _ready(election: Election) -> _Ready:
    if election.too_small:
        election = sector_rule.pooled(election)
    profile = elections.read(election)
    return _Ready(election, _together(profile, election), _turnout(election), elections.input_hash(election))


def _together(profile: Profile, election: Election) -> Profile:
    if not election.too_small:
        return profile
    import numpy as np

    return replace(profile, sectors=("",), sector=np.zeros_like(profile.sector))


def _turnout(election: Election) -> tuple[SectorTurnout, ...]:
    voted = Counter(vote.sector for vote in election.votes)
    counted = Counter(vote.sector for vote in election.votes if "abstain" not in vote.choice)
    eligible = election.eligible
    if election.too_small:
        eligible = {"": sum(eligible.values())}
        voted[""] += election.withheld
    names = [*eligible, *sorted(set(voted) - set(eligible))]
    return tuple(SectorTurnout(name, eligible.get(name, 0), voted[name], counted[name]) for name in names)


def _result(ready: _Ready, settings: Settings) -> Result:
    decision = sector_rule.decide(
        ready.profile,
        settings,
        _method(settings.method, settings.seats),
        too_small=ready.election.too_small,
    )
    failings = _failings(ready, settings, decision)
    tally = decision.count
    winners = () if failings else tally.winners
    return Result(
        method=settings.method,
        rule=settings.rule,
        winners=winners,
        order=tally.order,
        standings=tuple(
            _standing(key, decision, settings, winners, failed=bool(failings)) for key in tally.order
        ),
        sectors=ready.profile.sectors,
        turnout=ready.turnout,
        passed=not failings,
        reasons=failings or (Reason("passed", {"winners": len(winners), "options": len(tally.order)}),),
        rounds=tally.rounds,
        ties=tally.ties,
        input_hash=ready.hash,
    )


_MODULES: Final[Mapping[str, str]] = {
    "approval": "approval",
    "score": "score",
    "ranked": "schulze",
    "points": "allocation",
    "quadratic": "allocation",
    "budget": "equal_shares",
}


def _method(name: str, seats: int) -> sector_rule.Method:
    """The counting function of a method; `schulze`, `stv` and `greedy` can be asked for by name as well."""
    if name == "greedy":
        from app.methods import equal_shares

        return equal_shares.greedy
    module = _MODULES.get(name, name)
    if name == "ranked" and seats > 1:
        module = "stv"
    found: sector_rule.Method = import_module(f"app.methods.{module}").count
    return found


def _failings(ready: _Ready, settings: Settings, decision: sector_rule.Decision) -> tuple[Reason, ...]:
    """Why nothing is chosen; empty if something is. What hinders the ballot comes before what hinders options."""
    hindrances = _hindrances(ready, settings)
    if hindrances:
        return hindrances
    if not decision.passed:
        return (Reason("none_over_bar"),)
    return () if decision.count.winners else (Reason("none_chosen"),)


def _hindrances(ready: _Ready, settings: Settings) -> tuple[Reason, ...]:
    if ready.election.withheld:
        few = {"voted": ready.election.withheld, "least": SMALLEST_SECTOR}
        return (Reason("too_few_votes", few),)
    reasons = [*_quorum(ready, settings), *_too_small(ready.election.too_small, settings)]
    if not len(ready.profile.sector):
        reasons.append(Reason("no_votes"))
    return tuple(reasons)


def _quorum(ready: _Ready, settings: Settings) -> list[Reason]:
    voted = sum(row.voted for row in ready.turnout)
    eligible = sum(row.eligible for row in ready.turnout)
    reasons = _short("quorum_missing", voted, eligible, settings.quorum)
    if not ready.election.too_small:
        for row in ready.turnout:
            reasons += _short(
                "sector_quorum_missing", row.voted, row.eligible, settings.sector_quorum, sector=row.sector
            )
    return reasons


def _short(code: str, voted: int, eligible: int, percent: int, **values: Any) -> list[Reason]:
    needed = ceil(Fraction(percent * eligible, 100))
    if voted >= needed:
        return []
    return [Reason(code, {"voted": voted, "eligible": eligible, "needed": needed, **values})]


def _too_small(sectors: Sequence[str], settings: Settings) -> list[Reason]:
    if not sectors or (settings.rule == "one_person" and not settings.sector_quorum):
        return []
    return [Reason("sector_too_small", {"sectors": list(sectors), "least": SMALLEST_SECTOR})]


def _standing(
    key: str, decision: sector_rule.Decision, settings: Settings, winners: Sequence[str], *, failed: bool
) -> Standing:
    over = key in decision.passed
    reasons = decision.reasons[key]
    if over and not failed:
        reasons += (_place(key, settings, winners),)
    return Standing(
        key=key,
        support=decision.support[key],
        measure=decision.measure[key],
        passed=over,
        winner=key in winners,
        score=decision.count.scores.get(key),
        reasons=reasons,
    )


def _place(key: str, settings: Settings, winners: Sequence[str]) -> Reason:
    if key in winners:
        return Reason("won", {"place": winners.index(key) + 1})
    if settings.method == "budget":
        return Reason("no_money")
    return Reason("no_seat", {"seats": settings.seats})


def _has_budget(election: Election) -> bool:
    return election.settings.budget > 0 and all(option.cost > 0 for option in election.options)


def _chosen(ready: _Ready, name: str) -> tuple[str, ...]:
    settings = replace(ready.election.settings, method=_KINDS.get(name, name))
    if settings.rule == "equal_split" and name != "budget":
        settings = replace(settings, rule="equal_weight")
    if _hindrances(ready, settings):
        return ()
    profile = read_as(ready.profile, ready.election.settings, settings.method)
    tally = sector_rule.decide(profile, settings, _method(name, settings.seats), measured=False).count
    return tally.winners


_KINDS: Final[Mapping[str, str]] = {"schulze": "ranked", "stv": "ranked", "greedy": "budget"}
"""Counts that share the votes of a method."""


def _family(method: str) -> str:
    """Approvals are the same for a budget as without one."""
    return "approval" if method == "budget" else method


def _grades(profile: Profile, method: str) -> Any:
    if method != "ranked":
        return profile.values
    return profile.values.max(axis=1, keepdims=True) - profile.values


def _as_ranked(grades: Any) -> Any:
    return grades.max(axis=1, keepdims=True) - grades


def _as_score(grades: Any) -> Any:
    return TOP_SCORE * grades // grades.max(axis=1, keepdims=True).clip(1)


def _as_points(grades: Any) -> Any:
    return PARTS * grades // grades.sum(axis=1, keepdims=True).clip(1)


def _as_quadratic(grades: Any) -> Any:
    import numpy as np

    length = np.sqrt((grades * grades).sum(axis=1, keepdims=True).clip(1).astype(np.float64))
    # Square root and division are exact to the last bit on every machine, so that this is the same everywhere.
    return np.floor(PARTS * grades / length).astype(np.int64)


_READ: Final[Mapping[str, Any]] = {
    "ranked": _as_ranked,
    "score": _as_score,
    "points": _as_points,
    "quadratic": _as_quadratic,
}


def to_json(result: Result) -> dict[str, Any]:
    """A result as plain JSON data, as the log and the API hold it.

    Exact numbers as `election.number` writes them; `percent` of a standing's measure is rounded, for people.
    """
    return {
        "method": result.method,
        "rule": result.rule,
        "passed": result.passed,
        "reasons": _reasons(result.reasons),
        "winners": list(result.winners),
        "order": list(result.order),
        "sectors": list(result.sectors),
        "turnout": [
            {"sector": each.sector, "eligible": each.eligible, "voted": each.voted, "counted": each.counted}
            for each in result.turnout
        ],
        "standings": [_standing_json(each, result.sectors) for each in result.standings],
        "ties": [{"over": tie.over, "between": list(tie.between), "first": tie.first} for tie in result.ties],
        "rounds": [dict(each) for each in result.rounds],
        "input_hash": result.input_hash,
    }


def _standing_json(standing: Standing, sectors: Sequence[str]) -> dict[str, Any]:
    return {
        "key": standing.key,
        "support": [
            {"sector": sector, "yes": yes, "votes": votes}
            for sector, (yes, votes) in zip(sectors, standing.support, strict=True)
        ],
        "measure": elections.number(standing.measure),
        "percent": round(float(standing.measure) * 100, 1),
        "score": None if standing.score is None else elections.number(standing.score),
        "passed": standing.passed,
        "winner": standing.winner,
        "reasons": _reasons(standing.reasons),
    }


def _reasons(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    return [{"code": reason.code, "values": dict(reason.values)} for reason in reasons]
