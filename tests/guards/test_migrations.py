"""Migrations lead exactly to the models, there and back, on a populated database, on both engines."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from app.database import Database
from app.integrations import queue
from app.models import Programme, metadata
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


def test_no_key_is_given_twice(database):
    keys = {name for name, table in metadata.tables.items() if "id" in table.c}
    if database.is_sqlite:
        query = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
    else:
        query = "SELECT table_name FROM information_schema.columns WHERE column_default LIKE 'nextval(%'"
    assert keys - set(database.read_now(lambda c: c.execute(text(query)).scalars().all())) == set()
    for _ in range(2):
        database.write_now(lambda tx: tx.execute(text("DELETE FROM programme")))
        database.write_now(lambda tx: tx.session.add(Programme(slug="here", name="Here")))
    assert database.read_now(lambda c: c.execute(text("SELECT id FROM programme")).scalar_one()) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_there_keeps_its_ids_and_what_comes_gets_none_that_a_job_was_named_by(
    populated, database_url
):
    """Jobs are known for a month; until this revision SQLite gave their ids out again."""
    populated.database.close()
    migrate_down(database_url, "0008")
    queue.migrate(database_url)
    database = Database(database_url)
    before = told(database)
    names = ("hook-41-977", "notice-51", "notice-6", "notices-70-90", "data-export-31", "import-21-2-1")
    known = text("INSERT INTO workflow_status (workflow_uuid, status) VALUES (:name, 'SUCCESS')")
    database.write_now(lambda tx: tx.execute(known, [{"name": name} for name in names]).close())
    database.close()
    migrate(database_url)
    database = Database(database_url)
    assert told(database) == before
    last = database.read_now(lambda c: dict(c.execute(text("SELECT name, seq FROM sqlite_sequence")).all()))
    assert {name: last[name] for name in ("webhook", "notice", "data_export", "import")} == {
        "webhook": 41,
        "notice": 51,
        "data_export": 31,
        "import": 21,
    }
    assert last["idea"] == database.read_now(lambda c: c.execute(text("SELECT max(id) FROM idea")).scalar())
    for question, answer in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
        rows = database.read_now(lambda c, question=question: c.execute(text(f"PRAGMA {question}")).all())
        assert [tuple(row) for row in rows] == answer
    database.close()


def told(database):
    """Every row of ours."""
    tables = metadata.sorted_tables
    return database.read_now(lambda c: {each.name: c.execute(each.select()).all() for each in tables})


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
