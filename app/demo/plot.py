"""Who does what, and when: the story of the demo, played on a stage in the order of time.

All chance comes from seeds, so the same story at the same moment gives the same rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from unicodedata import combining, normalize

from app.demo import moments, story, voting
from app.demo.admission import Admission
from app.demo.decisions import Decisions
from app.demo.exchanges import Exchanges
from app.demo.moments import Stretch
from app.demo.stage import Card, Player, Stage

BEFORE_ALL = timedelta(days=30)
"""How long the programme was there before its first challenge."""

JOINING = timedelta(days=25)
"""The time in which people joined it."""

FACILITATOR, COORDINATOR = "petra", "nina"

_PLAIN = str.maketrans({"ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "ł": "l"})


def play(told: story.Story, *, scale: int, now: datetime, base_url: str) -> Stage:
    """The stage after the whole story was played, `scale` times as large."""
    play = _Play(told, scale, now, base_url)
    play.people()
    for challenge in told.challenges:
        play.challenge(challenge)
    play.exchanges()
    play.admission()
    play.perform()
    play.end()
    return play.stage


@dataclass(frozen=True, slots=True)
class _Board:
    """Where and when the ideas of one challenge are played."""

    challenge_id: int
    clusters: dict[str, int]
    posting: tuple[datetime, datetime]
    supporting_until: datetime


@dataclass(frozen=True, slots=True)
class _Life:
    """An idea's card, when it is posted, and when the last comment on it is written."""

    card: Card
    posted: datetime
    talked: datetime


