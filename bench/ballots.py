"""Ballots of a large electorate: how long counting takes, and what casting a vote costs among a million others."""

import gc
import json
import logging
import multiprocessing
import resource
import sqlite3
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import chain, cycle
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import OperationalError

from app.database import Database
from app.methods.election import Settings
from app.services import counting
from app.web.server import GARBAGE_AFTER
from bench import data, electorates, load, servers
from bench.duels import Contestant, Plan, duel
from bench.electorates import BUDGET, CREDITS, POINTS
from bench.figures import Figure
from bench.servers import Server
from bench.support import POSTGRES

OPTIONS: Final = 30
SEATS: Final = 5
TALLY_ROUNDS: Final = 3
LONGEST_S: Final = 60.0
CLOCK_S: Final = 1e-6
"""No measured time is less, so that it can be divided by."""
VOTE_AIM: Final = 1.3

LOOSE: Final = ("pyrankvote",)
"""Libraries whose rules leave room for other winners."""

Rows = list[tuple[str, str]]
"""Sector, and the choice as JSON, of each vote."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to count, with the ballot that it is tried on."""

    name: str
    settings: Settings


def tallies(plan: Plan, directory: Path) -> list[Figure]:
    """Each method from the database to the result, against libraries on the same data, and against bare sums."""
    url = _electorate(plan.voters, directory)
    figures = []
    for ballot_id, kind in enumerate(KINDS, 1):
        if kind.name != "budget":
            figures += _against_libraries(plan, url, ballot_id, kind)
        if kind.name in _SUMS:
            figures.append(_against_sums(plan, url, ballot_id, kind))
    return figures


def equal_shares(plan: Plan, directory: Path) -> list[Figure]:
    """A budget against pabutools; nothing, where that is not installed (`requirements/peers.in`)."""
    if find_spec("pabutools") is None:
        print("pabutools is not installed here", file=sys.stderr)
        return []
    url = _electorate(plan.peer_voters, directory, only=("budget",))
    ballot_id, kind = next(each for each in enumerate(KINDS, 1) if each[1].name == "budget")
    return _against_libraries(plan, url, ballot_id, kind)


def whole_counting(plan: Plan, directory: Path) -> list[Figure]:
    """All that happens once a ballot has closed: result, other rules and methods, map, log, notices, votes moved."""
    url = _electorate(plan.voters, directory)
    figures = []
    for ballot_id, kind in enumerate(KINDS, 1):
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as process:
            seconds, mebibytes = process.submit(_finish, url, ballot_id).result()
        job = f"whole counting, {_named(kind, plan.voters)}"
        measured = ((seconds, "s", LONGEST_S), (mebibytes, "MiB", None))
        figures += [
            Figure(
                job,
                "itself",
                unit,
                value,
                value,
                value,
                f"{value:,.1f} {unit}",
                "",
                ("at most", most) if most else None,
            )
            for value, unit, most in measured
        ]
    return figures


def votes_on_sqlite(plan: Plan, directory: Path) -> list[Figure]:
    """A vote by the API with very many there, against few, on SQLite."""
    return _casting(plan, directory, [f"sqlite:///{directory}/{place}.db" for place in range(2)], "SQLite")


def votes_on_postgres(plan: Plan, directory: Path) -> list[Figure]:
    """The same on PostgreSQL; nothing, where there is none."""
    try:
        with data.postgres(POSTGRES) as small, data.postgres(POSTGRES) as large:
            return _casting(plan, directory, [small, large], "PostgreSQL")
    except OperationalError:
        print("PostgreSQL: none answers; name one in PARTNERSHIP_TEST_POSTGRES_URL", file=sys.stderr)
        return []


# what is counted


def _settings(method: str, **given: Any) -> Settings:
    """One person, one vote and no bar: what libraries count as well."""
    keys = tuple(str(place) for place in range(1, OPTIONS + 1))
    return Settings(method, rule="one_person", threshold=0, tie_order=keys, **given)


