"""Clusters that go while ideas come into them."""

from functools import partial

import pytest

from app.errors import Invalid, NotFound
from app.services import clusters, ideas
from tests.factories.races import overlapping


@pytest.fixture
def going(world):
    """A cluster, and the verb by which Fay takes it away."""
    cluster = world.clusters()[0]
    return cluster, partial(clusters.remove, actor=world.fay, cluster_id=cluster)


def coming(world, cluster):
    """The verbs by which Alice puts an idea into the cluster, by name."""
    elsewhere = world.idea(cluster_id=world.clusters()[1])
    inside = world.idea(cluster_id=cluster)
    return {
        "posted": partial(ideas.post, challenge_id=world.challenge_id, title="New", cluster_id=cluster),
        "moved": partial(ideas.move, idea_id=elsewhere, cluster_id=cluster),
        "edited": partial(ideas.edit, idea_id=elsewhere, body="More", cluster_id=cluster),
        "edited within": partial(ideas.edit, idea_id=inside, body="More", cluster_id=cluster),
    }


WAYS = ("posted", "moved", "edited", "edited within")


@pytest.mark.parametrize("way", WAYS)
def test_a_cluster_that_goes_at_the_same_moment_takes_no_idea(world, going, way):
    cluster, remove = going
    put = partial(coming(world, cluster)[way], actor=world.alice)
    removed, refused = overlapping(world.database, remove, put)
    assert removed == world.challenge_id
    assert isinstance(refused, Invalid)
    assert [error.field for error in refused.errors] == ["cluster"]


@pytest.mark.parametrize("way", WAYS)
def test_an_idea_that_comes_just_before_its_cluster_goes_stays_on_the_board(world, going, way):
    cluster, remove = going
    put = coming(world, cluster)[way]
    done, removed = overlapping(world.database, partial(put, actor=world.alice), remove)
    assert not isinstance(done, Exception)
    assert removed == world.challenge_id
    idea = put.keywords.get("idea_id", done)
    assert world.ask(ideas.find, world.alice, idea).card.cluster_id is None


def test_a_cluster_taken_away_twice_at_once_goes_once(world, going):
    _, remove = going
    removed, again = overlapping(world.database, remove, remove)
    assert removed == world.challenge_id
    assert isinstance(again, NotFound)
