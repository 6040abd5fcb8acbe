"""The bridging score: between 0 and 1, ruled by the least sector, growing with support."""

from hypothesis import given
from hypothesis import strategies as st

from app.methods import bridging

sector = st.integers(0, 500).flatmap(lambda active: st.tuples(st.integers(0, active), st.just(active)))


@given(st.lists(sector, min_size=1, max_size=6))
def test_it_lies_between_nought_and_one(sectors):
    assert 0 < bridging.score(sectors) < 1


@given(st.lists(sector, min_size=1, max_size=6))
def test_the_order_of_sectors_does_not_matter(sectors):
    assert bridging.score(sectors) == bridging.score(sectors[::-1])


@given(st.lists(sector, min_size=2, max_size=6))
def test_no_other_sector_lifts_it_over_the_least(sectors):
    assert bridging.score(sectors) == min(bridging.score([one]) for one in sectors)


@given(st.lists(sector, min_size=1, max_size=6))
def test_one_more_supporter_never_lowers_it(sectors):
    (people, active), *others = sectors
    if people < active:
        assert bridging.score([(people + 1, active), *others]) >= bridging.score(sectors)


def test_the_example_on_the_page():
    assert bridging.score([(9, 18), (4, 8)]) == 0.5
    assert bridging.score([(18, 18), (0, 8)]) == 0.1
    assert bridging.score([]) == 0.0
