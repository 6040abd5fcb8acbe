"""Which tests stay together where several workers share the suite: a file each, and what uses one thing in one place.

Playwright's loop lasts as long as its directory, so its tests go to one worker. What talks through Redis hears
everyone there, and what kills servers or measures wants them to itself: none of these runs beside another of its kind.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = {
    "browser": ("tests/browser/",),
    "servers": (
        "tests/durability/",
        "tests/fuzz/",
        "tests/integrations/test_bus.py",
        "tests/operation/",
        "tests/test_bench.py",
        "tests/web/test_followers.py",
        "tests/web/test_limits.py",
        "tests/web/test_live_board.py",
        "tests/web/test_server.py",
        "tests/web/test_streams.py",
    ),
}


class Turns(LoadScopeScheduling):
    """Gives a worker whole files, and what may run but once at a time as if it were one."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((name for name, places in ALONE.items() if path.startswith(places)), path)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Turns(config, log)
