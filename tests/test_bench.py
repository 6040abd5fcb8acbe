"""Every measurement runs on tiny sizes: its figures say nothing, but no answer is wrong and every line is there."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench import data, run
from bench.data import Size
from bench.duels import TINY, Contestant, Duel, duel
from bench.figures import Figure, Measured, table
from bench.load import request
from bench.servers import floor

LINES = {
    "support-sqlite": 2,
    "support-postgres": 2,
    "page": 5,
    "list": 2,
    "api": 4,
    "cursors": 2,
    "broadcast": 2,
    "watching": 2,
    "supports": 2,
    "ideas": 4,
    "start": 4,
    "opinion-map": 1,
    "tallies": 11,
    "equal-shares": 1 if find_spec("pabutools") else 0,
    "counting": 14,
    "votes-sqlite": 2,
    "votes-postgres": 2,
    "matches": 8,
    "exports": 6,
}


LONG = {"broadcast", "tallies", "counting", "exports"}
"""Jobs that take half a minute at the smallest sizes."""


def jobs() -> list[object]:
    names = [name for name in LINES if not name.endswith("-postgres")]
    return [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in names]


@pytest.fixture(autouse=True)
def as_it_was():
    """A measurement binds this process to a core, and gives the programs that it starts their settings."""
    cores, environment = os.sched_getaffinity(0), dict(os.environ)
    yield
    os.sched_setaffinity(0, cores)
    os.environ.clear()
    os.environ.update(environment)


def test_every_job_is_tried_here() -> None:
    assert list(LINES) == list(run.JOBS)


@pytest.mark.slow
@pytest.mark.parametrize("name", jobs())
def test_a_job_gives_its_lines_without_a_wrong_answer(name: str) -> None:
    figures = run.measure(TINY, [name])
    assert len(figures) == LINES[name]
    for figure in figures:
        assert figure.ratio >= 0  # a side may use less time than the system's clock counts
        assert not figure.errors, figure.note
    assert len(table(figures).splitlines()) == 2 + len(figures)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in LINES if name.endswith("-postgres")])
def test_postgres_is_measured_where_there_is_one(name: str) -> None:
    if not os.environ.get("PARTNERSHIP_TEST_POSTGRES_URL"):
        pytest.skip("PostgreSQL: PARTNERSHIP_TEST_POSTGRES_URL is not set")
    figures = run.measure(TINY, [name])
    assert len(figures) == LINES[name]
    assert not any(figure.errors for figure in figures)


def test_a_wrong_answer_is_counted(tmp_path: Path) -> None:
    with floor("hello", tmp_path) as server:
        right, wrong = (
            Contestant(server, [request("GET", path)], TINY, connections=2) for path in ("/", "/nowhere")
        )
        figure = duel(wrong, right, TINY).figure("nowhere", "hello", "rate", ("at least", 0.5))
    assert figure.errors > 0
    assert figure.ratio == 0
    assert "404" in figure.note
    assert "MISSED" in table([figure])


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    here = tuple(Measured(rate, 10, 1) for rate in (10, 60, 20))
    bare = tuple(Measured(rate, 10, 1) for rate in (10, 20, 40))
    figure = Duel(here, bare).figure("job", "floor", "rate", ("at least", 1.0))
    assert (figure.ratio, figure.low, figure.high) == (1, 0.5, 3)
    assert figure.is_met


@pytest.mark.parametrize(("ratio", "is_met"), [(1.4, True), (1.41, False)])
def test_an_aim_may_be_a_ceiling(ratio: float, is_met: bool) -> None:
    assert Figure("job", "floor", "time", ratio, ratio, ratio, "", "", ("at most", 1.4)).is_met is is_met


def test_written_boards_have_the_tallies_that_people_would_have_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/board.db"
    data.fill(url, Size(ideas=12, people=30, supporters=20, each=5, signed_in=3))
    assert data.check_tallies(url) == (100, 0)
