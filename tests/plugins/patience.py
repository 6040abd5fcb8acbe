"""Tries again, and says so, what waits for real browsers, processes and clocks: on a busy machine they come late.

Rules and answers are never tried again: a test of a service, a page or the API that fails has failed.
"""

import pytest

PLACES = frozenset(
    {"browser", "durability", "identity", "integrations", "jobs", "operation", "test_bench.py", "web"}
)


@pytest.hookimpl
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if PLACES & set(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))
