"""What takes long is left out, unless `make fuzz` asks for it."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr != "fuzz":
        long = [item for item in items if item.get_closest_marker("fuzz")]
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)
