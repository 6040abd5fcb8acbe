"""Exports over the API: what the caller may read, in three forms, a page at a time."""

import asyncio
import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import event, update

from app.lib import clock
from app.models import Booking, Idea, Membership, Person
from app.services import asking, comments, counting, export_pages, exports, ideas, moderation, votes
from app.web import export_files
from tests.api.conftest import Api, is_problem, pointers


def lines(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in answer.text.splitlines()]


def export(caller, api, kind, **query):
    return caller.get(f"/programmes/{api.programme_id}/exports/{kind}", params={"format": "jsonl", **query})


def test_ideas_hold_what_the_caller_may_read_and_nothing_else(api: Api) -> None:
    world = api.world
    shy = world.challenge(anonymous_allowed=True, tallies=False)
    told = world.idea(world.alice, "Told", body="=1+1\nč")
    secret = world.idea(world.bob, "Nameless", shy, anonymous=True)
    withdrawn = world.idea(world.ana, "Taken back")
    world.do(ideas.withdraw, world.ana, withdrawn)
    hidden = world.idea(world.alice, "Hidden")
    world.do(ideas.add_co_author, world.alice, hidden, world.bea.person_id)
    world.do(moderation.hide, world.fay, hidden, reason="It names someone.")
    api.of(world.bob).put(f"/ideas/{told}/support")
    rows = {row["id"]: row for row in lines(export(api.sam, api, "ideas"))}
    assert rows.keys() == {told, secret}
    assert rows[told] | {"created_at": "", "updated_at": ""} == {
        "id": told,
        "url": f"http://testserver/ideas/{told}",
        "challenge": world.challenge_id,
        "title": "Told",
        "body": "=1+1\nč",
        "language": "en",
        "author": "Alice Novak",
        "organisation": "Public administration House of Here",
        "sector": "public",
        "anonymous": False,
        "cluster": None,
        "state": "open",
        "pinned": False,
        "comments": 0,
        "created_at": "",
        "updated_at": "",
        "supporters": 1,
        "supporters_public": 0,
        "supporters_business": 1,
    }
    nameless = rows[secret]
    assert (nameless["author"], nameless["organisation"], nameless["anonymous"]) == (None, None, True)
    assert {nameless[name] for name in nameless if name.startswith("supporters")} == {None}
    for caller, more in ((api.ana, {withdrawn}), (api.bea, {hidden}), (api.fay, {withdrawn, hidden})):
        assert {row["id"] for row in lines(export(caller, api, "ideas"))} == {told, secret} | more
    assert {row["id"] for row in lines(export(api.fay, api, "ideas", challenge=shy))} == {secret}


def test_the_three_forms_hold_the_same_and_none_a_formula(api: Api) -> None:
    world = api.world
    world.idea(world.alice, "=cmd|' /C calc'!A0", body="https://example.org\n+1")
    world.idea(world.bob, "'t")
    path = f"/programmes/{api.programme_id}/exports/ideas"
    as_json = lines(api.alice.get(path, params={"format": "jsonl"}))
    answer = api.alice.get(path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="ideas-here.csv"'
    assert answer.headers["cache-control"] == "no-store, no-transform"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["title"] for row in rows] == ["'=cmd|' /C calc'!A0", "''t"]
    assert list(rows[0]) == list(as_json[0])
    media_type = export_files.MEDIA_TYPES["xlsx"]
    answer = api.alice.get(path, headers={"Accept": f"image/png, {media_type};q=0.9"})
    assert answer.headers["content-type"] == media_type
    assert int(answer.headers["content-length"]) == len(answer.content)
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = [[cell.value for cell in row] for row in book["ideas"].iter_rows()]
    assert [dict(zip(sheet[0], row, strict=True)) for row in sheet[1:]] == as_json
    assert {cell.data_type for row in book["ideas"].iter_rows() for cell in row} <= {
        "s",
        "n",
        "b",
        "inlineStr",
    }
    assert not any(cell.hyperlink for row in book["ideas"].iter_rows() for cell in row)


