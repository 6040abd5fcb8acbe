"""Migrations lead exactly to the models, there and back, on a populated database, on both engines."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from app.database import Database
from app.models import metadata
from app.services import comments, merges, moderation, support
from tests.conftest import ROOT, migrate
from tests.factories.world import World


def scripts():
    return ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))


def differences(database):
    ours = frozenset(metadata.tables)

    def include(_object, name, kind, reflected, _other):
        return (
            name in ours
            if kind == "table" and reflected
            else not (kind == "index" and name == "ix_idea_search")
        )

    with database.reads.connect() as connection:
        options = {"include_object": include, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def test_there_is_one_head():
    assert len(scripts().get_heads()) == 1


def test_migrations_lead_exactly_to_the_models(database):
    assert differences(database) == []


@pytest.fixture
def populated(world):
    """Rows in the tables that people fill."""
    first = world.idea(title="One", body="Text")
    second = world.idea(world.bob, "Two")
    for person in (world.alice, world.bob):
        world.do(support.give, person, first)
        world.do(support.give, person, second)
    world.do(comments.post, world.bob, first, body="Yes")
    world.do(moderation.pin, world.fay, first)
    world.do(moderation.hide, world.fay, world.idea(title="Three"), reason="Rude")
    merge = world.do(merges.propose, world.alice, first, second)
    world.do(merges.accept, world.bob, merge)
    world.cookie(world.alice)
    world.token(world.alice)
    return world


def test_each_migration_runs_up_and_down_on_a_populated_database(populated, database_url):
    populated.database.close()
    revisions = [script.revision for script in scripts().walk_revisions()]
    for revision in [*revisions[1:], "base"]:
        migrate_down(database_url, revision)
    left = Database(database_url)
    tables = set(inspect(left.reads).get_table_names()) - {"alembic_version"}
    assert {name for name in tables if not name.startswith("idea_search")} == set()
    left.close()
    migrate(database_url)
    again = Database(database_url)
    assert differences(again) == []
    World(again)
    again.close()


def migrate_down(url, revision):
    from alembic import command

    database = Database(url)
    config = Config(ROOT / "alembic.ini")
    with database.writes.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
    database.close()


def test_every_table_of_a_programme_carries_its_id():
    without = {name for name, table in metadata.tables.items() if "programme_id" not in table.c}
    assert without == {
        *("programme", "person", "login", "session", "sign_in", "kept_form", "kept_answer"),
        *("used_logout_token", "used_assertion", "data_export", "erasure"),
    }


def test_the_search_index_follows_the_ideas(world):
    """Written by triggers on SQLite and by an index on PostgreSQL, so that no code can forget it."""
    idea = world.idea(title="Čakalna vrsta", body="v uradu")
    found = world.ask(_search, world.challenge_id, "cakalna")
    assert [row.id for row in found] == [idea]
    world.do(
        lambda tx: tx.execute(text("UPDATE idea SET title = 'Something else' WHERE id = :id"), {"id": idea})
    )
    assert world.ask(_search, world.challenge_id, "cakalna") == []


def _search(connection, challenge_id, words):
    from app.services import search

    return search.similar(connection, challenge_id, words)
