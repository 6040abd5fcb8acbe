"""Who runs the demo besides, and who is on the way in: there to be looked at, the same each time."""

import pytest

from app.database import Database
from app.demo.fill import fill
from app.lib import clock
from app.policies.permissions import Permission
from app.policies.reach import OfOrganisation, OfProgramme
from app.policies.rules import may
from app.services import actors, delegations, invitations, join_requests, notices, people


@pytest.fixture
def demo(sqlite_url):
    database = Database(sqlite_url)
    fill(database, base_url="http://demo.test")
    yield database
    database.close()


def person(demo, name):
    return demo.read_now(lambda connection: people.with_email(connection, f"{name}@demo.example"))


def test_the_coordinator_runs_the_installation_and_nobody_else_does(demo):
    names = ("public", "business", "facilitator", "host", "sponsor", "coordinator", "observer")
    assert [name for name in names if person(demo, name).is_administrator] == ["coordinator"]


def test_a_host_looks_after_their_own_organisation(demo):
    host = person(demo, "host")
    (place,) = host.memberships.values()
    assert may(host, Permission.MANAGE_PEOPLE, OfOrganisation(1, place.organisation_id))
    assert not may(host, Permission.MANAGE_PEOPLE, OfOrganisation(1, place.organisation_id + 1))
    assert not may(host, Permission.MANAGE_ROLES, OfProgramme(1))


def test_a_facilitator_has_a_colleague_stand_in(demo):
    facilitator = person(demo, "facilitator")
    (lent,) = demo.read_now(lambda connection: delegations.of_person(connection, facilitator))
    assert (lent.lender, lent.role) == ("Petra Vidmar", "facilitator")
    assert clock.now() < lent.ends_at
    colleague = demo.read_now(lambda connection: actors.find(connection, lent.person_id))
    assert "role_lent" in [
        notice.kind for notice in demo.read_now(lambda connection: notices.waiting(connection, colleague))
    ]


def test_one_is_invited_and_one_waits_to_be_let_in(demo):
    coordinator = person(demo, "coordinator")
    (invited,) = demo.read_now(lambda connection: invitations.in_programme(connection, coordinator, 1))
    assert (invited.name, invited.problem) == ("Vesna Kralj", None)
    assert demo.read_now(lambda connection: join_requests.waiting_for(connection, coordinator)) == 1