KINDS: Final = (
    Kind("approval", _settings("approval")),
    Kind("score", _settings("score")),
    Kind("ranked, one seat", _settings("ranked")),
    Kind(f"ranked, {SEATS} seats", _settings("ranked", seats=SEATS)),
    Kind("points", _settings("points", points=POINTS)),
    Kind("quadratic", _settings("quadratic", points=CREDITS)),
    Kind("budget", _settings("budget", budget=BUDGET)),
)


def _electorate(voters: int, directory: Path, only: Sequence[str] = ()) -> str:
    """A database with a ballot of each kind, its id the kind's place from 1."""
    url = f"sqlite:///{directory}/electorate.db"
    electorates.fill(url, voters, OPTIONS)
    for ballot_id, kind in enumerate(KINDS, 1):
        if not only or kind.name in only:
            chosen = electorates.choices(kind.settings.method, voters, OPTIONS)
            electorates.hold(url, ballot_id, kind.settings, chosen)
    return url


def _named(kind: Kind, voters: int) -> str:
    return f"{kind.name}, {voters:,} voters, {OPTIONS} options"


def _against_libraries(plan: Plan, url: str, ballot_id: int, kind: Kind) -> list[Figure]:
    """The library counts once, since it may take minutes; we several times. Both must find the same winners, unless
    the library counts by a rule of its own.
    """
    winners, ours = _ours(url, ballot_id, min(plan.rounds, TALLY_ROUNDS))
    figures = []
    for name, evaluate in _LIBRARIES[kind.name].items():
        found, theirs = _timed(lambda evaluate=evaluate: evaluate(_rows(url, ballot_id), kind.settings))
        job = f"tally, {_named(kind, len(_rows(url, ballot_id)))}"
        figure = _figure(job, name, ours, [theirs] * len(ours), 1.0)
        if name not in LOOSE and set(found) != set(winners):
            note = f"{name} chose {sorted(found)}, we {sorted(winners)}"
            figure = replace(figure, errors=1, note=note)
        figures.append(figure)
    return figures


def _against_sums(plan: Plan, url: str, ballot_id: int, kind: Kind) -> Figure:
    """Both sides take turns."""
    ours, theirs = [], []
    for _ in range(min(plan.rounds, TALLY_ROUNDS)):
        ours += _ours(url, ballot_id, 1)[1]
        theirs.append(_timed(lambda: _SUMS[kind.name](_rows(url, ballot_id)))[1])
    job = f"tally, {_named(kind, len(_rows(url, ballot_id)))}"
    return _figure(job, "raw sqlite3, json, numpy's sums", ours, theirs, None)


def _ours(url: str, ballot_id: int, rounds: int) -> tuple[list[str], list[float]]:
    """The winners, and the processor time of each round in seconds."""
    database = Database(url)
    try:
        taken = []
        for _ in range(rounds):
            found, seconds = _timed(
                lambda: database.read_now(lambda connection: counting.tally(connection, ballot_id))
            )
            taken.append(seconds)
        return found.result["winners"], taken
    finally:
        database.close()


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of it, and its processor time in seconds; garbage is looked for as often as in the server."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    try:
        began = time.process_time()
        found = work()
        return found, time.process_time() - began
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _figure(
    job: str, against: str, ours: Sequence[float], theirs: Sequence[float], most: float | None
) -> Figure:
    ratios = [one / max(other, CLOCK_S) for one, other in zip(ours, theirs, strict=True)]
    return Figure(
        job,
        against,
        "CPU",
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        f"{statistics.median(ours) * 1e3:,.0f} ms",
        f"{statistics.median(theirs) * 1e3:,.0f} ms",
        None if most is None else ("at most", most),
    )


def _finish(url: str, ballot_id: int) -> tuple[float, float]:
    """Count a ballot in this process: processor time in seconds, and the most memory that was held in MiB."""
    database = Database(url)
    try:
        done, seconds = _timed(lambda: counting.finish(database, ballot_id, "https://partnership.example"))
    finally:
        database.close()
    if not done:
        raise RuntimeError("the ballot was not counted")
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# the other side


