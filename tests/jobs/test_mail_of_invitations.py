"""Mails of invitations, through a real SMTP server: good ones alone, and their secret nowhere but in the mail."""

import re

import pytest

from app.integrations import queue
from app.jobs import mail
from app.jobs.workplace import Workplace
from app.services import invitations
from tests.factories.world import World
from tests.jobs.places import PostOffice, Worker, until
from tests.jobs.test_worker import recorded
from tests.services.test_invitations import invite

pytest_plugins = ["tests.jobs.fixtures"]
pytestmark = pytest.mark.usefixtures("mail_on")

NIKA = "nika@company.example"


@pytest.fixture
def world(jobs_database):
    return World(jobs_database)


@pytest.fixture
def workplace(jobs_database):
    return Workplace(
        jobs_database, "http://board.test", "Partnership <no-reply@board.test>", "smtp://127.0.0.1:1"
    )


@pytest.mark.slow
def test_an_invitation_arrives_and_its_secret_stands_nowhere_else(jobs_database, world, tmp_path):
    made = invite(world, email=NIKA)
    with PostOffice() as office, Worker(jobs_database.plain_url, office.url, directory=tmp_path) as worker:
        until(lambda: office.letters, 30, "the invitation")
        idle = {"waiting": 0, "postponed": 0, "in_hand": 0, "failed": 0}
        until(lambda: jobs_database.read_now(queue.counts) == idle, 30, "the job done")
        log = worker.log.read_text()
    ((to, message),) = office.letters
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert to == NIKA
    (token,) = re.findall(r"http://board\.test/invitations/(\S+)", text)
    assert world.ask(invitations.opened, token).id == made.id
    for place in (log, recorded(jobs_database)):
        assert token.partition(".")[2] not in place
        assert NIKA not in place


def test_it_says_to_what_in_the_programmes_language(world, workplace):
    made = invite(world, email=NIKA)
    letter = mail.compose_invitation(workplace, made.id)
    assert letter.subject == "An invitation to Here"
    assert "Business House of Here" in letter.body
    assert f"http://board.test/invitations/{made.token}" in letter.body


def test_one_that_was_taken_back_is_not_mailed(world, workplace):
    made = invite(world, email=NIKA)
    world.do(invitations.revoke, world.cora, made.id)
    assert mail.compose_invitation(workplace, made.id) is None
    assert mail.deliver_invitation(workplace, made.id) == "nothing to send"


def test_without_an_address_nothing_is_put_in_line(world, jobs_database):
    invite(world)
    assert jobs_database.read_now(queue.counts)["waiting"] == 0
