"""Webhooks lose nothing: a receiver at its worst, and a worker that is killed again and again.

`PARTNERSHIP_TEST_WEBHOOK_EVENTS=1000` makes it the proof of the issue; every run has fewer.
"""

import os
import time
from functools import partial

import pytest
from sqlalchemy import func, select

from app.integrations import queue
from app.models import Delivery, Event
from app.models.base import table
from app.services import webhooks
from app.services.events import record
from app.services.webhooks import Draft
from tests.factories.receivers import Receiver, Reply, is_signed
from tests.jobs.places import Worker, until

DELIVERY, EVENT = table(Delivery), table(Event)

EVENTS = int(os.environ.get("PARTNERSHIP_TEST_WEBHOOK_EVENTS", "150"))
KILLS = 5
TIMEOUT_S = 0.5

TURNS = (
    Reply(500, body=b"out of order"),
    Reply(500, delay_s=4 * TIMEOUT_S),
    Reply(302, {"location": "/trap"}),
    Reply(None),
    Reply(204, body=b""),
)
"""It fails, hangs, redirects, hangs up, and takes the message at last."""


def by_turns(received):
    number = int(received.id.split("_")[2])
    return TURNS[(number + received.nth) % len(TURNS)]


def happen(world, count):
    """So many events in one commit; of three, two are of a type that the webhook asks for."""

    def work(tx):
        for number in range(count):
            type = ("idea.posted", "vote.cast", "idea.edited")[number % 3]
            record(tx, type, world.cora, programme_id=world.programme_id, subject_id=number)

    world.do(work)


@pytest.mark.slow
def test_every_event_arrives_signed_although_the_worker_is_killed_and_the_receiver_at_its_worst(
    world, database_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("PARTNERSHIP_WEBHOOK_WAITS", ",".join(["1"] * 20))
    monkeypatch.setenv("PARTNERSHIP_WEBHOOK_TIMEOUT_S", str(TIMEOUT_S))
    queue.migrate(database_url)
    with Receiver(by_turns) as receiver:
        draft = Draft("Intranet", receiver.url, ["idea"])
        made = world.do(webhooks.create, world.cora, world.programme, draft)
        expected = set()
        start = partial(Worker, database_url, "smtp://127.0.0.1:1", directory=tmp_path)
        began = time.monotonic()
        for kill in range(KILLS):
            happen(world, EVENTS // KILLS * 3 // 2)
            expected = wanted(world)
            with start() as worker:
                some = len(expected) * (2 * kill + 1) // (2 * KILLS)
                until(lambda some=some: len(delivered(world)) >= some, 120, f"{some} delivered")
                worker.kill()
        assert len(delivered(world)) < len(expected), "the worker was done before it was killed"
        with start():
            until(lambda: len(delivered(world)) >= len(expected), 240, "all delivered")
        took = time.monotonic() - began
    print(f"{len(expected)} events, {len(receiver.received)} calls, {took:.0f} s")
    assert_all_there(world, receiver, expected)
    assert all(is_signed(made.secret, one.headers, one.body) for one in receiver.received)
    assert {one.path for one in receiver.received} == {"/hook"}, "a redirect was followed"


def wanted(world):
    """The ids of the events that the webhook is to be told of."""
    asked = select(EVENT.c.id).where(
        EVENT.c.programme_id == world.programme_id, EVENT.c.type.in_(("idea.posted", "idea.edited"))
    )
    return set(world.ask(lambda connection: connection.execute(asked).scalars()))


def delivered(world):
    """The ids of the events that we know to be taken."""
    asked = select(DELIVERY.c.event_id).where(DELIVERY.c.state == "delivered")
    return set(world.ask(lambda connection: connection.execute(asked).scalars()))


def assert_all_there(world, receiver, expected):
    taken = {one.json["data"]["id"]: one for one in receiver.taken}
    assert set(taken) == expected == delivered(world), "some are lost"
    made = world.ask(lambda c: c.execute(select(func.count()).select_from(DELIVERY)).scalar_one())
    assert made == len(expected), "some were made twice"
    assert len({one.id for one in receiver.received}) == len(expected), "a message has two names"
    for one in receiver.received:
        assert one.json["data"]["id"] == int(one.id.split("_")[2])
    in_order = [taken[id].json["data"]["subject"] for id in sorted(taken)]
    log = world.ask(
        lambda c: c.execute(select(EVENT).where(EVENT.c.id.in_(expected)).order_by(EVENT.c.id)).all()
    )
    assert in_order == [event.subject_id for event in log], "the order cannot be restored by the id"