def _rows(url: str, ballot_id: int) -> Rows:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        return connection.execute(
            "SELECT sector.key, vote.choice FROM vote JOIN sector ON sector.id = vote.sector_id "
            "WHERE vote.ballot_id = ?",
            (ballot_id,),
        ).fetchall()


def _read(rows: Rows, name: str) -> list[Any]:
    return [json.loads(choice)[name] for _, choice in rows]


def _sums(name: str) -> Callable[[Rows], list[list[int]]]:
    """The sums of each option in each sector."""

    def add(rows: Rows) -> list[list[int]]:
        import numpy as np

        sectors = sorted({sector for sector, _ in rows})
        sector = np.array([sectors.index(sector) for sector, _ in rows])
        given = _read(rows, name)
        row = np.repeat(np.arange(len(given)), [len(one) for one in given])
        column = np.fromiter((int(key) - 1 for key in chain.from_iterable(given)), dtype=np.int64)
        value = 1
        if isinstance(given[0], dict):
            value = np.fromiter(chain.from_iterable(one.values() for one in given), dtype=np.int64)
        table = np.zeros((len(given), OPTIONS), dtype=np.int64)
        table[row, column] = value
        return [table[sector == place].sum(axis=0).tolist() for place in range(len(sectors))]

    return add


_SUMS: Final[Mapping[str, Callable[[Rows], Any]]] = {
    "approval": _sums("approved"),
    "score": _sums("scores"),
    "points": _sums("points"),
    "quadratic": _sums("points"),
}


def _approval_by_votelib(rows: Rows, settings: Settings) -> list[str]:
    from votelib.convert import ApprovalToSimpleVotes
    from votelib.evaluate.core import Plurality

    sets = Counter(frozenset(approved) for approved in _read(rows, "approved"))
    return _untied(Plurality().evaluate(ApprovalToSimpleVotes().convert(sets), settings.seats), settings)


def _score_by_votelib(name: str) -> Callable[[Rows, Settings], list[str]]:
    """Its scores must name every option, or those left out would not count as 0."""

    def evaluate(rows: Rows, settings: Settings) -> list[str]:
        from votelib.evaluate.cardinal import ScoreVoting

        nothing = dict.fromkeys(settings.tie_order, 0)
        scores = Counter(frozenset({**nothing, **given}.items()) for given in _read(rows, name))
        return _untied(ScoreVoting("sum").evaluate(scores, settings.seats), settings)

    return evaluate


def _rankings(rows: Rows) -> Iterator[tuple[str, ...]]:
    return (tuple(key for (key,) in ranking) for ranking in _read(rows, "ranking"))


def _schulze_by_votelib(rows: Rows, settings: Settings) -> list[str]:
    from votelib.convert import RankedToCondorcetVotes
    from votelib.evaluate.condorcet import Schulze

    pairs = RankedToCondorcetVotes().convert(Counter(_rankings(rows)))
    return _untied(Schulze().evaluate(pairs, settings.seats), settings)


def _stv_by_votelib(rows: Rows, settings: Settings) -> list[str]:
    from votelib.evaluate.sequential import TransferableVoteSelector

    logging.getLogger("votelib").setLevel(logging.WARNING)
    selector = TransferableVoteSelector(transferer="Gregory", retainer=_ByTieOrder(settings.tie_order))
    return selector.evaluate(Counter(_rankings(rows)), settings.seats)


class _ByTieOrder:
    """Whom votelib keeps: those with the most, ties by the tie order."""

    def __init__(self, tie_order: Sequence[str]) -> None:
        self.tie_order = tie_order

    def evaluate(self, votes: Mapping[str, Any], n_seats: int) -> list[str]:
        """The first `n_seats` of the options in `votes`."""
        return sorted(votes, key=lambda key: (-votes[key], self.tie_order.index(key)))[:n_seats]


