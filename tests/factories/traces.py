"""Someone who has left their name, their mail address and their subject wherever the house keeps texts."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, text, update

from app.lib import clock
from app.models import (
    AccessToken,
    Assignment,
    BallotOption,
    Booking,
    BrowserSession,
    Consent,
    DataExport,
    DecisionLink,
    Import,
    ImportChunk,
    Invitation,
    JoinRequest,
    KeptAnswer,
    Login,
    Match,
    Membership,
    Organisation,
    Period,
    Person,
    Preference,
    ScimGroup,
    ScimMember,
    ScimUser,
    SignIn,
    metadata,
)
from app.models.base import table
from app.policies.actor import Actor
from app.policies.actor import Membership as Place
from app.services import (
    agreements,
    asking,
    calendar_feeds,
    comments,
    ideas,
    merges,
    moderation,
    reflections,
    stories,
    support,
    votes,
    wishes,
)
from app.services.home_managers import Manager
from app.services.wishes import WishView

NAME = "Zvezdana Qvxčkovnik"
EMAIL = "zvezdana.qvx@ministry-qvx.example"
SUBJECT = "subject-qvx-4711-0815"
SAYS = f"I am {NAME}, write to {EMAIL}"
"""What a person types who wants to be found."""

TRACES = ("Qvxčkovnik", "qvx@ministry", "subject-qvx", "Qvx")


def someone(world: Any) -> Actor:
    """Zvezdana, a host of the public sector's organisation, with a login of her own."""

    def work(tx: Any) -> Actor:
        person_id = tx.execute(
            table(Person)
            .insert()
            .values(name=NAME, email=EMAIL, language="sl", created_at=tx.now, updated_at=tx.now, version=1)
            .returning(table(Person).c.id)
        ).scalar_one()
        issuer = "https://login.qvx.example"
        login = {"person_id": person_id, "provider": "qvx", "issuer": issuer, "subject": SUBJECT}
        tx.execute(table(Login).insert(), {**login, "created_at": tx.now, "used_at": tx.now})
        organisation_id, sector_id = world.organisations["public"], world.sectors["public"]
        membership_id = tx.execute(
            table(Membership)
            .insert()
            .values(
                programme_id=world.programme_id,
                person_id=person_id,
                organisation_id=organisation_id,
                sector_id=sector_id,
                role="host",
                created_at=tx.now,
                updated_at=tx.now,
                version=1,
            )
            .returning(table(Membership).c.id)
        ).scalar_one()
        place = Place(membership_id, world.programme_id, "host", organisation_id, sector_id, "public")
        return Actor(
            person_id=person_id,
            name=NAME,
            email=EMAIL,
            language="sl",
            memberships={world.programme_id: place},
            authenticated_at=clock.now(),
        )

    actor: Actor = world.do(work)
    return actor


def everywhere(world: Any, actor: Actor) -> SimpleNamespace:
    """Leave traces of `actor` in every table that has texts of people; what they are, by name."""
    made = SimpleNamespace()
    _on_boards(world, actor, made)
    _in_ballots(world, actor, made)
    _in_stays(world, actor, made)
    _in_ways_in(world, actor, made)
    _in_imports(world, actor)
    return made


def _in_imports(world: Any, actor: Actor) -> None:
    """A file that they brought, and one of people that a coordinator did, both kept for a while."""

    def work(tx: Any) -> None:
        for kind, brought_by in (("ideas", actor), ("people", world.cora)):
            by = dict.fromkeys(("made_by", "carried_by"), brought_by.person_id or 0)
            named = f"{NAME}.csv" if brought_by is actor else "people.csv"
            row = Import(
                programme_id=world.programme_id, kind=kind, format="csv", name=named, state="done", **by
            )
            tx.session.add(row)
            tx.session.flush()
            content = f"email,name\n{EMAIL},{NAME}\n".encode()
            about = {"import_id": row.id, "programme_id": world.programme_id}
            tx.session.add(ImportChunk(number=0, content=content, **about))

    world.do(work)


