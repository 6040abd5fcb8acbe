"""The page of identity providers, and a trial sign-in: who may see them, what they show, and that nothing is kept."""

import json
import logging

import pytest
from sqlalchemy import select, update
from starlette.responses import Response

from app.integrations import client_keys
from app.main import create_app
from app.models import (
    AuditEntry,
    BrowserSession,
    Event,
    JoinRequest,
    Login,
    Membership,
    Person,
    Programme,
    SignIn,
)
from app.models.base import table
from app.services import doctor
from tests.identity.conftest import Browser, providers_file, settings_for, table_for
from tests.identity.serving import free_port, serving
from tests.identity.test_attacks import dump


def reader(site, actor, **headers):
    browser = site.browser(**headers)
    browser.cookies.set("session", site.world.cookie(actor))
    return browser


def everything(site):
    return {**dump(site), **{model: len(site.rows(model)) for model in (BrowserSession, Event)}}


def tried(site, browser=None):
    """A coordinator goes through a trial; the page that answers."""
    browser = browser or reader(site, site.world.cora)
    return browser.get(browser.come_back(browser.submit("/admin/providers/ministry/trial")))


def test_a_coordinator_sees_how_each_provider_fares(site):
    page = reader(site, site.world.cora).get("/admin/providers")
    assert page.status_code == 200
    for words in (
        "The Ministry",
        "Its metadata was read and fits.",
        "Keys that check signatures: 1.",
        "Signatures with RS256 are accepted.",
        f"{site.address}/sign-in/ministry/callback",
        f"{site.address}/sign-in/ministry/back-channel-logout",
        "Try a sign-in",
    ):
        assert words in page.text, words


def test_what_differs_is_said_with_its_mend(site):
    site.far.metadata = {
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "code_challenge_methods_supported": ["plain"],
        "require_pushed_authorization_requests": True,
    }
    site.far.without = ("end_session_endpoint",)
    page = reader(site, site.world.cora).get("/admin/providers").text
    for words in (
        "does not work",
        "It signs with EdDSA; only RS256 is accepted.",
        "Add one of its asymmetric algorithms to algorithms.",
        "it takes private_key_jwt",
        "It offers no PKCE with S256",
        "It has no address for signing out",
    ):
        assert words in page, words


def test_a_provider_that_is_down_is_said_to_be(site):
    site.far.answers["metadata"] = lambda: Response(status_code=502)
    page = reader(site, site.world.cora).get("/admin/providers")
    assert page.status_code == 200
    assert "Its metadata was not read: HTTPStatusError." in page.text


def test_what_was_refused_lately_is_counted_without_a_word_of_whose(site):
    site.far.changed_claims = lambda claims: claims | {"aud": "another"}
    for _ in range(3):
        site.browser().sign_in()
    page = reader(site, site.world.cora).get("/admin/providers").text
    assert "InvalidClaimError:aud" in page
    assert "<td>3</td>" in page
    assert "ana-1" not in page
    assert "ana@ministry.example" not in page


def test_the_page_speaks_slovene(site):
    browser = reader(site, site.world.cora)
    browser.submit("/me/language", {"language": "sl"})
    page = browser.get("/admin/providers").text
    assert "Ministrstvo" in page
    assert "Metapodatki" in page


def test_who_looks_after_no_provider_sees_none(site):
    assert site.browser().get("/admin/providers").status_code == 303
    for name in ("alice", "fay", "sam", "olga"):
        browser = reader(site, getattr(site.world, name))
        assert browser.get("/admin/providers").status_code == 403, name
        answer = browser.submit("/admin/providers/ministry/trial")
        assert answer.status_code in (403, 404), name
    assert site.browser().submit("/admin/providers/ministry/trial").status_code in (303, 401)
    assert site.rows(SignIn) == []


def test_coordinators_see_those_of_their_own_programmes_alone(site):
    browser = reader(site, site.world.charlie)
    page = browser.get("/admin/providers")
    assert page.status_code == 200
    assert "The Ministry" not in page.text
    assert browser.submit("/admin/providers/ministry/trial").status_code == 404


def test_an_instance_administrator_sees_all(site):
    of = table(Person)
    alice = site.world.alice.person_id
    site.world.database.write_now(
        lambda tx: tx.execute(update(of).where(of.c.id == alice).values(administrator_since=tx.now))
    )
    assert "The Ministry" in reader(site, site.world.alice).get("/admin/providers").text


def test_a_provider_that_is_not_there_cannot_be_tried(site):
    assert reader(site, site.world.cora).submit("/admin/providers/nobody/trial").status_code == 404


# the trial


def test_a_trial_shows_what_came_and_what_it_would_lead_to(site):
    site.far.claims |= {"email_verified": True, "acr": "gold", "amr": ["mfa"], "custom": {"a": ["<b>"]}}
    browser = reader(site, site.world.cora)
    before = everything(site)
    session = browser.secret
    page = tried(site, browser)
    assert page.status_code == 200
    assert "no-store" in page.headers["cache-control"]
    for words in (
        "They are new and would join.",
        "Public House of Here" if "Public House of Here" in page.text else "Here",
        "Ana Zupan",
        "ana@ministry.example",
        "verified",
        "ana-1",
        "gold · mfa",
        "custom",
        "&lt;b&gt;",
    ):
        assert words in page.text, words
    assert everything(site) == before
    assert browser.secret == session
    assert "Cora" in browser.name()


