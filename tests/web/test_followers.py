"""The event log as programs follow it: by waiting for news, and as a stream."""

import asyncio
import json
import socket

import httpx2
import pytest
from pydantic import SecretStr

from app.main import create_app
from app.models import Membership
from app.models.base import table
from app.services import comments, events, moderation, tokens
from app.settings import Settings
from app.web import followers, sse
from app.web.followers import Asked
from app.web.server import Server, configuration
from tests.api.conftest import innermost
from tests.web.live import free_port, until

pytestmark = pytest.mark.anyio
MEMBERSHIP = table(Membership)


class Site:
    """The application on a port of its own, and its caller."""

    def __init__(self, world, port, app, server, serving):
        self.world = world
        self.app = app
        self.server = server
        self.serving = serving
        self.log = f"http://127.0.0.1:{port}/api/v1/programmes/{world.programme_id}/events"
        self.client = httpx2.AsyncClient(timeout=20)
        self.tokens = {}

    @property
    def followers(self):
        return self.app.state.context.followers

    def of(self, actor):
        token = self.tokens.setdefault(actor.person_id, self.world.token(actor, "read"))
        return {"Authorization": f"Bearer {token}"}

    async def get(self, actor, query=""):
        return await self.client.get(f"{self.log}?{query}", headers=self.of(actor))

    def stream(self, actor, query="", **headers):
        return Reading(
            self.client.stream("GET", f"{self.log}/stream?{query}", headers=self.of(actor) | headers)
        )


class Reading:
    """An open stream, message by message."""

    def __init__(self, opening):
        self._opening = opening
        self.seen = ""

    async def __aenter__(self):
        self.answer = await self._opening.__aenter__()
        self._lines = self.answer.aiter_lines()
        return self

    async def __aexit__(self, *raised):
        await self._opening.__aexit__(*raised)

    async def next(self):
        message = {}
        async with asyncio.timeout(15):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if not line and "data" in message:
                    self.seen = message.get("id", self.seen)
                    return message.get("event", ""), json.loads(message["data"])
                message |= {name: value}
        return "end", None


@pytest.fixture
async def site(world, database_url, monkeypatch):
    monkeypatch.setattr(followers, "LOOK_S", 0.5)
    port = free_port()
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        secret_key=SecretStr("a test's own secret, of no use elsewhere"),
        port=port,
    )
    application = create_app(settings)
    server = Server(configuration(application))
    serving = asyncio.create_task(server._serve([socket.create_server(("127.0.0.1", port))]))
    while not server.started:
        await asyncio.sleep(0.01)
    site = Site(world, port, innermost(application), server, serving)
    yield site
    await site.client.aclose()
    server.should_exit = True
    await serving


async def in_thread(do, *arguments, **named):
    return await asyncio.to_thread(do, *arguments, **named)


async def test_a_stream_tells_what_happens_and_goes_on_where_it_was_left(world, site):
    async with site.stream(world.bob) as reading:
        assert reading.answer.headers["content-type"].startswith("text/event-stream")
        assert (await reading.next())[0] == "position"
        idea = await in_thread(world.idea, title="Zzyzx-7713")
        name, event = await reading.next()
        assert (name, event["type"], event["idea"], str(event["id"])) == (
            "",
            "idea.posted",
            idea,
            reading.seen,
        )
        assert "Zzyzx" not in json.dumps(event)
    await until(lambda: site.followers.count == 0)
    first = await in_thread(world.do, comments.post, world.ana, idea, body="Yes")
    await in_thread(world.do, moderation.hide, world.fay, idea, reason="Not here")
    async with site.stream(world.bob, **{"Last-Event-ID": reading.seen}) as reading:
        await reading.next()
        told = [(await reading.next())[1] for _ in range(2)]
    assert [event["type"] for event in told] == ["comment.posted", "idea.hidden"]
    assert told[0]["subject"] == first
    async with site.stream(world.bob, f"after=0&type=idea.hidden&challenge={world.challenge_id}") as reading:
        await reading.next()
        assert (await reading.next())[1] == told[1]


async def test_who_waits_is_answered_as_soon_as_there_is_news_and_takes_nobodys_place(world, site):
    start = (await site.get(world.bob, "after=now")).headers["event-position"]
    measures, database = site.app.state.context.measures, site.app.state.context.database
    waiting = [asyncio.create_task(site.get(world.bob, f"after={start}&wait=15")) for _ in range(4)]
    await until(lambda: site.followers.count == 4)
    await until(lambda: measures.inside == 0)
    if not database.is_sqlite:
        await until(lambda: database.reads.pool.checkedout() == 0)
    idea = await in_thread(world.idea)  # as another process: only a look at the log tells of it
    answers = [(await answer).json()["items"] for answer in waiting]
    assert [[event["idea"] for event in items] for items in answers] == [[idea]] * 4
    assert site.followers.count == measures.inside == 0
    empty = await site.get(world.bob, "after=now&wait=1")
    assert (empty.status_code, empty.json()) == (200, {"items": [], "next": None})


