"""How many statements a call costs, whatever its size: counted, so that it stays so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from app.main import create_app
from app.models.audit import REFUSED
from app.services import audit, comments
from app.settings import Settings
from tests.api.conftest import BASE, Api
from tests.api.hosting import ask, booker, placement, week
from tests.factories.world import World
from tests.identity.conftest import providers_file, table_for

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


def test_lists_of_placements_and_bookings_cost_the_same_whatever_their_length(api: Api) -> None:
    def stay(ahead: int) -> None:
        """One that holds a place, one that waits for it, at a placement of its own."""
        placed = placement(api, week(ahead), week(ahead + 20))
        for actor in (api.world.bob, api.world.bea):
            assert ask(api, placed, actor).status_code == 201

    cora = api.of(api.world.cora, "read")
    paths = [f"/programmes/{api.programme_id}/{what}" for what in ("placements", "bookings")]
    stay(3)
    before = [_cost(api, lambda path=path: cora.get(path)) for path in paths]
    for ahead in range(4, 9):
        stay(ahead)
    after = [_cost(api, lambda path=path: cora.get(path)) for path in paths]
    assert [cost <= first <= 8 for cost, first in zip(after, before, strict=True)] == [True, True]


def test_reading_a_placement_and_a_booking_takes_few_statements(api: Api) -> None:
    placed = placement(api)
    ask(api, placed)
    waiting = ask(api, placed, api.world.bea).headers["location"]
    bea = booker(api, api.world.bea)
    assert _cost(api, lambda: bea.get(f"/placements/{placed['id']}")) <= 8
    assert _cost(api, lambda: bea.get(waiting)) <= 8
    assert _cost(api, lambda: bea.get(f"{waiting}/steps")) <= 8
    assert _cost(api, lambda: bea.get(f"/placements/{placed['id']}/bookings")) <= 8


def test_what_waits_and_what_is_ones_own_costs_the_same_whatever_there_is_of_it(api: Api) -> None:
    def fill(ahead: int) -> None:
        """A stay that waits for its manager, a ballot, a comment on an own idea."""
        world = api.world
        ask(api, placement(api, week(ahead)), manager={"person": world.bea.person_id})
        api.ballot()
        world.do(comments.post, world.bob, world.idea(world.bea), body="Yes.")

    names = ("inbox", "bookings", "ideas", "notices")
    fill(3)
    before = [_cost(api, lambda name=name: api.bea.get(f"/people/me/{name}")) for name in names]
    for ahead in (5, 7, 9):
        fill(ahead)
    after = [_cost(api, lambda name=name: api.bea.get(f"/people/me/{name}")) for name in names]
    assert [cost <= first <= 9 for cost, first in zip(after, before, strict=True)] == [True] * 4
    overview = [f"/programmes/{api.programme_id}/exchange-{what}" for what in ("calendar", "overview")]
    assert all(_cost(api, lambda path=path: api.cora.get(path)) <= 12 for path in overview)


def test_what_comes_along_costs_the_same_however_much_there_is(api: Api) -> None:
    """One statement for each kind of neighbour, two for solutions, three for placements."""
    bob = booker(api, api.world.bob)
    board = f"/challenges/{api.challenge_id}"
    programme = f"/programmes/{api.programme_id}"
    along = "include=placement,host,guest.organisation"

    def add(ahead: int) -> None:
        idea = api.idea(cluster_id=api.world.clusters()[ahead % 2])
        api.bob.post(f"/ideas/{idea}/comments", {"body": "Yes"})
        api.solution(idea_ids=[idea])
        ask(api, placement(api, week(ahead)))
        api.world.challenge()

    lists = {
        f"{board}/ideas": ("include=challenge,programme,cluster,comments", 4),
        f"{board}/solutions": ("include=challenge,ideas", 1 + 5),
        f"{programme}/challenges": ("include=programme", 1),
        f"{board}/clusters": ("include=challenge", 1),
        f"{programme}/bookings": (along, 1 + 3),
        "/people/me/bookings": (along, 1 + 3),
        f"{programme}/placements": ("include=host,programme", 2),
    }
    add(3)
    # each time with another limit, so that no page is one that was kept
    before = {path: _cost(api, lambda path=path: bob.get(f"{path}?limit=20")) for path in lists}
    first = {
        path: _cost(api, lambda path=path: bob.get(f"{path}?limit=21&{lists[path][0]}")) for path in lists
    }
    for path, (_, most) in lists.items():
        assert first[path] - before[path] <= most
    for ahead in range(4, 8):
        add(ahead)
    for path in lists:
        assert _cost(api, lambda path=path: bob.get(f"{path}?limit=22&{lists[path][0]}")) <= first[path]


def test_lists_of_people_and_their_affairs_cost_the_same_whatever_their_length(api: Api) -> None:
    cora = api.of(api.world.cora, "read", "admin")
    here = f"/programmes/{api.programme_id}"
    house = {"organisation": api.organisations["public"]}
    robot = {"name": "Robot", "scopes": ["read"]}
    paths = (
        f"{here}/people",
        f"{here}/organisations",
        f"{here}/assignments",
        "/memberships",
        "/invitations",
        "/clients",
        "/people/me/tokens",
        "/audit",
    )

    def fill(number: int) -> None:
        api.world.people(2, "public")
        place = api.world.people(1, "business")[0].memberships[api.programme_id].id
        token = {"name": f"Token {number}", "scopes": ["read"]}
        added = {"name": f"House {number}", "sector": "public"}
        for path, body in (
            (f"{here}/organisations", added),
            (f"{here}/invitations", house),
            (f"{here}/clients", robot),
            (f"/memberships/{place}/assignments", {"role": "sponsor"}),
            ("/people/me/tokens", token),
        ):
            assert cora.post(path, body).status_code == 201

    fill(0)
    before = [_cost(api, lambda path=path: cora.get(path)) for path in paths]
    for number in range(1, 6):
        fill(number)
    after = [_cost(api, lambda path=path: cora.get(path)) for path in paths]
    assert [cost <= first <= 10 for cost, first in zip(after, before, strict=True)] == [True] * len(paths)


def test_the_list_of_providers_costs_the_same_however_many_there_are(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    def refuse(provider: str, reason: str) -> None:
        told = {"provider": provider, "reason": reason}
        world.do(audit.write_down, "sign_in.refused", None, outcome=REFUSED, data=told)

    costs = []
    for count in (1, 4):
        names = [f"house-{number}" for number in range(count)]
        for name in names:
            refuse(name, "state")
            refuse(name, name)
        tables = {name: table_for(f"https://{name}.invalid") for name in names}
        file = providers_file(tmp_path / f"{count}.toml", **tables)
        application = create_app(settings.model_copy(update={"identity_providers": file}))
        with TestClient(application, base_url=BASE) as client:
            api = Api(world, client)
            cora = api.of(world.cora, "admin")
            costs.append(_cost(api, lambda cora=cora: cora.get("/providers")))
            listed = cora.get("/providers").json()["items"]
        assert [each["id"] for each in listed] == names
        assert all(each["checks"][0]["state"] == "bad" for each in listed)
        assert [[failure["reason"] for failure in each["failures"]] for each in listed] == [
            [name, "state"] for name in names
        ]
    assert costs[0] == costs[1] <= 8
