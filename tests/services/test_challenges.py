"""Setting challenges, and their phases by the clock."""

from datetime import timedelta

import pytest

from app.errors import Invalid, Moved, NotAllowed, NotFound
from app.lib import clock
from app.services import boards, challenges, clusters, programmes


@pytest.fixture
def programme(world):
    return world.ask(programmes.find, world.alice, world.programme_id)


def test_a_sponsor_sets_a_challenge_that_begins_in_framing(world, programme):
    id = world.do(challenges.create, world.sam, programme, title="Fewer forms", brief="*Why*")
    view = world.ask(challenges.find, world.alice, id)
    assert (view.title, view.phase.kind, view.phase.posting) == ("Fewer forms", "framing", False)
    assert "<em>Why</em>" in view.brief_html


def test_participants_set_none_and_strangers_see_none(world, programme):
    with pytest.raises(NotAllowed):
        world.do(challenges.create, world.alice, programme, title="Mine")
    with pytest.raises(NotFound):
        world.do(challenges.create, world.charlie, programme, title="Mine")
    with pytest.raises(NotFound):
        world.ask(challenges.find, world.charlie, world.challenge_id)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "T", "summary": "x" * 301}, "summary"),
        ({"title": "T", "brief": "x" * 10_001}, "brief"),
        ({"title": "T", "language": "xx"}, "language"),
        ({"title": "T", "sponsor_id": 999}, "sponsor"),
    ],
)
def test_what_cannot_be_is_refused_by_name(world, programme, values, field):
    with pytest.raises(Invalid) as error:
        world.do(challenges.create, world.sam, programme, **values)
    assert [found.field for found in error.value.errors] == [field]


def test_a_change_of_a_version_that_moved_on_is_refused(world):
    world.do(challenges.change, world.fay, world.challenge_id, title="Second", version=1)
    with pytest.raises(Moved):
        world.do(challenges.change, world.sam, world.challenge_id, title="Third", version=1)
    assert world.ask(challenges.find, world.alice, world.challenge_id).title == "Second"


def test_phases_follow_the_clock(world):
    now = clock.now()
    plan = [
        {"kind": "ideation", "starts_at": now - timedelta(days=3)},
        {"kind": "shaping", "starts_at": now - timedelta(days=1)},
        {"kind": "voting", "starts_at": now + timedelta(days=1)},
    ]
    world.do(challenges.change_phases, world.fay, world.challenge_id, plan)
    view = world.ask(challenges.find, world.alice, world.challenge_id)
    assert view.phase.kind == "shaping"
    assert view.phase.ends_at == plan[2]["starts_at"]
    assert [phase.kind for phase in view.phases] == ["ideation", "shaping", "voting"]


def test_a_facilitator_opens_and_closes_what_a_phase_allows(world):
    plan = [
        {"kind": "ideation", "starts_at": clock.now() - timedelta(days=1), "posting": False, "tallies": False}
    ]
    world.do(challenges.change_phases, world.fay, world.challenge_id, plan)
    phase = world.ask(challenges.find, world.alice, world.challenge_id).phase
    assert (phase.posting, phase.supporting, phase.tallies) == (False, True, False)
    with pytest.raises(NotAllowed):
        world.do(challenges.change_phases, world.alice, world.challenge_id, plan)


@pytest.mark.parametrize("kinds", [[], ["nonsense"], ["voting", "ideation"], ["ideation", "ideation"]])
def test_phases_out_of_order_are_refused(world, kinds):
    now = clock.now()
    plan = [{"kind": kind, "starts_at": now + timedelta(days=day)} for day, kind in enumerate(kinds)]
    with pytest.raises(Invalid):
        world.do(challenges.change_phases, world.fay, world.challenge_id, plan)


def test_phases_that_start_together_are_refused(world):
    now = clock.now()
    with pytest.raises(Invalid):
        world.do(
            challenges.change_phases,
            world.fay,
            world.challenge_id,
            [{"kind": "ideation", "starts_at": now}, {"kind": "shaping", "starts_at": now}],
        )


def test_a_deleted_challenge_is_gone_with_its_ideas(world):
    idea = world.idea()
    with pytest.raises(NotAllowed):
        world.do(challenges.delete, world.fay, world.challenge_id)
    world.do(challenges.delete, world.cora, world.challenge_id)
    with pytest.raises(NotFound):
        world.ask(challenges.find, world.cora, world.challenge_id)
    from app.services import ideas

    with pytest.raises(NotFound):
        world.ask(ideas.find, world.alice, idea)


def test_columns_are_added_renamed_and_removed_and_cards_stay(world):
    column = world.do(clusters.create, world.fay, world.challenge_id, title="New")
    idea = world.idea(cluster_id=column)
    world.do(clusters.rename, world.fay, column, title="Newer")
    assert [cluster.title for cluster in world.ask(boards.clusters, world.challenge_id)] == [
        "Now",
        "Later",
        "Newer",
    ]
    world.do(clusters.remove, world.fay, column)
    board = world.ask(boards.on, world.alice, world.challenge_id, boards.Query())
    assert [(card.id, card.cluster_id) for card in board.cards] == [(idea, None)]
    with pytest.raises(NotAllowed):
        world.do(clusters.create, world.alice, world.challenge_id, title="Mine")
    with pytest.raises(NotFound):
        world.do(clusters.rename, world.charlie, world.clusters()[0], title="Mine")


@pytest.mark.parametrize("title", ["", "x" * 81, "a\x00"])
def test_a_column_needs_a_title(world, title):
    with pytest.raises(Invalid):
        world.do(clusters.create, world.fay, world.challenge_id, title=title)
