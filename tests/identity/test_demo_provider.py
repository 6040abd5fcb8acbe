"""The demo's own identity provider: one click, and yet the whole flow."""

import html
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import SecretStr

from app.database import Database
from app.demo.fill import fill
from app.integrations.identity_providers import demo_client_secret
from app.main import create_app
from app.settings import Settings
from tests.identity.conftest import Browser, settings_for
from tests.identity.serving import free_port, serving


@pytest.fixture(scope="module")
def demo(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    shutil.copy(sqlite_template, path)
    settings = settings_for(f"sqlite:///{path}", free_port())
    database = Database(settings.database)
    fill(database, base_url=settings.base_url)
    database.close()
    with serving(create_app(settings), int(settings.base_url.rpartition(":")[2])):
        yield settings


@pytest.fixture
def browser(demo: Settings) -> Browser:
    return Browser(demo.base_url, {})


def listed(page: httpx2.Response) -> dict[str, str]:
    """Mail address to account, as the page offers them."""
    return {
        html.unescape(mail): account
        for account, mail in re.findall(
            r'name="subject" value="([^"]+)".*?<br>([^<]+)</span>', page.text, re.DOTALL
        )
    }


def click(browser: Browser, page: httpx2.Response, mail: str) -> httpx2.Response:
    """Choose a person on the page."""
    fields = dict(parse_qsl(urlsplit(str(page.url)).query)) | {"subject": listed(page)[mail]}
    return browser.submit(urlsplit(str(page.url)).path, fields)


def sign_in(browser: Browser, side: str, mail: str, next: str = "/") -> httpx2.Response:
    page = browser.get(browser.leave(side, next).headers["location"])
    assert page.status_code == 200, page.text
    return browser.get(click(browser, page, mail).headers["location"])


PEOPLE = [
    ("government", "public@demo.example", "government"),
    ("company", "business@demo.example", "company"),
]


@pytest.mark.parametrize(("side", "mail", "_"), PEOPLE)
def test_one_click_signs_a_demo_person_in(browser, side, mail, _):
    answer = sign_in(browser, side, mail, "/me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert browser.get("/me").status_code == 200


def test_each_side_lists_its_own_people(browser):
    government = listed(browser.get(browser.leave("government").headers["location"]))
    company = listed(browser.get(browser.leave("company").headers["location"]))
    assert next(iter(government)).endswith("@demo.example")
    assert "public@demo.example" in government
    assert "business@demo.example" in company
    assert not set(government) & set(company)


def test_the_seven_people_of_the_contract_can_sign_in(browser):
    listings = [
        listed(browser.get(browser.leave(side).headers["location"])) for side in ("government", "company")
    ]
    for name in ("public", "business", "facilitator", "host", "sponsor", "coordinator", "observer"):
        assert sum(f"{name}@demo.example" in listing for listing in listings) == 1


def test_the_list_can_be_searched(browser):
    address = browser.leave("government").headers["location"]
    assert list(listed(browser.get(f"{address}&q=PUBLIC@demo"))) == ["public@demo.example"]
    assert listed(browser.get(f"{address}&q=nobody+at+all")) == {}


def test_signing_out_comes_back_here(browser):
    sign_in(browser, "government", "public@demo.example")
    there = browser.submit("/sign-out").headers["location"]
    assert urlsplit(there).path == "/demo-identity/government/sign-out"
    back = browser.get(there).headers["location"]
    assert urlsplit(back).path == "/sign-out/done"
    assert browser.get(back).status_code == 200


def test_a_sign_out_without_a_hint_leads_nowhere_foreign(browser):
    query = urlencode({"client_id": "partnership", "post_logout_redirect_uri": "https://evil.example/"})
    assert browser.get(f"/demo-identity/government/sign-out?{query}").headers["location"] == "/sign-out/done"


def test_an_account_that_does_not_exist_is_an_access_denied(browser):
    address = browser.leave("government").headers["location"]
    fields = dict(parse_qsl(urlsplit(address).query)) | {"subject": "nobody"}
    callback = browser.submit(urlsplit(address).path, fields).headers["location"]
    assert parse_qs(urlsplit(callback).query)["error"] == ["access_denied"]
    assert browser.get(callback).status_code == 403


# as any other client would see it


def endpoint(demo: Settings, path: str, side: str = "government") -> str:
    return f"{demo.base_url}/demo-identity/{side}/{path}"


def code(browser: Browser, verifier: str = "v" * 64, **changes: str) -> str:
    return parse_qs(urlsplit(answer(browser, verifier, **changes).headers["location"]).query)["code"][0]


def answer(
    browser: Browser, verifier: str = "v" * 64, side: str = "government", **changes: str
) -> httpx2.Response:
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    address = browser.leave(side).headers["location"]
    page = browser.get(address)
    mail = next(iter(listed(page)))
    fields = dict(parse_qsl(urlsplit(address).query)) | {
        "subject": listed(page)[mail],
        "code_challenge": create_s256_code_challenge(verifier),
        "nonce": "n" * 64,
    }
    return browser.submit(urlsplit(address).path, {name: v for name, v in (fields | changes).items() if v})


def redeem(
    demo: Settings, browser: Browser, code: str, side: str = "government", **changes: str
) -> httpx2.Response:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": "v" * 64,
        "redirect_uri": f"{demo.base_url}/sign-in/{side}/callback",
    }
    auth = (changes.pop("client_id", "partnership"), changes.pop("secret", demo_client_secret(demo)))
    return httpx2.post(endpoint(demo, "token", side), data=fields | changes, auth=auth, trust_env=False)


def test_tokens_carry_the_nonce_and_a_signature_that_the_published_key_checks(demo, browser):
    tokens = redeem(demo, browser, code(browser))
    assert tokens.status_code == 200, tokens.text
    assert tokens.headers["cache-control"] == "no-store"
    keys = browser.get(endpoint(demo, "keys")).json()
    assert "d" not in keys["keys"][0]
    claims = jwt.decode(tokens.json()["id_token"], KeySet.import_key_set(keys), ["ES256"]).claims
    assert claims["iss"] == f"{demo.base_url}/demo-identity/government"
    assert (claims["aud"], claims["nonce"]) == ("partnership", "n" * 64)
    told = browser.get(
        endpoint(demo, "userinfo"), headers={"Authorization": f"Bearer {tokens.json()['access_token']}"}
    ).json()
    assert told["sub"] == claims["sub"]
    assert told["organisation_number"] == claims["organisation_number"]


def test_a_code_works_once(demo, browser):
    given = code(browser)
    assert redeem(demo, browser, given).status_code == 200
    assert redeem(demo, browser, given).json()["error"] == "invalid_grant"


def test_a_code_at_once_from_many_sides_works_once(demo, browser):
    given = code(browser)
    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(lambda _: redeem(demo, browser, given).status_code, range(6)))
    assert statuses.count(200) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 64},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:8000/sign-in/company/callback"},
        {"secret": "wrong"},
        {"client_id": "someone-else"},
        {"code": "forged"},
        {"grant_type": "password"},
    ],
)
def test_a_code_is_bound_to_what_it_was_asked_with(demo, browser, changes):
    changes = dict(changes)
    given = changes.pop("code", None) or code(browser)
    assert redeem(demo, browser, given, **changes).status_code in (400, 401)


