"""From a provider's signed claim to whom the organisation's directory has told of, through a real sign-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.database import Database, Transaction
from app.main import create_app
from app.models import BrowserSession, Person, ScimUser
from tests.factories.world import World
from tests.identity.conftest import Site, known_as, providers_file, settings_for, table_for
from tests.identity.hostile import Hostile
from tests.identity.serving import free_port, serving


@pytest.fixture
def site(database_url: str, database: Database, far: Hostile, tmp_path: Path) -> Iterator[Site]:
    world = World(database)
    known_as(world, far.issuer, "ministry", world.organisations["public"])
    table = table_for(far.issuer, scim_subject_claim='"oid"')
    port = free_port()
    file = providers_file(tmp_path / "providers.toml", ministry=table)
    with serving(create_app(settings_for(database_url, port, identity_providers=file)), port) as address:
        yield Site(address, world, far)


def told_of(site: Site, sector: str = "public", **values) -> None:
    """The directory of an organisation has told of someone."""
    usual = {"external_id": "oid-1", "user_name": "ana@ministry.example", "email": "ana@ministry.example"}

    def work(tx: Transaction) -> None:
        tx.session.add(
            ScimUser(
                programme_id=site.world.programme_id,
                organisation_id=site.world.organisations[sector],
                **usual | values,
            )
        )

    site.world.do(work)


def linked(site: Site) -> list[int | None]:
    return [row.person_id for row in site.rows(ScimUser)]


def test_the_claim_that_the_provider_signs_links(site: Site) -> None:
    told_of(site)
    told_of(site, external_id="ana-1", user_name="by subject")
    site.far.claims["oid"] = "oid-1"
    site.browser().sign_in()
    person = site.rows(Person)[-1]
    assert (person.name, linked(site)) == ("Ana Zupan", [person.id, None])


@pytest.mark.parametrize(
    "claim", [None, "OID-1", "oid-1 ", ["oid-1"], {"oid-1": 1}, 1, True, "", "ana@ministry.example"]
)
def test_nothing_else_does(site: Site, claim: object) -> None:
    told_of(site)
    if claim is not None:
        site.far.claims["oid"] = claim
    site.browser().sign_in()
    assert site.rows(Person)[-1].name == "Ana Zupan"
    assert linked(site) == [None]


def test_what_userinfo_alone_says_links_nobody(site: Site) -> None:
    told_of(site)
    del site.far.claims["email"]
    site.far.userinfo = {"sub": "ana-1", "oid": "oid-1", "email": "ana@ministry.example"}
    site.browser().sign_in()
    assert site.rows(Person)[-1].email == "ana@ministry.example"
    assert linked(site) == [None]


def test_a_directory_of_another_organisation_has_no_say(site: Site) -> None:
    told_of(site, "business", active=False)
    site.far.claims["oid"] = "oid-1"
    assert site.browser().sign_in().status_code == 303
    assert linked(site) == [None]


def test_whom_the_directory_has_let_go_does_not_come_in(site: Site) -> None:
    told_of(site, active=False)
    site.far.claims["oid"] = "oid-1"
    before = len(site.rows(Person))
    answer = site.browser().sign_in()
    assert answer.status_code == 403
    assert "no longer take part" in answer.text
    assert len(site.rows(Person)) == before
    assert site.rows(BrowserSession) == []
