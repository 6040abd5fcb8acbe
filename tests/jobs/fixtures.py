"""Fixtures of the tests about jobs; a test module asks for them by `pytest_plugins`."""

import pytest

from app.settings import settings
from tests.jobs import places


@pytest.fixture(scope="session", params=places.ENGINES)
def jobs_template(request, tmp_path_factory):
    """The engine, and the address of a migrated database to copy."""
    if request.param == "postgresql" and not places.postgres_answers():
        pytest.skip("PostgreSQL: none answers at PARTNERSHIP_TEST_POSTGRES_URL or postgresql:///test")
    with places.migrated_url(request.param, tmp_path_factory.mktemp("jobs")) as url:
        yield request.param, url


@pytest.fixture
def jobs_database(jobs_template, tmp_path):
    """A database with a line of jobs, on either engine."""
    engine, template = jobs_template
    with places.fresh_database(engine, tmp_path, copy_of=template) as database:
        yield database


@pytest.fixture
def jobs_world(jobs_database):
    """A programme with two people, a stranger and two ideas."""
    return places.settle(jobs_database)


@pytest.fixture
def mail_on(monkeypatch):
    """Mail is set up for this process, so that notices put their mails in line."""
    monkeypatch.setenv("PARTNERSHIP_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()
    yield
    settings.cache_clear()