class _Play:
    """The acts to come, and the cast: each person by key and by which of the `scale` copies they are."""

    def __init__(self, told: story.Story, scale: int, now: datetime, base_url: str) -> None:
        self.stage = Stage(now)
        self._told = told
        self._scale = scale
        self._now = now
        self._base_url = base_url
        self._acts: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._cast: dict[tuple[str, int], Player] = {}
        self._organisations: dict[str, int] = {}
        self._stretches = {
            challenge.title: moments.stretches(told.phases, challenge.phase, challenge.days, now)
            for challenge in told.challenges
        }
        first = min(stretches[0].starts_at for stretches in self._stretches.values())
        self._begin = first - BEFORE_ALL

    def perform(self) -> None:
        """Play every act in the order of time."""
        for when, _, act in sorted(self._acts, key=lambda act: act[:2]):
            act(when)

    def end(self) -> None:
        """Put down what follows from all that was done."""
        self.stage.count()
        self._decisions.end()

    # who

    def people(self) -> None:
        """Set the scene: the programme, its organisations, their people."""
        self.stage.programme(self._begin, self._told)
        sectors = {sector.key: number for number, sector in enumerate(self._told.sectors, 1)}
        issuers = {
            sector.key: f"{self._base_url}/demo-identity/{sector.provider}" for sector in self._told.sectors
        }
        places = []
        for organisation in self._told.organisations:
            sector_id, issuer = sectors[organisation.sector], issuers[organisation.sector]
            id = self.stage.organisation(self._begin, organisation, sector_id, issuer)
            self._organisations[organisation.name] = id
            places += [(person, organisation, id, sector_id, issuer) for person in organisation.people]
        surnames = [person.name.split(" ", 1)[1] for person, *_ in places]
        for number in range(1, self._scale + 1):
            for index, (person, organisation, *place) in enumerate(places):
                surname = surnames[(index + 17 * (number - 1)) % len(surnames)]
                self._admit(_copy(person, number, surname, organisation.domain), number, *place)
        self._decisions = Decisions(self.stage, list(self._cast.values()))
        self._pools = [_Pool(self._cast.values(), sector_id) for sector_id in sectors.values()]

    def _admit(self, person: story.Person, number: int, *place: Any) -> None:
        random = Random(f"join {person.key} {number}")
        when = moments.some(random, self._begin, self._begin + JOINING)
        player = self.stage.person(when, person, *place)
        self._cast[person.key, number] = player
        self._at(when, self.stage.join, player)

    # what

    def challenge(self, challenge: story.Challenge) -> None:
        """Set a challenge, and plan what happens to its ideas."""
        stretches = self._stretches[challenge.title]
        when = stretches[0].starts_at
        sponsor_id = self._organisations[challenge.sponsor]
        challenge_id = self.stage.challenge(when, challenge, sponsor_id, stretches)
        clusters = {
            cluster.key: self.stage.cluster(cluster, challenge_id, position)
            for position, cluster in enumerate(challenge.clusters, 1)
        }
        leaders = self._cast[COORDINATOR, 1], self._cast[FACILITATOR, 1]
        self._at(when, self.stage.begin, challenge_id, list(clusters.values()), *leaders)
        board = _Board(
            challenge_id,
            clusters,
            self._open(stretches, "posting"),
            self._open(stretches, "supporting")[1],
        )
        named = [self._ideas(board, challenge.ideas, number) for number in range(1, self._scale + 1)]
        if challenge.ballots:
            people = {key: player for (key, number), player in self._cast.items() if number == 1}
            cards = {name: life.card for name, life in named[0].items()}
            question = voting.Question(challenge, challenge_id, cards, stretches, people, *leaders)
            voting.Planner(self._at, self._decisions, question, self._now).plan()

    def exchanges(self) -> None:
        """Plan what hosts offer and who goes where; the copies of a larger demo stay at home."""
        people = {key: player for (key, number), player in self._cast.items() if number == 1}
        Exchanges(self.stage, self._at, people, self._organisations).plan(COORDINATOR)

    def admission(self) -> None:
        """Plan who runs what besides, and who is on the way in."""
        people = {key: player for (key, number), player in self._cast.items() if number == 1}
        issuer = f"{self._base_url}/demo-identity/{self._told.sectors[-1].provider}"
        Admission(self.stage, self._at, people, issuer).plan(self._begin + JOINING, COORDINATOR, FACILITATOR)

    def _open(self, stretches: Sequence[Stretch], opening: str) -> tuple[datetime, datetime]:
        """From when until when something was open, by now."""
        during = [stretch for stretch in stretches if getattr(stretch.phase, opening)]
        return during[0].starts_at, min(during[-1].ends_at or self._now, self._now)

    def _ideas(self, board: _Board, ideas: Sequence[story.Idea], number: int) -> dict[str, _Life]:
        """Plan the lives of a board's ideas; those of the ideas that have a name."""
        lives: dict[str, _Life] = {}
        merges: list[tuple[story.Merge, _Life]] = []
        for index, idea in enumerate(ideas):
            random = Random(f"idea {board.challenge_id} {index} {number}")
            cluster_id = board.clusters[idea.cluster] if idea.cluster else None
            card = Card(idea, number, board.challenge_id, cluster_id, self._player(idea.by, number))
            life = self._idea(random, board, card)
            if idea.name:
                lives[idea.name] = life
            if idea.merge:
                merges.append((idea.merge, life))
        for merge, life in merges:
            self._merge(board, merge, life, lives[merge.into])
        return lives

    def _merge(self, board: _Board, merge: story.Merge, source: _Life, target: _Life) -> None:
        cards = source.card, target.card
        proposer = self._player(merge.by, source.card.number)
        proposed = _later(max(source.posted, target.posted), 2, board.supporting_until)
        self._at(proposed, self.stage.propose_merge, *cards, proposer)
        if merge.state == "accepted":
            agreed = _later(max(source.talked, target.talked), 21, board.supporting_until)
            self._at(agreed, self.stage.accept_merge, *cards, proposer)

    def _idea(self, random: Random, board: _Board, card: Card) -> _Life:
        """Plan the life of one idea."""
        idea, stage, end = card.idea, self.stage, board.supporting_until
        posted = moments.some(random, board.posting[0], board.posting[1] - timedelta(hours=2), early=1.3)
        self._at(posted, stage.post, card)
        for key in idea.co_authors:
            co_author = self._player(key, card.number)
            self._at(posted + timedelta(minutes=9), stage.write_along, card, co_author)
        talked = self._talk(random, card, posted, min(posted + timedelta(days=9), end))
        if idea.pinned and card.number == 1:
            self._at(_later(posted, 5, end), stage.pin, card, self._cast[FACILITATOR, 1])
        if idea.hidden:
            self._hide(card, idea.hidden, posted)
            end = _later(posted, 1, end)
        if idea.withdrawn:
            self._at(_later(talked, 20, end), stage.withdraw, card)
        if idea.withdrawn or idea.merge:
            end = talked
        for supporter in self._supporters(random, card):
            self._at(moments.some(random, posted, end, early=1.8), stage.support, card, supporter)
        return _Life(card, posted, talked)

    def _talk(self, random: Random, card: Card, posted: datetime, end: datetime) -> datetime:
        """Plan the comments on an idea, and an edit before the last of them; the moment of the last."""
        comments = card.idea.comments
        whens = moments.series(random, len(comments), posted + timedelta(minutes=10), end)
        for when, comment in zip(whens, comments, strict=True):
            author = self._player(comment.by, card.number)
            self._at(when, self.stage.comment, card, author, comment)
            if comment.hidden:
                facilitator = self._cast[FACILITATOR, 1]
                hidden_at = _later(when, 1, self._now)
                self._at(hidden_at, self.stage.hide_comment, card, author, comment.hidden, facilitator)
        last = whens[-1] if whens else posted + timedelta(minutes=40)
        if card.idea.before:
            self._at(last - timedelta(minutes=4), self.stage.edit, card)
        return last

    def _hide(self, card: Card, hiding: story.Hiding, posted: datetime) -> None:
        hidden_at = _later(posted, 1, self._now)
        facilitator = self._cast[hiding.by, 1]
        self._at(hidden_at, self.stage.hide, card, hiding, facilitator)
        if hiding.answer:
            self._at(_later(hidden_at, 3, self._now), self.stage.answer, card, hiding.answer)

    def _supporters(self, random: Random, card: Card) -> list[Player]:
        """Who supports an idea; neither those who wrote it nor the seats of visitors."""
        writers = {self._player(key, card.number).id for key in (card.idea.by, *card.idea.co_authors)}
        return [
            player
            for pool, count in zip(self._pools, card.idea.support, strict=True)
            for player in pool.draw(random, count, writers)
        ]

    # within

    def _at(self, when: datetime, act: Callable[..., None], *what: Any) -> None:
        self._acts.append((when, len(self._acts), partial(_perform, act, what)))

    def _player(self, key: str, number: int) -> Player:
        return self._cast[key, number]


