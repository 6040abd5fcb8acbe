"""Logs as in production, so that what a test sees of them is what an operator sees."""

import pytest

from app.lib import logging


def pytest_configure(config: pytest.Config) -> None:
    logging.configure("json")
