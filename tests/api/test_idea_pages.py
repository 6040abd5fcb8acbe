"""The list of ideas is written once for everyone, and is never old or another's."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import event

from app.lib import clock
from app.services import boards, challenges, moderation
from app.web import idea_pages
from tests.api.conftest import Api


def _listed(api: Api, caller, query: str = "") -> list[dict]:
    return caller.get(f"/challenges/{api.challenge_id}/ideas{query}").json()["items"]


def test_every_change_shows_at_once(api: Api) -> None:
    idea_id = api.idea(title="First")
    now, _ = api.clusters()

    def seen() -> dict:
        shown = {item["id"]: item for item in _listed(api, api.bob)}
        alone = {found: api.bob.get(f"/ideas/{found}").json() for found in shown}
        assert shown == alone
        return shown

    assert seen()[idea_id]["title"] == "First"
    api.alice.patch(f"/ideas/{idea_id}", {"title": "Changed"}, "*")
    assert seen()[idea_id]["title"] == "Changed"
    api.bob.patch(f"/ideas/{idea_id}", {"cluster": now}, "*")
    assert seen()[idea_id]["cluster"] == now
    api.bob.put(f"/ideas/{idea_id}/support")
    assert seen()[idea_id]["supported"] is True
    api.ana.put(f"/ideas/{idea_id}/support")
    assert seen()[idea_id]["tally"]["total"] == 2
    api.bob.delete(f"/ideas/{idea_id}/support")
    assert seen()[idea_id]["supported"] is False
    api.bob.post(f"/ideas/{idea_id}/comments", {"body": "b"})
    assert seen()[idea_id]["comments"] == 1
    api.do(moderation.pin, api.world.fay, idea_id)
    assert seen()[idea_id]["pinned"] is True
    other = api.idea(title="Second")
    assert list(seen()) == [other, idea_id]
    api.do(moderation.hide, api.world.fay, idea_id, reason="Off topic")
    assert list(seen()) == [other]
    api.alice.delete(f"/ideas/{other}", "*")
    assert seen() == {}


def test_what_one_caller_sees_is_not_shown_to_another(api: Api) -> None:
    idea_id = api.idea()
    api.bob.put(f"/ideas/{idea_id}/support")
    for _ in range(2):
        assert [item["supported"] for item in _listed(api, api.bob)] == [True]
        assert [item["supported"] for item in _listed(api, api.ana)] == [False]
        assert api.charlie.get(f"/challenges/{api.challenge_id}/ideas").status_code == 404


def test_a_phase_that_begins_by_the_clock_shows_when_it_begins(api: Api) -> None:
    start = clock.now()
    phases = [
        {"kind": "ideation", "starts_at": start - timedelta(days=1)},
        {"kind": "voting", "starts_at": start + timedelta(seconds=20)},
    ]
    api.do(challenges.change_phases, api.world.fay, api.challenge_id, phases)
    api.idea()
    (item,) = _listed(api, api.bob)
    assert item["phase"] == "ideation"
    assert item["tally"] is not None
    with time_machine.travel(start + timedelta(seconds=21)):
        (item,) = _listed(api, api.bob)
    assert item["phase"] == "voting"
    assert item["tally"] is None


def test_a_page_that_is_kept_takes_three_statements(api: Api) -> None:
    for number in range(5):
        api.idea(title=f"Idea {number}")
    with api.database.reads.connect() as connection:
        statements: list[str] = []
        event.listen(connection.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
        query = boards.Query()
        first = idea_pages.read(connection, api.world.bob, api.challenge_id, query, "http://here")
        assert len(statements) <= 7
        statements.clear()
        again = idea_pages.read(connection, api.world.bob, api.challenge_id, query, "http://here")
        assert len(statements) == 2
    assert first == again


def test_what_is_kept_stays_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idea_pages, "MOST_BYTES", 10_000)
    kept = idea_pages.Kept()
    later = clock.now() + timedelta(seconds=30)
    for number in range(50):
        page = idea_pages.Written(1, later, None, ((1, b"x" * 1000),), (), 3000)  # type: ignore[arg-type]
        kept.keep((number, boards.Query(), ""), page)
    held = [number for number in range(50) if kept.find((number, boards.Query(), ""), 1)]
    assert held == [47, 48, 49]
    assert kept.find((49, boards.Query(), ""), 2) is None


def test_names_that_change_show_within_the_time_that_is_promised(api: Api) -> None:
    from app.models import Person
    from app.models.base import table

    api.idea()
    assert _listed(api, api.bob)[0]["author"]["name"] == "Alice Novak"
    person = table(Person)
    api.do(
        lambda tx: tx.execute(
            person.update().where(person.c.id == api.world.alice.person_id).values(name="Alice Kovač")
        )
    )
    with time_machine.travel(clock.now() + idea_pages.LONGEST + timedelta(seconds=1)):
        assert _listed(api, api.bob)[0]["author"]["name"] == "Alice Kovač"