async def test_an_ended_token_or_another_role_ends_what_follows_the_log(world, site):
    actor = {"person_id": world.bob.person_id, "programme_id": world.programme_id}

    def change_role(tx):
        tx.execute(
            MEMBERSHIP.update()
            .where(*(MEMBERSHIP.c[k] == v for k, v in actor.items()))
            .values(role="observer")
        )

    def revoke(tx):
        tokens.revoke_all(tx, None, world.bob.person_id)

    async with site.stream(world.bob) as reading:
        await reading.next()
        await in_thread(world.do, change_role)
        assert await reading.next() == ("closed", {"reason": "changed"})
        assert (await reading.next())[0] == "end"
    async with site.stream(world.bob) as reading:
        await reading.next()
        waiting = asyncio.create_task(site.get(world.bob, "after=now&wait=20"))
        await until(lambda: site.followers.count == 2)
        await in_thread(world.do, revoke)
        assert await reading.next() == ("closed", {"reason": "signed-out"})
        assert (await waiting).status_code == 401


async def test_who_follows_in_too_many_places_is_told_so(world, site):
    site.followers._most_each = 1
    async with site.stream(world.bob) as reading:
        await reading.next()
        refused = [
            await site.get(world.bob, "after=now&wait=5"),
            await site.client.get(f"{site.log}/stream", headers=site.of(world.bob)),
        ]
        assert [answer.status_code for answer in refused] == [429, 429]
        assert all(answer.headers["retry-after"] for answer in refused)
        assert (await site.get(world.bob, "after=now")).status_code == 200
        async with site.stream(world.alice) as other:
            await other.next()
        site.followers._most = 1
        assert (await site.get(world.alice, "after=now&wait=5")).status_code == 503


async def test_who_waits_and_leaves_gives_the_place_back_at_once(world, site):
    site.followers._most_each = 2
    waiting = [asyncio.create_task(site.get(world.bob, "after=now&wait=30")) for _ in range(2)]
    await until(lambda: site.followers.count == 2)
    assert (await site.get(world.bob, "after=now&wait=1")).status_code == 429
    for reader in waiting:
        reader.cancel()
    await until(lambda: site.followers.count == 0)
    assert (await site.get(world.bob, "after=now&wait=1")).status_code == 200


async def test_who_waits_and_sends_no_more_is_answered_at_once(world, site):
    address = httpx2.URL(f"{site.log}?after=now&wait=30")
    reader, writer = await asyncio.open_connection(address.host, address.port)
    request = b"GET %b HTTP/1.1\r\nHost: %b\r\n" % (address.raw_path, address.netloc)
    for name, value in site.of(world.bob).items():
        request += f"{name}: {value}\r\n".encode()
    writer.write(request + b"\r\n")
    await until(lambda: site.followers.count == 1)
    writer.write_eof()
    async with asyncio.timeout(15):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"items":[],"next":null}')


async def test_a_stream_that_cannot_begin_is_a_problem_document(world, site):
    for query, headers, status in (
        ("after=x", {}, 422),
        ("type=nothing", {}, 422),
        ("", {"Last-Event-ID": "zz"}, 422),
        ("after=999999", {}, 410),
    ):
        answer = await site.client.get(f"{site.log}/stream?{query}", headers=site.of(world.bob) | headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (await site.client.get(f"{site.log}/stream", headers=site.of(world.charlie))).status_code == 403
    assert (await site.client.get(f"{site.log}/stream")).status_code == 401
    assert site.followers.count == 0


async def test_as_the_server_stops_everyone_is_let_go(world, site):
    async with site.stream(world.bob) as reading:
        await reading.next()
        waiting = asyncio.create_task(site.get(world.alice, "after=now&wait=30"))
        await until(lambda: site.followers.count == 2)
        site.server.should_exit = True
        assert (await reading.next())[0] == "end"
        assert (await waiting).json()["items"] == []
    await asyncio.wait_for(site.serving, 10)


async def test_who_does_not_read_is_dropped(world, site, monkeypatch):
    monkeypatch.setattr(sse, "PATIENCE_S", 0.2)
    context = site.app.state.context
    token = site.of(world.bob)["Authorization"].removeprefix("Bearer ")
    actor = context.database.read_now(lambda connection: tokens.find(connection, token))[0]
    asked = Asked(actor, world.programme, events.EVERYTHING, 0)
    sent, never = [], asyncio.Event()

    async def send(message):
        sent.append(message)
        if len(sent) > 2:
            await never.wait()

    await asyncio.wait_for(context.followers.stream(asked, "http://here", never_left, send), 5)
    assert len(sent) == 3
    assert context.followers.count == 0


async def never_left():
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


async def test_many_followers_and_a_listener_that_fails_do_not_hold_each_other_up(world, site):
    bus = site.app.state.context.bus
    bus.listeners.insert(0, lambda changes: 1 / 0)
    async with site.stream(world.bob) as one, site.stream(world.alice) as other:
        await one.next()
        await other.next()
        idea = await in_thread(world.idea)
        assert [(await each.next())[1]["idea"] for each in (one, other)] == [idea, idea]
