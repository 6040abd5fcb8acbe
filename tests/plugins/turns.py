"""Which tests stay together where several workers share the suite: a file each, and what uses one thing in one place.

Playwright's loop lasts as long as its directory, so its tests go to one worker. What talks through Redis hears
everyone there, and what kills servers or measures wants them to itself: none of these runs beside another of its kind.
"""

import pytest

ALONE = {
    "browser": ("tests/browser/",),
    "servers": (
        "tests/durability/",
        "tests/integrations/test_bus.py",
        "tests/operation/",
        "tests/test_bench.py",
        "tests/web/test_limits.py",
        "tests/web/test_live_board.py",
        "tests/web/test_server.py",
        "tests/web/test_streams.py",
    ),
}


@pytest.hookimpl
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.nodeid.partition("::")[0])))


def _group(path: str) -> str:
    return next((name for name, places in ALONE.items() if path.startswith(places)), path)