def test_many_rows_come_whole_in_pages_and_sheets(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    world = api.world
    monkeypatch.setattr(export_pages, "AT_ONCE", 3)
    monkeypatch.setattr(export_files, "ON_A_SHEET", 4)
    made = [world.idea(world.alice, f"Idea {number}") for number in range(6)]
    assert [row["id"] for row in lines(export(api.bob, api, "ideas"))] == made
    book = openpyxl.load_workbook(io.BytesIO(export(api.bob, api, "ideas", format="xlsx").content))
    assert book.sheetnames == ["ideas", "ideas 2"]
    assert [[row[0].value for row in sheet.iter_rows(min_row=2)] for sheet in book] == [made[:4], made[4:]]


def test_whoever_loses_their_place_meanwhile_gets_no_more_of_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slowly someone takes it: each page is read by the right that they have then."""
    world = api.world
    monkeypatch.setattr(export_pages, "AT_ONCE", 1)
    for number in range(3):
        world.idea(world.alice, f"Idea {number}")
    read, taken = exports.page, []

    def page(connection, actor, *of):
        found = read(connection, actor, *of)
        taken.extend(row[3] for row in found.rows)
        gone = update(Membership).where(Membership.person_id == world.bob.person_id)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(world.do, lambda tx: tx.execute(gone.values(ended_at=clock.now()))).result()
        return found

    monkeypatch.setattr(exports, "page", page)
    caller = api.bob
    with suppress(Exception):  # the connection ends before its time
        export(caller, api, "ideas")
    assert taken == ["Idea 0"]
    assert api.inside.state.context.exports._of.total() == 0


def test_challenges_and_comments(api: Api) -> None:
    world = api.world
    idea = world.idea()
    kept = world.do(comments.post, world.bob, idea, body="Yes.")
    gone = world.do(comments.post, world.bea, idea, body="No, MARKER.")
    world.do(comments.withdraw, world.bea, gone)
    hidden = world.idea(world.alice, "Hidden")
    unseen = world.do(comments.post, world.bob, hidden, body="There.")
    world.do(moderation.hide, world.fay, hidden, reason="It names someone.")
    (challenge,) = lines(export(api.olga, api, "challenges"))
    assert (challenge["id"], challenge["phase"], challenge["ideas"]) == (world.challenge_id, "ideation", 1)
    shown = lines(export(api.olga, api, "comments"))
    assert [(row["id"], row["author"], row["body"], row["state"]) for row in shown] == [
        (kept, "Bob Kos", "Yes.", "open"),
        (gone, None, "", "withdrawn"),
    ]
    assert [row["id"] for row in lines(export(api.fay, api, "comments"))] == [kept, gone, unseen]
    api.cora.delete(f"/challenges/{world.challenge_id}", "*")
    assert [lines(export(api.cora, api, kind)) for kind in ("challenges", "ideas", "comments")] == [
        [],
        [],
        [],
    ]


def test_results_are_those_of_counted_ballots(api: Api) -> None:
    world = api.world
    voters = [*world.people(5, "public"), *world.people(6, "business")]
    ballot, still_open = world.ballot("approval"), world.ballot("approval")
    assert lines(export(api.alice, api, "results")) == []
    keys = [str(id) for id in api.alice.get(f"/ballots/{ballot}").json()["solutions"]]
    for number, voter in enumerate(voters):
        world.do(votes.cast, voter, ballot, {"approved": keys[: 1 + number % 2]})
    world.close_now(ballot)
    counting.finish(world.database, ballot, "http://testserver")
    rows = lines(export(api.alice, api, "results"))
    assert {row["ballot"] for row in rows} == {ballot} != {still_open}
    assert [row["place"] for row in rows] == [1, 2, 3]
    first = rows[0]
    assert (first["title"], first["chosen"], first["yes"], first["votes"]) == ("One form, once", True, 11, 11)
    assert [first[f"{what}_{key}"] for what in ("yes", "votes") for key in ("public", "business")] == [
        5,
        6,
        5,
        6,
    ]


def test_months_of_stays_are_told_to_coordinators_alone(api: Api) -> None:
    world = api.world
    world.rules(approvals=("host",), checklist=())
    placement = world.placement(periods=[world.period(places=30)])
    guests = world.people(8, "business")
    for guest in guests:
        world.do(asking.ask, guest, placement, period_id=world.periods(placement)[0].id)
    first = world.week()[0].replace(day=3)
    earlier = (first.replace(day=1) - timedelta(days=2)).replace(day=3)
    booking = update(Booking)
    world.do(lambda tx: tx.execute(booking.values(state="confirmed", first_day=first, last_day=first)))
    two = [guest.person_id for guest in guests[:2]]
    world.do(lambda tx: tx.execute(booking.where(Booking.person_id.in_(two)).values(first_day=earlier)))
    told = lines(export(api.cora, api, "exchanges"))
    assert told == [
        {
            "month": f"{day:%Y-%m}",
            "home": "Business House of Here",
            "home_sector": "business",
            "host": "Public administration House of Here",
            "host_sector": "public",
            "stays": stays,
        }
        for day, stays in ((earlier, 2), (first, 6))
    ]
    # Any other member reads what the ledger tells: beside the months of open data, these months would tell the two.
    assert lines(export(api.alice, api, "exchanges")) == [told[0] | {"month": None, "stays": 8}]


def test_what_is_no_export_is_refused_and_says_why(api: Api) -> None:
    path = f"/programmes/{api.programme_id}/exports"
    assert is_problem(api.nobody.get(f"{path}/ideas"), 401, "not-signed-in")
    assert is_problem(api.of(api.world.alice, "write").get(f"{path}/ideas"), 403, "insufficient-scope")
    assert is_problem(api.charlie.get(f"{path}/ideas"), 403, "not-allowed")
    assert is_problem(api.alice.get("/programmes/999999/exports/ideas"), 404, "not-found")
    assert is_problem(api.alice.get(f"{path}/people"), 404, "not-found")
    wrong = api.alice.get(f"{path}/ideas", params={"format": "pdf"})
    assert is_problem(wrong, 422, "invalid")
    assert pointers(wrong) == ["/format"]
    of_a_challenge = export(api.alice, api, "exchanges", challenge=api.challenge_id)
    assert is_problem(of_a_challenge, 422, "invalid")
    assert [(error["in"], error["pointer"]) for error in of_a_challenge.json()["errors"]] == [
        ("query", "/challenge")
    ]
    assert is_problem(
        export(api.alice, api, "ideas", challenge=api.world.other_challenge_id), 404, "not-found"
    )
    for garbage in ("0", "-1", "x", "9" * 30):
        assert export(api.alice, api, "ideas", challenge=garbage).status_code == 422


def test_a_page_costs_the_same_statements_however_many_rows(api: Api) -> None:

    seen: list[str] = []
    event.listen(api.database.reads, "before_cursor_execute", lambda *told: seen.append(told[2]))
    counts = []
    for number in (1, 9):
        for each in range(number):
            api.world.idea(api.world.alice, f"Idea {each}")
        lines(export(api.bob, api, "ideas"))
        counts.append(len(seen))
        seen.clear()
    assert counts[0] == counts[1] <= 9


def test_only_two_run_for_one_person_and_who_leaves_frees_the_place(api: Api) -> None:
    running = api.inside.state.context.exports
    with running.one(api.world.alice.person_id), running.one(api.world.alice.person_id):
        refused = export(api.alice, api, "ideas")
        assert is_problem(refused, 429, "too-many-requests")
        assert refused.headers["retry-after"] == "10"
        assert export(api.bob, api, "ideas").status_code == 200
    assert export(api.alice, api, "ideas").status_code == 200
    assert running._of.total() == 0


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_reader_who_goes_away_ends_it_and_one_who_takes_nothing_is_let_go(
    api: Api, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server would call it: the place inside is free before the first piece, the files are gone after the last."""
    monkeypatch.setattr(export_files, "PATIENCE_S", 0.05)
    monkeypatch.setattr(export_files, "_PIECE", 100)
    gateway = api.client.app
    token = api.of(api.world.alice).headers["Authorization"]
    path = f"/api/v1/programmes/{api.programme_id}/exports/ideas"
    state = {"inside": -1}

    def scope():
        return {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": f"format={form}".encode(),
            "headers": [(b"host", b"testserver"), (b"authorization", token.encode())],
            "client": ("127.0.0.1", 5),
            "server": ("testserver", 80),
            "scheme": "http",
            "root_path": "",
            "state": {},
        }

    async def run(*, leaves: bool) -> list[dict]:
        taken, left = [], asyncio.Event()

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            taken.append(message)
            state["inside"] = gateway.measures.inside
            if message["type"] == "http.response.body":
                if leaves:
                    left.set()
                await asyncio.sleep(5)

        await asyncio.wait_for(gateway(scope(), receive, send), 4)
        return taken

    for leaves in (True, False):
        taken = api.client.portal.call(lambda leaves=leaves: run(leaves=leaves))
        assert [message["type"] for message in taken] == ["http.response.start", "http.response.body"]
        assert 0 < len(taken[1]["body"]) <= 100, "a piece has to be small enough for a slow line"
        assert state["inside"] == 0
        assert api.inside.state.context.exports._of.total() == 0


def test_an_erased_person_is_nobody_in_it(api: Api) -> None:
    world = api.world
    idea = world.idea(world.alice, "Told")
    world.do(lambda tx: tx.execute(update(Person).where(Person.id == world.alice.person_id).values(name="")))
    world.do(lambda tx: tx.execute(update(Idea).where(Idea.id == idea).values(updated_at=clock.now())))
    (row,) = lines(export(api.bob, api, "ideas"))
    assert row["author"] == ""
