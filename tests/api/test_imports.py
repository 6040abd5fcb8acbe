"""Imports through the API: brought, refused at first sight, followed, read row by row, resumed, cancelled."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.integrations import queue
from app.jobs import imports as jobs
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import Import, Membership, Organisation, Person
from app.models.base import table
from app.schemas.imports import ImportItem, ImportList, ImportRowList
from app.services import import_runs, imports
from app.web import uploads
from tests.api.conftest import Api, Caller, is_problem, pointers

PAGE = (Path(__file__).parents[2] / "docs/api/imports.md").read_text(encoding="utf-8")
TYPES = {"csv": "text/csv", "json": "application/json; charset=utf-8", "jsonl": "application/x-ndjson"}


@pytest.fixture(autouse=True)
def lined_up(database_url: str) -> None:
    """A line of jobs in the database, and nobody who takes them up."""
    queue.migrate(database_url)


def admin(api: Api) -> Caller:
    return api.of(api.world.cora, "read", "admin")


def bring(
    api: Api, content: Any, format: str = "csv", caller: Caller | None = None, key: str = "", **query: Any
) -> Any:
    """Bring a file of organisations, unless `query` says otherwise."""
    headers = {"Content-Type": TYPES.get(format, format)} | ({"Idempotency-Key": key} if key else {})
    raw = content.encode() if isinstance(content, str) else content
    address = f"/programmes/{api.programme_id}/imports"
    asked = {"kind": "organisations", **query}
    params = {name: value for name, value in asked.items() if value is not None}
    return (caller or admin(api)).post(address, content=raw, params=params, headers=headers)


def run(api: Api, import_id: int) -> dict[str, Any]:
    view = api.world.ask(imports.found, import_id)
    place = Workplace(api.world.database, "http://testserver", "x@localhost", None)
    jobs.run(place, import_id=import_id, attempt=view.attempt, turn=1)
    found: dict[str, Any] = admin(api).get(f"/imports/{import_id}").json()
    return found


FILE = "name;sector\nRivers;public\nAlder;nature\n"


def test_a_file_is_brought_followed_and_resumed(api: Api) -> None:
    answer = bring(api, "\ufeff" + FILE, name="Ministrstva.csv", dry_run="true")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    ImportItem.model_validate(made)
    assert (made["state"], made["dry_run"], made["name"], made["rows_total"], made["resumable"]) == (
        *("queued", True, "Ministrstva.csv", None, False),
    )
    here = answer.headers["location"]
    assert admin(api).get(here).headers["etag"] == answer.headers["etag"]
    assert is_problem(admin(api).post(f"{here}/resumption"), 409, "conflict")
    tried = run(api, made["id"])
    assert (tried["state"], tried["rows_fine"], tried["rows_refused"]) == ("done", 1, 1)
    again = admin(api)("POST", f"{here}/resumption", headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json()["dry_run"]) == (200, False)
    assert admin(api)("POST", f"{here}/resumption", headers={"Idempotency-Key": "once"}).text == again.text
    done = run(api, made["id"])
    assert (done["rows_made"], done["rows_refused"], done["resumable"]) == (1, 1, True)
    rows = admin(api).get(f"/imports/{made['id']}/rows?state=refused")
    ImportRowList.model_validate(rows.json())
    assert rows.json()["items"] == [
        {
            "number": 2,
            "line": 3,
            "state": "refused",
            "made": None,
            "errors": [
                {
                    "pointer": "/sector",
                    "column": "sector",
                    "reason": "Please choose one of the sectors in the list.",
                }
            ],
        }
    ]
    first = admin(api).get(f"/imports/{made['id']}/rows?limit=1")
    second = admin(api).get(first.links["next"]["url"])
    assert [row["number"] for page in (first, second) for row in page.json()["items"]] == [1, 2]
    assert second.json()["next"] is None
    gone = [admin(api).delete(here) for _ in range(2)]
    assert [(each.status_code, each.json()["rows_made"], each.json()["resumable"]) for each in gone] == [
        (200, 1, False)
    ] * 2
    assert is_problem(admin(api).post(f"{here}/resumption"), 410, "gone")
    listed = admin(api).get(f"/programmes/{api.programme_id}/imports").json()
    ImportList.model_validate(listed)
    assert [each["id"] for each in listed["items"]] == [made["id"]]


def test_a_file_that_is_brought_again_under_its_key_is_answered_alike_after_the_right_is_lost(
    api: Api,
) -> None:
    first = bring(api, FILE, key="one")
    assert first.status_code == 201
    place = table(Membership)
    is_cora = place.c.person_id == api.world.cora.person_id
    api.world.do(lambda tx: tx.execute(update(place).where(is_cora).values(role="facilitator")))
    again = bring(api, FILE, key="one")
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert is_problem(bring(api, FILE + "More;public\n", key="one"), 422, "idempotency-key-reused")
    for key in ("", "two"):
        assert is_problem(bring(api, FILE, key=key), 403, "not-allowed")


def test_the_same_key_brings_one_file_once(api: Api) -> None:
    one, two = (bring(api, FILE, key="k1") for _ in range(2))
    assert (one.status_code, two.headers["idempotency-replayed"], one.json()) == (201, "true", two.json())
    assert is_problem(bring(api, FILE + "C;public\n", key="k1"), 422, "idempotency-key-reused")
    assert is_problem(bring(api, FILE, key="k1", dry_run="true"), 422, "idempotency-key-reused")
    count = select(func.count()).select_from(table(Import))
    assert api.world.ask(lambda c: c.execute(count).scalar()) == 1


def test_who_may_bring_and_see(api: Api) -> None:
    made = bring(api, FILE).json()["id"]
    assert is_problem(bring(api, FILE, caller=api.nobody), 401, "not-signed-in")
    assert is_problem(bring(api, FILE, caller=api.of(api.world.cora, "write")), 403, "insufficient-scope")
    assert is_problem(bring(api, FILE, caller=api.of(api.world.fay, "admin")), 403, "not-allowed")
    assert is_problem(bring(api, FILE, caller=api.of(api.world.charlie, "admin")), 403, "not-allowed")
    for someone in (api.world.fay, api.world.charlie):
        caller = api.of(someone, "read", "admin")
        for method, path in (("GET", ""), ("GET", "/rows"), ("DELETE", ""), ("POST", "/resumption")):
            assert is_problem(caller(method, f"/imports/{made}{path}"), 404, "not-found")
    assert admin(api).get("/imports/99999").status_code == 404


def test_what_is_no_file_of_rows_is_refused_at_once(api: Api) -> None:
    for content, format, query, status, code, told in (
        (FILE, "text/plain", {}, 415, "unsupported-media-type", "text/csv"),
        (FILE, "text/csv; charset=windows-1250", {}, 415, "unsupported-media-type", "UTF-8"),
        (b"", "csv", {}, 422, "invalid", "empty"),
        (FILE, "csv", {"kind": None}, 422, "invalid", "needed"),
        (FILE, "csv", {"kind": "votes"}, 422, "invalid", "kind"),
        (FILE, "csv", {"kind": "ideas"}, 422, "invalid", "challenge"),
        (FILE, "csv", {"dry_run": "perhaps"}, 422, "invalid", "true or false"),
        (FILE.encode("utf-16"), "csv", {}, 422, "invalid", "UTF-16"),
        ("name,sector\nČ\n".encode("cp1250"), "csv", {}, 422, "invalid", "line 2 (byte 13)"),
        ("name,sektor\nA,public\n", "csv", {}, 422, "invalid", "Column 2 (sektor)"),
        ("name,sector\n\0\n", "csv", {}, 422, "invalid", "NUL"),
        ("null", "json", {}, 422, "invalid", "square bracket"),
        ('{"name": "Rivers", "sector": "public"}', "json", {}, 422, "invalid", "square bracket"),
    ):
        answer = bring(api, content, format, **query)
        assert is_problem(answer, status, code)
        assert told in answer.text, answer.text
    assert bring(api, FILE, "text/csv; charset=utf-8; header=present", dry_run="true").status_code == 201
    assert pointers(bring(api, FILE, kind="votes")) == ["/kind"]
    assert pointers(bring(api, "name,sektor\nA,public\n", "csv")) == ["", ""]
    packed = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    address = f"/programmes/{api.programme_id}/imports?kind=people"
    assert is_problem(admin(api).post(address, content=b"x", headers=packed), 415, "unsupported-media-type")


def test_a_large_file_is_taken_here_and_a_larger_one_nowhere(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = "Rivers {};public\n"
    large = "name;sector\n" + "".join(row.format("x" * 100 + str(number)) for number in range(5000))
    assert len(large) > 2 * 256 * 1024
    assert bring(api, large, key="large").status_code == 201
    assert bring(api, large, key="large").headers["idempotency-replayed"] == "true"
    chunks = (large[place : place + 50_000].encode() for place in range(0, len(large), 50_000))
    assert bring(api, chunks).status_code == 201, "a body that does not say how long it is"
    view = api.world.ask(imports.found, 1)
    kept = b"".join(import_runs.pieces(api.world.database, view))
    assert kept == large.encode()
    assert is_problem(bring(api, large, caller=api.nobody), 401, "not-signed-in")
    assert is_problem(
        admin(api).post(f"/programmes/{api.programme_id}/challenges", content=large), 413, "too-large"
    )
    monkeypatch.setattr(uploads, "AT_ONCE", 0)
    assert is_problem(bring(api, large), 503, "unavailable")
    assert bring(api, FILE).status_code == 201, "a small one needs no turn"
    monkeypatch.setattr(uploads, "AT_ONCE", 4)
    assert is_problem(bring(api, b"x" * (imports.MOST_BYTES + 1)), 413, "too-large")
    monkeypatch.setattr(uploads, "ROOM", 300_000)
    assert is_problem(bring(api, large), 413, "too-large")
    assert is_problem(bring(api, iter([large.encode()] * 2)), 413, "too-large")


def test_the_document_tells_what_a_file_may_hold(api: Api) -> None:
    start = api.client.get("/api/v1/openapi.json").json()["paths"][
        "/api/v1/programmes/{programme_id}/imports"
    ]
    content = start["post"]["requestBody"]["content"]
    assert set(content) == set(uploads.MEDIA_TYPES)
    assert len(content["application/json"]["schema"]["items"]["x-kinds"]) == 4


def test_the_examples_of_the_page_do_what_they_say(api: Api) -> None:
    world = api.world
    examples = re.findall(r"```(\w+) kind=(\w+)\n(.*?)```", PAGE, re.DOTALL)
    assert [kind for _, kind, _ in examples] == [
        "organisations",
        "people",
        "ideas",
        "placements",
        "placements",
    ]
    meadows = world.organisations["public"]
    rename = update(Organisation).where(Organisation.id == meadows).values(name="Ministry of Meadows")
    address = update(Person).where(Person.id == world.ana.person_id).values(email="ana@meadows.example")
    world.do(lambda tx: (tx.execute(rename), tx.execute(address)))
    for format, kind, content in examples:
        later = content.replace("2027-", f"{clock.now().year + 1}-")
        about = {"kind": kind, "challenge": world.challenge_id if kind == "ideas" else None}
        for tries, state in enumerate(("made", "skipped")):
            answer = bring(api, later, format, **about)
            assert answer.status_code == 201, answer.text
            done = run(api, answer.json()["id"])
            rows = admin(api).get(f"/imports/{done['id']}/rows").json()["items"]
            assert done["rows_total"] == done[f"rows_{state}"] > 0, (kind, tries, json.dumps(rows))
