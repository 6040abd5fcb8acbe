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
