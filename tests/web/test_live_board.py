"""The board of the whole application, live: what comes to whom, and what must not come."""

import asyncio
import dataclasses
import json
import re
import socket

import httpx2
import pytest
from pydantic import SecretStr

from app.integrations.bus import newest
from app.main import create_app
from app.models import Person
from app.models.base import table
from app.services import challenges, comments
from app.settings import Settings
from app.web.server import Server, configuration
from tests.web.live import free_port, read

pytestmark = pytest.mark.anyio


class Site:
    """The application on a port of its own."""

    def __init__(self, world, port):
        self.world = world
        self.port = port
        self.secrets = {}

    def secret(self, actor):
        return self.secrets.setdefault(actor.person_id, self.world.cookie(actor))

    async def watch(self, actor, **how):
        reader = await read(self.port, self.secret(actor), how.pop("board", self.world.challenge_id), **how)
        if reader.status == 200 and "last" not in how and "after" not in how:
            await reader.next("live")
        return reader

    async def post(self, actor, path, **form):
        headers = {
            "Origin": f"http://127.0.0.1:{self.port}",
            "Cookie": f"session={self.secret(actor)}",
            "HX-Request-Type": "partial",
        }
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers) as client:
            answer = await client.post(path, data=form)
        assert answer.status_code < 400, answer.text
        return answer


@pytest.fixture
async def site(world, database_url):
    port = free_port()
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        secret_key=SecretStr("a test's own secret, of no use elsewhere"),
        port=port,
    )
    server = Server(configuration(create_app(settings)))
    serving = asyncio.create_task(server._serve([socket.create_server(("127.0.0.1", port))]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield Site(world, port)
    server.should_exit = True
    await serving


async def test_a_supported_card_comes_to_everyone_with_the_same_bytes(world, site):
    idea = world.idea(title="One form for all")
    watchers = [await site.watch(actor) for actor in (world.alice, world.bob, world.olga)]
    await site.post(world.bob, f"/ideas/{idea}/support")
    told = [(await watcher.next()).data for watcher in watchers]
    assert len(set(told)) == 1
    assert f'id="idea-{idea}"' in told[0]
    assert "One form for all" in told[0]


async def test_nobodys_own_support_is_in_what_everyone_gets(world, site):
    idea = world.idea()
    watcher = await site.watch(world.bob)
    await site.post(world.bob, f"/ideas/{idea}/support")
    assert 'aria-pressed="true"' not in (await watcher.next()).data


async def test_an_idea_that_is_posted_appears(world, site):
    watcher = await site.watch(world.bob)
    await site.post(world.alice, f"/challenges/{world.challenge_id}/ideas", title="Ask only once")
    assert "Ask only once" in (await watcher.next()).data


async def test_each_reads_in_their_own_language(world, site):
    person = table(Person)
    world.do(
        lambda tx: tx.execute(person.update().where(person.c.id == world.bob.person_id).values(language="sl"))
    )
    bob = dataclasses.replace(world.bob, language="sl")
    english, slovene = await site.watch(world.alice), await site.watch(bob)
    idea = world.idea()
    await site.post(world.alice, f"/ideas/{idea}/support")
    said = await english.next(), await slovene.next()
    assert said[0].data != said[1].data
    assert said[0].id == said[1].id


async def test_a_hidden_idea_leaves_the_board_and_is_not_told_again(world, site):
    marker = "Zzyzx-7713"
    start = world.ask(newest)
    idea = world.idea(title=f"Hidden {marker}", body=f"More {marker}")
    watcher = await site.watch(world.bob)
    await site.post(world.fay, f"/ideas/{idea}/hiding", reason="off_topic", note="Not about forms")
    gone = (await watcher.next()).data
    assert marker not in gone
    assert re.search(rf"\b{idea}\b", gone)
    late = await site.watch(world.bob, after=start)
    assert marker not in (await late.next()).data


async def test_a_hidden_comment_is_not_told_again(world, site):
    marker = "Zzyzx-7714"
    idea, start = world.idea(), world.ask(newest)
    watcher = await site.watch(world.bob)
    comment = world.do(comments.post, world.ana, idea, body=f"Rude {marker}")
    assert marker in (await watcher.next()).data
    world.do(comments.hide, world.fay, getattr(comment, "id", comment), reason="Rude")
    assert marker not in (await watcher.next()).data
    late = await site.watch(world.alice, after=start)
    assert marker not in (await late.next()).data


async def test_an_anonymous_author_is_named_to_nobody(world, site):
    board = world.challenge(anonymous_allowed=True)
    watcher = await site.watch(world.bob, board=board)
    world.idea(world.ana, "Without a name", board, anonymous=True)
    told = (await watcher.next()).data
    assert "Without a name" in told
    assert "Ana" not in told


async def test_support_is_not_counted_in_public_while_the_phase_hides_it(world, site):
    board = world.challenge(tallies=False)
    idea = world.idea(challenge_id=board)
    watcher = await site.watch(world.alice, board=board)
    before = await site.watch(world.bob, board=board, after=0)
    untouched = (await before.next()).data
    await site.post(world.bob, f"/ideas/{idea}/support")
    assert (await watcher.next()).data == untouched


async def test_who_is_here_is_told_by_name(world, site):
    watcher = await site.watch(world.alice)
    _other = await site.watch(world.bob)
    async with asyncio.timeout(5):
        while True:
            message = await watcher._message()
            if "Bob Kos" in message.data:
                break
    assert "Alice Novak" in message.data
    assert not message.id


async def test_another_programmes_board_is_not_there(world, site):
    assert (await site.watch(world.charlie)).status == 404
    assert (await site.watch(world.alice, board=world.other_challenge_id)).status == 404
    assert (await site.watch(world.alice, board=10**30)).status == 404


async def test_what_opens_or_closes_a_phase_has_the_page_loaded_anew(world, site):
    watcher = await site.watch(world.alice)
    world.do(challenges.change, world.fay, world.challenge_id, title="Forms that never ask")
    assert json.loads((await watcher.next("refresh")).data)["reason"] == "changed"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/challenges/{id}/stream", 200),
        ("GET", "/challenges/word/stream", 404),
        ("GET", "/nothing/stream", 404),
        ("DELETE", "/challenges/{id}/stream", 405),
    ],
)
async def test_other_requests_to_a_stream_end_at_once(world, site, method, path, status):
    url = f"http://127.0.0.1:{site.port}"
    headers = {"Cookie": f"session={site.secret(world.alice)}", "Origin": url}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=10) as client:
        answer = await client.request(method, path.format(id=world.challenge_id))
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