def _on_boards(world: Any, actor: Actor, made: SimpleNamespace) -> None:
    made.idea = world.idea(actor, "A form that asks once", body="Once for all.")
    world.do(ideas.edit, actor, made.idea, body="Once, and for all of us.")
    made.comment = world.do(comments.post, actor, world.idea(world.bob, "Bob's"), body="I like that.")
    made.hidden = world.idea(actor, "Hidden")
    world.do(moderation.hide, world.fay, made.hidden, reason="Unclear")
    world.do(moderation.answer, actor, made.hidden, answer=SAYS)
    other = world.idea(world.bob, "Another")
    made.merge = world.do(merges.propose, world.bob, other, made.idea)
    target = world.idea(world.bea, "Merged")
    source = world.idea(world.bea, "Into it")
    world.do(support.give, actor, source)
    merged = world.do(merges.propose, world.bea, source, target)
    world.do(merges.object_to, actor, merged, reason=SAYS)
    world.do(ideas.add_co_author, world.bob, other, actor.person_id)


def _in_ballots(world: Any, actor: Actor, made: SimpleNamespace) -> None:
    made.secret = world.ballot()
    made.open = world.ballot(mode="open")
    for ballot in (made.secret, made.open):
        key = str(world.ask(_solutions, ballot)[0])
        world.do(votes.cast, actor, ballot, {"approved": [key]})
    world.do(votes.declare_interest, actor, made.open, world.ask(_solutions, made.open)[0], statement=SAYS)


def _solutions(connection: Any, ballot_id: int) -> list[int]:
    option = table(BallotOption)
    query = select(option.c.solution_id).where(option.c.ballot_id == ballot_id).order_by(option.c.position)
    return list(connection.execute(query).scalars())


def _in_stays(world: Any, actor: Actor, made: SimpleNamespace) -> None:
    world.rules(approvals=("manager", "host"))
    made.placement = world.placement(world.henk, periods=[world.period(each) for each in range(3)])
    first, second, _ = (each.id for each in world.periods(made.placement))
    manager = Manager(None, "Maja Kos", "maja@example.org")
    made.past = world.do(asking.ask, actor, made.placement, period_id=first, manager=manager, message=SAYS)
    world.do(agreements.tick, actor, made.past, "interest", answer=SAYS)
    booking = update(table(Booking)).where(table(Booking).c.id == made.past)
    world.do(lambda tx: tx.execute(booking.values(state="completed", confirmed_at=tx.now)))
    world.do(reflections.write, actor, made.past, learned=SAYS, surprised=SAYS, next=SAYS)
    world.do(stories.write, world.henk, made.past, title=f"A week with {NAME}", body=SAYS)
    made.coming = world.do(asking.ask, actor, made.placement, period_id=second, manager=manager, message=SAYS)
    made.hosting = world.placement(actor, title="A week with us")
    period = world.periods(made.hosting)[0].id
    made.hosted = world.do(
        asking.ask, world.bob, made.hosting, period_id=period, manager=Manager(None, NAME, EMAIL)
    )
    link = select(table(DecisionLink)).where(table(DecisionLink).c.booking_id == made.hosted)
    made.link = world.ask(lambda connection: connection.execute(link).one())
    made.managed = world.do(
        asking.ask,
        world.alice,
        world.placement(world.henk, periods=[world.period(7)]),
        period_id=_last_period(world),
        manager=Manager(actor.person_id),
    )
    world.do(wishes.state, actor, world.programme, wishes=[WishView(placement_id=made.placement)])
    world.do(
        wishes.declare_conflict,
        actor,
        world.programme,
        organisation_id=_third(world),
        statement=SAYS,
    )
    world.do(calendar_feeds.make, actor, world.programme)
    problems = [{"message": "Not possible: %(person)s", "values": {"person": NAME}}]
    first_day, last_day = world.week()
    insert(
        world,
        Match,
        programme_id=world.programme_id,
        aim="most",
        first_day=first_day,
        last_day=last_day,
        made_by=world.cora.person_id,
        state="failed",
        problems=problems,
    )
    insert(
        world,
        Preference,
        placement_id=made.placement,
        person_id=actor.person_id,
        programme_id=world.programme_id,
        rank=1,
    )


def _third(world: Any) -> int:
    """An organisation at which nobody wishes to be."""
    about = {"programme_id": world.programme_id, "sector_id": world.sectors["business"]}
    return insert(world, Organisation, **about, name="Elsewhere Ltd")


