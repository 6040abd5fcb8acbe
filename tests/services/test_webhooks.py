"""Webhooks: who makes them, where they may go, what they are told of, and that their secrets stay secrets."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound, NotFresh
from app.integrations import seal
from app.lib import clock
from app.models import AuditEntry, Event, Webhook
from app.models.base import table
from app.policies.actor import Assignment
from app.services import deliveries, webhook_log, webhooks
from app.services.webhooks import Draft

EVENT, WEBHOOK, ENTRY = table(Event), table(Webhook), table(AuditEntry)
DRAFT = Draft("Intranet", "https://intranet.example/hook", ["idea", "ballot.closed"])


def make(world, actor=None, draft=DRAFT):
    return world.do(webhooks.create, actor or world.cora, world.programme, draft)


def row(world, id):
    return world.ask(lambda connection: connection.execute(select(WEBHOOK).where(WEBHOOK.c.id == id)).one())


def recorded(world, of=EVENT):
    kind = of.c.type if of is EVENT else of.c.action
    asked = select(kind).where(kind.startswith("webhook.")).order_by(of.c.id)
    return world.ask(lambda connection: connection.execute(asked).scalars().all())


def test_one_is_made_changed_and_deleted_and_the_log_knows_it(world):
    world.idea()
    made = make(world)
    hook = world.ask(webhooks.find, world.cora, made.id)
    assert (hook.name, hook.types, hook.state) == ("Intranet", ("ballot.closed", "idea"), "active")
    newest = select(func.max(EVENT.c.id)).where(EVENT.c.type != "webhook.created")
    assert row(world, made.id).position == world.ask(lambda c: c.execute(newest).scalar())
    with pytest.raises(Moved):
        world.do(webhooks.change, world.cora, made.id, version=7, name="Other")
    world.do(webhooks.change, world.cora, made.id, version=1, name="Chat", types=["*"])
    world.do(webhooks.change, world.cora, made.id, version=2, name="Chat")
    changed = world.ask(webhooks.find, world.cora, made.id)
    assert (changed.name, changed.types, changed.version) == ("Chat", ("*",), 2)
    world.do(webhooks.delete, world.cora, made.id, version=2)
    with pytest.raises(NotFound):
        world.ask(webhooks.find, world.cora, made.id)
    assert row(world, made.id).secret == b""
    expected = ["webhook.created", "webhook.changed", "webhook.deleted"]
    assert recorded(world) == recorded(world, ENTRY) == expected


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_its_secret_is_told_once_kept_sealed_and_stands_beside_the_old_one_for_a_day(world):
    made = make(world)
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    kept = row(world, made.id)
    assert made.secret.encode() not in kept.secret
    assert seal.unseal_webhook_secret(kept.secret) == made.secret
    another = world.do(webhooks.change_secret, world.cora, made.id)
    assert another.secret != made.secret
    both = row(world, made.id)
    assert seal.unseal_webhook_secret(both.secret) == another.secret
    assert seal.unseal_webhook_secret(both.previous_secret) == made.secret
    assert timedelta(hours=23) < both.previous_until - clock.now() <= timedelta(hours=24)
    for log in (EVENT, ENTRY):
        lines = world.ask(lambda c, log=log: [str(tuple(one)) for one in c.execute(select(log))])
        assert not any("whsec_" in line for line in lines)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nobody_but_those_who_coordinate_for_good_makes_or_sees_one(world):
    made = make(world)
    lent = Assignment(1, world.programme_id, "coordinator", delegated_by=world.cora.person_id)
    stand_in = replace(world.alice, assignments=(lent,))
    for actor in (world.alice, world.fay, world.sam, world.olga, stand_in):
        with pytest.raises(NotAllowed):
            make(world, actor)
        with pytest.raises(NotAllowed):
            world.ask(webhooks.in_programme, actor, world.programme)
    for actor in (world.alice, world.fay, stand_in, world.charlie):
        for verb in (webhooks.change, webhooks.change_secret, webhooks.delete, deliveries.test):
            with pytest.raises(NotFound):
                world.do(verb, actor, made.id)
        for query in (webhooks.find, deliveries.of_webhook, deliveries.replays):
            with pytest.raises(NotFound):
                world.ask(query, actor, made.id)
    assert recorded(world) == ["webhook.created"]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft("", "https://a.example/", ["idea"]), "name"),
        (Draft("x" * 81, "https://a.example/", ["idea"]), "name"),
        (Draft("A", "ftp://a.example/", ["idea"]), "address"),
        (Draft("A", "https://user@a.example/", ["idea"]), "address"),
        (Draft("A", "https://a.example/#part", ["idea"]), "address"),
        (Draft("A", "https://a.example/a b", ["idea"]), "address"),
        (Draft("A", "https://a.example/\x00", ["idea"]), "address"),
        (Draft("A", "https://a.example:99999/", ["idea"]), "address"),
        (Draft("A", "https://[", ["idea"]), "address"),
        (Draft("A", "https:///path", ["idea"]), "address"),
        (Draft("A", "https://a.example/" + "x" * 2000, ["idea"]), "address"),
        (Draft("A", "https://a.example/", []), "types"),
        (Draft("A", "https://a.example/", ["idea.painted"]), "types"),
        (Draft("A", "https://a.example/", ["idea", ""]), "types"),
        (Draft("A", "https://a.example/", ["idea"] * 101), "types"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_taken_is_refused_by_its_field(world, draft, field):
    with pytest.raises(Invalid) as caught:
        make(world, draft=draft)
    assert [wrong.field for wrong in caught.value.errors] == [field]
    made = make(world)
    with pytest.raises(Invalid):
        world.do(
            webhooks.change, world.cora, made.id, name=draft.name, address=draft.address, types=draft.types
        )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_where_it_goes_and_its_secret_take_a_fresh_sign_in_in_a_browser(world):
    made = make(world)
    stale = replace(world.cora, session_id=1, authenticated_at=clock.now() - timedelta(hours=1))
    with pytest.raises(NotFresh):
        make(world, stale)
    with pytest.raises(NotFresh):
        world.do(webhooks.change, stale, made.id, address="https://other.example/")
    with pytest.raises(NotFresh):
        world.do(webhooks.change_secret, stale, made.id)
    world.do(webhooks.change, stale, made.id, name="Renamed", active=False)
    with pytest.raises(NotFresh):
        world.do(webhooks.change, stale, made.id, active=True)
    fresh = replace(stale, authenticated_at=clock.now())
    world.do(webhooks.change, fresh, made.id, active=True, address="https://other.example/")


def test_whoever_switches_it_on_answers_for_it_and_it_begins_from_now(world):
    made = make(world)
    world.do(webhooks.change, world.cora, made.id, active=False)
    off = world.ask(webhooks.find, world.cora, made.id)
    assert (off.state, off.stopped_why) == ("off", "person")
    for verb in (deliveries.test, lambda tx, *of: deliveries.replay_range(tx, *of, from_at=tx.now)):
        with pytest.raises(Conflict):
            world.do(verb, world.cora, made.id)
    idea = world.idea()
    other = world._person("Cene Second", "coordinator", "public")
    failing = {"failures": 9, "failing_since": clock.now(), "not_before": clock.now()}
    world.do(lambda tx: tx.execute(update(WEBHOOK).values(**failing)))
    world.do(webhooks.change, other, made.id, active=True)
    on = world.ask(webhooks.find, world.cora, made.id)
    assert (on.state, on.owner_id, on.failures, on.not_before) == ("active", other.person_id, 0, None)
    world.do(webhooks.change, world.cora, made.id, name="Renamed")
    assert row(world, made.id).owner_id == other.person_id
    world.do(webhooks.change, world.cora, made.id, address="https://corashook.example/")
    assert row(world, made.id).owner_id == world.cora.person_id, "who sends it elsewhere answers for it too"
    posted = select(EVENT.c.id).where(EVENT.c.idea_id == idea)
    assert row(world, made.id).position >= world.ask(lambda c: c.execute(posted).scalar())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_programme_has_so_many_at_the_most(world):
    for _ in range(webhooks.MOST):
        last = make(world)
    with pytest.raises(Conflict):
        make(world)
    world.do(webhooks.delete, world.cora, last.id)
    make(world)
    assert len(world.ask(webhooks.in_programme, world.cora, world.programme)) == webhooks.MOST


def test_types_are_exact_nouns_or_all():
    assert webhooks.wants(["idea"], "idea.posted")
    assert webhooks.wants(["idea.posted"], "idea.posted")
    assert webhooks.wants(["*"], "vote.cast")
    assert not webhooks.wants(["idea.posted"], "idea.edited")
    assert not webhooks.wants(["idea"], "ideas.posted")
    assert "idea" in webhooks.NOUNS
    assert "idea.posted" in webhooks.KINDS["idea"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_counts_of_a_webhook_use_the_indexes_made_for_them(world):
    made = make(world)
    compiled = webhooks._select().where(WEBHOOK.c.id == made.id)
    for query, index in ((compiled, "ix_delivery_dead"), (compiled, "ix_delivery_due")):
        plan = world.ask(
            lambda c, query=query: c.execute(
                text("EXPLAIN QUERY PLAN " + str(query.compile(c, compile_kwargs={"literal_binds": True})))
            ).all()
        )
        assert any(index in line[3] for line in plan), plan
    assert world.ask(webhook_log.behind) != []