def _untied(found: list[Any], settings: Settings) -> list[str]:
    from votelib.evaluate.core import Tie

    return Tie.break_by_list(found, list(settings.tie_order))


def _stv_by_pyrankvote(rows: Rows, settings: Settings) -> list[str]:
    import pyrankvote

    options = {key: pyrankvote.Candidate(key) for key in settings.tie_order}
    ballots = [pyrankvote.Ballot([options[key] for key in ranking]) for ranking in _rankings(rows)]
    found = pyrankvote.single_transferable_vote(list(options.values()), ballots, settings.seats)
    return [candidate.name for candidate in found.get_winners()]


def _budget_by_pabutools(rows: Rows, settings: Settings) -> list[str]:
    """Equal shares with the cost as what supporters have of it, raised unit by unit, completed by support."""
    from pabutools.election import ApprovalBallot, ApprovalProfile, Cost_Sat, Instance, Project
    from pabutools.rules import (
        exhaustion_by_budget_increase,
        greedy_utilitarian_welfare,
        method_of_equal_shares,
    )

    costs = electorates.costs(OPTIONS)
    projects = {key: Project(key, costs[int(key) - 1]) for key in settings.tie_order}
    instance = Instance(projects.values(), budget_limit=settings.budget)
    profile = ApprovalProfile(
        [ApprovalBallot(projects[key] for key in approved) for approved in _read(rows, "approved")],
        instance=instance,
    ).as_multiprofile()
    bought = exhaustion_by_budget_increase(
        instance,
        profile,
        method_of_equal_shares,
        {"sat_class": Cost_Sat},
        budget_step=len(rows),
        exhaustive_stop=False,
    )
    found = greedy_utilitarian_welfare(
        instance, profile, sat_class=Cost_Sat, initial_budget_allocation=bought
    )
    return [project.name for project in found]


_LIBRARIES: Final[Mapping[str, Mapping[str, Callable[[Rows, Settings], list[str]]]]] = {
    "approval": {"votelib": _approval_by_votelib},
    "score": {"votelib": _score_by_votelib("scores")},
    "ranked, one seat": {"votelib": _schulze_by_votelib},
    f"ranked, {SEATS} seats": {"votelib": _stv_by_votelib, "pyrankvote": _stv_by_pyrankvote},
    "points": {"votelib": _score_by_votelib("points")},
    "quadratic": {"votelib": _score_by_votelib("points")},
    "budget": {"pabutools": _budget_by_pabutools},
}


# casting


def _casting(plan: Plan, directory: Path, urls: Sequence[str], engine: str) -> list[Figure]:
    tokens = [
        electorates.open_with(url, there, plan.people, OPTIONS)
        for url, there in zip(urls, plan.votes, strict=True)
    ]
    with (
        servers.application(directory, urls[1]) as here,
        servers.application(directory, urls[0]) as floor,
    ):
        rounds = duel(_voters(here, tokens[1], plan), _voters(floor, tokens[0], plan), plan)
    few, many = plan.votes
    job, against = f"vote with {many:,} there, {engine}", f"with {few:,}"
    figures = [rounds.figure(job, against, what, ("at most", VOTE_AIM)) for what in ("CPU", "p50")]
    wrong = sum(electorates.differences(url) for url in urls)
    note = f"{wrong} votes too many or too few" if wrong else ""
    return [replace(figure, errors=figure.errors + wrong).noting(note) for figure in figures]


def _voters(server: Server, tokens: Sequence[str], plan: Plan) -> Contestant:
    """Everybody votes, then chooses anew: every request writes a vote."""
    return Contestant(server, _cast(tokens), plan, connections=plan.connections)


def _cast(tokens: Sequence[str]) -> list[bytes]:
    chosen = (b'{"approved":["%d","%d"]}' % (place, place + 1) for place in cycle(range(1, OPTIONS)))
    return [
        load.request(
            "PUT",
            "/api/v1/ballots/1/vote",
            [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")],
            body=next(chosen),
        )
        for _ in range(3)
        for token in tokens
    ]
