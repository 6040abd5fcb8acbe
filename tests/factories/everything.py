"""One of each thing that an address can name: one's own, others' near and far, and another programme's."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, update

from app.lib import clock, secrets
from app.models import (
    AccessToken,
    Assignment,
    BrowserSession,
    Client,
    DataExport,
    Import,
    JoinRequest,
    Login,
    Match,
    Membership,
    Organisation,
    OrganisationDomain,
    Person,
    ScimGroup,
    Sector,
)
from app.models.base import table
from app.policies.actor import ANONYMOUS, Actor
from app.policies.reach import OfOrganisation, OfProgramme
from app.services import (
    actors,
    asking,
    ballots,
    bookings,
    calendar_feeds,
    challenges,
    comments,
    consents,
    counting,
    delegations,
    deliveries,
    held,
    invitations,
    merges,
    moderation,
    placements,
    roles,
    solutions,
    tokens,
    votes,
    webhooks,
)
from app.services.delegations import Absence
from app.services.home_managers import Manager
from app.services.roles import Wanted
from tests.factories.world import World

OWN, NEAR, FAR, OTHER = "own", "near", "far", "other programme"
RELATIONS = (OWN, NEAR, FAR, OTHER)
"""One's own, in the first challenge; another's there; another's in another challenge and house; another programme's."""

SIGNED_OUT, MACHINE = "signed out", "machine"
ROLES = ("participant", "facilitator", "host", "sponsor", "coordinator", "observer")
SPECIAL = (
    "stranger",
    "facilitator of one challenge",
    "stand-in of a facilitator",
    "organisation administrator",
    "instance administrator",
    "coordinator elsewhere",
    MACHINE,
)
COLUMNS = (SIGNED_OUT, *ROLES, *SPECIAL)
LACKING = {
    "stranger": ("place", "assignment"),
    "instance administrator": ("place", "assignment"),
    MACHINE: ("assignment",),
}
"""What some do not have of their own: whose place has ended, and whoever is given no roles."""


@dataclass(frozen=True)
class Thing:
    """What an address names: what stands in it, and what the policy is asked about."""

    fills: Mapping[str, Any]
    subject: Any
    body: Mapping[str, Any] = field(default_factory=dict)


class Everything:
    """The people of the matrix, and for each their things."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.there = _there(world)
        self.far_challenge_id = world.challenge()
        self.people: dict[str, Actor] = {SIGNED_OUT: ANONYMOUS}
        for name in (*ROLES, *SPECIAL):
            self.people[name] = self._person(name)
        hana, henk = world.hana, world.henk
        self._placed = {
            house: world.placement(host, periods=[world.period(places=200)])
            for house, host in (("public", hana), ("business", henk))
        }
        self._elsewhere = {
            world.challenge_id: world.idea(world.sam, "On another board", self.far_challenge_id),
            self.far_challenge_id: world.idea(world.sam, "On this board", world.challenge_id),
            self.there.challenge_id: world.other_idea_id,
        }
        self._decided: dict[tuple[int, int], Thing] = {}
        self._by_all: dict[int, Thing] = {}
        self._hooks: dict[int, Thing] = {}
        self.things: dict[tuple[str, str], dict[str, Thing]] = {}
        shared = {
            NEAR: self._things(world, world.ana, world.challenge_id, near=True),
            FAR: self._things(world, world.bob, self.far_challenge_id),
            OTHER: self._things(self.there, self.there.alice, self.there.challenge_id),
        }
        for name, person in self.people.items():
            for relation in (NEAR, FAR, OTHER):
                self.things[name, relation] = shared[relation]
            if name == SIGNED_OUT:
                continue
            at = self.there if name == "coordinator elsewhere" else world
            self.things[name, OWN] = self._things(at, person, at.challenge_id, own=True)
            for lacking in LACKING.get(name, ()):
                del self.things[name, OWN][lacking]
            if at is world:
                managed = self._managed(person)
                self.things[name, NEAR] = {**shared[NEAR], "booking": managed}
        self._match(world)
        self._match(self.there)
        for name in (*ROLES, *SPECIAL):
            self._settle(name)
        self.actors = {
            name: ANONYMOUS if name == SIGNED_OUT else world.ask(actors.find, person.person_id)
            for name, person in self.people.items()
        }

    # people

    def _person(self, name: str) -> Actor:
        """Someone who may do everything until `_settle` makes them what they are called."""
        at = self.there if name == "coordinator elsewhere" else self.world
        return at._person(f"{name.title()} Zrno", "coordinator", "public", at.programme_id)

    def _settle(self, name: str) -> None:
        world, person = self.world, self.people[name]
        member, human = table(Membership), table(Person)
        role = name if name in ROLES else "coordinator" if name == "coordinator elsewhere" else "participant"
        values: dict[str, Any] = {"role": role}
        if name in ("stranger", "instance administrator"):
            values["ended_at"] = clock.now()
        about = {"person_id": person.person_id, "programme_id": world.programme_id}
        rows = {
            "facilitator of one challenge": {"role": "facilitator", "challenge_id": world.challenge_id},
            "stand-in of a facilitator": {"role": "facilitator", "delegated_by": world.fay.person_id},
            "organisation administrator": {
                "role": "organisation_administrator",
                "organisation_id": world.organisations["public"],
            },
        }

        def work(tx: Any) -> None:
            tx.execute(update(member).where(member.c.person_id == person.person_id).values(**values))
            if name in rows:
                until = {"ends_at": clock.now() + timedelta(days=9)} if "delegated_by" in rows[name] else {}
                tx.session.add(Assignment(**about, **rows[name], **until))
            if name == "instance administrator":
                now = {"administrator_since": tx.now}
                tx.execute(update(human).where(human.c.id == person.person_id).values(**now))
            if name == MACHINE:
                tx.execute(update(human).where(human.c.id == person.person_id).values(is_machine=True))

        world.do(work)

    def token(self, name: str) -> str:
        """A token of this person that is good for everything; of the machine, one that its client got."""
        token = secrets.new_token()
        person = self.people[name]

        def work(tx: Any) -> None:
            bound: dict[str, Any] = {}
            if name == MACHINE:
                client = Client(
                    client_id="machine",
                    name="Machine",
                    person_id=person.person_id or 0,
                    programme_id=self.world.programme_id,
                    scopes=" ".join(tokens.SCOPES),
                    auth_method="client_secret",
                    created_by=self.world.cora.person_id or 0,
                )
                tx.session.add(client)
                tx.session.flush()
                bound = {"client_id": client.id, "programme_id": self.world.programme_id}
            tx.session.add(
                AccessToken(
                    person_id=person.person_id or 0,
                    name="matrix",
                    token_hash=secrets.digest(token),
                    ending=token[-4:],
                    scopes=" ".join(tokens.SCOPES),
                    expires_at=clock.now() + timedelta(days=1),
                    **bound,
                )
            )

        self.world.do(work)
        return token

    # things

    def _things(
        self, at: World, owner: Actor, challenge_id: int, *, own: bool = False, near: bool = False
    ) -> dict[str, Thing]:
        """One of each, of `owner`, in a challenge of the programme of `at`."""
        world, cora = at, at.cora
        of_programme = {
            "programme_id": at.programme_id,
            "slug": at.slug,
            "programme": at.programme_id,
            "id": at.organisations["business"],
            "organisation_id": at.organisations["business"],
            "kind": "ideas",
            "form": "csv",
        }
        idea = world.idea(owner, "A thing", challenge_id)
        hidden = world.idea(owner, "Hidden", challenge_id)
        world.do(moderation.hide, cora, hidden, reason="It names someone.")
        comment = world.do(comments.post, owner, idea, body="Yes.")
        merge = self._merge(at, owner, challenge_id)
        solution = world.solution("Of ideas", challenge_id)
        maker = owner if owner.role_in(at.programme_id) == "coordinator" else cora
        ballot = world.ballot("approval", None, challenge_id, maker)
        scheduled = world.ballot(
            "approval", None, challenge_id, maker, opens_at=clock.now() + timedelta(days=1)
        )
        found = {
            "programme": Thing(of_programme, at.programme),
            "delegable programme": Thing(of_programme, at.programme, {"what": str(at.programme_id)}),
            "challenge": self._seen(at, challenges.find, challenge_id, "challenge_id"),
            "cluster": self._cluster(at, challenge_id),
            "idea": self._held(at, idea),
            "hidden idea": self._held(at, hidden),
            "comment": self._comment(at, comment),
            "merge": self._seen(at, merges.find, merge, "merge_id"),
            "solution": self._seen(at, solutions.find, solution, "solution_id"),
            "ballot": self._ballot(at, ballot),
            "scheduled ballot": self._ballot(at, scheduled),
            "counted ballot": self._counted(at, challenge_id),
            "placement": self._placement(at, owner, own=own, near=near),
            "booking": self._booking(at, owner),
            "member": self._place(at, owner),
            "place": self._place(at, owner),
            "membership": self._membership(at, owner),
            "voted ballot": self._voted(at),
        }
        return found | self._of_oneself(at, owner)

    def _place(self, at: World, owner: Actor) -> Thing:
        place = owner.memberships[at.programme_id]
        named = {"person_id": owner.person_id, "membership_id": place.id}
        return Thing({"id": owner.person_id, "programme": at.programme_id, **named}, place)

    def _membership(self, at: World, owner: Actor) -> Thing:
        place = owner.memberships[at.programme_id]
        named = {"id": place.id, "membership_id": place.id}
        return Thing(named, place, {"organisation": place.organisation_id})

    def _voted(self, at: World) -> Thing:
        """A ballot on which everyone of the matrix who is there has voted, whatever they are now."""
        if at.programme_id not in self._by_all:
            id = at.ballot("approval", None, at.challenge_id)
            ballot = self._ballot(at, id)
            choice = {"approved": [ballot.subject.solutions[0].key]}
            for person in self.people.values():
                if person.membership_in(at.programme_id):
                    at.do(votes.cast, person, id, choice)
            self._by_all[at.programme_id] = ballot
        return self._by_all[at.programme_id]

    def _seen(self, at: World, find: Any, id: int, name: str) -> Thing:
        subject = at.ask(find, at.cora, id)
        return Thing({"id": id, name: id}, subject)

    def _held(self, at: World, id: int) -> Thing:
        subject = at.do(held.hold, at.cora, id)
        return Thing(
            {"id": id, "idea_id": id, "person_id": at.bea.person_id},
            subject,
            {"target": self._elsewhere[subject.challenge_id]},
        )

    def _cluster(self, at: World, challenge_id: int) -> Thing:
        id = at.clusters(challenge_id)[0]
        subject = SimpleNamespace(programme_id=at.programme_id, challenge_id=challenge_id)
        return Thing({"id": id, "cluster_id": id}, subject)

    def _comment(self, at: World, id: int) -> Thing:
        return Thing({"id": id, "comment_id": id}, at.ask(comments.find, id))

    def _merge(self, at: World, owner: Actor, challenge_id: int) -> int:
        theirs = at.idea(owner, "Theirs", challenge_id)
        another = at.idea(at.sam if owner is not at.sam else at.cora, "Another's", challenge_id)
        return int(at.do(merges.propose, at.sam, another, theirs))

    def _ballot(self, at: World, id: int) -> Thing:
        subject = at.ask(ballots.find, at.cora, id)
        solution_id = subject.solutions[0].id
        return Thing(
            {"id": id, "ballot_id": id, "solution_id": solution_id}, subject, {"solution_id": solution_id}
        )

    def _counted(self, at: World, challenge_id: int) -> Thing:
        if (at.programme_id, challenge_id) not in self._decided:
            id = at.ballot("approval", None, challenge_id)
            solution = at.ask(ballots.find, at.cora, id).solutions[0]
            at.do(votes.cast, at.sam, id, {"approved": [solution.key]})
            at.close_now(id)
            counting.finish(at.database, id, "http://127.0.0.1")
            self._decided[at.programme_id, challenge_id] = self._ballot(at, id)
        return self._decided[at.programme_id, challenge_id]

    def _placement(self, at: World, owner: Actor, *, own: bool, near: bool) -> Thing:
        host = owner if own else at.hana if near else at.henk
        id = at.placement(host, periods=[at.period(places=2)])
        return self._seen(at, placements.find, id, "placement_id")

    def _booking(self, at: World, owner: Actor) -> Thing:
        """A stay of the owner: of the public house at the business's, and the other way round."""
        house = "business" if owner.memberships[at.programme_id].sector_key == "public" else "public"
        placement = self._placed[house] if at is self.world else at.placement(at.henk)
        colleague = at.ana if owner is at.alice else at.alice
        return self._asked(at, owner, placement, colleague if house == "business" else at.bea)

    def _asked(self, at: World, guest: Actor, placement: int, manager: Actor) -> Thing:
        period = at.periods(placement)[0].id
        id = at.do(asking.ask, guest, placement, period_id=period, manager=Manager(manager.person_id))
        fills = {"id": id, "booking_id": id, "item": "insurance"}
        return Thing(fills, at.ask(bookings.find, at.cora, id))

    def _managed(self, manager: Actor) -> Thing:
        guest = self.world.people(1, "public")[0]
        return self._asked(self.world, guest, self._placed["business"], manager)

    def _of_oneself(self, at: World, owner: Actor) -> dict[str, Thing]:
        """A calendar, a token, a session, a role besides, a role lent."""
        feed = at.do(calendar_feeds.make, owner, at.programme)
        token = at.do(tokens.create, owner, name="A", scopes=["read"], programme_id=at.programme_id)
        assignment = (
            at.do(roles.give, at.cora, at.programme_id, owner.person_id, Wanted("sponsor"))
            if owner is not at.cora
            else 0
        )
        until = Absence(None, clock.now().date() + timedelta(days=5))
        colleague = at.sam if owner.memberships[at.programme_id].sector_key == "public" else at.bea
        delegation = at.do(delegations.lend, owner, at.programme_id, colleague.person_id, until)
        place = SimpleNamespace(
            programme_id=at.programme_id, organisation_id=owner.memberships[at.programme_id].organisation_id
        )
        return {
            "feed": Thing({"id": feed.id, "feed_id": feed.id}, place),
            "login": self._login(at, owner),
            "session": self._session(at, owner),
            "house": self._house(at, owner),
            "organisation": Thing({"organisation_id": place.organisation_id}, at.programme),
            "client": self._client(at, owner),
            "webhook": self._webhook(at),
            "harmless client": self._client(at, owner, "read"),
            "group": self._group(at, owner),
            "consent": Thing(
                {"programme_id": at.programme_id, "purpose": next(iter(consents.PURPOSES))},
                OfProgramme(at.programme_id),
                {"programme": at.programme_id, "purpose": next(iter(consents.PURPOSES))},
            ),
            "copy": self._copy(at, owner),
            "invitation": self._invitation(at, owner),
            "join request": self._join_request(at),
            "token": Thing({"id": token.id, "token_id": token.id}, None),
            "assignment": Thing({"id": assignment, "assignment_id": assignment}, place),
            "delegation": Thing({"id": delegation, "delegation_id": delegation}, place),
        }

    def _login(self, at: World, owner: Actor) -> Thing:
        query = select(table(Login).c.id).where(table(Login).c.person_id == owner.person_id)
        return Thing({"id": at.ask(lambda connection: connection.execute(query).scalar())}, None)

    def _session(self, at: World, owner: Actor) -> Thing:
        digest = secrets.digest(at.cookie(owner))
        query = select(table(BrowserSession).c.id).where(table(BrowserSession).c.token_hash == digest)
        id = at.ask(lambda connection: connection.execute(query).scalar())
        return Thing({"id": id, "session_id": id}, None)

    def _webhook(self, at: World) -> Thing:
        """A webhook of the programme, to an address that nobody calls in a test, with a test call on its way."""
        draft = webhooks.Draft("Intranet", "https://intranet.example/", ["idea"])
        if at.programme_id not in self._hooks:
            hook = at.do(webhooks.create, at.cora, at.programme, draft).id
            delivery = at.do(deliveries.test, at.cora, hook)
            fills = {"id": hook, "webhook_id": hook, "delivery": delivery, "delivery_id": delivery}
            self._hooks[at.programme_id] = Thing(fills, OfProgramme(at.programme_id))
        return self._hooks[at.programme_id]

    def _client(self, at: World, owner: Actor, scopes: str = "scim") -> Thing:
        """A machine of the owner's organisation, with a token for its directory."""
        organisation_id = owner.memberships[at.programme_id].organisation_id
        ends = clock.now() + timedelta(days=5)

        def work(tx: Any) -> tuple[int, int]:
            machine = Person(name="Machine", is_machine=True)
            tx.session.add(machine)
            tx.session.flush()
            place = owner.memberships[at.programme_id]
            tx.session.add(
                Membership(
                    programme_id=at.programme_id,
                    person_id=machine.id or 0,
                    organisation_id=organisation_id,
                    sector_id=place.sector_id,
                    role="observer",
                )
            )
            client = Client(
                client_id=secrets.new_secret(),
                name="Machine",
                person_id=machine.id or 0,
                programme_id=at.programme_id,
                organisation_id=organisation_id,
                scopes=scopes,
                auth_method="client_secret",
                created_by=at.cora.person_id or 0,
            )
            tx.session.add(client)
            tx.session.flush()
            token = AccessToken(
                person_id=machine.id or 0,
                client_id=client.id,
                name="directory",
                token_hash=secrets.digest(secrets.new_secret()),
                ending="abcd",
                scopes="scim",
                expires_at=ends,
            )
            tx.session.add(token)
            tx.session.flush()
            return int(client.id or 0), int(token.id or 0)

        id, token_id = at.do(work)
        subject = OfOrganisation(at.programme_id, organisation_id)
        return Thing({"id": id, "client_id": id, "token_id": token_id}, subject, {"days": "5"})

    def _group(self, at: World, owner: Actor) -> Thing:
        """A group that the directory of the owner's organisation told of."""
        organisation_id = owner.memberships[at.programme_id].organisation_id
        name = f"Group {owner.person_id} {secrets.new_hex()[:6]}"
        values = {"programme_id": at.programme_id, "organisation_id": organisation_id, "display_name": name}
        id = self._row(at, ScimGroup(**values))
        return Thing(
            {"id": id, "group_id": id},
            OfOrganisation(at.programme_id, organisation_id),
            {"role": ""},
        )

    def _copy(self, at: World, owner: Actor) -> Thing:
        """A copy of the owner's data, ready to be fetched."""
        ends = clock.now() + timedelta(days=5)
        row = DataExport(person_id=owner.person_id or 0, state="ready", content=b"zip", expires_at=ends)
        id = self._row(at, row)
        return Thing({"id": id, "copy_id": id}, None)

    @staticmethod
    def _row(at: World, row: Any) -> int:
        def work(tx: Any) -> int:
            tx.session.add(row)
            tx.session.flush()
            return int(row.id)

        return int(at.do(work))

    def _house(self, at: World, owner: Actor) -> Thing:
        place = owner.memberships[at.programme_id]
        subject = OfOrganisation(at.programme_id, place.organisation_id)
        domain = f"house{owner.person_id}.example"

        def work(tx: Any) -> int:
            theirs = OrganisationDomain(
                programme_id=at.programme_id, organisation_id=place.organisation_id, domain=domain
            )
            tx.session.add(theirs)
            tx.session.flush()
            return int(theirs.id or 0)

        ids = {"id": place.organisation_id, "claim": 1, "domain": at.do(work), "slug": at.slug}
        ids |= {"programme_id": at.programme_id, "organisation_id": place.organisation_id}
        ids |= {"claim_id": 1, "domain_id": ids["domain"]}
        body = {
            "organisation": place.organisation_id,
            "organisation_id": place.organisation_id,
            "role": "participant",
            "days": "14",
            "room": f"{at.programme_id}-{place.organisation_id}",
        }
        return Thing(ids, subject, body)

    def _invitation(self, at: World, owner: Actor) -> Thing:
        organisation_id = owner.memberships[at.programme_id].organisation_id
        named = {"programme_id": at.programme_id, "role": "participant"}
        made = at.do(invitations.invite, at.cora, organisation_id, **named)
        fills = {"id": made.id, "invitation_id": made.id, "slug": at.slug}
        return Thing(fills, OfOrganisation(at.programme_id, organisation_id))

    def _join_request(self, at: World) -> Thing:
        def work(tx: Any) -> int:
            waiting = JoinRequest(
                programme_id=at.programme_id,
                provider="test",
                issuer="https://login.example",
                subject=secrets.new_secret()[:40],
                name="Wanda",
                organisation_id=at.organisations["public"],
            )
            tx.session.add(waiting)
            tx.session.flush()
            return int(waiting.id or 0)

        id = at.do(work)
        return Thing({"id": id, "request_id": id}, OfProgramme(at.programme_id))

    def _import(self, at: World) -> int:
        """A file on its way."""
        cora = at.cora.person_id or 0
        row = Import(programme_id=at.programme_id, kind="people", format="csv", made_by=cora, carried_by=cora)
        return self._row(at, row)

    def _match(self, at: World) -> None:
        """A plan to be published, and one that is: everyone is told the same in it."""
        everyone = [person.person_id for person in (*self.people.values(), at.ana, at.bob, at.alice)]
        told = {"reason": {"code": "no_wishes", "values": {}}, "missed": [], "free": []}
        reasons = {str(id): told for id in everyone}
        days = {"first_day": at.week()[0], "last_day": at.week()[1]}
        plan = {"stays": [], "unmatched": [], "swaps": [], "reasons": reasons}

        def work(tx: Any) -> tuple[int, int]:
            both = [
                Match(
                    programme_id=at.programme_id,
                    aim="most",
                    made_by=at.cora.person_id or 0,
                    state="done" if is_published else "queued",
                    plan=plan if is_published else None,
                    published_at=clock.now() if is_published else None,
                    **days,
                )
                for is_published in (False, True)
            ]
            for each in both:
                tx.session.add(each)
            tx.session.flush()
            return int(both[0].id or 0), int(both[1].id or 0)

        queued, published = at.do(work)
        subject = SimpleNamespace(programme_id=at.programme_id)
        brought = self._import(at)
        told = {
            "import": Thing({"id": brought, "import_id": brought}, subject),
            "match": Thing({"id": queued, "match_id": queued, "other": queued, "other_id": queued}, subject),
            "published match": Thing({"id": published, "match_id": published}, subject),
        }
        here = (OWN, NEAR, FAR) if at is self.world else (OTHER,)
        for (name, relation), things in list(self.things.items()):
            is_elsewhere = name == "coordinator elsewhere" and relation == OWN
            if (relation in here and not is_elsewhere) or (is_elsewhere and at is self.there):
                self.things[name, relation] = things | told


def _there(world: World) -> World:
    """The other programme as a world of its own, with people of its own."""
    there = copy.copy(world)
    there.programme_id = world.other_programme_id
    there.challenge_id = world.other_challenge_id
    there.cora = there.fay = world.charlie
    rows = world.ask(
        lambda connection: connection.execute(
            select(table(Sector).c.key, table(Sector).c.id, table(Organisation).c.id)
            .join(table(Organisation), table(Organisation).c.sector_id == table(Sector).c.id)
            .where(table(Sector).c.programme_id == world.other_programme_id)
        ).all()
    )
    there.sectors = {key: sector for key, sector, _ in rows}
    there.organisations = {key: organisation for key, _, organisation in rows}
    for cached in ("hana", "henk"):
        there.__dict__.pop(cached, None)
    for name, role, sector in (
        ("alice", "participant", "public"),
        ("ana", "participant", "public"),
        ("bob", "participant", "business"),
        ("bea", "participant", "business"),
        ("sam", "sponsor", "public"),
    ):
        setattr(there, name, there._person(f"{name.title()} Tam", role, sector, there.programme_id))
    there.slug = "there"
    world.slug = "here"
    return there
