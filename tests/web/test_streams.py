"""What people who have a board open can rely on."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.integrations import bus as buses
from app.lib import clock
from app.models import BrowserSession, Membership, Person, Phase
from app.models.base import table
from app.services import challenges, sessions
from app.web import sse, streams
from tests.web.live import make_world, read, serving, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(database_url):
    world = make_world(database_url)
    yield world
    world.database.close()


# what comes


async def test_a_new_idea_comes_at_once(world, monkeypatch):
    monkeypatch.setattr(buses, "POLL_S", 60.0)
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        id = await world.posted("Shorter forms")
        message = await reader.next()
        assert message.data == f'<hx-partial hx-target="#idea-{id}">en Shorter forms</hx-partial>'


async def test_the_answer_is_an_event_stream_that_nobody_keeps(world):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        assert reader.status == 200
        assert reader.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert reader.headers["cache-control"] == "no-store"


async def test_another_boards_changes_do_not_come(world):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await world.posted("Elsewhere", challenge_id=world.other_challenge_id)
        await world.posted("Here")
        message = await reader.next()
        assert "Here" in message.data
        assert "Elsewhere" not in message.data


async def test_a_change_is_rendered_once_for_each_language(world):
    async with serving(world.database) as site:
        readers = [
            await read(site.port, secret, world.challenge_id, language=language)
            for secret in world.secrets
            for language in ("en", "sl", "en")
        ]
        for reader in readers:
            await reader.next("live")
        await world.posted("For all")
        data = [(await reader.next()).data for reader in readers]
        assert sorted(language for _, language, _ in site.rendering.asked) == ["en", "sl"]
        assert len(set(data)) == 2
        assert all(language in text for text, language in zip(data, ["en", "sl", "en"] * 4, strict=True))


async def test_a_rush_of_changes_comes_as_four_updates_a_second_at_most(world):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        began = asyncio.get_running_loop().time()
        for number in range(50):
            await world.posted(f"Idea {number}")
            await asyncio.sleep(0.02)
        last = ""
        while "Idea 49" not in last:
            last = (await reader.next()).data
        took = asyncio.get_running_loop().time() - began
        assert 2 <= len(site.rendering.asked) <= 2 + took / streams.FLUSH_S


async def test_more_changes_at_once_than_one_would_send_are_a_refresh(world):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        ids = await asyncio.gather(*(world.posted(f"Idea {n}") for n in range(2 * streams.MOST_IDEAS)))
        message = await reader.next("refresh")
        assert json.loads(message.data)["reason"] == "changed"
        await until(lambda: site.bus._position > max(ids))
        again = await read(site.port, world.secrets[0], world.challenge_id, last=message.id)
        await again.next("live")
        await world.posted("After it")
        assert "After it" in (await again.next()).data


async def test_a_renderer_may_ask_for_a_refresh(world):
    async with serving(world.database) as site:

        async def refuse(*_):
            return None

        site.streams._render = refuse
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        await world.posted("Any")
        assert json.loads((await reader.next("refresh")).data)["reason"] == "changed"


async def test_an_update_that_the_database_did_not_allow_is_made_up_for(world):
    async with serving(world.database) as site:
        whole, failures = site.streams._render, []

        async def failing(*asked):
            if not failures:
                failures.append(asked)
                raise streams.Unavailable("The database does not answer.")
            return await whole(*asked)

        site.streams._render = failing
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        await world.posted("Kept")
        assert "Kept" in (await reader.next()).data
        assert failures


async def test_a_renderers_fault_stops_nothing_else(world):
    async with serving(world.database) as site:
        whole, faults = site.streams._render, []

        async def faulty(*asked):
            if not faults:
                faults.append(asked)
                raise ZeroDivisionError
            return await whole(*asked)

        site.streams._render = faulty
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        await world.posted("Lost")
        await until(lambda: faults)
        await world.posted("Found")
        assert "Found" in (await reader.next()).data


async def test_quiet_boards_are_kept_open(world, monkeypatch):
    monkeypatch.setattr(streams, "PING_S", 0.05)
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await asyncio.sleep(0.3)
        await world.posted("Late")
        await reader.next()
        assert reader.comments >= 2


async def test_the_board_turns_with_its_phase_though_nobody_did_anything(world, monkeypatch):
    monkeypatch.setattr(streams, "CHECK_S", 0.1)
    phase = table(Phase)
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        other = await read(site.port, world.secrets[0], world.other_challenge_id)
        await reader.next("live")
        ends = phase.update().where(phase.c.challenge_id == world.challenge_id)
        soon = clock.now() + timedelta(seconds=0.5)
        await world.database.write(lambda tx: tx.execute(ends.values(ends_at=soon)))
        assert json.loads((await reader.next("refresh")).data)["reason"] == "changed"
        assert clock.now() >= soon
        with pytest.raises(TimeoutError):
            await reader.next("refresh", within_s=0.5)
        with pytest.raises(TimeoutError):
            await other.next("refresh", within_s=0.1)


# coming back


async def test_what_was_missed_comes_after_the_connection_was_lost(world):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await world.posted("Seen")
        seen = await reader.next()
        await reader.leave()
        await until(lambda: site.streams.count == 0)
        await world.posted("Missed")
        back = await read(site.port, world.secrets[0], world.challenge_id, last=seen.id)
        message = await back.next()
        assert "Missed" in message.data
        assert "Seen" not in message.data


async def test_the_page_says_from_where_it_wants_to_go_on(world):
    before = await world.posted("On the page")
    async with serving(world.database) as site:
        version = world.database.read_now(buses.newest)
        await world.posted("While it loaded")
        reader = await read(site.port, world.secrets[0], world.challenge_id, after=version)
        message = await reader.next()
        assert "While it loaded" in message.data
        assert f"#idea-{before}" not in message.data


async def test_the_browsers_word_goes_before_the_pages(world):
    async with serving(world.database) as site:
        start = world.database.read_now(buses.newest)
        await world.posted("Old")
        now = world.database.read_now(buses.newest)
        reader = await read(site.port, world.secrets[0], world.challenge_id, after=start, last=str(now))
        await world.posted("New")
        assert "Old" not in (await reader.next()).data


async def test_nothing_is_missed_while_others_write(world, monkeypatch):
    """Readers come, go and come back from their last id, while four writers write all the time.

    A card may come twice where the past meets the present: it is the present card both times.
    """
    monkeypatch.setattr(streams, "MOST_IDEAS", 1000)
    async with serving(world.database) as site:
        start = world.database.read_now(buses.newest)
        written: list[int] = []

        async def write(who):
            for number in range(40):
                written.append(await world.posted(f"{who}-{number}", who=who))
                await asyncio.sleep(0.01)

        async def follow(secret):
            seen, last = set(), str(start)
            while True:
                reader = await read(site.port, secret, world.challenge_id, last=last)
                for _ in range(2):
                    message = await reader.next(within_s=3)
                    seen |= {int(part.split('"')[0]) for part in message.data.split("#idea-")[1:]}
                    assert int(message.id) > int(last)
                    last = message.id
                    if len(written) == 160 and max(written) in seen:
                        return seen
                await reader.leave()

        writers = [asyncio.create_task(write(who)) for who in range(4)]
        seen = await asyncio.wait_for(asyncio.gather(*(follow(secret) for secret in world.secrets)), 60)
        await asyncio.gather(*writers)
        for ids in seen:
            assert ids == set(written)


@pytest.mark.parametrize("last", ["rubbish", "-1", "9" * 40, "99999", "1e3", "\uff11\uff12"])
async def test_an_event_that_never_was_is_answered_by_a_refresh(world, last):
    async with serving(world.database) as site:
        reader = await read(
            site.port, world.secrets[0], world.challenge_id, last=last.encode().decode("latin-1")
        )
        assert reader.status == 200
        assert json.loads((await reader.next("refresh")).data)["reason"] == "gap"
        await world.posted("Then live")
        assert "Then live" in (await reader.next()).data


@pytest.mark.parametrize("after", ["rubbish", "-1", "9" * 40, "%00"])
async def test_an_address_with_rubbish_is_refused_clearly(world, after):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id, after=after)
        assert reader.status == 422
        assert json.loads(await reader.body())["code"] == "invalid"


async def test_too_long_a_gap_is_a_refresh(world, monkeypatch):
    monkeypatch.setattr(streams, "MOST_MISSED", 5)
    start = world.database.read_now(buses.newest)
    for number in range(6):
        world.post(f"Idea {number}")
    async with serving(world.database) as site:
        late = await read(site.port, world.secrets[0], world.challenge_id, after=start)
        assert json.loads((await late.next("refresh")).data)["reason"] == "gap"
        assert site.streams.refreshes == 1
        just = await read(site.port, world.secrets[0], world.challenge_id, after=start + 1)
        assert "Idea 5" in (await just.next()).data


# who may


async def test_nobody_reads_without_signing_in(world):
    async with serving(world.database) as site:
        assert (await read(site.port, "forged", world.challenge_id)).status == 401


async def test_a_stranger_finds_nothing(world):
    async with serving(world.database) as site:
        assert (await read(site.port, world.stranger_secret, world.challenge_id)).status == 404
        assert (await read(site.port, world.secrets[0], 10**25)).status == 404


@pytest.fixture
def _checked_often(monkeypatch):
    monkeypatch.setattr(streams, "CHECK_S", 0.1)


def _disable(tx, world):
    tx.execute(
        table(Person).update().where(table(Person).c.id == world.people[0].person_id), {"disabled_at": tx.now}
    )


def _sign_out(tx, world):
    sessions.end(tx, world.secrets[0])


def _expel(tx, world):
    members = table(Membership)
    tx.execute(members.update().where(members.c.person_id == world.people[0].person_id), {"ended_at": tx.now})


def _let_idle(tx, world):
    kept = table(BrowserSession)
    long_ago = clock.now() - sessions.IDLE - timedelta(seconds=1)
    tx.execute(kept.update().where(kept.c.person_id == world.people[0].person_id), {"seen_at": long_ago})


@pytest.mark.usefixtures("_checked_often")
@pytest.mark.parametrize("end", [_disable, _sign_out, _expel, _let_idle])
async def test_who_may_no_longer_read_is_sent_away(world, end):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        other = await read(site.port, world.secrets[1], world.challenge_id)
        await reader.next("live")
        await world.database.write(lambda tx: end(tx, world))
        assert json.loads((await reader.until_over())[-1].data)["reason"] == "signed-out"
        assert reader.is_over
        await world.posted("For those who stay")
        assert "For those who stay" in (await other.next()).data


async def test_they_are_sent_away_within_five_seconds():
    assert streams.CHECK_S <= 4.5


async def test_a_deleted_challenge_ends_its_streams(world):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        actor = world.people[0]
        coordinator = _as_coordinator(actor)
        await world.database.write(lambda tx: challenges.delete(tx, coordinator, world.challenge_id))
        assert json.loads((await reader.until_over())[-1].data)["reason"] == "gone"


def _as_coordinator(actor):
    return replace(
        actor, memberships={id: replace(place, role="coordinator") for id, place in actor.memberships.items()}
    )


# bounds


async def test_a_seventh_page_takes_the_place_of_the_first(world):
    async with serving(world.database) as site:
        readers = []
        for _ in range(streams.MOST_STREAMS_EACH + 1):
            readers.append(await read(site.port, world.secrets[0], world.challenge_id))
            await readers[-1].next("live")
        assert json.loads((await readers[0].until_over())[-1].data)["reason"] == "elsewhere"
        await world.posted("For the six")
        for reader in readers[1:]:
            assert "For the six" in (await reader.next()).data


async def test_the_page_whose_place_was_taken_may_leave_last(world, monkeypatch):
    monkeypatch.setattr(streams, "_finish", lambda *_: None)  # its connection is so slow that it does not end
    async with serving(world.database) as site:
        first = await read(site.port, world.secrets[0], world.challenge_id)
        await first.next("live")
        others = [
            await read(site.port, world.secrets[0], world.challenge_id)
            for _ in range(streams.MOST_STREAMS_EACH)
        ]
        for other in others:
            await other.leave()
        await until(lambda: site.streams.count == 1)
        await first.leave()
        await until(lambda: not site.streams._boards)
        assert site.streams.count == 0
        assert not site.streams._of_person


async def test_more_streams_than_the_process_bears_are_refused(world):
    async with serving(world.database, most_streams=2) as site:
        first, _second, refused = [
            await read(site.port, secret, world.challenge_id) for secret in world.secrets[:3]
        ]
        assert refused.status == 503
        await first.leave()
        await until(lambda: site.streams.count == 1)
        assert (await read(site.port, world.secrets[2], world.challenge_id)).status == 200


async def test_a_slow_reader_is_told_to_refresh_and_slows_nobody(world, monkeypatch):
    monkeypatch.setattr(streams, "FLUSH_S", 0.01)
    async with serving(world.database) as site:

        async def much(*_):
            return "x" * 30_000

        site.streams._render = much
        slow = await read(site.port, world.secrets[0], world.challenge_id, buffer_bytes=4096)
        quick = await read(site.port, world.secrets[1], world.challenge_id)
        await quick.next("live")
        waits = []
        while site.streams.refreshes == 0 and len(waits) < 500:
            began = asyncio.get_running_loop().time()
            await world.posted("More")
            await quick.next()
            waits.append(asyncio.get_running_loop().time() - began)
            if any(reader.was_too_slow for reader in site.streams._everyone()):
                break
        assert len(waits) < 500
        assert sorted(waits)[len(waits) // 2] < 1.0
        assert json.loads((await slow.until_over(within_s=20))[-1].data)["reason"] == "slow"
        assert slow.is_over
        await until(lambda: site.streams.count == 1)
        assert site.streams.refreshes == 1


async def test_a_reader_who_never_reads_is_given_up(world, monkeypatch):
    monkeypatch.setattr(streams, "FLUSH_S", 0.01)
    monkeypatch.setattr(sse, "PATIENCE_S", 0.3)
    async with serving(world.database) as site:

        async def much(*_):
            return "x" * 200_000

        site.streams._render = much
        _deaf = await read(site.port, world.secrets[0], world.challenge_id, buffer_bytes=4096)
        for _ in range(200):
            await world.posted("More")
            await asyncio.sleep(0.02)
            if site.streams.count == 0:
                break
        await until(lambda: site.streams.count == 0)


async def test_a_reader_who_leaves_is_forgotten(world):
    async with serving(world.database) as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        await reader.leave()
        await until(lambda: site.streams.count == 0)
        assert not site.streams._boards
        assert not site.streams._of_person
        assert site.bus._position is None


async def test_no_connection_is_held_while_streams_are_open(world):
    async with serving(world.database) as site:
        readers = [await read(site.port, secret, world.challenge_id) for secret in world.secrets]
        for reader in readers:
            await reader.next("live")
        held = world.database.reads.pool.checkedout()
        assert held <= 1  # the one of the event loop itself, however many read


async def test_all_streams_end_when_the_server_stops(world):
    async with serving(world.database) as site:
        readers = [await read(site.port, secret, world.challenge_id) for secret in world.secrets]
        for reader in readers:
            await reader.next("live")
        began = asyncio.get_running_loop().time()
        await site.stop()
        for reader in readers:
            assert all(message.event != "closed" for message in await reader.until_over())
            assert reader.is_over
        assert asyncio.get_running_loop().time() - began < 5


async def test_no_new_stream_begins_while_the_server_stops(world):
    async with serving(world.database) as site:
        site.streams.close_all()
        assert (await read(site.port, world.secrets[0], world.challenge_id)).status == 503


# who is here


async def test_people_see_who_is_here_each_once(world):
    async with serving(world.database) as site:
        first = await read(site.port, world.secrets[0], world.challenge_id)
        assert await first.presence() == "1: Ana A"
        _another_page = await read(site.port, world.secrets[0], world.challenge_id)
        second = await read(site.port, world.secrets[1], world.challenge_id)
        assert await first.presence() == "2: Ana A, Ana B"
        await second.leave()
        assert await first.presence() == "1: Ana A"


async def test_who_comes_sees_at_once_who_was_here(world):
    async with serving(world.database) as site:
        first = await read(site.port, world.secrets[0], world.challenge_id)
        assert await first.presence() == "1: Ana A"
        again = await read(site.port, world.secrets[0], world.challenge_id)
        assert await again.presence(within_s=0.5) == "1: Ana A"


async def test_a_page_that_is_loaded_anew_neither_goes_nor_comes(world):
    async with serving(world.database) as site:
        first = await read(site.port, world.secrets[0], world.challenge_id)
        second = await read(site.port, world.secrets[1], world.challenge_id)
        assert await first.presence() == "2: Ana A, Ana B"
        await second.leave()
        _back = await read(site.port, world.secrets[1], world.challenge_id)
        with pytest.raises(TimeoutError):
            await first.presence(within_s=1.5)
