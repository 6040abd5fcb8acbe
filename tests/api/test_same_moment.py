"""Two who change one thing at the same moment, with the same ETag and at two processes: the second is told of it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from app.database import Database, Transaction
from app.integrations import queue
from app.services import (
    clients,
    clusters,
    comments,
    ideas,
    matches,
    organisations,
    people,
    placement_making,
    roles,
    wishes,
)
from app.services.wishes import WishView
from tests.api.conftest import Api, is_problem
from tests.api.test_matches import address, admin, draft, plan_for_bob
from tests.factories.world import fresh


class Case(NamedTuple):
    """What has an ETag at `path`, who asks for a change of it, and what someone else changes in the meantime."""

    path: str
    caller: Any
    request: tuple[str, str, Any]
    meanwhile: Callable[[Transaction], Any]

    def ask(self, tag: str) -> Any:
        method, path, body = self.request
        return self.caller(method, path, json=body, headers={"If-Match": tag})


def organisation(api: Api) -> Case:
    path, cora = f"/organisations/{api.organisations['public']}", admin(api)
    change = {"number": "7"}
    id = api.organisations["public"]
    return Case(
        path,
        cora,
        ("PATCH", path, {"name": "Town hall"}),
        lambda tx: organisations.change(tx, api.world.cora, id, **change),
    )


def renamed_cluster(api: Api) -> Case:
    id = api.clusters()[0]
    path = f"/clusters/{id}"
    return Case(
        path,
        api.fay,
        ("PATCH", path, {"title": "Soon"}),
        lambda tx: clusters.rename(tx, api.world.cora, id, title="At once"),
    )


def removed_cluster(api: Api) -> Case:
    return renamed_cluster(api)._replace(request=("DELETE", f"/clusters/{api.clusters()[0]}", None))


def oneself(api: Api) -> Case:
    return Case(
        "/people/me",
        api.alice,
        ("PATCH", "/people/me", {"language": "sl"}),
        lambda tx: people.correct(
            tx, api.world.alice, name="Alice Horvat", email=api.world.alice.email or ""
        ),
    )


def moved_idea(api: Api) -> Case:
    id, (first, second) = api.idea(), api.clusters()
    return Case(
        f"/ideas/{id}",
        api.bob,
        ("PATCH", f"/ideas/{id}", {"cluster": first}),
        lambda tx: ideas.move(tx, api.world.fay, id, second),
    )


def idea_left_as_it_is(api: Api) -> Case:
    case = moved_idea(api)
    return case._replace(request=("PATCH", case.path, {}))


def published_placement(api: Api) -> Case:
    id, hana = api.world.placement(published=False), api.world.hana
    return Case(
        f"/placements/{id}",
        admin(api),
        ("PUT", f"/placements/{id}/publication", None),
        lambda tx: placement_making.change(tx, hana, id, description="Nobody has looked at this."),
    )


def withdrawn_comment(api: Api) -> Case:
    id = api.do(comments.post, api.world.bob, api.idea(), body="Yes")
    path = f"/comments/{id}"
    return Case(
        path,
        api.bob,
        ("DELETE", path, None),
        lambda tx: comments.hide(tx, api.world.fay, id, reason="Not kind"),
    )


def withdrawn_wishes(api: Api) -> Case:
    placement, programme = api.world.placement(), api.world.programme
    path = f"/programmes/{api.programme_id}/wishes"
    return Case(
        path,
        api.of(api.world.bob, "read", "book"),
        ("DELETE", path, None),
        lambda tx: wishes.state(tx, api.world.bob, programme, wishes=[WishView(placement_id=placement)]),
    )


def revoked_client(api: Api) -> Case:
    id = api.client_of().id
    path = f"/clients/{id}"
    return Case(
        path,
        admin(api),
        ("DELETE", path, None),
        lambda tx: clients.change_secret(tx, fresh(api.world.cora), id),
    )


def cancelled_match(api: Api) -> Case:
    path = admin(api).post(address(api), draft()).headers["location"]
    id = int(path.rpartition("/")[2])
    return Case(path, admin(api), ("DELETE", path, None), lambda tx: matches.take_up(tx, id))


def published_match(api: Api) -> Case:
    path = admin(api).post(address(api), draft()).headers["location"]
    id = int(path.rpartition("/")[2])
    plan_for_bob(api, id)
    return Case(
        path,
        admin(api),
        ("POST", f"{path}/publication", None),
        lambda tx: matches._write(tx, id, name="Second try"),
    )


def ended_place(api: Api) -> Case:
    id = api.world.bob.memberships[api.programme_id].id
    path = f"/memberships/{id}"
    person_id = api.world.bob.person_id or 0
    return Case(
        path,
        admin(api),
        ("DELETE", path, None),
        lambda tx: roles.change(tx, api.world.cora, api.programme_id, person_id, "host"),
    )


def moved_place(api: Api) -> Case:
    case = ended_place(api)
    body = {"organisation": api.organisations["public"]}
    return case._replace(request=("POST", f"{case.path}/move", body))


CASES = [
    organisation,
    renamed_cluster,
    removed_cluster,
    oneself,
    moved_idea,
    idea_left_as_it_is,
    published_placement,
    withdrawn_comment,
    withdrawn_wishes,
    revoked_client,
    cancelled_match,
    published_match,
    ended_place,
    moved_place,
]


@pytest.fixture(autouse=True)
def lined_up(database_url: str) -> None:
    """A line of jobs in the database, and nobody who takes them up."""
    queue.migrate(database_url)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def during(
    pool: ThreadPoolExecutor, database: Database, change: Callable[[Transaction], Any], ask: Callable[[], Any]
) -> Any:
    """The answer to who asks while another process has made a change, and commits it once the answer waits for it."""

    def work(tx: Transaction) -> Future[Any]:
        change(tx)
        asked = pool.submit(ask)
        while not database.is_sqlite and not database.read_now(_waits) and not asked.done():
            wait([asked], 0.02)
        return asked

    return database.write_now(work).result()


def _waits(connection: Connection) -> bool:
    """Whether someone waits for a lock; SQLite lets one write at a time, and the next one waits there anyway."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return connection.execute(text(waiting)).first() is not None


@pytest.mark.parametrize("made", CASES, ids=lambda made: made.__name__)
def test_who_is_second_is_told_and_changes_it_once_they_have_read_it_again(
    api: Api, pool: ThreadPoolExecutor, made: Callable[[Api], Case]
) -> None:
    case = made(api)
    tag = case.caller.tag(case.path)
    answer = during(pool, api.world.database, case.meanwhile, lambda: case.ask(tag))
    assert is_problem(answer, 412, "version-moved-on")
    read = case.caller.tag(case.path)
    assert read != tag
    assert case.ask(read).status_code in (200, 201, 204)


def test_of_an_organisation_two_change_different_things_and_both_stay(
    api: Api, pool: ThreadPoolExecutor
) -> None:
    case = organisation(api)
    told = during(pool, api.world.database, case.meanwhile, lambda: case.ask("*")).json()
    assert (told["name"], told["number"]) == ("Town hall", "7")


def test_whoever_is_moved_keeps_the_role_that_they_were_given_at_that_moment(
    api: Api, pool: ThreadPoolExecutor
) -> None:
    case = moved_place(api)
    assert during(pool, api.world.database, case.meanwhile, lambda: case.ask("*")).json()["role"] == "host"
