"""The demo's boards, as its people see them: whole in every order, and alive."""

from collections.abc import Iterator

import pytest

from app.database import Database
from app.demo.fill import fill
from app.models.idea import OPEN
from app.policies.actor import Actor, Membership
from app.services import boards, merges

BASE_URL = "http://demo.test"
PROGRAMME = 1
MOJCA = Actor(
    person_id=3,
    name="Mojca Hribar",
    memberships={PROGRAMME: Membership(3, PROGRAMME, "participant", 1, 1, "public")},
)
LUKA = Actor(
    person_id=51,
    name="Luka Bizjak",
    memberships={PROGRAMME: Membership(51, PROGRAMME, "participant", 6, 2, "business")},
)


@pytest.fixture
def demo(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    fill(database, base_url=BASE_URL)
    yield database
    database.close()


def board(demo: Database, challenge_id: int, sort: boards.Sort) -> boards.Board:
    return demo.read_now(
        lambda connection: boards.on(connection, MOJCA, challenge_id, boards.Query(sort=sort))
    )


def test_every_order_shows_the_same_open_ideas_once(demo):
    for challenge_id in range(1, 6):
        shown = {sort: [card.id for card in board(demo, challenge_id, sort).cards] for sort in boards.SORTS}
        assert len(shown["new"]) >= 28
        for sort, ids in shown.items():
            assert sorted(ids) == sorted(shown["new"]), (challenge_id, sort)
            assert len(set(ids)) == len(ids)


def test_two_boards_take_ideas_now_and_one_hides_its_tallies(demo):
    found = [board(demo, challenge_id, "new") for challenge_id in range(1, 6)]
    assert [one.challenge.phase.posting for one in found] == [True, True, False, False, False]
    assert [all(card.tally for card in one.cards) for one in found] == [True, True, True, False, True]
    assert all(card.state == OPEN for one in found for card in one.cards)


def test_an_anonymous_card_names_nobody(demo):
    cards = [card for card in board(demo, 1, "new").cards if card.anonymous]
    assert cards
    assert all(card.author is None for card in cards)


def test_a_merge_waits_for_the_employee_of_a_company(demo):
    (waiting,) = demo.read_now(lambda connection: merges.waiting_for(connection, LUKA))
    assert waiting.source_title == "One contact for a question that touches three ministries"
    assert demo.read_now(lambda connection: merges.waiting_for(connection, MOJCA)) == []
