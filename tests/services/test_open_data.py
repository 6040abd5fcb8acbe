"""Open data: who opens it, what is in it, and that nothing of people ever is."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import String, select, update

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound, NotFresh
from app.jobs import open_data as job
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import (
    AuditEntry,
    Ballot,
    Booking,
    Challenge,
    Event,
    Idea,
    OpenData,
    OpenFile,
    Organisation,
    Programme,
    PublishedVote,
    Sector,
    metadata,
)
from app.models.base import table
from app.services import asking, comments, counting, moderation, open_data, votes
from tests.factories.world import World, fresh

GIVEN = {"publisher": "Office for Openness", "contact": "office@example.org", "description": "What we do."}
MARKER = "XMARKERX"


def opened(world: World, **changes):
    return world.do(open_data.set_up, fresh(world.cora), world.programme, **(GIVEN | changes))


def made(world: World) -> dict[str, list[dict]]:
    """Every table as it is told, made now."""
    place = Workplace(world.database, "https://site.test", "no-reply@site.test", None)
    assert job.make(place, world.programme_id)
    found = {}
    for file in world.ask(open_data.files, world.programme_id):
        if file.form == "jsonl":
            _, content = world.ask(open_data.content, world.programme, file.name)
            found[file.table] = [json.loads(row) for row in content.splitlines()]
            assert len(found[file.table]) == file.rows
    return found


def test_coordinators_open_it_change_it_and_take_it_back(world: World) -> None:
    assert not world.ask(open_data.find, world.programme).is_open
    view = opened(world)
    assert (view.is_open, view.licence, view.with_texts, view.version) == (True, "CC-BY-4.0", False, 1)
    made(world)
    view = opened(world, licence="CC0-1.0", with_texts=True, version=1)
    assert (view.licence, view.with_texts, view.version) == ("CC0-1.0", True, 2)
    assert world.ask(open_data.files, world.programme_id) == [], "what was told before is told no longer"
    with pytest.raises(Moved):
        opened(world, version=1)
    with pytest.raises(Moved):
        world.do(open_data.close, world.cora, world.programme, version=1)
    made(world)
    for _ in range(2):
        world.do(open_data.close, world.cora, world.programme)
    assert not world.ask(open_data.find, world.programme).is_open
    rows = [world.ask(lambda c, of=of: c.execute(select(table(of))).all()) for of in (OpenData, OpenFile)]
    assert rows == [[], []]
    with pytest.raises(NotFound):
        world.ask(open_data.content, world.programme, "ideas.csv")
    types = ["open_data.opened", "open_data.changed", "open_data.closed"]
    told = world.ask(lambda c: c.execute(select(table(Event)).where(table(Event).c.type.in_(types))).all())
    assert [event.type for event in told] == types
    assert told[1].data == {"licence": "CC0-1.0", "with_texts": True}
    audited = world.ask(lambda c: c.execute(select(table(AuditEntry).c.action)).scalars().all())
    assert [each for each in audited if each.startswith("open_data")] == types


def test_nobody_else_does_and_what_is_for_members_stays_so(world: World) -> None:
    for actor in (world.alice, world.sam, world.fay, world.charlie):
        for verb in (open_data.set_up, open_data.close):
            with pytest.raises(NotAllowed):
                world.do(verb, fresh(actor), world.programme)
    with pytest.raises(NotFresh):
        world.do(open_data.set_up, world.cora, world.programme, **GIVEN)
    wrong = {"publisher": " ", "contact": "nobody", "licence": "MIT", "description": "x" * 2001}
    with pytest.raises(Invalid) as refused:
        opened(world, **wrong)
    assert {error.field for error in refused.value.errors} == set(wrong)
    opened(world)
    made(world)
    programme = update(Programme).where(Programme.id == world.programme_id)
    world.do(lambda tx: tx.execute(programme.values(visibility="members")))
    with pytest.raises(NotFound):
        world.ask(open_data.published, world.programme)
    with pytest.raises(NotFound):
        world.ask(open_data.content, world.programme, "ideas.csv")
    with pytest.raises(Conflict):
        opened(world)
    world.do(open_data.close, world.cora, world.programme)
    assert world.ask(lambda c: c.execute(select(table(OpenFile))).all()) == []


def test_files_are_made_once_a_day_and_keep_their_date_while_they_are_the_same(world: World) -> None:
    opened(world)
    assert world.ask(open_data.due) == [world.programme_id]
    made(world)
    assert world.ask(open_data.due) == []
    before = world.ask(open_data.files, world.programme_id)
    assert [file.name for file in before[:4]] == [
        "challenges.csv",
        "challenges.jsonl",
        "ideas.csv",
        "ideas.jsonl",
    ]
    challenge = update(Challenge).where(Challenge.id == world.challenge_id)
    world.do(lambda tx: tx.execute(challenge.values(title="Another")))
    yesterday = update(OpenData).values(made_at=clock.now() - timedelta(days=1, minutes=1))
    world.do(lambda tx: tx.execute(yesterday))
    job.keep(Workplace(world.database, "https://site.test", "", None))
    after = world.ask(open_data.files, world.programme_id)
    changed = {old.name for old, new in zip(before, after, strict=True) if old != new}
    assert changed == {"challenges.csv", "challenges.jsonl"}


def test_files_of_an_older_wish_are_not_kept(world: World) -> None:
    opened(world, with_texts=True)
    slow = world.ask(open_data.make, world.programme_id, "https://site.test")
    opened(world, with_texts=False)
    assert world.do(open_data.keep, slow) is False
    world.do(open_data.close, world.cora, world.programme)
    opened(world, with_texts=True)
    slow = world.ask(open_data.make, world.programme_id, "https://site.test")
    world.do(open_data.close, world.cora, world.programme)
    assert opened(world, with_texts=False).version == slow.version, "closed and opened, it counts anew"
    assert world.do(open_data.keep, slow) is False
    assert world.ask(open_data.files, world.programme_id) == []


def test_small_numbers_are_left_out_and_no_total_tells_them(world: World) -> None:
    second, third = world.challenge(title="Second"), world.challenge(title="Third")
    for number in range(7):
        world.idea(world.alice, f"A {number}")
        world.idea(world.alice, f"C {number}", third)
    for number in range(3):
        world.idea(world.bob, f"B {number}")
        idea = world.idea(world.bob, f"D {number}", second)
        world.do(comments.post, world.alice, idea, body="Yes")
    opened(world)
    assert made(world)["ideas"] == [
        {"challenge": challenge, "sector": sector, "ideas": ideas, "comments": said}
        for challenge, sector, ideas, said in (
            (world.challenge_id, "public", None, 0),
            (world.challenge_id, "business", None, 0),
            (world.challenge_id, "all", 10, 0),
            (second, "public", 0, None),
            (second, "business", None, 0),
            (second, "all", None, None),
            (third, "public", 7, 0),
            (third, "business", 0, 0),
            (third, "all", 7, 0),
        )
    ]


def test_stays_are_told_by_direction_once_their_month_is_over(world: World) -> None:
    world.rules(approvals=("host",), checklist=())
    places = {"business": world.placement(periods=[world.period(places=60)])}
    places["public"] = world.placement(world.henk, periods=[world.period(places=60)])
    today = clock.now().date()
    months = [(today.replace(day=1) - timedelta(days=31 * back + 1)).replace(day=2) for back in (3, 2, 1)]
    for month, counts in zip([*months, today], ((6, 7), (2, 9), (0, 1), (8, 8)), strict=True):
        for sector, count in zip(("public", "business"), counts, strict=True):
            for guest in world.people(count, sector):
                period = world.periods(places[sector])[0].id
                stay = world.do(asking.ask, guest, places[sector], period_id=period)
                of_it = update(Booking).where(Booking.id == stay)
                world.do(
                    lambda tx, of_it=of_it, month=month: tx.execute(
                        of_it.values(state="completed", first_day=month, last_day=month)
                    )
                )
    opened(world)
    told = [tuple(row.values()) for row in made(world)["exchanges"]]
    # In the last month one went: neither it nor its total is told, nor another month's, whose two would tell it.
    assert told == [
        (f"{months[0]:%Y-%m}", "business", "public", 7),
        (f"{months[0]:%Y-%m}", "public", "business", 6),
        (f"{months[0]:%Y-%m}", "all", "all", 13),
        (f"{months[1]:%Y-%m}", "business", "public", None),
        (f"{months[1]:%Y-%m}", "public", "business", None),
        (f"{months[1]:%Y-%m}", "all", "all", None),
        (f"{months[2]:%Y-%m}", "business", "public", None),
        (f"{months[2]:%Y-%m}", "all", "all", None),
        ("all", "all", "all", 25),
    ]


@pytest.mark.parametrize(("public", "business", "is_open"), [(6, 7, True), (3, 12, False)])
def test_results_tell_of_sectors_only_where_none_is_small(
    world: World, public: int, business: int, is_open: bool
) -> None:
    voters = [*world.people(public, "public"), *world.people(business, "business")]
    solutions = [world.solution("One form", cost=30), world.solution("A desk", carrier=MARKER)]
    ballot = world.ballot("approval", solutions, mode="open")
    for voter in voters:
        world.do(votes.cast, voter, ballot, {"approved": [str(solutions[0])]})
    world.close_now(ballot)
    counting.finish(world.database, ballot, "https://site.test")
    opened(world)
    first, second = made(world)["results"]
    assert (first["title"], first["chosen"], first["solution"]) == ("One form", True, solutions[0])
    assert (first["yes"], first["votes"]) == (public + business, public + business)
    numbers = [first[f"{what}_{key}"] for key in ("public", "business") for what in ("yes", "votes")]
    assert numbers == ([public, public, business, business] if is_open else [None] * 4)
    assert (first["percent"] is not None) == is_open
    assert (second["yes"], second["votes"]) == (0, public + business)


def test_no_total_is_told_where_each_marks_one_and_one_total_is_small(world: World) -> None:
    solutions = [world.solution(title) for title in ("A", "B", "C")]
    voters = {sector: world.people(17, sector) for sector in ("public", "business")}
    ballot = world.ballot("approval", solutions, mode="open", numbers={"least": 1, "most": 1})
    for those in voters.values():
        for voter, solution in zip(
            those, [solutions[0]] * 10 + [solutions[1]] * 6 + solutions[2:], strict=True
        ):
            world.do(votes.cast, voter, ballot, {"approved": [str(solution)]})
    world.close_now(ballot)
    counting.finish(world.database, ballot, "https://site.test")
    opened(world)
    assert {(row["yes"], row["votes"]) for row in made(world)["results"]} == {(None, None)}


TOLD = {
    "challenge.title",
    "challenge.summary",
    "challenge.brief",
    "ballot.title",
    "solution.title",
    "solution.summary",
}
"""Texts of people that are meant to be told. Of programmes, the catalogue tells the name."""

APART = {"audit_entry", "open_data", "open_file", "programme", "sector"}
"""Tables of which nothing is of people, or that refuse to be changed."""


def test_nothing_of_people_and_nothing_hidden_is_in_any_file(world: World) -> None:
    """Every text of every table is marked, but those that are meant to be told; no mark is ever in a file."""
    idea = world.idea(world.alice, "An idea", body="Text")
    world.do(comments.post, world.bob, idea, body="Yes.")
    world.do(moderation.hide, world.fay, world.idea(title="Hidden"), reason="It names someone.")
    people = world.people(7, "public")
    ballot = world.ballot("approval", None, mode="open", explanation="Why.")
    world.do(votes.declare_interest, world.bob, ballot, world.ask(_first_solution, ballot), statement="Mine")
    for person in people:
        world.do(votes.cast, person, ballot, {"approved": [str(world.ask(_first_solution, ballot))]})
    world.close_now(ballot)
    counting.finish(world.database, ballot, "https://site.test")
    world.rules(approvals=("host",), checklist=())
    placement = world.placement(periods=[world.period(places=9)])
    world.do(asking.ask, world.bob, placement, period_id=world.periods(placement)[0].id, message="Hello")
    month = clock.now().date().replace(day=1) - timedelta(days=5)
    world.do(lambda tx: tx.execute(update(Booking).values(state="completed", first_day=month)))
    gone = world.challenge(title=MARKER, summary=MARKER, brief=MARKER, deleted_at=clock.now())
    brief = {"brief": "Write to marked@example.org, please.", "summary": "or <a.b@example.org>"}
    world.do(lambda tx: tx.execute(update(Challenge).where(Challenge.id != gone).values(**brief)))
    still_open = world.ballot("approval", [world.solution(MARKER)], title=MARKER)
    marked = world.do(_mark)
    assert marked > 60
    open_titles = update(Ballot).where(Ballot.id == still_open).values(title=MARKER)
    world.do(lambda tx: tx.execute(open_titles))
    opened(world, with_texts=True)
    assert made(world).keys() == {"challenges", "ideas", "solutions", "results", "exchanges"}
    files = [
        world.ask(open_data.content, world.programme, file.name)[1].decode()
        for file in world.ask(open_data.files, world.programme_id)
    ]
    assert len(files) == 10
    for text in files:
        assert MARKER not in text
        assert "@example.org" not in text
    assert "Write to …@…, please." in files[0]
    opened(world, with_texts=False)
    assert {row["brief"] for row in made(world)["challenges"]} == {None}
    assert {row["summary"] for row in made(world)["solutions"]} == {None}


def _first_solution(connection, ballot: int) -> int:
    head = connection.execute(
        select(table(Ballot).c.tie_order).where(table(Ballot).c.id == ballot)
    ).scalar_one()
    return int(min(head, key=int))


def _mark(tx) -> int:
    """Put the marker into every text that people type, whatever table it is in; how many columns that were."""
    marked = 0
    for of in metadata.sorted_tables:
        if of.name in APART:
            continue
        for column in of.c:
            kind = getattr(column.type, "impl_instance", column.type)
            is_text = isinstance(kind, String) and (kind.length or 9999) >= 80
            if is_text and f"{of.name}.{column.name}" not in TOLD and not column.unique:
                tx.execute(update(of).values({column.name: MARKER + column}))
                marked += 1
    tx.execute(update(table(PublishedVote)).values(voter={"name": MARKER}))
    assert tx.execute(select(table(Idea).c.title)).scalars().first().startswith(MARKER)
    assert tx.execute(select(table(Organisation).c.name)).scalars().first().startswith(MARKER)
    assert MARKER not in tx.execute(select(table(Sector).c.key)).scalars().all()
    return marked
