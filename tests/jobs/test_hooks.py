"""The jobs of webhooks: what is due goes out, and a receiver that is slow delays nobody but itself."""

import asyncio
import itertools
import time

import pytest
from sqlalchemy import select

from app.integrations import hooks as calls
from app.integrations import queue
from app.jobs import hooks
from app.jobs.workplace import Workplace
from app.models import Delivery, Webhook
from app.models.base import table
from app.services import deliveries, webhooks
from app.services.events import record
from app.services.webhooks import Draft
from tests.factories.receivers import Receiver, Reply, is_signed
from tests.jobs.places import Worker, until

DELIVERY, WEBHOOK = table(Delivery), table(Webhook)
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def lined_up(database_url):
    queue.migrate(database_url)


@pytest.fixture
def place(world, monkeypatch):
    monkeypatch.setattr(hooks, "LINGERS_S", -1.0)
    caller = calls.Caller(allow_loopback=True, timeout_s=0.5)
    return Workplace(world.database, "http://here.example", "", None, caller, (0, 0, 0))


def make(world, receiver, *types):
    draft = Draft("Intranet", receiver.url, types or ("idea",))
    return world.do(webhooks.create, world.cora, world.programme, draft)


def happen(world, count, type="idea.posted"):
    def work(tx):
        for _ in range(count):
            record(tx, type, world.cora, programme_id=world.programme_id)

    world.do(work)


def states(world, hook=None):
    asked = select(DELIVERY.c.state)
    asked = asked if hook is None else asked.where(DELIVERY.c.webhook_id == hook)
    return world.ask(lambda connection: connection.execute(asked).scalars().all())


def rows(world):
    return world.ask(lambda connection: connection.execute(select(DELIVERY)).all())


def run(place, hook):
    hooks.wake(place)
    return asyncio.run(hooks.deliver(place, webhook_id=hook))


def test_what_is_due_goes_out_signed_and_once(world, place):
    with Receiver() as receiver:
        made = make(world, receiver)
        world.do(webhooks.change_secret, world.cora, made.id)
        happen(world, 9)
        happen(world, 3, "vote.cast")
        assert run(place, made.id) == "sent"
        assert run(place, made.id) == "sent"
    assert states(world) == ["delivered"] * 9
    assert len(receiver.received) == 9
    assert all(is_signed(made.secret, one.headers, one.body) for one in receiver.received)
    assert all(one.headers["webhook-signature"].count("v1,") == 2 for one in receiver.received)
    assert all(one.json["type"] == "idea.posted" for one in receiver.received)
    assert {one.json["data"]["url"] for one in receiver.received} == {"http://here.example/programmes/here"}
    shown = world.ask(deliveries.of_webhook, world.cora, made.id)[0]
    assert (shown.answer_status, shown.answer_body) == (200, "thanks")
    assert shown.request_body.encode() in {one.body for one in receiver.received}


@on_one_engine
def test_no_more_than_a_few_are_on_their_way_to_one_receiver(world, place):
    inside, most = [], []

    def behave(received):
        inside.append(received)
        most.append(len(inside))
        time.sleep(0.02)
        inside.remove(received)
        return Reply()

    with Receiver(behave) as receiver:
        made = make(world, receiver)
        happen(world, 30)
        run(place, made.id)
    assert states(world) == ["delivered"] * 30
    assert 2 <= max(most) <= hooks.IN_HAND


@on_one_engine
def test_one_that_only_fails_is_called_by_one_at_a_time_with_rests(world, place, monkeypatch):
    monkeypatch.setattr(hooks, "PATIENT_AFTER", 4)
    monkeypatch.setattr(hooks, "REST_S", 0.05)
    with Receiver(lambda _: Reply(500)) as receiver:
        made = make(world, receiver)
        happen(world, 5)
        run(place, made.id)
    assert states(world) == ["dead"] * 5
    assert len(receiver.received) == 20
    later = [one.at for one in receiver.received[8:]]
    assert all(after - before > 0.04 for before, after in itertools.pairwise(later))


