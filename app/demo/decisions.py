"""Decisions on the demo's stage: solutions, ballots and votes, each act with the rows that the services would leave."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from app.demo import leanings, story
from app.demo.stage import PROGRAMME_ID, Card, Player, Stage, dated
from app.integrations import seal
from app.lib import markdown
from app.lib.receipts import receipt_of
from app.lib.secrets import derive
from app.methods.election import Settings, canonical
from app.methods.shuffle import shuffled
from app.models import (
    Ballot,
    BallotChange,
    BallotKey,
    BallotOption,
    Interest,
    RollEntry,
    Solution,
    SolutionIdea,
    Turnout,
    Vote,
)
from app.models.ballot import EXTENSION, SECRET
from app.models.base import table
from app.services.ballot_making import NUMBERS, USUAL_RULE, USUAL_RULE_OF, USUAL_THRESHOLD, USUAL_THRESHOLD_OF
from app.settings import settings

REMINDER = timedelta(hours=24)
"""How long before it closes a ballot's reminder goes out."""

RECEIPT_BITS = 130


@dataclass(slots=True)
class Paper:
    """A ballot on its way: what it asks, and from its making on its row, its solutions' rows by key, its votes."""

    ballot: story.Ballot
    challenge_id: int
    row: dict[str, Any] = field(default_factory=dict)
    solutions: dict[str, dict[str, Any]] = field(default_factory=dict)
    votes: dict[int, dict[str, Any]] = field(default_factory=dict)
    turnout: dict[tuple[int, datetime], dict[str, Any]] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The id of its row."""
        return int(self.row["id"])

    @property
    def settings(self) -> Settings:
        """How its votes are taken and counted, before its tie order is made."""
        method = self.ballot.method
        usual = {"threshold": USUAL_THRESHOLD_OF.get(method, USUAL_THRESHOLD)}
        rule = self.ballot.rule or USUAL_RULE_OF.get(method, USUAL_RULE)
        return Settings(
            method=method,
            rule=rule,
            tie_order=(),
            secret=self.ballot.mode == SECRET,
            **(usual | self.ballot.numbers),
        )

    @property
    def key(self) -> bytes:
        """What its pseudonyms are made with: the same each time, and known to this installation alone."""
        return bytes.fromhex(_derived(f"demo ballot {self.id}"))


class Decisions:
    """The acts that lead from ideas to a decision. `members` are all people of the programme."""

    def __init__(self, stage: Stage, members: Sequence[Player]) -> None:
        self._stage = stage
        self._voters = [player for player in members if player.role != "observer"]
        self._keepers = [player for player in members if player.role in ("observer", "coordinator")]
        self._papers: list[Paper] = []

    # solutions

    def promote(
        self,
        when: datetime,
        papers: Sequence[Paper],
        solution: story.Solution,
        cards: Sequence[Card],
        facilitator: Player,
    ) -> None:
        """A facilitator makes a solution of ideas, for the ballots to come."""
        challenge_id = papers[0].challenge_id
        id = self._stage.add(
            Solution,
            programme_id=PROGRAMME_ID,
            challenge_id=challenge_id,
            title=solution.title,
            summary=solution.summary,
            summary_html=markdown.render(solution.summary),
            language=solution.language,
            cost=solution.cost,
            carrier=solution.carrier,
            links=[{"title": title, "url": address} for title, address in solution.links],
            promoted_by=facilitator.id,
            withdrawn_at=None,
            version=1,
            **dated(when),
        )
        for card in sorted(cards, key=lambda card: card.id):
            self._stage.put(SolutionIdea, solution_id=id, idea_id=card.id, programme_id=PROGRAMME_ID)
        for paper in papers:
            paper.solutions[solution.key] = self._stage.rows[table(Solution)][id - 1]
        self._stage.log(when, "solution.promoted", facilitator, challenge_id=challenge_id, subject_id=id)

    # ballots

    def make(
        self, when: datetime, paper: Paper, opens_at: datetime, closes_at: datetime, coordinator: Player
    ) -> None:
        """A coordinator makes a ballot over the solutions."""
        ballot, settings = paper.ballot, paper.settings
        seed = Random(f"seed {ballot.key}").randbytes(16).hex()
        solutions = sorted(row["id"] for row in paper.solutions.values())
        id = self._stage.add(
            Ballot,
            programme_id=PROGRAMME_ID,
            challenge_id=paper.challenge_id,
            title=ballot.title,
            explanation=ballot.explanation,
            explanation_html=markdown.render(ballot.explanation),
            language=ballot.language,
            method=settings.method,
            rule=settings.rule,
            mode=ballot.mode,
            unit=ballot.unit,
            settings={name: getattr(settings, name) for name in NUMBERS},
            eligibility={"roles": [], "sectors": [], "organisations": []},
            member_since=opens_at,
            tallies_live=False,
            opens_at=opens_at,
            closes_at=closes_at,
            reminder_hours=round(REMINDER.total_seconds() / 3600),
            announced_at=None,
            reminded_at=None,
            seed=seed,
            tie_order=list(shuffled(map(str, solutions), seed, "ties")),
            made_by=coordinator.id,
            live_tally=None,
            cancelled_at=None,
            counted_at=None,
            version=1,
            **dated(when),
        )
        paper.row = self._stage.rows[table(Ballot)][id - 1]
        self._papers.append(paper)
        self._stage.put(BallotKey, ballot_id=id, programme_id=PROGRAMME_ID, secret=paper.key)
        for position, solution_id in enumerate(solutions):
            option = {"ballot_id": id, "solution_id": solution_id, "position": position}
            self._stage.put(BallotOption, **option, programme_id=PROGRAMME_ID)
        self._log(when, "ballot.made", paper, coordinator)

    def announce(self, when: datetime, paper: Paper) -> None:
        """A ballot has opened, and all who may vote are told."""
        paper.row.update(announced_at=when)
        self._tell(when, paper, "ballot_opened", self._voters)
        self._log(when, "ballot.announced", paper)

    def remind(self, when: datetime, paper: Paper) -> None:
        """A ballot closes soon, and those who have not voted are told."""
        paper.row.update(reminded_at=when)
        absent = [player for player in self._voters if player.id not in paper.votes]
        self._tell(when, paper, "ballot_reminder", absent)
        self._log(when, "ballot.reminded", paper)

    def extend(
        self,
        when: datetime,
        paper: Paper,
        extension: story.Extension,
        closes_at: datetime,
        coordinator: Player,
    ) -> None:
        """A coordinator lets a ballot close later, for a reason."""
        self._stage.add(
            BallotChange,
            programme_id=PROGRAMME_ID,
            ballot_id=paper.id,
            kind=EXTENSION,
            reason=extension.reason,
            closed_at=paper.row["closes_at"],
            closes_at=closes_at,
            changed_by=coordinator.id,
            changed_at=when,
        )
        paper.row.update(closes_at=closes_at, version=paper.row["version"] + 1, updated_at=when)
        self._log(when, "ballot.extended", paper, coordinator)

    def count(self, when: datetime, paper: Paper) -> None:
        """A ballot has closed and is counted: all are told. What was counted is written when all rows are there."""
        paper.row.update(counted_at=when, version=paper.row["version"] + 1, updated_at=when)
        self._tell(when, paper, "ballot_counted", self._voters)
        self._tell(when, paper, "ballot_sealed", self._keepers)
        self._log(when, "ballot.counted", paper)

    # votes

    def cast(self, when: datetime, paper: Paper, voter: Player, leaning: story.Leaning) -> None:
        """Someone votes, or votes again in place of their vote before."""
        number = self._count_in(when, paper, voter)
        likes = {str(row["id"]): leaning.likes[key] for key, row in paper.solutions.items()}
        costs = {str(row["id"]): row["cost"] for row in paper.solutions.values()}
        random = Random(f"choice {paper.ballot.key} {voter.id} {number}")
        choice = leanings.choose(random, paper.settings, likes, costs)
        receipt = int(_derived(f"demo receipt {paper.id} {voter.id} {number}"), 16) % 2**RECEIPT_BITS
        paper.votes[voter.id] = {
            "ballot_id": paper.id,
            "pseudonym": seal.pseudonym(paper.key, voter.id),
            "programme_id": PROGRAMME_ID,
            "sector_id": voter.sector_id,
            "person_id": None if paper.ballot.mode == SECRET else voter.id,
            "receipt": receipt_of(receipt),
            "choice": canonical(choice).decode(),
        }
        self._log(when, "vote.cast", paper)

    def declare(self, when: datetime, paper: Paper, person: Player, interest: story.Interest) -> None:
        """Someone says that they have a stake in a solution."""
        solution_id = paper.solutions[interest.solution]["id"]
        self._stage.put(
            Interest,
            ballot_id=paper.id,
            person_id=person.id,
            solution_id=solution_id,
            programme_id=PROGRAMME_ID,
            statement=interest.statement,
            declared_at=when,
        )
        self._log(when, "interest.declared", paper, person, data={"solution_id": solution_id})

    # the end

    def end(self) -> None:
        """Put down votes, roll and turnout in the order of their keys, which tells nothing of when they came."""
        for paper in self._papers:
            for vote in sorted(paper.votes.values(), key=lambda vote: vote["pseudonym"]):
                self._stage.put(Vote, **vote)
            for person_id, vote in sorted(paper.votes.items()):
                on_roll = {"ballot_id": paper.id, "person_id": person_id, "sector_id": vote["sector_id"]}
                self._stage.put(RollEntry, **on_roll, programme_id=PROGRAMME_ID)
            for _, hour in sorted(paper.turnout.items()):
                self._stage.put(Turnout, **hour)

    # within

    def _count_in(self, when: datetime, paper: Paper, voter: Player) -> int:
        """Count a vote in the turnout of its hour; the how many-eth it is of this voter, at most the second."""
        hour = when.replace(minute=0, second=0, microsecond=0)
        found = paper.turnout.setdefault(
            (voter.sector_id, hour),
            {
                "ballot_id": paper.id,
                "sector_id": voter.sector_id,
                "hour": hour,
                "programme_id": PROGRAMME_ID,
                "voters": 0,
                "changes": 0,
            },
        )
        is_first = voter.id not in paper.votes
        found["voters"] += is_first
        found["changes"] += 1
        return 1 if is_first else 2

    def _tell(self, when: datetime, paper: Paper, kind: str, people: Sequence[Player]) -> None:
        for player in people:
            self._stage.tell(when, player.id, kind, ballot_id=paper.id)

    def _log(
        self,
        when: datetime,
        type: str,
        paper: Paper,
        actor: Player | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        self._stage.log(when, type, actor, challenge_id=paper.challenge_id, subject_id=paper.id, data=data)


def _derived(purpose: str) -> str:
    """64 hexadecimal digits that nobody can know who has only the code and the database."""
    return derive(settings().secret_key.get_secret_value(), purpose)
