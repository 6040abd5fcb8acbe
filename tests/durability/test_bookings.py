"""Bookings under fire: three hundred people ask two server processes for the last three places, in the same second."""

import asyncio
import time
from collections import Counter

import httpx2
import pytest
from sqlalchemy import func, select

from app.methods import booking_machine
from app.models import Booking, BookingStep, Event
from app.models.base import table
from app.services import bookings, taking_back
from tests.durability.servers import ServerProcess

BOOKING, STEP, EVENT = table(Booking), table(BookingStep), table(Event)
PEOPLE, PLACES = 300, 3


@pytest.fixture
def servers(database_url, tmp_path):
    """Two server processes on one database. (On SQLite live updates do not cross over; bookings must.)"""
    pair = [ServerProcess(database_url, tmp_path / f"log{number}") for number in range(2)]
    for server in pair:
        server.start()
    yield pair
    for server in pair:
        server.kill()


async def send(client, url, token, body):
    """Ask until it is answered: who is told to come back asks for the same again, by the same key."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": token[-20:]}
    for _ in range(600):
        try:
            answer = await client.post(url, headers=headers, json=body)
            if answer.status_code not in (429, 503):
                assert answer.status_code == 201, answer.text
                return answer.json()
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("no answer for 30 s")


def rows(world, query):
    return world.ask(lambda connection: connection.execute(query).all())


@pytest.mark.slow
def test_three_hundred_ask_at_once_for_the_last_three_places(servers, world):
    placement = world.placement(periods=[world.period(places=PLACES)])
    period = world.periods(placement)[0].id
    people = world.people(PEOPLE, "business")
    tokens = [world.token(person, "book", "read") for person in people]
    body = {"period": period, "manager": {"name": "Maja Kos", "email": "maja@example.org"}}

    async def race():
        limits = httpx2.Limits(max_connections=PEOPLE)
        async with httpx2.AsyncClient(timeout=60, limits=limits) as client:
            asked = [
                send(client, f"{servers[n % 2].base_url}/api/v1/placements/{placement}/bookings", token, body)
                for n, token in enumerate(tokens)
            ]
            return await asyncio.gather(*asked)

    began = time.monotonic()
    answers = asyncio.run(race())
    print(f"{PEOPLE} asked and answered in {time.monotonic() - began:.1f} s")

    assert Counter(answer["state"] for answer in answers) == {"held": PLACES, "waiting": PEOPLE - PLACES}
    kept = rows(world, select(BOOKING).order_by(BOOKING.c.line_at, BOOKING.c.id))
    assert {row.id: row.state for row in kept} == {answer["id"]: answer["state"] for answer in answers}
    assert {row.person_id for row in kept} == {person.person_id for person in people}
    assert [row.state for row in kept] == ["held"] * PLACES + ["waiting"] * (PEOPLE - PLACES)
    assert rows(world, select(func.count()).select_from(STEP))[0][0] == PEOPLE

    events = rows(world, select(EVENT).order_by(EVENT.c.id))
    traced = booking_machine.replay(events)
    assert [row.id for row in kept] == sorted(traced, key=lambda booking: traced[booking].line)
    waiting = kept[PLACES:]
    views = [world.ask(bookings.find, world.cora, row.id) for row in waiting]
    assert world.ask(bookings.places_in_line, views) == {row.id: n for n, row in enumerate(waiting, 1)}
    told = {answer["id"]: answer.get("place_in_line") for answer in answers if answer["state"] == "waiting"}
    assert sorted(told.values()) == list(range(1, PEOPLE - PLACES + 1)), "each was told a place of their own"

    actor = next(person for person in people if person.person_id == kept[0].person_id)
    world.do(taking_back.take_back, actor, kept[0].id)
    after = {row.id: row.state for row in rows(world, select(BOOKING))}
    changed = {row.id: after[row.id] for row in kept if after[row.id] != row.state}
    assert changed == {kept[0].id: "withdrawn", waiting[0].id: "offered"}