class _Pool:
    """The people of one sector who may support ideas, some more eager than others."""

    def __init__(self, players: Any, sector_id: int) -> None:
        self._players = [
            player
            for player in players
            if player.sector_id == sector_id and player.role != "observer" and not player.visits
        ]
        self._weights: list[float] = []
        total = 0.0
        for player in self._players:
            total += Random(f"eager {player.id}").lognormvariate(0, 0.5)
            self._weights.append(total)

    def draw(self, random: Random, count: int, but: set[int]) -> list[Player]:
        """`count` different players, without those whose ids are in `but`."""
        drawn: dict[int, Player] = {}
        while len(drawn) < min(count, len(self._players) - len(but)):
            (player,) = random.choices(self._players, cum_weights=self._weights)
            if player.id not in but:
                drawn[player.id] = player
        return list(drawn.values())


def _perform(act: Callable[..., None], what: Sequence[Any], when: datetime) -> None:
    act(when, *what)


def _later(when: datetime, hours: int, end: datetime) -> datetime:
    """So many hours later, but before `end`."""
    return when + min(timedelta(hours=hours), (end - when) / 2)


def _copy(person: story.Person, number: int, surname: str, domain: str) -> story.Person:
    """The person, with their mail; beyond the first copy a participant with another surname."""
    name = person.name if number == 1 else f"{person.name.split(' ', 1)[0]} {surname}"
    mark = "" if number == 1 else str(number)
    email = f"{_ascii(name).lower().replace(' ', '.')}{mark}@{domain}"
    if number == 1:
        return replace(person, email=person.email or email)
    return replace(person, name=name, email=email, role="participant")


def _ascii(name: str) -> str:
    return "".join(letter for letter in normalize("NFD", name.translate(_PLAIN)) if not combining(letter))
