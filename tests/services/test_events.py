"""The event log: in the order of commits whoever writes, by type, and told of everything that goes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import database as databases
from app.database import Database
from app.errors import Gone, Invalid
from app.integrations.bus import newest
from app.lib import clock
from app.models import AuditEntry, Event
from app.models.base import table
from app.services import (
    ballot_making,
    challenges,
    clusters,
    comments,
    erasure,
    events,
    ideas,
    memberships,
    merges,
    moderation,
    organisations,
    people,
    placement_making,
    programmes,
    solutions,
    support,
)
from app.services.events import Wanted, types_of
from tests.factories.world import fresh

EVENT, AUDIT = table(Event), table(AuditEntry)


def told(world, actor=None, after=0, **wanted):
    found = world.ask(
        events.in_programme,
        actor or world.olga,
        world.programme,
        after=after,
        limit=200,
        wanted=Wanted(**wanted),
    )
    return found.rows


def unlocked(connection, appended):
    """What writing would be without the lock: ids are drawn before it is known who commits first."""
    for of, row, _ in appended:
        connection.execute(of.insert(), row)
    return {of for of, _, _ in appended}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_locked", [True, False], ids=["as it is", "without the lock"])
def test_a_reader_misses_nothing_of_two_writers_who_commit_out_of_turn(database_url, is_locked, monkeypatch):
    """One process draws its id first and commits last. A reader who has read up to the other's id goes on after it."""
    slow, quick, reader = Database(database_url), Database(database_url), Database(database_url)
    write = databases._write_appended if is_locked else unlocked
    has_drawn, may_commit = threading.Event(), threading.Event()

    def writing(connection, appended):
        written = write(connection, appended)
        if connection.engine is slow.writes:
            has_drawn.set()
            assert may_commit.wait(20)
        return written

    def happen(to):
        to.write_now(lambda tx: events.record(tx, "idea.moved", None))

    def read_after(position):
        rows = reader.read_now(
            lambda c: (
                c.execute(select(EVENT.c.id).where(EVENT.c.id > position).order_by(EVENT.c.id))
                .scalars()
                .all()
            )
        )
        return rows, max([position, *rows])

    monkeypatch.setattr(databases, "_write_appended", writing)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(happen, slow)
        assert has_drawn.wait(20)
        second = pool.submit(happen, quick)
        threading.Event().wait(0.5)
        assert second.done() is not is_locked
        seen, position = read_after(0)
        may_commit.set()
        first.result()
        second.result()
        late, _ = read_after(position)
    all_ids = reader.read_now(lambda c: c.execute(select(EVENT.c.id)).scalars().all())
    assert len(all_ids) == 2
    missed = set(all_ids) - {*seen, *late}
    assert missed == (set() if is_locked else {min(all_ids)})
    for each in (slow, quick, reader):
        each.close()


def test_several_writers_and_readers_who_follow_by_pages_all_see_everything(database_url, world):
    """Four processes write at once; two readers go on from position to position, as the API has them do."""
    writers = [Database(database_url) for _ in range(4)]
    is_over = threading.Event()
    start = world.ask(newest)

    def write(number):
        return writers[number % 4].write_now(
            lambda tx: events.record(tx, "idea.moved", None, programme_id=world.programme_id)
        )

    def follow(limit):
        position, seen = start, []
        while True:
            was_over = is_over.is_set()
            page = world.ask(events.in_programme, world.olga, world.programme, after=position, limit=limit)
            seen += [row.id for row in page.rows]
            assert page.position >= position
            position = page.position
            if was_over and not page.rows:
                return seen

    with ThreadPoolExecutor(10) as pool:
        readers = [pool.submit(follow, limit) for limit in (3, 200)]
        list(pool.map(write, range(120)))
        is_over.set()
        followed = [reader.result() for reader in readers]
    there = world.ask(
        lambda c: c.execute(select(EVENT.c.id).where(EVENT.c.id > start).order_by(EVENT.c.id)).scalars().all()
    )
    assert followed == [there, there]
    assert len(there) == 120
    for each in writers:
        each.close()


def test_types_are_named_one_by_one_or_by_their_noun(world):
    assert types_of([]) is None
    assert types_of(["idea.posted", " comment "]) == {"idea.posted"} | {
        t for t in events.TYPES if t.startswith("comment.")
    }
    with pytest.raises(Invalid) as refused:
        types_of(["idea.eaten"])
    assert refused.value.errors[0].field == "type"
    idea = world.idea()
    world.do(comments.post, world.bob, idea, body="Yes")
    elsewhere = world.idea(challenge_id=world.challenge())
    assert [row.idea_id for row in told(world, types=types_of(["idea.posted"]))] == [idea, elsewhere]
    assert [row.type for row in told(world, challenge_id=world.challenge_id)] == [
        "idea.posted",
        "comment.posted",
    ]


def test_a_position_beyond_the_log_is_gone_and_one_from_now_on_moves_with_the_whole_log(world):
    world.idea()
    end = world.ask(newest)
    now = world.ask(events.in_programme, world.olga, world.programme, after=None)
    assert (now.rows, now.position) == ((), end)
    world.idea(world.charlie, "Elsewhere", world.other_challenge_id)
    after = world.ask(events.in_programme, world.olga, world.programme, after=end, wanted=Wanted(frozenset()))
    assert (list(after.rows), after.position) == ([], end + 1)
    with pytest.raises(Gone):
        world.ask(events.in_programme, world.olga, world.programme, after=end + 2)


