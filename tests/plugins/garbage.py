"""Leaves alone what lives as long as the run: the collector would look through all modules after each test."""

import gc

import pytest

YOUNG = 50_000
"""Allocations between two looks at what is young: an application is made for each test, and is soon let go of."""


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
