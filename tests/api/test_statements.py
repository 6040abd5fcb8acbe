"""How many statements a call costs, whatever its size: counted, so that it stays so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.api.conftest import Api

FRAMES = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "SELECT pg_advisory", "UPDATE token SET used_at")
"""What frames the statements of a call, and what is noted once a minute behind it."""


@contextmanager
def _counted(*engines: Engine) -> Iterator[list[str]]:
    """The statements in between, without what frames them."""
    seen: list[str] = []

    def note(*told: Any) -> None:
        if not told[2].startswith(FRAMES):
            seen.append(told[2])

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def _cost(api: Api, call: Callable[[], Any]) -> int:
    with _counted(api.database.reads, api.database.writes) as seen:
        assert call().status_code < 300
    return len(seen)


def test_a_support_takes_five_statements(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    assert _cost(api, lambda: api.bob.put(f"{idea}/support")) <= 5
    assert _cost(api, lambda: api.bob.delete(f"{idea}/support")) <= 5


def test_a_list_costs_the_same_whatever_its_length(api: Api) -> None:
    board = f"/challenges/{api.challenge_id}/ideas"
    api.idea()
    one = _cost(api, lambda: api.bob.get(board))
    for number in range(30):
        api.idea(title=f"Idea {number}")
    assert _cost(api, lambda: api.bob.get(board)) == one <= 8
    assert _cost(api, lambda: api.bob.get(board)) <= 3


def test_reading_an_idea_takes_few_statements(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    assert _cost(api, lambda: api.bob.get(idea)) <= 8


def test_a_vote_takes_five_statements_beside_who_it_is(api: Api) -> None:
    vote = f"/ballots/{api.ballot()}/vote"
    bob = api.of(api.world.bob, "read", "vote")
    who = _cost(api, lambda: bob.get("/people/me"))
    assert _cost(api, lambda: bob.put(vote, json={"none": True})) - who <= 5
    assert _cost(api, lambda: bob.put(vote, json={"abstain": True})) - who <= 5
    assert _cost(api, lambda: bob.delete(vote)) - who <= 6


def test_lists_of_solutions_and_ballots_cost_the_same_whatever_their_length(api: Api) -> None:
    paths = [f"/challenges/{api.challenge_id}/{what}" for what in ("solutions", "ballots")]
    api.ballot()
    before = [_cost(api, lambda path=path: api.bob.get(path)) for path in paths]
    for _ in range(5):
        api.ballot()
    after = [_cost(api, lambda path=path: api.bob.get(path)) for path in paths]
    assert [cost <= first <= 8 for cost, first in zip(after, before, strict=True)] == [True, True]


def test_reading_a_ballot_and_its_result_takes_few_statements(api: Api) -> None:
    ballot_id = api.ballot()
    api.cora.post(f"/ballots/{ballot_id}/closure", {"reason": "r"})
    assert _cost(api, lambda: api.bob.get(f"/ballots/{ballot_id}")) <= 8
    assert _cost(api, lambda: api.bob.get(f"/ballots/{ballot_id}/result")) <= 8
    assert _cost(api, lambda: api.bob.get(f"/ballots/{ballot_id}/log")) <= 8
