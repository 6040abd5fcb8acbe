"""Kept answers are forgotten when nobody will ask for them again, and not before."""

from datetime import timedelta

import pytest

from app.database import Database
from app.jobs import answers as job
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import KeptAnswer
from app.models.base import table
from app.services import answers
from tests.factories.world import World

KEPT = table(KeptAnswer)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def test_only_old_answers_are_forgotten(world: World) -> None:
    for key in ("old", "new"):
        world.do(answers.claim, world.alice.person_id, key, b"x" * 32)
    old = clock.now() - job.KEPT_FOR - timedelta(minutes=1)
    world.do(lambda tx: tx.execute(KEPT.update().where(KEPT.c.key == "old").values(created_at=old)))
    place = Workplace(database=world.database, base_url="", mail_from="", smtp_url=None)
    assert job.forget(place) == 1
    assert job.forget(place) == 0
    assert world.do(answers.claim, world.alice.person_id, "new", b"x" * 32) is not None
    assert world.do(answers.claim, world.alice.person_id, "old", b"x" * 32) is None
