"""Imports: each row made once by the verb for one alone, or refused with its reason; stopped, resumed, forgotten."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.database import Database
from app.errors import Conflict, Gone, Invalid, NotAllowed, NotFound, TooMany
from app.integrations import queue
from app.jobs import imports as jobs
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import (
    Client,
    Event,
    Idea,
    Import,
    ImportChunk,
    ImportRow,
    Invitation,
    Membership,
    Organisation,
    Person,
    Phase,
    Placement,
)
from app.models.base import table
from app.services import import_kinds, import_runs, imports, tokens
from app.web import import_items


@pytest.fixture(autouse=True)
def lined_up(database_url):
    queue.migrate(database_url)


class Runs:
    """Imports of Cora, run in this process as the worker would run them."""

    def __init__(self, world):
        self.world = world
        self.place = Workplace(world.database, "http://localhost", "P <p@localhost>", None)

    def bring(self, content, kind="ideas", format="csv", actor=None, **values):
        if not isinstance(content, bytes):
            content = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        about = {"challenge_id": self.world.challenge_id} if kind == "ideas" else {}
        named = {"kind": kind, "format": format, **about, **values}
        return self.world.do(imports.start, actor or self.world.cora, self.world.programme, content, **named)

    def run(self, import_id):
        view = self.view(import_id)
        said = jobs.run(self.place, import_id=import_id, attempt=view.attempt, turn=1)
        return said, self.view(import_id)

    def resume(self, import_id, actor=None):
        self.world.do(imports.resume, actor or self.world.cora, import_id)
        return self.run(import_id)[1]

    def view(self, import_id):
        return self.world.ask(imports.found, import_id)

    def rows(self, import_id, *, language="en", **how):
        view = self.view(import_id)
        found = self.world.ask(imports.rows, view, limit=500, **how)
        return [import_items.row(view, row, language) for row in found]


@pytest.fixture
def runs(world):
    return Runs(world)


def numbers(view):
    return view.rows_made, view.rows_fine, view.rows_skipped, view.rows_refused


def many(world, model, *conditions):
    query = select(func.count()).select_from(table(model)).where(*conditions)
    return world.ask(lambda connection: connection.execute(query).scalar())


def told(row):
    return [(error["column"], error["reason"]) for error in row["errors"]]


def test_organisations_are_made_or_skipped_and_each_refusal_names_its_column(world, runs):
    text = (
        "\ufeffname;sector;number;\r\n"
        '"Ministrstvo; za ""javno"" upravo";public;500;\r\n'
        "Larch;business;;\r\n\r\n"
        ";public;\r\n"
        "Nowhere;nature;7;\r\n"
        "Larch;business;;\r\n"
        "=1+1;business;+8;\r\n"
    )
    found = runs.bring(text, "organisations")
    said, view = runs.run(found)
    assert (said, view.state, view.rows_total, numbers(view)) == ("done", "done", 6, (3, 0, 0, 3))
    rows = runs.rows(found)
    assert [(row["number"], row["line"], row["state"]) for row in rows] == [
        (1, 2, "made"),
        (2, 3, "made"),
        (3, 5, "refused"),
        (4, 6, "refused"),
        (5, 7, "refused"),
        (6, 8, "made"),
    ]
    assert told(rows[2]) == [("name", "This is needed.")]
    assert told(rows[3]) == [("sector", "Please choose one of the sectors in the list.")]
    assert told(rows[4]) == [("name", "Row 2 of this file has the same.")]
    by_name = 'email,organisation_name\nsomeone@x.example,"Ministrstvo;  za ""javno""   upravo"\n'
    assert numbers(runs.run(runs.bring(by_name, "people"))[1]) == (1, 0, 0, 0)
    name = select(table(Organisation).c.name).where(table(Organisation).c.number == "+8")
    assert world.ask(lambda c: c.execute(name).scalar()) == "=1+1"
    again = runs.bring("name,sector,number\nOther name,public,500\nLarch,business,\n", "organisations")
    assert numbers(runs.run(again)[1]) == (0, 0, 2, 0)
    assert many(world, ImportChunk, table(ImportChunk).c.import_id == again) == 0
    assert many(world, ImportChunk, table(ImportChunk).c.import_id == found) == 1
    types = select(table(Event).c.type, table(Event).c.data).where(table(Event).c.subject_id == found)
    events = [row for row in world.ask(lambda c: c.execute(types).all()) if row.type.startswith("import.")]
    assert [row.type for row in events] == ["import.started", "import.ended"]
    assert events[1].data == {
        "kind": "organisations",
        "state": "done",
        "dry_run": False,
        "made": 3,
        "refused": 3,
    }


def test_a_dry_run_makes_nothing_and_is_then_done_in_earnest(world, runs):
    before = many(world, Idea), many(world, Event)
    ideas = [
        {"title": "One"},
        {"title": "Two", "language": "sl"},
        {"title": "", "body": "x"},
        {"titel": "?"},
    ]
    found = runs.bring(ideas, format="json", dry_run=True)
    _, view = runs.run(found)
    assert (view.state, numbers(view)) == ("done", (0, 2, 0, 2))
    assert many(world, Idea) == before[0]
    rows = runs.rows(found, state="refused")
    assert [[error["pointer"] for error in row["errors"]] for row in rows] == [
        ["/title"],
        ["/title", "/titel"],
    ]
    view = runs.resume(found)
    assert (view.dry_run, view.state, numbers(view)) == (False, "done", (2, 0, 0, 2))
    author = select(table(Idea).c.author_id).where(table(Idea).c.title == "One")
    assert world.ask(lambda c: c.execute(author).scalar()) == world.cora.person_id


def test_a_reference_comes_in_once_and_only_refused_rows_are_tried_again(world, runs):
    closed = world.challenge(posting=False)
    text = "title,reference,cluster\nOne,a,\nTwo,A,\nThree,,x\nFour,a,\n"
    found = runs.bring(text, challenge_id=closed)
    _, view = runs.run(found)
    assert numbers(view) == (0, 0, 0, 4)
    rows = runs.rows(found)
    assert told(rows[0]) == [(None, "Posting ideas is closed in this phase.")]
    assert told(rows[2]) == [("cluster", "Please give a whole number.")]
    assert told(rows[3]) == [("reference", "Row 1 of this file has the same.")]
    world.do(lambda tx: tx.execute(update(Phase).where(Phase.challenge_id == closed).values(posting=True)))
    view = runs.resume(found)
    assert (view.attempt, numbers(view)) == (2, (2, 0, 0, 2))
    assert numbers(runs.resume(found)) == (2, 0, 0, 2), "what is made stays made"
    again = runs.bring("title,reference\nOne again,a\nNew,c\n", challenge_id=closed)
    assert numbers(runs.run(again)[1]) == (1, 0, 1, 0)
    made = [row["made"] for row in runs.rows(found, state="made")]
    assert [row["made"] for row in runs.rows(again, state="skipped")] == made[:1]
    assert many(world, Idea, table(Idea).c.challenge_id == closed) == 3


def test_an_import_does_not_tell_which_ideas_without_a_name_came_of_it(world, runs):
    quiet = world.challenge(anonymous_allowed=True)
    rows = [{"title": "One", "anonymous": True, "reference": "a"}, {"title": "Two", "reference": "b"}]
    found = runs.bring(rows, format="json", challenge_id=quiet)
    runs.run(found)
    again = runs.bring(rows, format="json", challenge_id=quiet)
    runs.run(again)
    made = [[row["made"] is None for row in runs.rows(each)] for each in (found, again)]
    assert made == [[True, False], [True, False]]


def test_people_are_invited_and_never_let_in(world, runs):
    people, places = many(world, Person), many(world, Membership)
    email = world.ask(
        lambda c: c.execute(
            select(table(Person).c.email).where(table(Person).c.id == world.bob.person_id)
        ).scalar()
    )
    rows = [
        {"email": "new@x.example", "name": "New", "organisation": world.organisations["public"]},
        {"email": " NEW@x.example", "organisation_name": "public"},
        {"email": "nul@x.example", "organisation_name": "a\0b"},
        {"email": "host@x.example", "role": "host", "organisation_name": "Nobody knows"},
        {"email": "boss@x.example", "role": "coordinator", "organisation": 1},
        {"email": "no address", "organisation": world.organisations["public"]},
        {"email": "lost@x.example"},
        {"email": "both@x.example", "organisation": 1, "organisation_name": "a"},
        {"email": email, "organisation": world.organisations["business"]},
    ]
    found = runs.bring("\n".join(map(json.dumps, rows)), "people", "jsonl")
    _, view = runs.run(found)
    assert numbers(view) == (1, 0, 1 if email else 0, 7 if email else 8)
    refused = [[error["pointer"] for error in row["errors"]] for row in runs.rows(found, state="refused")]
    assert refused[:7] == [
        ["/email"],
        ["/organisation_name"],
        ["/organisation_name"],
        ["/role"],
        ["/email"],
        ["/organisation"],
        ["/organisation_name"],
    ]
    sent = world.ask(lambda c: c.execute(select(table(Invitation))).one())
    assert (sent.email, sent.role, sent.created_by) == ("new@x.example", "participant", world.cora.person_id)
    assert (many(world, Person), many(world, Membership)) == (people, places)
    again = runs.bring([rows[0]], "people", "json")
    assert numbers(runs.run(again)[1]) == (0, 0, 1, 0)


def test_an_address_with_letters_beyond_ascii_is_known_in_any_case(world, runs):
    for told in ("Žan.Novak@rivers.example", "Žan.Novak@rivers.example", "ŽAN.NOVAK@Rivers.example"):
        runs.run(
            runs.bring([{"email": told, "organisation": world.organisations["public"]}], "people", "json")
        )
    assert many(world, Invitation) == 1
    of_bob = update(Person).where(Person.id == world.bob.person_id).values(email="Črt@rivers.example")
    world.do(lambda tx: tx.execute(of_bob))
    rows = [{"email": "črt@rivers.example", "organisation": world.organisations["business"]}]
    assert numbers(runs.run(runs.bring(rows, "people", "json"))[1]) == (0, 0, 1, 0)
    contact = world.do(import_kinds._contact, world.programme_id, "ČRT@rivers.example")
    assert contact == world.bob.person_id


def test_placements_are_offered_at_the_houses_that_rows_name(world, runs):
    first, last = world.week()
    address = "hana@here.example"
    of_hana = update(Person).where(Person.id == world.hana.person_id).values(email=address)
    world.do(lambda tx: tx.execute(of_hana))
    text = (
        "title,description,organisation,contact_email,competencies,first_day,last_day,places,reference\n"
        f"Permits,See,{world.organisations['public']},Hana@here.example,Law|Forms,{first},{last},2,w1\n"
        f"Late,See,{world.organisations['public']},{address},,2020-01-06,2020-01-10,2,w2\n"
        f"Nobody,See,{world.organisations['public']},x@y.example,,{first},{last},2,w3\n"
        f"Bad,See,,,,{first},someday,two,w4\n"
    )
    found = runs.bring(text, "placements")
    _, view = runs.run(found)
    assert numbers(view) == (1, 0, 0, 3), runs.rows(found)
    assert [[error[0] for error in told(row)] for row in runs.rows(found, state="refused")] == [
        ["first_day"],
        ["contact_email"],
        ["last_day", "places"],
    ]
    made = world.ask(lambda c: c.execute(select(table(Placement))).one())
    assert (made.title, made.contact_id, made.competencies) == (
        "Permits",
        world.hana.person_id,
        ["Law", "Forms"],
    )


@pytest.mark.parametrize("lost", ["right", "token", "person", "machine"])
def test_whoever_loses_the_right_meanwhile_makes_nothing_more(world, runs, lost):
    actor = world.cora
    if lost == "token":
        made = world.do(
            tokens.create, replace(world.cora, authenticated_at=clock.now()), name="A", scopes=["admin"]
        )
        actor = world.ask(tokens.find, made.token)[0]
    if lost == "machine":
        actor = _machine(world)
    found = runs.bring("title\nOne\nTwo\n", actor=actor)
    about = {
        "right": update(Membership).where(Membership.person_id == actor.person_id).values(role="facilitator"),
        "person": update(Person).where(Person.id == actor.person_id).values(disabled_at=clock.now()),
        "machine": update(Client).where(Client.person_id == actor.person_id).values(expires_at=clock.now()),
    }
    if lost == "token":
        world.do(tokens.revoke, world.cora, actor.token_id)
    else:
        world.do(lambda tx: tx.execute(about[lost]))
    _, view = runs.run(found)
    assert (view.state, view.rows_read, view.reason["message"]) == ("stopped", 0, import_runs.RIGHT_LOST)
    if lost == "token":
        assert numbers(runs.resume(found)) == (2, 0, 0, 0)
    elif lost == "right":
        with pytest.raises(NotFound):
            world.do(imports.resume, world.ask(_again, actor), found)


def _machine(world):
    """One that comes with a token that lasts longer than itself."""
    made = world.client("admin", role="coordinator", days=30)
    client = table(Client)
    row = world.ask(lambda connection: connection.execute(select(client).where(client.c.id == made.id)).one())
    token = world.do(tokens.of_client, row, ("admin",), clock.now() + timedelta(days=60))
    return world.ask(tokens.find, token.token)[0]


def _again(connection, actor):
    from app.services import actors

    return actors.find(connection, actor.person_id)


def test_a_run_that_is_begun_again_or_twice_at_once_makes_no_row_twice(world, runs, monkeypatch):
    monkeypatch.setattr(import_runs, "AT_ONCE", 3)
    found = runs.bring("title\n" + "".join(f"Idea {number}\n" for number in range(10)))
    carry, calls = import_runs.carry, []

    def dies(tx, **about):
        calls.append(1)
        progress = carry(tx, **about)
        if len(calls) == 3:
            raise KeyError("as if the machine had gone")
        return progress

    monkeypatch.setattr(import_runs, "carry", dies)
    with pytest.raises(KeyError):
        runs.run(found)
    view = runs.view(found)
    assert (view.state, view.reason["message"], view.rows_made) == ("stopped", import_runs.BROKEN, 6)
    monkeypatch.setattr(import_runs, "carry", carry)
    view = runs.resume(found)
    assert (view.state, view.rows_made) == ("done", 10)
    assert runs.run(found)[0] == "nothing to do"
    assert jobs.run(runs.place, import_id=found, attempt=1, turn=1) == "nothing to do"
    titles = select(table(Idea).c.title).where(table(Idea).c.title.like("Idea %")).order_by(table(Idea).c.id)
    assert world.ask(lambda c: c.execute(titles).scalars().all()) == [f"Idea {n}" for n in range(10)]
    assert [row["made"] is not None for row in runs.rows(found)] == [True] * 10


def test_two_workers_at_once_make_each_row_once(world, runs, database_url, monkeypatch):
    """As after a worker that was taken for lost: whoever marks rows holds the import meanwhile."""
    monkeypatch.setattr(import_runs, "AT_ONCE", 2)
    monkeypatch.setattr(jobs, "BREATH_S", 0.0)
    found = runs.bring("title,reference\n" + "".join(f"Idea {n},{n}\n" for n in range(24)))
    others = [Database(database_url) for _ in range(2)]
    places = [replace(runs.place, database=each) for each in others]
    try:
        with ThreadPoolExecutor(2) as threads:
            ways = [threads.submit(jobs.run, each, import_id=found, attempt=1, turn=1) for each in places]
            outcomes = {way.result() for way in ways}
            assert "done" in outcomes
            assert outcomes <= {"done", "ended", "nothing to do"}, "whoever comes late finds that it is over"
    finally:
        for each in others:
            each.close()
    assert numbers(runs.view(found)) == (24, 0, 0, 0)
    assert many(world, Idea, table(Idea).c.title.like("Idea %")) == 24
    ended = (table(Event).c.type == "import.ended") & (table(Event).c.subject_id == found)
    assert many(world, Event, ended) == 1


def test_a_file_that_cannot_be_read_to_its_end_makes_nothing(world, runs, monkeypatch):
    before = many(world, Idea)
    for content, format, said in (
        ('title\nOne\n"Two\n', "csv", "line 3"),
        ('[{"title": "One"}, {"title": ', "json", "line 1"),
        ("title\nOne\nTwo\nThree\nFour\n", "csv", "more than 3 rows"),
    ):
        monkeypatch.setattr(jobs, "MOST_ROWS", 3)
        found = runs.bring(content, format=format)
        outcome, view = runs.run(found)
        assert (outcome, view.state, view.has_file) == ("unreadable", "failed", False)
        assert said in import_items.reason(view, "en")
        with pytest.raises(Gone):
            world.do(imports.resume, world.cora, found)
    assert many(world, Idea) == before


def test_a_cancelled_import_ends_where_it_is(world, runs, monkeypatch):
    found = runs.bring("title\nOne\nTwo\n")
    view = runs.view(found)
    with pytest.raises(Conflict):
        world.do(imports.resume, world.cora, found)
    assert world.do(import_runs.take_up, found, 1).state == "queued"
    drafts = list(jobs._drafts(runs.place, view))
    assert world.do(import_runs.carry, found, 1, drafts[:1]) == (1, True)
    for _ in range(2):
        view = world.do(imports.cancel, world.cora, found)
        assert (view.state, view.rows_made, view.has_file) == ("cancelled", 1, False)
    assert world.do(import_runs.carry, found, 1, drafts[1:]) == (0, False)
    assert many(world, ImportChunk) == 0
    assert many(world, Idea, table(Idea).c.title == "One") == 1


def test_who_may_bring_what(world, runs):
    with pytest.raises(NotAllowed):
        runs.bring("title\nOne\n", actor=world.fay)
    found = runs.bring("title\nOne\n")
    for someone in (world.fay, world.charlie):
        with pytest.raises(NotFound):
            world.ask(imports.find, someone, found)
        with pytest.raises(NotFound):
            world.do(imports.cancel, someone, found)
    with pytest.raises(NotFound):
        runs.bring("title\nOne\n", challenge_id=world.other_challenge_id)
    for wrong in ({"kind": "votes"}, {"format": "xls"}, {"content": b""}, {"challenge_id": None}):
        with pytest.raises(Invalid):
            runs.bring(**{"content": "title\nOne\n"} | wrong)
    for _ in range(imports.MOST_WAITING - 1):
        runs.bring("title\nOne\n")
    with pytest.raises(TooMany):
        runs.bring("title\nOne\n")


def test_files_and_marks_are_forgotten_in_time(world, runs):
    found = runs.bring("title\nOne\n\x00\n".replace("\x00", "x" * 200))
    runs.run(found)
    assert many(world, ImportChunk) == 1
    for days, chunks, rows, kept in ((8, 0, 2, 1), (91, 0, 0, 0)):
        then = clock.now() - timedelta(days=days)
        world.do(lambda tx, then=then: tx.execute(update(Import).values(ended_at=then)))
        jobs.forget(runs.place)
        assert (many(world, ImportChunk), many(world, ImportRow), many(world, Import)) == (chunks, rows, kept)


def test_no_more_than_some_files_of_a_programme_are_kept(world, runs, monkeypatch):
    monkeypatch.setattr(imports, "MOST_KEPT", 2)
    ids = []
    for _ in range(4):
        ids.append(runs.bring([{"title": "Tried", "body": "Text"}], format="json", dry_run=True))
        assert runs.run(ids[-1])[1].state == "done"
    assert [runs.view(id).has_file for id in ids] == [False, False, True, True]
    waiting = [runs.bring([{"title": "Waits", "body": "Text"}], format="json") for _ in range(3)]
    assert all(runs.view(id).has_file for id in waiting), "what is on its way keeps its file"


def test_two_who_bring_files_at_once_are_counted_both(world, runs, monkeypatch):
    monkeypatch.setattr(imports, "MOST_WAITING", 1)

    def bring(_):
        try:
            return runs.bring([{"title": "Once", "body": "Text"}], format="json")
        except TooMany:
            return None

    with ThreadPoolExecutor(4) as pool:
        assert sum(id is not None for id in pool.map(bring, range(4))) == 1


def test_whoever_is_erased_is_in_no_file_that_is_kept(world, runs):
    person = {"email": "gone@x.example", "organisation": 10**9}
    files = [runs.bring([person], "people", "json"), runs.bring("title\n\nOne\n", dry_run=True)]
    for each in files:
        runs.run(each)
    world.do(imports.forget_of, world.bob.person_id, [world.programme_id])
    assert [runs.view(each).has_file for each in files] == [False, True]
    world.do(imports.forget_of, world.cora.person_id, [])
    assert [runs.view(each).has_file for each in files] == [False, False]


def test_nobody_waits_for_long(world, runs, monkeypatch):
    """A transaction takes no other row when its time is over, and a run that takes long goes to the end of the line."""
    monkeypatch.setattr(import_runs, "HELD_S", 0.0)
    monkeypatch.setattr(jobs, "TURN_S", 0.0)
    later = []
    monkeypatch.setattr(queue, "postpone", lambda name, **about: later.append((name, about)))
    found = runs.bring("title\nOne\nTwo\n")
    assert runs.run(found)[0] == "goes on later"
    assert runs.view(found).rows_made == 1
    assert later == [
        (
            "import.run",
            {"workflow_id": f"import-{found}-1-2", "delay_s": 1, "import_id": found, "attempt": 1, "turn": 2},
        )
    ]


def test_every_kind_has_its_maker(world):
    assert set(import_kinds._MAKERS) == {"organisations", "people", "ideas", "placements"}