def test_a_code_of_one_issuer_is_no_code_of_the_other(demo, browser):
    given = code(browser)
    uri = f"{demo.base_url}/sign-in/government/callback"
    assert redeem(demo, browser, given, "company", redirect_uri=uri).json()["error"] == "invalid_grant"


def test_an_access_token_of_one_issuer_opens_nothing_at_the_other(demo, browser):
    access = redeem(demo, browser, code(browser)).json()["access_token"]
    headers = {"Authorization": f"Bearer {access}"}
    assert browser.get(endpoint(demo, "userinfo", "company"), headers=headers).status_code == 401
    assert browser.get(endpoint(demo, "userinfo")).status_code == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_request_without_its_protections_is_refused(demo, browser, changes, error):
    address = urlsplit(browser.leave("government").headers["location"])
    query = urlencode({name: v for name, v in (dict(parse_qsl(address.query)) | changes).items() if v})
    refused = browser.get(f"{address.path}?{query}")
    assert f"error={error}" in refused.headers["location"]
    assert f"error={error}" in answer(browser, **changes).headers["location"]


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/sign-in/government/callback",
        "BASE/sign-in/x/../../callback",
        "BASE.evil.example/sign-in/government/callback",
        "BASE/sign-in/government/callback?x=1",
        "BASE/sign-in//callback",
    ],
)
def test_a_code_goes_nowhere_else(demo, browser, uri):
    address = urlsplit(browser.leave("government").headers["location"])
    fields = dict(parse_qsl(address.query)) | {"redirect_uri": uri.replace("BASE", demo.base_url)}
    refused = browser.get(f"{address.path}?{urlencode(fields)}")
    assert refused.status_code == 400
    assert "location" not in refused.headers


def test_an_issuer_that_there_is_not_is_not_found(browser):
    assert browser.get("/demo-identity/nobody/authorize").status_code == 404
    assert browser.get("/demo-identity/nobody/.well-known/openid-configuration").status_code == 404


def test_keys_are_the_same_in_every_process_and_differ_between_installations(demo):
    from app.demo.issuer import signing_key

    one = signing_key("secret", "https://a.example").as_dict(private=False)
    assert one == signing_key("secret", "https://a.example").as_dict(private=False)
    assert one != signing_key("secret", "https://b.example").as_dict(private=False)
    assert one != signing_key("another", "https://a.example").as_dict(private=False)


def test_what_one_process_gave_out_another_can_open():
    from app.demo.issuer import Issuer

    def issuer(address="https://a.example", secret="secret"):
        return Issuer(address, site="https://site.example", client_id="c", client_secret="s", secret=secret)

    given = issuer().sealed("code", {"person": "ana"}, lasts_s=60)
    assert issuer().opened("code", given)["person"] == "ana"
    assert issuer().opened("access", given) is None
    assert issuer("https://b.example").opened("code", given) is None
    assert issuer(secret="another").opened("code", given) is None
    assert issuer().opened("code", issuer().sealed("code", {}, lasts_s=-1)) is None
    assert issuer().opened("code", f"{given}x") is None
    assert issuer().opened("code", "nonsense") is None


def test_it_does_not_start_in_production(tmp_path):
    from types import SimpleNamespace

    from app.demo import provider

    production = Settings(
        _env_file=None,
        environment="production",
        secret_key=SecretStr("0123456789abcdefghijklmnopqrstuvwxyz"),
        base_url="https://partnership.example",
        identity_providers=tmp_path / "providers.toml",
    )
    with pytest.raises(RuntimeError, match="does not start in production"):
        provider.create(SimpleNamespace(settings=production))
