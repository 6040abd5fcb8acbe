"""Webhooks by the clock: what becomes a delivery, what is told, when it is tried again, and when it is given up."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.errors import Conflict, Invalid, NotFound
from app.integrations import hooks, queue
from app.integrations.hooks import Call, Outcome
from app.lib import clock
from app.models import Assignment, Client, Delivery, Event, Membership, Notice, Person, Webhook, WebhookReplay
from app.models.base import table
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import actors, deliveries, doctor, events, webhook_clock, webhook_log, webhooks
from app.services.events import record
from app.services.webhooks import Draft
from app.settings import Settings, settings
from app.web import hook_bodies

DELIVERY, EVENT, WEBHOOK, NOTICE = table(Delivery), table(Event), table(Webhook), table(Notice)
WAITS = (5, 300, 1800)
TAKEN = Outcome(12, None, 200, {}, "ok")
FAILED = Outcome(12, hooks.NOT_TAKEN, 500, {"server": "x"}, "no")


@pytest.fixture
def hook(world):
    draft = Draft("Intranet", "https://intranet.example/hook", ["idea", "comment.posted"])
    return world.do(webhooks.create, world.cora, world.programme, draft).id


def happen(world, *types, actor=None, **about):
    def work(tx):
        for type in types:
            record(tx, type, actor or world.cora, programme_id=world.programme_id, **about)

    world.do(work)


def spread(world, hook):
    """All events of now as deliveries."""
    while world.do(webhook_log.fan_out, hook):
        pass
    return rows(world)


def rows(world):
    return world.ask(lambda connection: connection.execute(select(DELIVERY).order_by(DELIVERY.c.id)).all())


def kept(world, hook):
    return world.ask(lambda connection: connection.execute(select(WEBHOOK).where(WEBHOOK.c.id == hook)).one())


def note(world, delivery_id, outcome, waits_s=WAITS):
    call = Call("https://intranet.example/hook", "msg_1_1", clock.now(), b'{"a":1}', ())
    return world.do(webhook_clock.note, delivery_id, outcome, call=call, waits_s=waits_s)


def _settings(world):
    address = world.database.url.render_as_string(hide_password=False)
    return Settings(_env_file=None, database_url=address.replace("+psycopg", ""))


def count(connection, of):
    return connection.execute(select(func.count()).select_from(of)).scalar_one()


def told(world, kind):
    asked = select(NOTICE.c.person_id).where(NOTICE.c.kind == kind)
    return world.ask(lambda connection: connection.execute(asked).scalars().all())


def test_events_of_its_types_become_deliveries_once_and_in_their_order(world, hook):
    happen(world, "idea.posted", "vote.cast", "comment.posted", "comment.hidden", "idea.edited")
    record_elsewhere = {"programme_id": world.other_programme_id}
    world.do(lambda tx: record(tx, "idea.posted", world.charlie, **record_elsewhere))
    assert world.ask(webhook_log.behind) == [hook]
    made = spread(world, hook)
    assert [row.type for row in made] == ["idea.posted", "comment.posted", "idea.edited"]
    assert all(row.message.startswith(f"msg_{hook}_{row.event_id}_") for row in made)
    assert sorted(row.event_id for row in made) == [row.event_id for row in made]
    assert world.ask(webhook_log.behind) == []
    back = {"position": 0}
    world.do(lambda tx: tx.execute(update(WEBHOOK).values(**back)))
    assert [row.id for row in spread(world, hook) if row.type == "idea.edited"] == [made[2].id]
    assert len({row.event_id for row in rows(world)}) == len(rows(world)), "one was made twice"


def test_many_events_are_looked_at_in_pieces_and_none_is_left_out(world, hook, monkeypatch):
    monkeypatch.setattr(webhook_log, "AT_ONCE", 7)
    happen(world, *(["idea.posted", "vote.cast"] * 15))
    assert len(spread(world, hook)) == 15
    happen(world, "idea.posted")
    assert len(spread(world, hook)) == 16


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_sent_is_what_its_owner_reads_in_the_feed(world, hook):
    happen(world, "idea.posted", actor=world.alice, subject_id=3, data={"organisation_id": 1})
    delivery = spread(world, hook)[0]
    parcel = world.ask(webhook_clock.parcel, delivery.id)
    assert parcel.message == delivery.message
    body = hook_bodies.body("https://here.example", parcel)
    read = world.ask(events.in_programme, world.cora, world.programme, after=delivery.event_id - 1).rows[0]
    assert (read.id, read.actor_id) == (delivery.event_id, world.alice.person_id)
    for part in (b'"type":"idea.posted"', b'"data":{"id":%d,' % read.id, b'"actor":%d' % read.actor_id):
        assert part in body
    assert b"Alice" not in body
    assert body == hook_bodies.body("https://here.example", world.ask(webhook_clock.parcel, delivery.id))
    assert "whsec_" not in repr(parcel)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("loss", ["role", "place", "person", "lent"])
def test_a_webhook_whose_owner_has_lost_the_right_stops_and_tells_who_coordinates(world, hook, loss):
    second = world._person("Cene Second", "coordinator", "public")
    happen(world, "idea.posted")
    delivery = spread(world, hook)[0]
    place, person = table(Membership), table(Person)
    is_cora = {"person_id": world.cora.person_id}
    change = {
        "role": update(place).where(place.c.person_id == is_cora["person_id"]).values(role="participant"),
        "place": update(place).where(place.c.person_id == is_cora["person_id"]).values(ended_at=clock.now()),
        "person": update(person).where(person.c.id == is_cora["person_id"]).values(disabled_at=clock.now()),
        "lent": update(place).where(place.c.person_id == is_cora["person_id"]).values(role="observer"),
    }[loss]

    def lose(tx):
        tx.execute(change)
        if loss == "lent":
            lent = {"role": "coordinator", "programme_id": world.programme_id, **is_cora}
            tx.session.add(Assignment(**lent, delegated_by=second.person_id))

    world.do(lose)
    assert world.ask(webhook_clock.parcel, delivery.id) == webhooks.RIGHT
    world.do(webhook_clock.stop, hook, webhooks.RIGHT)
    world.do(webhook_clock.stop, hook, webhooks.RIGHT)
    assert (kept(world, hook).stopped_why, rows(world)[0].state) == ("right", "waiting")
    assert world.ask(webhook_clock.parcel, delivery.id) is None
    assert world.ask(webhook_clock.waiting, hook) == []
    assert told(world, "webhook_stopped").count(second.person_id) == 1
    assert may(second, Permission.MANAGE_WEBHOOKS, world.programme)
    world.do(webhooks.change, second, hook, active=True)
    assert world.ask(webhook_clock.parcel, delivery.id).message == delivery.message


def test_a_webhook_whose_owner_is_a_machine_that_has_expired_stops(world):
    made = world.client("admin", role="coordinator", days=30)
    client = table(Client)
    person_id = world.ask(
        lambda c: c.execute(select(client.c.person_id).where(client.c.id == made.id)).scalar()
    )
    draft = Draft("Intranet", "https://intranet.example/hook", ["idea"])
    hook = world.do(webhooks.create, world.ask(actors.find, person_id), world.programme, draft).id
    happen(world, "idea.posted")
    delivery = spread(world, hook)[0]
    assert world.ask(webhook_clock.parcel, delivery.id).message == delivery.message
    over = update(client).where(client.c.id == made.id)
    world.do(lambda tx: tx.execute(over.values(expires_at=tx.now)))
    assert world.ask(webhook_clock.parcel, delivery.id) == webhooks.RIGHT


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_secret_key_of_the_installation_stops_it_until_it_gets_another_secret(
    world, hook, monkeypatch
):
    happen(world, "idea.posted")
    delivery = spread(world, hook)[0]
    monkeypatch.setenv("PARTNERSHIP_SECRET_KEY", "another one, of forty characters or so, x9")
    settings.cache_clear()
    try:
        assert world.ask(webhook_clock.parcel, delivery.id) == webhooks.SECRET
        another = world.do(webhooks.change_secret, world.cora, hook)
        assert world.ask(webhook_clock.parcel, delivery.id).secrets == [another.secret]
    finally:
        monkeypatch.undo()
        settings.cache_clear()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_both_secrets_sign_for_a_day_after_a_change(world, hook):
    another = world.do(webhooks.change_secret, world.cora, hook)
    happen(world, "idea.posted")
    delivery = spread(world, hook)[0]
    both = world.ask(webhook_clock.parcel, delivery.id).secrets
    assert (both[0], len(set(both))) == (another.secret, 2)
    world.do(lambda tx: tx.execute(update(WEBHOOK).values(previous_until=clock.now())))
    assert world.ask(webhook_clock.parcel, delivery.id).secrets == [another.secret]


def test_what_is_not_taken_is_tried_again_later_and_later_and_at_last_given_up(world, hook):
    happen(world, "idea.posted")
    delivery = spread(world, hook)[0]
    for tries, wait_s in enumerate(WAITS, 1):
        assert note(world, delivery.id, FAILED).goes_on
        row = rows(world)[0]
        assert (row.state, row.tries, row.error, row.answer_status) == ("waiting", tries, "status", 500)
        waits = (row.next_at - row.updated_at).total_seconds()
        assert wait_s <= waits <= wait_s * (1 + webhook_clock.JITTER)
    assert kept(world, hook).failing_since is None
    note(world, delivery.id, FAILED)
    row = rows(world)[0]
    assert (row.state, row.next_at, row.tries, len(row.history)) == ("dead", None, 4, 4)
    assert row.history[0] == {**row.history[0], "status": 500, "error": "status", "took_ms": 12}
    assert (row.request_body, row.answer_body, row.answer_headers) == ('{"a":1}', "no", {"server": "x"})
    assert kept(world, hook).failures == 4
    assert world.ask(webhooks.find, world.cora, hook).state == "failing"
    assert told(world, "webhook_failing") == [world.cora.person_id]
    happen(world, "idea.posted", "idea.posted")
    second, third = spread(world, hook)[1:3]
    note(world, second.id, FAILED, ())
    assert told(world, "webhook_failing") == [world.cora.person_id], "told twice"
    assert note(world, third.id, TAKEN).failures == 0
    [finding] = [one for one in doctor.look(_settings(world)) if one.name == "webhooks"]
    assert (finding.state, finding.says) == (
        "warning",
        "1 active, 0 failing, 0 off; 0 messages waiting, 2 given up.",
    )
    well = world.ask(webhooks.find, world.cora, hook)
    assert (well.state, well.failures, well.dead, well.waiting) == ("active", 0, 2, 0)
    assert world.ask(webhook_log.counts) == {"active": 1, "failing": 0, "off": 0, "waiting": 0, "dead": 2}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_receiver_that_asks_for_patience_is_left_alone_as_a_whole(world, hook):
    happen(world, "idea.posted", "idea.edited")
    first = spread(world, hook)[0]
    busy = Outcome(5, hooks.NOT_TAKEN, 429, {"retry-after": "120"}, "")
    assert not note(world, first.id, busy).goes_on
    until = kept(world, hook).not_before
    assert timedelta(seconds=110) < until - clock.now() <= timedelta(seconds=120)
    assert rows(world)[0].next_at >= until
    assert world.ask(webhook_clock.waiting, hook) == []
    note(world, rows(world)[1].id, TAKEN)
    assert kept(world, hook).not_before == until, "what was on its way meanwhile says nothing of others"
    for_ever = Outcome(5, hooks.NOT_TAKEN, 503, {"retry-after": "99999999"}, "")
    note(world, first.id, for_ever)
    assert kept(world, hook).not_before - clock.now() <= webhook_clock.LONGEST_PATIENCE
    world.do(lambda tx: tx.execute(update(WEBHOOK).values(not_before=clock.now())))
    assert world.ask(webhook_clock.waiting, hook) == []
    world.do(
        lambda tx: tx.execute(update(DELIVERY).where(DELIVERY.c.id == first.id).values(next_at=clock.now()))
    )
    assert world.ask(webhook_clock.waiting, hook) == [first.id]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_test_call_goes_before_what_waits_and_while_the_receiver_asks_for_patience(
    world, hook, database_url
):
    queue.migrate(database_url)
    happen(world, "idea.posted", "idea.edited")
    waiting = [row.id for row in spread(world, hook)]
    ping = world.do(deliveries.test, world.cora, hook)
    assert world.ask(webhook_clock.waiting, hook) == [ping, *waiting]
    world.do(lambda tx: tx.execute(update(WEBHOOK).values(not_before=clock.now() + timedelta(hours=1))))
    assert world.ask(webhook_clock.waiting, hook) == [ping]
    assert [id for id, _ in world.ask(webhook_clock.due)] == [hook]
    note(world, ping, TAKEN)
    assert world.ask(webhook_clock.due) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_receiver_that_is_gone_switches_it_off(world, hook):
    happen(world, "idea.posted", "idea.edited")
    first = spread(world, hook)[0]
    assert not note(world, first.id, Outcome(5, hooks.GONE, 410, {}, "")).goes_on
    off = world.ask(webhooks.find, world.cora, hook)
    assert (off.state, off.stopped_why, off.waiting, off.dead) == ("off", "gone", 1, 1)
    assert told(world, "webhook_stopped") == [world.cora.person_id]
    assert world.ask(webhook_log.behind) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_test_call_is_tried_once_and_says_nothing_about_the_receiver(world, hook):
    ping = world.do(deliveries.test, world.cora, hook)
    parcel = world.ask(webhook_clock.parcel, ping)
    assert parcel.type == "ping"
    assert parcel.message.startswith(f"msg_{hook}_ping_")
    assert b'"data":{"webhook":%d,' % hook in hook_bodies.body("https://here.example", parcel)
    note(world, ping, FAILED)
    assert rows(world)[0].state == "dead"
    assert world.ask(webhooks.find, world.cora, hook).state == "active"
    assert told(world, "webhook_failing") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_message_is_sent_again_under_its_name(world, hook):
    happen(world, "idea.posted")
    delivery = spread(world, hook)[0]
    note(world, delivery.id, TAKEN)
    assert world.ask(webhook_clock.parcel, delivery.id) is None
    world.do(deliveries.replay, world.cora, delivery.id)
    row = rows(world)[0]
    assert (row.state, row.tries, len(row.history)) == ("waiting", 0, 1)
    assert world.ask(webhook_clock.parcel, delivery.id).message == delivery.message
    for actor in (world.fay, world.charlie):
        with pytest.raises(NotFound):
            world.do(deliveries.replay, actor, delivery.id)


def test_a_stretch_of_the_log_goes_out_again_whether_it_was_sent_before_or_not(world, hook, monkeypatch):
    monkeypatch.setattr(webhook_log, "AT_ONCE", 3)
    happen(world, "idea.posted")
    before = spread(world, hook)[0]
    note(world, before.id, TAKEN)
    beginning = clock.now()
    happen(world, "idea.posted", "vote.cast", "idea.edited")
    sent = spread(world, hook)[1]
    note(world, sent.id, TAKEN)
    world.do(webhooks.change, world.cora, hook, active=False)
    happen(world, "idea.moved", "idea.pinned")
    world.do(webhooks.change, world.cora, hook, active=True)
    end = clock.now()
    happen(world, "idea.unpinned")
    with pytest.raises(Invalid):
        world.do(deliveries.replay_range, world.cora, hook, from_at=end, to_at=beginning)
    asked = world.do(deliveries.replay_range, world.cora, hook, from_at=beginning, to_at=end)
    with pytest.raises(Conflict):
        world.do(deliveries.replay_range, world.cora, hook, from_at=beginning)
    assert world.ask(webhook_log.replaying) == [asked]
    while world.do(webhook_log.replay, asked):
        pass
    spread(world, hook)
    waiting = {row.type for row in rows(world) if row.state == "waiting"}
    assert waiting == {"idea.posted", "idea.edited", "idea.moved", "idea.pinned", "idea.unpinned"}
    assert [row.state for row in rows(world) if row.id == before.id] == ["delivered"]
    assert len({row.event_id for row in rows(world)}) == len(rows(world))
    view = world.ask(deliveries.replays, world.cora, hook)[0]
    assert (view.state, view.deliveries) == ("done", 4)
    world.do(deliveries.replay_range, world.cora, hook, from_at=beginning)


def test_a_turn_is_taken_once_and_again_only_when_its_job_is_over(world, hook, database_url):
    queue.migrate(database_url)
    assert world.ask(webhook_clock.due) == []
    happen(world, "idea.posted")
    spread(world, hook)
    assert world.ask(webhook_clock.due) == [(hook, 0)]
    for _ in range(2):
        world.do(webhook_clock.take_turn, hook, 0)
    assert kept(world, hook).round == 1
    assert world.ask(webhook_clock.due) == [], "its job is in line"
    assert world.ask(queue.counts)["waiting"] == 1


def test_a_new_webhook_waits_for_no_job_of_a_deleted_one(world, hook, database_url):
    queue.migrate(database_url)
    happen(world, "idea.posted")
    spread(world, hook)
    world.do(webhook_clock.take_turn, hook, 0)
    world.do(webhooks.delete, world.cora, hook)
    while world.do(webhook_log.prune, days=30):
        pass
    draft = Draft("Intranet", "https://intranet.example/hook", ["idea"])
    new = world.do(webhooks.create, world.cora, world.programme, draft).id
    happen(world, "idea.posted")
    spread(world, new)
    world.do(webhook_clock.take_turn, new, 0)
    assert world.ask(queue.counts)["waiting"] == 2


def test_what_is_old_is_deleted_and_what_a_deleted_webhook_leaves(world, hook, monkeypatch):
    monkeypatch.setattr(webhook_log, "AT_ONCE", 2)
    happen(world, "idea.posted", "idea.edited", "idea.moved", "idea.pinned", "idea.hidden")
    made = spread(world, hook)
    for row in made[:3]:
        note(world, row.id, TAKEN)
    long_ago = clock.now() - timedelta(days=31)
    world.do(
        lambda tx: tx.execute(update(DELIVERY).where(DELIVERY.c.id != made[2].id).values(updated_at=long_ago))
    )

    def prune():
        while world.do(webhook_log.prune, days=30):
            pass

    prune()
    assert [row.id for row in rows(world)] == [row.id for row in made[2:]], "what waits is kept"
    world.do(deliveries.replay_range, world.cora, hook, from_at=long_ago)
    world.do(webhooks.delete, world.cora, hook)
    prune()
    assert [world.ask(count, of) for of in (DELIVERY, WEBHOOK, table(WebhookReplay))] == [0, 0, 0]