@on_one_engine
def test_a_round_ends_where_the_receiver_is_gone_asks_for_patience_or_the_owner_may_not_any_more(
    world, place
):
    replies = [Reply(429, {"retry-after": "60"})]
    with Receiver(lambda _: replies[0]) as receiver:
        made = make(world, receiver)
        happen(world, 40)
        assert run(place, made.id) == "goes on later"
        assert len(receiver.received) <= hooks.IN_HAND
        assert run(place, made.id) == "sent"
        assert len(receiver.received) <= hooks.IN_HAND, "it was called before its time"
        replies[0] = Reply(410)
        world.do(webhooks.change, world.cora, made.id, active=False)
        world.do(webhooks.change, world.cora, made.id, active=True)
        assert run(place, made.id) == "goes on later"
        calls_so_far = len(receiver.received)
        assert run(place, made.id) == "sent"
        assert len(receiver.received) == calls_so_far
    assert world.ask(webhooks.find, world.cora, made.id).stopped_why == "gone"


@on_one_engine
def test_a_call_that_cannot_begin_for_others_sake_is_no_failure_of_its_receiver(world, place, monkeypatch):
    monkeypatch.setattr(hooks, "REST_S", 0.05)
    room = place.caller._transport._names
    with Receiver() as receiver:
        draft = Draft("Intranet", receiver.url.replace("127.0.0.1", "localhost"), ["idea"])
        made = world.do(webhooks.create, world.cora, world.programme, draft)
        happen(world, 5)
        monkeypatch.setattr(room, "_most", 0)
        monkeypatch.setattr(hooks, "ENDS_AFTER_S", 0.2)
        assert run(place, made.id) == "goes on later"
        assert (states(world), receiver.received) == (["waiting"] * 5, [])
        view = world.ask(webhooks.find, world.cora, made.id)
        assert (view.failures, {row.tries for row in rows(world)}) == (0, {0})
        monkeypatch.undo()
        monkeypatch.setattr(hooks, "LINGERS_S", -1.0)
        assert run(place, made.id) == "sent"
    assert states(world) == ["delivered"] * 5


@pytest.mark.slow
@on_one_engine
def test_slow_receivers_delay_only_themselves_and_no_mail(world, database_url, tmp_path, monkeypatch):
    """More slow ones than the worker has threads, and each with more to take than it is sent at once."""
    monkeypatch.setenv("PARTNERSHIP_WEBHOOK_TIMEOUT_S", "30")
    with Receiver(lambda _: Reply(delay_s=60)) as slow, Receiver() as quick:
        slow_ones = [make(world, slow) for _ in range(webhooks.MOST - 1)]
        made = make(world, quick)
        happen(world, 12)
        with Worker(database_url, "smtp://127.0.0.1:1", directory=tmp_path) as worker:
            enough = len(slow_ones) * hooks.IN_HAND
            until(lambda: len(slow.received) >= enough, 30, "all slow ones are waited for")
            began = time.monotonic()
            happen(world, 12)
            until(lambda: states(world, made.id) == ["delivered"] * 24, 5, "the quick one has all")
            assert time.monotonic() - began < 20, "waited for the slow ones"
            assert worker.stop() == 0
    assert len(slow.received) == enough
    assert set(states(world, slow_ones[0].id)) == {"waiting"}


@on_one_engine
def test_a_long_log_is_looked_at_in_pieces_so_that_other_clocks_tick(world, place, monkeypatch):
    monkeypatch.setattr(hooks, "TICK_S", -1.0)
    monkeypatch.setattr(hooks.webhook_log, "AT_ONCE", 7)
    with Receiver() as receiver:
        first, second = make(world, receiver, "*"), make(world, receiver)
        happen(world, 30)
        hooks.wake(place)
        assert [len(states(world, one.id)) for one in (first, second)] == [7, 6]
        for _ in range(5):
            hooks.wake(place)
    assert [len(states(world, one.id)) for one in (first, second)] == [32, 30], (
        "two are of webhooks themselves"
    )


@on_one_engine
def test_one_webhook_that_cannot_go_on_holds_up_no_other(world, place, monkeypatch):
    with Receiver() as receiver:
        first, second = make(world, receiver), make(world, receiver)
        happen(world, 1)
        fan_out = hooks.webhook_log.fan_out

        def broken(tx, webhook_id):
            if webhook_id == first.id:
                raise ValueError("anything")
            return fan_out(tx, webhook_id)

        monkeypatch.setattr(hooks.webhook_log, "fan_out", broken)
        run(place, second.id)
    assert states(world, second.id) == ["delivered"]
    assert states(world, first.id) == []
