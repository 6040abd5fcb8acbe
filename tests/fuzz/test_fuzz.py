"""schemathesis calls every operation that the document declares, as someone of each role, on both engines.

All of its checks and its stateful phase, and some of our own (`hooks.py`): nothing here names an operation. In every
run each role calls for a short while, with one seed, on one of the engines and a part of the operations; `make fuzz`
lets every role loose on both for longer, with a new seed each time, which it prints.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ENGINES
from tests.fuzz.running import ROLES, Place, Run, running

SHORT = ("--max-examples", "1", "--seed", "6", "--no-shrink", "--phases")
LONG = ("--phases", "examples,coverage,fuzzing", "--max-examples", "10")
LONG_STATES = ("--phases", "stateful", "--max-examples", "30")
STATES = 3
"""A run of states ends when the server answers otherwise than it did to the same before, which is soon: so several."""


@contextmanager
def placed(request: pytest.FixtureRequest, directory: Path) -> Iterator[Place]:
    """A running server with the demo in it, on the engine that the test is given."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), directory / "demo.db")
        with running(f"sqlite:///{directory / 'demo.db'}", directory) as found:
            yield found
    else:
        server = request.getfixturevalue("postgres_server")
        name = server.create(request.getfixturevalue("postgres_template"), prefix="pfc_fuzz")
        with running(server.url(name), directory) as found:
            yield found
        server.drop(name)


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with placed(request, tmp_path_factory.mktemp("fuzz")) as found:
        yield found


@pytest.fixture
def own_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """One for each role: what it finds is not what the one before it left."""
    with placed(request, tmp_path) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("place", ENGINES, indirect=True)
def test_no_call_breaks_what_the_document_says(place: Place, request: pytest.FixtureRequest) -> None:
    roles = ROLES[ENGINES.index(request.node.callspec.params["place"]) :: 2]
    for number, role in enumerate(roles):
        for operations, phase in ((place.operations[number :: len(roles)], "fuzzing"), ((), "stateful")):
            run = place.fuzz(role, *SHORT, phase, operations=operations)
            assert run.status == 0, run.printed
            assert run.calls


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("own_place", ENGINES, indirect=True)
def test_no_call_breaks_what_the_document_says_for_long(own_place: Place, role: str) -> None:
    since = time.monotonic()
    runs = [own_place.fuzz(role, *options) for options in (*[LONG_STATES] * STATES, LONG)]
    print(f"\n{role}: {told(runs)}, {time.monotonic() - since:.0f} s")
    for run in runs:
        if run.status:
            print(run.printed)  # at once: the other roles take half an hour
    assert not any(run.status for run in runs)
    assert len(runs[-1].calls) > 1_250, "sixteen of these make 20,000"
    assert sum(run.links for run in runs) > 0, "one call led to the next"


def told(runs: list[Run]) -> str:
    """How much was called, and what came of it."""
    statuses = sum((run.statuses for run in runs), start=runs[0].statuses.__class__())
    succeeded = set().union(*(run.succeeded for run in runs))
    seeds = ", ".join(run.seed for run in runs)
    came = dict(sorted(statuses.items()))
    links = ", ".join(str(run.links) for run in runs[:-1])
    return f"{statuses.total()} calls, {came}, {len(succeeded)} operations done, links followed {links}, seeds {seeds}"