def test_a_trial_says_who_is_known(site):
    site.browser().sign_in()
    before = everything(site)
    site.far.claims |= {"name": "Another Name"}
    assert "They are known here and would be signed in." in tried(site).text
    assert {
        model: rows for model, rows in everything(site).items() if model in (Person, Login, Membership)
    } == {model: rows for model, rows in before.items() if model in (Person, Login, Membership)}


def test_a_trial_says_who_would_be_refused_and_why(site):
    site.far.claims |= {"tid": "unheard-of"}
    before = dump(site)
    page = tried(site).text
    assert "They would be refused." in page
    assert "does not take part here" in page
    assert dump(site) == before


def test_a_trial_says_who_would_wait_for_approval(site):
    of = table(Programme)
    site.world.database.write_now(lambda tx: tx.execute(update(of).values(joining="approve")))
    before = dump(site)
    page = tried(site).text
    assert "They would wait for approval." in page
    assert "Public administration House of Here" in page
    assert dump(site) == before
    assert site.rows(JoinRequest) == []


def test_a_trial_that_is_not_believed_says_the_reason(site):
    site.far.changed_claims = lambda claims: claims | {"aud": "another"}
    page = tried(site)
    assert page.status_code == 200
    assert "A sign-in would be refused." in page.text
    assert "InvalidClaimError:aud" in page.text
    entry = site.rows(AuditEntry)[-1]
    assert (entry.action, entry.data["purpose"]) == ("sign_in.refused", "trial")


def test_a_trial_is_kept_nowhere(site, caplog):
    site.far.claims |= {
        "name": "Unmistakable Name",
        "secret_claim": "unmistakable-value",
        "sub": "unmistakable-sub",
    }
    with caplog.at_level(logging.DEBUG):
        assert "Unmistakable Name" in tried(site).text
    assert "nmistakable" not in caplog.text
    kept = site.world.database.read_now(
        lambda connection: json.dumps(
            [
                [str(value) for value in row]
                for model in (Person, Login, Membership, SignIn, BrowserSession, Event, AuditEntry)
                for row in connection.execute(select(table(model))).all()
            ]
        )
    )
    assert "nmistakable" not in kept


def test_a_trial_that_comes_back_to_someone_else_shows_nothing(site):
    """Who has signed out, or has lost the role meanwhile, does not see what came."""
    browser = reader(site, site.world.cora)
    address = browser.come_back(browser.submit("/admin/providers/ministry/trial"))
    browser.cookies.delete("session")
    browser.cookies.set("session", site.world.cookie(site.world.alice))
    answer = browser.get(address)
    assert answer.status_code in (403, 404)
    assert "ana-1" not in answer.text


def test_a_trial_is_shown_once(site):
    browser = reader(site, site.world.cora)
    address = browser.come_back(browser.submit("/admin/providers/ministry/trial"))
    assert browser.get(address).status_code == 200
    assert browser.get(address).status_code == 409


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_trial_is_not_begun_from_another_site(site, headers):
    browser = reader(site, site.world.cora)
    assert browser.post("/admin/providers/ministry/trial", headers=headers).status_code == 403
    assert site.rows(SignIn) == []


# our own keys


def test_our_public_keys_are_there_for_the_provider_to_fetch(database_url, database, far, tmp_path):
    key = client_keys.make(tmp_path / "2026-11.pem")
    table = table_for(far.issuer, client_auth='"private_key_jwt"', client_keys='["2026-11.pem"]')
    del table["client_secret"]
    tables = {"ministry": table, "company": table_for(far.issuer)}
    file = providers_file(tmp_path / "providers.toml", **tables)
    port = free_port()
    with serving(create_app(settings_for(database_url, port, identity_providers=file)), port) as address:
        browser = Browser(address, {})
        answer = browser.get("/sign-in/ministry/keys.json")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert [one["kid"] for one in answer.json()["keys"]] == [key.kid]
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(answer.json()["keys"][0])
        for without in ("company", "nobody"):
            assert browser.get(f"/sign-in/{without}/keys.json").status_code == 404


def test_the_doctor_says_what_the_page_says(database_url, far, tmp_path):
    far.metadata = {"id_token_signing_alg_values_supported": ["EdDSA"]}
    file = providers_file(tmp_path / "providers.toml", ministry=table_for(far.issuer))
    findings = doctor.look(settings_for(database_url, free_port(), identity_providers=file))
    told = [finding for finding in findings if finding.name == "identity provider ministry"]
    assert {finding.state for finding in told} == {"ok", "bad"}
    bad = next(finding for finding in told if finding.state == "bad")
    assert bad.says == "It signs with EdDSA; only RS256 is accepted."
    assert bad.mend == "Add one of its asymmetric algorithms to algorithms."
