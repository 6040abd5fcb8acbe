"""Organisations: added by those who coordinate, and known from outside by signed claims alone."""

from datetime import timedelta

import pytest

from app.errors import Invalid, Moved, NotAllowed, NotFound, NotFresh
from app.models import AuditEntry, Organisation, OrganisationDomain, OrganisationIdentity
from app.services import organisations, people
from tests.services.test_joining import claiming, rows
from tests.services.test_memberships import assign
from tests.services.test_person_merging import fresh

COMPANY = "https://login.company.example"


def know(world, actor=None, *, sector="business", value="77", issuer=COMPANY):
    actor = actor or fresh(world, world.cora)
    named = {"issuer": issuer, "value": value, "issuers": {COMPANY}}
    world.do(organisations.know_by, actor, world.organisations[sector], **named)


def found(world, sector="business"):
    return world.ask(organisations.find, world.cora, world.organisations[sector])


def test_a_coordinator_adds_one(world):
    made = world.do(
        organisations.add, world.cora, world.programme, name=" City  of X ", sector_key="public", number="12"
    )
    row = rows(world, Organisation)[-1]
    assert (row.id, row.name, row.sector_id, row.number) == (made, "City of X", world.sectors["public"], "12")
    assert rows(world, AuditEntry)[-1].action == "organisation.added"
    assert "City of X" in [
        each.name for each in world.ask(organisations.overview, world.cora, world.programme)
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 161}, "name"),
        ({"name": "Business House of Here"}, "name"),
        ({"number": "1" * 41}, "number"),
        ({"sector_key": "church"}, "sector"),
    ],
)
def test_what_cannot_be_taken_is_said_by_its_field(world, values, field):
    given = {"name": "City of X", "sector_key": "public"} | values
    with pytest.raises(Invalid) as caught:
        world.do(organisations.add, world.cora, world.programme, **given)
    assert [wrong.field for wrong in caught.value.errors] == [field]


def test_a_claims_value_lets_people_in_and_no_longer_once_it_is_forgotten(world):
    with pytest.raises(NotAllowed):
        world.do(people.enter, claiming("77"))
    know(world)
    assert world.do(people.enter, claiming("77"))
    (claim,) = found(world).claims
    world.do(organisations.forget_claim, world.cora, world.organisations["business"], claim.id)
    with pytest.raises(NotAllowed):
        world.do(people.enter, claiming("77", "another"))


def test_one_value_means_one_organisation(world):
    know(world)
    with pytest.raises(Invalid, match="mend"):
        know(world, sector="public")
    assert len(rows(world, OrganisationIdentity)) == 1


def test_an_issuer_that_is_none_of_the_programmes_means_nothing(world):
    with pytest.raises(Invalid) as caught:
        know(world, issuer="https://evil.example")
    assert [wrong.field for wrong in caught.value.errors] == ["issuer"]


def test_a_claim_and_the_word_on_a_domain_take_a_fresh_sign_in(world):
    stale = fresh(world, world.cora, ago=timedelta(minutes=16))
    with pytest.raises(NotFresh):
        know(world, stale)
    here = world.organisations["business"]
    world.do(organisations.add_domain, world.cora, here, domain="company.example")
    (domain,) = found(world).domains
    with pytest.raises(NotFresh):
        world.do(organisations.verify_domain, stale, here, domain.id)
    assert rows(world, OrganisationDomain)[0].verified_at is None


def test_a_domain_is_noted_made_sure_of_and_taken_off(world):
    here = world.organisations["business"]
    world.do(organisations.add_domain, world.cora, here, domain="@Company.Example.")
    (domain,) = found(world).domains
    assert (domain.domain, domain.verified_at) == ("company.example", None)
    for _ in range(2):
        world.do(organisations.verify_domain, fresh(world, world.cora), here, domain.id)
    assert found(world).domains[0].verified_at is not None
    with pytest.raises(Invalid):
        world.do(
            organisations.add_domain, world.cora, world.organisations["public"], domain="company.example"
        )
    for _ in range(2):
        world.do(organisations.remove_domain, world.cora, here, domain.id)
    assert found(world).domains == ()


@pytest.mark.parametrize("domain", ["", "x", "com", "a b.example", "http://x.example", "-x.example", "x.1"])
def test_what_is_no_domain_is_refused(world, domain):
    with pytest.raises(Invalid):
        world.do(organisations.add_domain, world.cora, world.organisations["business"], domain=domain)


def test_name_and_number_change_together_with_the_version(world):
    here = world.organisations["business"]
    world.do(organisations.change, world.cora, here, name="Works", number="5", version=1)
    assert (found(world).name, found(world).version) == ("Works", 2)
    world.do(organisations.change, world.cora, here, name="Works", number="5", version=2)
    assert found(world).version == 2
    with pytest.raises(Moved):
        world.do(organisations.change, world.cora, here, name="Other", number="", version=1)
    with pytest.raises(Invalid):
        world.do(
            organisations.change, world.cora, here, name="Public administration House of Here", number=""
        )


@pytest.mark.parametrize("who", ["alice", "fay", "charlie", "administrator"])
def test_nobody_else_sees_or_changes_them(world, who):
    actor = (
        assign(world, world.ana, "organisation_administrator", organisation_id=world.organisations["public"])
        if who == "administrator"
        else getattr(world, who)
    )
    here = world.organisations["public"]
    with pytest.raises(NotAllowed):
        world.ask(organisations.overview, actor, world.programme)
    with pytest.raises(NotAllowed):
        world.do(organisations.add, actor, world.programme, name="X", sector_key="public")
    for verb, values in (
        (organisations.change, {"name": "X", "number": ""}),
        (organisations.know_by, {"issuer": COMPANY, "value": "1", "issuers": {COMPANY}}),
        (organisations.forget_claim, {"claim_id": 1}),
        (organisations.add_domain, {"domain": "x.example"}),
        (organisations.verify_domain, {"domain_id": 1}),
        (organisations.remove_domain, {"domain_id": 1}),
    ):
        with pytest.raises(NotFound):
            world.do(verb, actor, here, **values)
