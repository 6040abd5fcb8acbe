"""When the people of the demo decide: the acts of a challenge's solutions and ballots, planned around its votes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from app.demo import moments, story
from app.demo.decisions import REMINDER, Decisions, Paper
from app.demo.moments import Stretch
from app.demo.stage import Card, Player

Plan = Callable[..., None]
"""Takes a moment, an act, and what the act is done to."""

AGAIN, LATE = 0.15, 0.25
"""How many voters change their minds, and how many wait until the last day."""

WAIT = timedelta(seconds=20)
"""How long after the clock the jobs of a ballot run."""


@dataclass(frozen=True, slots=True)
class Question:
    """A challenge that is decided on: its cards by the names of their ideas, its phases, who leads and takes part."""

    challenge: story.Challenge
    challenge_id: int
    cards: Mapping[str, Card]
    stretches: Sequence[Stretch]
    people: Mapping[str, Player]
    coordinator: Player
    facilitator: Player


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans by `at` what happens to the solutions and ballots of one challenge until `now`."""

    at: Plan
    decisions: Decisions
    question: Question
    now: datetime

    def plan(self) -> None:
        """Plan it all."""
        challenge, stretches = self.question.challenge, self.question.stretches
        voting = next(stretch for stretch in stretches if stretch.phase.kind == "voting")
        papers = [Paper(ballot, self.question.challenge_id) for ballot in challenge.ballots]
        self._solutions(papers, voting.starts_at)
        for number, paper in enumerate(papers):
            made = voting.starts_at - timedelta(hours=20) + timedelta(minutes=7 * number)
            self._ballot(paper, made, voting)

    def _solutions(self, papers: Sequence[Paper], voting_from: datetime) -> None:
        """Promote the solutions in the last days of shaping."""
        solutions, random = (
            self.question.challenge.solutions,
            Random(f"solutions {self.question.challenge_id}"),
        )
        begin, end = voting_from - timedelta(days=5), voting_from - timedelta(days=2)
        for when, solution in zip(moments.series(random, len(solutions), begin, end), solutions, strict=True):
            cards = [self.question.cards[name] for name in solution.ideas]
            self.at(when, self.decisions.promote, papers, solution, cards, self.question.facilitator)

    def _ballot(self, paper: Paper, made: datetime, voting: Stretch) -> None:
        extension = paper.ballot.extension
        opens_at = voting.starts_at + timedelta(days=paper.ballot.opens)
        closes_at = voting.ends_at or self.now
        planned = closes_at - timedelta(days=extension.days if extension else 0)
        self.at(made, self.decisions.make, paper, opens_at, planned, self.question.coordinator)
        self.at(opens_at + WAIT, self.decisions.announce, paper)
        if extension:
            # Before the reminder is due, which then waits for the new end.
            extended = planned - REMINDER - timedelta(minutes=15)
            extender = self.question.people[extension.by]
            self.at(extended, self.decisions.extend, paper, extension, closes_at, extender)
        if closes_at <= self.now:
            self.at(closes_at - REMINDER + WAIT, self.decisions.remind, paper)
            self.at(closes_at + WAIT, self.decisions.count, paper)
        self._people(paper, opens_at + 2 * WAIT, min(closes_at, self.now) - WAIT)

    def _people(self, paper: Paper, begin: datetime, end: datetime) -> None:
        """Let people declare their interests and vote."""
        ballot, people = paper.ballot, self.question.people
        for interest in ballot.interests:
            when = moments.some(Random(f"interest {interest.by}"), begin, end, early=3)
            self.at(when, self.decisions.declare, paper, people[interest.by], interest)
        for voter, leaning in _voters(ballot, people):
            for when in _moments(Random(f"vote {ballot.key} {voter.id}"), begin, end):
                self.at(when, self.decisions.cast, paper, voter, leaning)


def _voters(ballot: story.Ballot, people: Mapping[str, Player]) -> list[tuple[Player, story.Leaning]]:
    """Who votes, and how they lean; none of those whose seats are kept for visitors, who have it before them."""
    random = Random(f"voters {ballot.key}")
    pools: dict[int, list[Player]] = {}
    for player in people.values():
        if player.role != "observer" and not player.visits:
            pools.setdefault(player.sector_id, []).append(player)
    for _, pool in sorted(pools.items()):
        random.shuffle(pool)
    return [
        (pools[sector_id].pop(), leaning)
        for leaning in ballot.leanings
        for sector_id, count in zip(sorted(pools), leaning.people, strict=True)
        for _ in range(count)
    ]


def _moments(random: Random, begin: datetime, end: datetime) -> list[datetime]:
    """When someone votes: many soon, some when they are reminded, a few a second time."""
    if random.random() < LATE:
        when = moments.some(random, max(begin, end - REMINDER), end)
    else:
        when = moments.some(random, begin, end, early=1.6)
    return [when, moments.some(random, when, end)] if random.random() < AGAIN else [when]
