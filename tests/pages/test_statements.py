"""Pages and writes cost a constant number of SQL statements, whatever their rows."""

import pytest

from app.services import comments, ideas, support

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


def test_pages_stay_within_eight_statements(site, full):
    alice = site.of(site.world.alice)
    board = f"/challenges/{site.world.challenge_id}"
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
        "/programmes/here",
        "/programmes/here/people",
        "/sign-in",
        "/privacy",
        "/accessibility",
    ]
    costs = {}
    for page in pages:
        alice.get(page)
        with site.statements() as seen:
            assert alice.get(page).status_code in (200, 303), page
        costs[page] = len(seen)
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