def _last_period(world: Any) -> int:
    query = select(table(Period).c.id).order_by(table(Period).c.id.desc()).limit(1)
    return int(world.ask(lambda connection: connection.execute(query).scalar_one()))


def _in_ways_in(world: Any, actor: Actor, made: SimpleNamespace) -> None:
    here = {"programme_id": world.programme_id, "organisation_id": world.organisations["public"]}
    soon = clock.now() + timedelta(days=7)
    token = {"nonce": b"i" * 16, "expires_at": soon, "created_by": world.cora.person_id}
    insert(world, Invitation, **here, **token, name=NAME, email=EMAIL, used_by=actor.person_id)
    token["nonce"] = b"j" * 16
    insert(world, Invitation, **here, **token, name=NAME, email=EMAIL.upper())
    insert(
        world,
        JoinRequest,
        **here,
        provider="qvx",
        issuer="https://login.qvx.example",
        subject=SUBJECT,
        name=NAME,
        email=EMAIL,
        organisation_claim="qvx",
        state="approved",
        person_id=actor.person_id,
    )
    user = insert(
        world,
        ScimUser,
        **here,
        person_id=actor.person_id,
        external_id=SUBJECT,
        user_name=EMAIL,
        given_name=NAME.split(maxsplit=1)[0],
        family_name=NAME.split()[1],
        display_name=NAME,
        email=EMAIL,
    )
    group = insert(world, ScimGroup, **here, display_name="All")
    insert(world, ScimMember, programme_id=world.programme_id, group_id=group, user_id=user)
    session = insert(
        world,
        BrowserSession,
        person_id=actor.person_id,
        provider="qvx",
        issuer="https://login.qvx.example",
        subject=SUBJECT,
        sid=SUBJECT,
        id_token=f"eyJ.{NAME}.{EMAIL}",
        device=f"Phone of {NAME}",
        token_hash=b"s" * 32,
        expires_at=soon,
    )
    insert(
        world,
        SignIn,
        state_hash=b"t" * 32,
        browser_hash=b"b" * 32,
        provider="qvx",
        nonce="n",
        code_verifier="c",
        next="/",
        session_id=session,
        expires_at=soon,
    )
    insert(
        world,
        AccessToken,
        person_id=actor.person_id,
        name=f"Laptop of {NAME}",
        token_hash=b"k" * 32,
        ending="abcd",
        scopes="read",
    )
    for person, body in ((actor, SAYS), (world.bob, f'{{"author":"{NAME}"}}')):
        insert(
            world,
            KeptAnswer,
            person_id=person.person_id,
            key=f"key-{person.person_id}",
            request_hash=b"r" * 32,
            status=201,
            body=body,
        )
    insert(world, Assignment, **here, person_id=actor.person_id, role="host", created_by=world.cora.person_id)
    insert(
        world,
        Assignment,
        programme_id=world.programme_id,
        person_id=world.bob.person_id,
        role="host",
        delegated_by=actor.person_id,
        ends_at=soon,
    )
    insert(world, Consent, person_id=actor.person_id, programme_id=world.programme_id, purpose="research")
    insert(
        world, DataExport, person_id=actor.person_id, state="ready", content=SAYS.encode(), expires_at=soon
    )


def insert(world: Any, model: Any, **values: Any) -> int:
    def work(tx: Any) -> int:
        row = model(**values)
        tx.session.add(row)
        tx.session.flush()
        return int(getattr(row, "id", 0) or 0)

    return int(world.do(work))


def found(world: Any) -> list[str]:
    """Where a trace is in any table: `table.column`, each with what stands there."""
    seen = []
    for name, each in metadata.tables.items():
        rows = world.ask(
            lambda connection, name=name: connection.execute(text(f'SELECT * FROM "{name}"')).all()
        )
        for row in rows:
            for column, value in row._mapping.items():
                shown = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
                if any(trace.lower() in shown.lower() for trace in TRACES):
                    seen.append(f"{each.name}.{column}: {shown[:80]}")
    return seen


def fresh(actor: Actor) -> Actor:
    """The same, who has just signed in."""
    return replace(actor, authenticated_at=clock.now())
