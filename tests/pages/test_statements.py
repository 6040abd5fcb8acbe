"""Pages and writes cost a constant number of SQL statements, whatever their rows."""

from datetime import timedelta

import pytest

from app.lib import clock
from app.services import ballot_making, comments, ideas, support, votes

PAGE = 8
WRITE = 5


@pytest.fixture
def full(site):
    """A board with 60 ideas, and an idea with comments, support and a co-author."""
    world = site.world
    first = world.idea(title="The first", body="Text", cluster_id=world.clusters()[0])
    for number in range(60):
        world.idea(
            world.bob if number % 2 else world.alice,
            f"Idea {number}",
            cluster_id=world.clusters()[number % 2],
        )
    for number in range(5):
        world.do(comments.post, world.bob, first, body=f"Comment {number}")
    world.do(support.give, world.bob, first)
    world.do(ideas.add_co_author, world.alice, first, world.ana.person_id)
    return first


@pytest.fixture
def decisions(site, full):
    """An open ballot over many solutions with all that can stand on it, and one that opens later."""
    world = site.world
    offered = [world.solution(f"Solution {number}", idea_ids=[full, full + 1]) for number in range(12)]
    where = {"organisations": list(world.organisations.values())}
    ballot = world.ballot(solutions=offered, mode="open", tallies_live=True, **where)
    for number in range(3):
        closes_at = clock.now() + timedelta(days=8 + number)
        world.do(ballot_making.extend, world.cora, ballot, closes_at=closes_at, reason="Holidays")
    for person in (world.alice, world.bob):
        world.do(votes.declare_interest, person, ballot, offered[0], statement="Mine")
    for _ in range(4):
        world.ballot(solutions=offered[:2])
    later = world.ballot(solutions=offered, opens_at=clock.now() + timedelta(days=1), **where)
    return ballot, later


def test_pages_stay_within_eight_statements(site, full, decisions):
    alice = site.of(site.world.alice)
    board = f"/challenges/{site.world.challenge_id}"
    world = site.world
    ballot, later = decisions
    cora, fay = site.of(world.cora), site.of(world.fay)
    pages = [
        "/",
        board,
        f"{board}?sort=supported",
        f"{board}?sort=bridging",
        f"{board}?q=idea",
        f"/ideas/{full}",
        f"/ideas/{full}/versions",
        f"/ideas/{full}/edit",
        f"/ideas/{full}/merges",
        f"/ideas/{full}/cluster",
        f"{board}/ideas/new",
        "/me",
        "/me/logins",
        "/me/sessions",
        "/me/delegations",
        "/me/tokens",
        "/me/data",
        "/programmes/here",
        "/programmes/here/people",
        "/sign-in",
        "/privacy",
        "/accessibility",
        f"{board}/solutions",
        "/solutions/1",
        f"/ballots/{ballot}",
        f"/ballots/{later}",
    ]
    of_others = [
        (fay, f"{board}/solutions/new?idea={full}"),
        (fay, "/solutions/1/edit"),
        (cora, f"{board}/ballots/new"),
        (cora, f"/ballots/{ballot}"),
        (cora, f"/ballots/{later}/edit"),
        (cora, f"/ballots/{ballot}/extension"),
        (cora, f"/ballots/{ballot}/closure"),
    ]
    costs = {}
    for reader, page in [*((alice, page) for page in pages), *of_others]:
        reader.get(page)
        with site.statements() as seen:
            assert reader.get(page).status_code in (200, 303), page
        costs[page] = max(len(seen), costs.get(page, 0))
    assert {page: cost for page, cost in costs.items() if cost > PAGE} == {}


def test_writes_stay_within_five_statements(site, full):
    world = site.world
    alice, bob = site.of(world.alice), site.of(world.bob)
    (now, later) = world.clusters()
    writes = {
        "support": lambda: bob.post(f"/ideas/{full + 1}/support", htmx=True),
        "support taken back": lambda: bob.post(f"/ideas/{full + 1}/support/withdrawal", htmx=True),
        "post": lambda: alice.post(
            f"/challenges/{world.challenge_id}/ideas", {"title": "New", "cluster_id": str(now)}
        ),
        "edit": lambda: alice.post(
            f"/ideas/{full}", {"title": "Changed", "body": "x", "cluster_id": str(later), "version": "1"}
        ),
        "own comment": lambda: alice.post(f"/ideas/{full}/comments", {"body": "Yes"}),
        "withdraw": lambda: alice.post(f"/ideas/{full + 1}/withdrawal"),
    }
    costs = {}
    for name, write in writes.items():
        with site.statements() as seen:
            assert write().status_code in (200, 303), name
        costs[name] = len(seen)
    assert {name: cost for name, cost in costs.items() if cost > WRITE} == {}
