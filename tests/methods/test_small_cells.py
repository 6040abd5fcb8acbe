"""What is left out of a table cannot be reckoned from what is told."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from app.methods.small_cells import LEAST, withheld

groups = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 12), max_size=4)


@given(groups)
def test_no_reader_of_a_group_can_tell_of_a_hidden_cell_that_it_is_small(cells: dict[str, int]) -> None:
    found = withheld(cells)
    small = {key for key, count in cells.items() if 0 < count < LEAST}
    assert small <= found.cells
    assert all(cells[key] for key in found.cells), "noughts are told"
    assert bool(found.cells) == bool(small)
    if not found.cells or found.total:
        return
    rest = sum(cells.values()) - sum(count for key, count in cells.items() if key not in found.cells)
    hidden = sorted(found.cells)
    possible = [guess for guess in product(range(1, rest + 1), repeat=len(hidden)) if sum(guess) == rest]
    for place in range(len(hidden)):
        assert len({guess[place] for guess in possible}) > 1
        assert max(guess[place] for guess in possible) >= LEAST


def test_the_smallest_other_goes_along_and_else_the_total() -> None:
    assert withheld({"a": 3, "b": 9, "c": 40}).cells == {"a", "b"}
    assert withheld({"a": 3, "b": 9, "c": 40}).total is False
    assert withheld({"a": 3, "b": 0}).total is True
    assert withheld({"a": 1, "b": 1, "c": 1}).total is True
    assert withheld({"a": 4, "b": 4}).cells == {"a", "b"}
    assert withheld({"a": 7, "b": 9}, also=["a"]).cells == {"a", "b"}
    assert withheld({"a": 7, "b": 9}).cells == frozenset()
    assert withheld({}).total is False
