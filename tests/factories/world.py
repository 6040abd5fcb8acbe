"""The small world of every test: two sectors, a few people, a stranger, and noise that must not match."""

import itertools
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import update

from app.database import Database, Transaction
from app.lib import clock, secrets
from app.models import (
    AccessToken,
    Ballot,
    BrowserSession,
    Challenge,
    Cluster,
    Login,
    Membership,
    Organisation,
    Person,
    Phase,
    Programme,
    Sector,
)
from app.policies.actor import Actor
from app.policies.actor import Membership as Place
from app.services import (
    ballot_making,
    clients,
    exchange_rules,
    ideas,
    placement_making,
    placements,
    programmes,
    solutions,
)
from app.services.ballot_making import Draft
from app.services.clients import NewClient
from app.services.exchange_rules import Rules
from app.services.placements import PeriodView
from app.services.programmes import ProgrammeView
from tests.factories.kept import Kept

ISSUER = "https://login.example"

_KEPT: dict[str, Kept] = {}
"""For each engine the world as it was made first, in this process."""


def fresh(actor: Actor) -> Actor:
    """The same person, who has just signed in."""
    return replace(actor, authenticated_at=clock.now())


class World:
    """Alice (a civil servant) owns what is tested; Ana is her colleague; Bob works in a company; Fay facilitates,
    Cora coordinates, Sam sponsors, Olga observes; Charlie is of another programme.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._numbers = itertools.count(1)
        engine = database.url.get_backend_name()
        if engine in _KEPT and self.do(_KEPT[engine].put_back):
            self.__dict__ |= {name: copy(value) for name, value in _KEPT[engine].names.items()}
            return
        before = set(self.__dict__)
        self._begin()
        if self.other_idea_id == 1 and engine not in _KEPT:  # nothing but this was ever there
            names = {name: copy(value) for name, value in self.__dict__.items() if name not in before}
            _KEPT[engine] = Kept.of(database, names)

    def _begin(self) -> None:
        self.programme_id, self.sectors, self.organisations = self._programme("here", "Here")
        self.alice = self._person("Alice Novak", "participant", "public")
        self.ana = self._person("Ana Žagar", "participant", "public")
        self.bob = self._person("Bob Kos", "participant", "business")
        self.bea = self._person("Bea Čeh", "participant", "business")
        self.fay = self._person("Fay Zupan", "facilitator", "public")
        self.cora = self._person("Cora Golob", "coordinator", "business")
        self.sam = self._person("Sam Hribar", "sponsor", "public")
        self.olga = self._person("Olga Kralj", "observer", "public")
        self.challenge_id = self.challenge()
        own = (self.programme_id, self.sectors, self.organisations)
        self.other_programme_id, self.sectors, self.organisations = self._programme("there", "There")
        self.charlie = self._person("Charlie Oman", "coordinator", "public", self.other_programme_id)
        self.other_challenge_id = self.challenge(programme_id=self.other_programme_id)
        self.other_idea_id = self.idea(self.charlie, "Noise that must not match", self.other_challenge_id)
        self.programme_id, self.sectors, self.organisations = own

    def do(self, verb: Any, *arguments: Any, **named: Any) -> Any:
        """Do a service's verb and commit."""
        return self.database.write_now(lambda tx: verb(tx, *arguments, **named))

    def ask(self, query: Any, *arguments: Any, **named: Any) -> Any:
        """The answer of a service's query."""
        return self.database.read_now(lambda connection: query(connection, *arguments, **named))

    def challenge(self, kind: str = "ideation", *, programme_id: int | None = None, **values: Any) -> int:
        """A challenge in a phase in which everything is open; `values` change the phase or the challenge."""
        programme_id = programme_id or self.programme_id
        opened = {"posting": True, "commenting": True, "supporting": True, "tallies": True}
        opened |= {name: values.pop(name) for name in list(values) if name in opened}
        starts_at = values.pop("starts_at", clock.now() - timedelta(days=2))
        ends_at = values.pop("ends_at", clock.now() + timedelta(days=20))

        def work(tx: Transaction) -> int:
            challenge = Challenge(**({"title": "Forms that ask once", "programme_id": programme_id} | values))
            tx.session.add(challenge)
            tx.session.flush()
            common = {"programme_id": programme_id, "challenge_id": challenge.id}
            tx.session.add(Phase(kind=kind, starts_at=starts_at, ends_at=ends_at, **opened, **common))
            for position, title in enumerate(("Now", "Later")):
                tx.session.add(Cluster(title=title, position=position, **common))
            return int(challenge.id or 0)

        return self.do(work)

    def clusters(self, challenge_id: int | None = None) -> list[int]:
        """The ids of a challenge's clusters."""
        from app.services import boards

        return [cluster.id for cluster in self.ask(boards.clusters, challenge_id or self.challenge_id)]

    def idea(
        self,
        actor: Actor | None = None,
        title: str = "One form",
        challenge_id: int | None = None,
        **values: Any,
    ) -> int:
        """An idea, posted by Alice unless someone else is named."""
        return self.do(
            ideas.post, actor or self.alice, challenge_id or self.challenge_id, title=title, **values
        )

    def solution(
        self, title: str = "One form, once", challenge_id: int | None = None, cost: int = 0, **values: Any
    ) -> int:
        """A solution, promoted by Fay; `values` as `solutions.promote` takes them."""
        return self.do(
            solutions.promote,
            self.fay,
            challenge_id or self.challenge_id,
            title=title,
            cost=cost,
            **values,
        )

    def ballot(
        self,
        method: str = "approval",
        solutions: Sequence[int] | None = None,
        challenge_id: int | None = None,
        actor: Actor | None = None,
        **draft: Any,
    ) -> int:
        """A ballot, made by Cora, that opens at once and closes in seven days; `draft` as a `Draft` has it.

        Over three new solutions (costs 30, 20 and 10) unless others are named. Who shall vote must be there before.
        """
        if solutions is None:
            named = (("One form, once", 30), ("A shared desk", 20), ("Answers in a week", 10))
            solutions = [self.solution(title, challenge_id, cost) for title, cost in named]
        usual = {"title": "Which one first?", "closes_at": clock.now() + timedelta(days=7)}
        if method == "budget":
            usual |= {"unit": "days", "numbers": {"budget": 50}}
        described = Draft(method=method, solutions=solutions, **(usual | draft))
        return self.do(ballot_making.make, actor or self.cora, challenge_id or self.challenge_id, described)

    def close_now(self, ballot_id: int) -> None:
        """Let a ballot have closed a second ago, after a day; it is not counted yet."""
        closed = clock.now() - timedelta(seconds=1)
        times = {"opens_at": closed - timedelta(days=1), "closes_at": closed}
        self.do(lambda tx: tx.execute(update(Ballot).where(Ballot.id == ballot_id).values(**times)))

    @cached_property
    def hana(self) -> Actor:
        """Hana offers places at the organisation of Alice: she is there from the moment when she is first named."""
        return self._person("Hana Vidmar", "host", "public")

    @cached_property
    def henk(self) -> Actor:
        """Henk offers places at the company of Bob: he is there from the moment when he is first named."""
        return self._person("Henk Jereb", "host", "business")

    @property
    def programme(self) -> ProgrammeView:
        """The programme of everyone but Charlie."""
        found: ProgrammeView = self.ask(programmes.find, self.cora, self.programme_id)
        return found

    def week(self, number: int = 0) -> tuple[date, date]:
        """Monday and Friday of a week about two months ahead, or `number` weeks later."""
        ahead = clock.now().date() + timedelta(weeks=8 + number)
        monday = ahead - timedelta(days=ahead.weekday())
        return monday, monday + timedelta(days=4)

    def period(self, number: int = 0, *, places: int = 2, **values: Any) -> dict[str, Any]:
        """A week as `placements` are offered with it, with `values` in place of what is usual."""
        first_day, last_day = self.week(number)
        usual = {"first_day": first_day, "last_day": last_day, "is_window": False, "places": places}
        return {**usual, **values}

    def placement(
        self,
        actor: Actor | None = None,
        *,
        periods: Sequence[Mapping[str, Any]] | None = None,
        published: bool = True,
        **fields: Any,
    ) -> int:
        """A placement, offered by Hana and published by Cora, with two places in one week two months ahead."""
        made = self.do(
            placement_making.offer,
            actor or self.hana,
            self.programme,
            periods=[self.period()] if periods is None else periods,
            **{"title": "A week in public procurement", "description": "You see how we buy.", **fields},
        )
        if published:
            self.do(placement_making.publish, self.cora, made)
        return int(made)

    def periods(self, placement_id: int) -> tuple[PeriodView, ...]:
        """The periods of a placement, in the order of days."""
        found: tuple[PeriodView, ...] = self.ask(placements.find, self.cora, placement_id).periods
        return found

    def rules(self, **changes: Any) -> Rules:
        """What Cora decides about exchanges; what is not named stays."""
        changed: Rules = self.do(exchange_rules.set_rules, self.cora, self.programme, **changes)
        return changed

    def people(self, count: int, sector: str) -> list[Actor]:
        """So many more participants of a sector; make them before the ballot on which they shall vote."""
        numbers = [next(self._numbers) for _ in range(count)]
        return [self._person(f"{sector.title()}{number} Rus", "participant", sector) for number in numbers]

    def client(
        self,
        *scopes: str,
        role: str = "participant",
        sector: str | None = None,
        actor: Actor | None = None,
        **draft: Any,
    ) -> NewClient:
        """A client of the API, made by Cora: of the programme, or of a sector's organisation alone if one is named."""
        wanted = clients.Draft("Robot", role=role, scopes=scopes or ("read",), **draft)
        organisation_id = self.organisations[sector] if sector else None
        made: NewClient = self.do(
            clients.create, fresh(actor or self.cora), self.programme_id, organisation_id, wanted
        )
        return made

    def cookie(self, actor: Actor) -> str:
        """The secret of a signed-in browser of this person."""
        secret = secrets.new_secret()

        def work(tx: Transaction) -> None:
            tx.session.add(
                BrowserSession(
                    token_hash=secrets.digest(secret),
                    person_id=actor.person_id or 0,
                    provider="test",
                    issuer=ISSUER,
                    subject=str(actor.person_id),
                    expires_at=clock.now() + timedelta(hours=12),
                )
            )

        self.do(work)
        return secret

    def token(self, actor: Actor, *scopes: str) -> str:
        """A personal access token of this person; read and write unless scopes are named."""
        token = secrets.new_token()

        def work(tx: Transaction) -> None:
            tx.session.add(
                AccessToken(
                    person_id=actor.person_id or 0,
                    name="test",
                    token_hash=secrets.digest(token),
                    ending=token[-4:],
                    scopes=" ".join(scopes or ("read", "write")),
                    expires_at=clock.now() + timedelta(days=30),
                )
            )

        self.do(work)
        return token

    def _programme(self, slug: str, name: str) -> tuple[int, dict[str, int], dict[str, int]]:
        def work(tx: Transaction) -> tuple[int, dict[str, int], dict[str, int]]:
            programme = Programme(slug=slug, name=name)
            tx.session.add(programme)
            tx.session.flush()
            sectors, organisations = {}, {}
            for position, (key, label) in enumerate(
                (("public", "Public administration"), ("business", "Business"))
            ):
                sector = Sector(programme_id=programme.id, key=key, name=label, position=position)
                tx.session.add(sector)
                tx.session.flush()
                organisation = Organisation(
                    programme_id=programme.id, sector_id=sector.id, name=f"{label} House of {name}"
                )
                tx.session.add(organisation)
                tx.session.flush()
                sectors[key], organisations[key] = int(sector.id or 0), int(organisation.id or 0)
            return int(programme.id or 0), sectors, organisations

        return self.do(work)

    def _person(self, name: str, role: str, sector: str, programme_id: int | None = None) -> Actor:
        programme_id = programme_id or self.programme_id
        email = f"{name.split(maxsplit=1)[0].lower()}@example.org"

        def work(tx: Transaction) -> Actor:
            person = Person(name=name, email=email, language="en")
            tx.session.add(person)
            tx.session.flush()
            tx.session.add(Login(person_id=person.id, issuer=ISSUER, subject=str(person.id)))
            membership = Membership(
                programme_id=programme_id,
                person_id=person.id,
                organisation_id=self.organisations[sector],
                sector_id=self.sectors[sector],
                role=role,
            )
            tx.session.add(membership)
            tx.session.flush()
            place = Place(
                int(membership.id or 0),
                programme_id,
                role,
                self.organisations[sector],
                self.sectors[sector],
                sector,
            )
            return Actor(
                person_id=person.id,
                name=name,
                email=email,
                language="en",
                version=1,
                memberships={programme_id: place},
            )

        return self.do(work)