def test_whatever_goes_is_told_and_its_text_is_not(world):
    """Each way in which something stops being there for readers, and the event that tells them to delete it."""
    marker = "Zzyzx-7713"
    here = world.challenge_id
    own, hidden, source, target = (world.idea(title=f"{marker} {n}", body=marker) for n in range(4))
    said = [world.do(comments.post, world.ana, target, body=marker) for _ in range(2)]
    cluster = world.do(clusters.create, world.fay, here, title=marker)
    solution = world.solution(marker)
    ballot = world.ballot(opens_at=clock.now() + timedelta(days=1), challenge_id=world.challenge())
    place = world.ana.memberships[world.programme_id].id
    offered, published = world.placement(published=False, title=marker), world.placement(title=marker)
    gone = world.challenge(title=marker)
    start = world.ask(newest)
    world.do(ideas.withdraw, world.alice, own)
    world.do(moderation.hide, world.fay, hidden, reason=marker)
    world.do(merges.propose, world.alice, source, target)
    world.do(comments.withdraw, world.ana, said[0])
    world.do(comments.hide, world.fay, said[1], reason=marker)
    world.do(clusters.remove, world.fay, cluster)
    world.do(solutions.withdraw, world.fay, solution)
    world.do(placement_making.send_back, world.cora, offered, note=marker)
    world.do(placement_making.withdraw, world.hana, published, reason=marker)
    world.do(ballot_making.cancel, world.cora, ballot)
    world.do(memberships.end, fresh(world.cora), place)
    world.do(challenges.delete, fresh(world.cora), gone)
    rows = told(world, after=start)
    assert {(row.type, row.subject_id) for row in rows} >= {
        ("idea.withdrawn", own),
        ("idea.hidden", hidden),
        ("comment.withdrawn", said[0]),
        ("comment.hidden", said[1]),
        ("cluster.removed", cluster),
        ("solution.withdrawn", solution),
        ("placement.returned", offered),
        ("placement.withdrawn", published),
        ("ballot.cancelled", ballot),
        ("membership.ended", place),
        ("challenge.deleted", gone),
    }
    (merged,) = [row for row in rows if row.type == "merge.accepted"]
    assert (merged.idea_id, merged.data) == (source, {"target_id": target})
    assert marker not in str([tuple(row) for row in rows])


def test_who_is_erased_or_called_otherwise_is_told_wherever_their_name_stands(world):
    """In each programme that knows them, and on each challenge on which they wrote, whose lists are written anew.

    Not on one where they wrote without a name alone: that would say whose it is.
    """
    here, other = world.challenge_id, world.challenge()
    for each in (world.bob, world.bea):
        world.idea(each, "Unsigned", world.challenge(anonymous_allowed=True), anonymous=True)
    world.do(comments.post, world.bea, world.idea(challenge_id=other), body="Yes")
    world.idea(world.bob)
    start = world.ask(newest)
    world.do(people.correct, world.bob, name="Robert Kos", email=world.bob.email)
    world.do(people.correct, world.alice, name=world.alice.name, email=world.alice.email)
    world.do(erasure.erase, fresh(world.bea), world.bea.person_id, confirmed=True)
    business = world.organisations["business"]
    world.do(organisations.change, world.cora, business, name="Kobilar", number="")
    rows = [(row.type, row.subject_id, row.challenge_id, row.data) for row in told(world, after=start)]
    assert rows == [
        ("person.changed", world.bob.person_id, None, {}),
        ("person.changed", world.bob.person_id, here, {}),
        ("person.erased", world.bea.person_id, None, {}),
        ("person.erased", world.bea.person_id, other, {}),
        ("organisation.changed", business, None, {"organisation_id": business}),
        ("organisation.changed", business, here, {}),
        ("organisation.changed", business, other, {}),
    ]
    there = world.ask(programmes.find, world.charlie, world.other_programme_id)
    elsewhere = world.ask(events.in_programme, world.charlie, there, after=start)
    assert [row.type for row in elsewhere.rows] == []
    audited = select(func.count()).where(AUDIT.c.action == "person.erased")
    assert world.ask(lambda c: c.execute(audited).scalar()) == 1


def test_no_feed_tells_which_idea_is_supported_while_tallies_are_hidden(world):
    """Not even to those who coordinate: whoever counts the events would know what nobody is to know yet."""
    veiled = world.idea(world.bob, challenge_id=world.challenge(tallies=False))
    shown = world.idea(world.bob)
    start = world.ask(newest)
    for idea in (veiled, shown):
        world.do(support.give, world.alice, idea)
    for actor in (world.bob, world.cora):
        rows = world.ask(events.in_programme, actor, world.programme, after=start).rows
        assert [(row.type, row.idea_id, row.subject_id) for row in rows] == [
            ("support.given", None, None),
            ("support.given", shown, shown),
        ]
        alone = world.ask(events.one_in_programme, actor, world.programme, rows[0].id)
        assert (alone.idea_id, alone.subject_id) == (None, None)
