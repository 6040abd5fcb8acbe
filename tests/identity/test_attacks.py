"""The attack suite, the provider's side: against a running server, each attack ends in a plain page and an entry of the
audit log, and none makes or changes a person.
"""

import base64
import json
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import update
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from app.database import Database
from app.lib import clock
from app.main import create_app
from app.models import AuditEntry, BrowserSession, Login, Membership, Person, SignIn
from app.models.base import table
from tests.factories.world import World
from tests.identity.conftest import Site, known_as, providers_file, settings_for, table_for
from tests.identity.hostile import OTHER_KEY, THIRD_KEY, Hostile
from tests.identity.serving import free_port, serving

PEOPLE = (Person, Login, Membership)


def dump(site):
    """Every row of those tables that say who is who."""
    return {model: [tuple(row) for row in site.rows(model)] for model in PEOPLE}


def refusals(site):
    return [entry for entry in site.rows(AuditEntry) if entry.outcome == "refused"]


def attack(site, address, *, reason, status=403, browser=None, provider="ministry"):
    """Come back with an answer that must be refused: a plain page, one entry that says why, and nobody changed."""
    browser = browser or site.browser()
    before, told = dump(site), len(refusals(site))
    signed_in = browser.secret
    answer = browser.get(address)
    assert answer.status_code == status, answer.text
    assert "text/html" in answer.headers["content-type"]
    assert "<h1" in answer.text
    assert "Traceback" not in answer.text
    assert browser.secret == signed_in
    assert dump(site) == before
    entries = refusals(site)[told:]
    assert [(entry.action, entry.data["reason"]) for entry in entries] == [("sign_in.refused", reason)]
    assert entries[0].data["provider"] == provider
    assert "ana" not in json.dumps(entries[0].data).lower()
    return answer


def signed_by(site, *, reason, status=403):
    """Sign in honestly with whatever the provider was told to be."""
    browser = site.browser()
    return attack(site, browser.come_back(browser.leave()), reason=reason, status=status, browser=browser)


# the identity itself

CLAIMS = {
    "another issuer": (lambda c: c | {"iss": "https://evil.example"}, "InvalidClaimError:iss"),
    "no issuer": (lambda c: without(c, "iss"), "MissingClaimError:iss"),
    "an issuer with a slash": (lambda c: c | {"iss": c["iss"] + "/"}, "InvalidClaimError:iss"),
    "another audience": (lambda c: c | {"aud": "another-client"}, "InvalidClaimError:aud"),
    "no audience": (lambda c: without(c, "aud"), "MissingClaimError:aud"),
    "another audience with our azp": (
        lambda c: c | {"aud": "another-client", "azp": "client"},
        "InvalidClaimError:aud",
    ),
    "our audience with another azp": (lambda c: c | {"azp": "another-client"}, "InvalidClaimError:azp"),
    "two audiences without azp": (lambda c: c | {"aud": ["client", "another"]}, "MissingClaimError:azp"),
    "expired": (lambda c: c | {"exp": int(time.time()) - 120}, "ExpiredTokenError:exp"),
    "not yet valid": (lambda c: c | {"nbf": int(time.time()) + 600}, "InvalidClaimError:nbf"),
    "made in the future": (lambda c: c | {"iat": int(time.time()) + 600}, "InvalidClaimError:iat"),
    "made long ago": (lambda c: c | {"iat": int(time.time()) - 3600}, "id_token_old"),
    "another nonce": (lambda c: c | {"nonce": "0" * 64}, "InvalidClaimError:nonce"),
    "no nonce": (lambda c: without(c, "nonce"), "MissingClaimError:nonce"),
    "no subject": (lambda c: without(c, "sub"), "MissingClaimError:sub"),
    "an empty subject": (lambda c: c | {"sub": ""}, "sub"),
    "an endless subject": (lambda c: c | {"sub": "a" * 300}, "sub"),
    "a proof in the future": (lambda c: c | {"auth_time": int(time.time()) + 600}, "auth_time_ahead"),
    "another access token": (lambda c: c | {"at_hash": "AAAA"}, "InvalidClaimError:at_hash"),
}


def without(claims, name):
    return {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize("attempt", CLAIMS)
def test_a_token_with_wrong_claims(site, attempt):
    site.far.changed_claims, reason = CLAIMS[attempt]
    signed_by(site, reason=reason)


SEALS = {
    "unsigned": "UnsupportedAlgorithmError",
    "with_public_key_as_secret": "UnsupportedAlgorithmError",
    "with_elliptic_key": "UnsupportedAlgorithmError",
    "with_critical_header": "UnsupportedHeaderError",
}


@pytest.mark.parametrize("seal", SEALS)
def test_a_token_that_is_not_signed_as_agreed(site, seal):
    site.far.sealed = getattr(site.far, seal)
    signed_by(site, reason=SEALS[seal])


def test_unknown_keys_are_looked_for_once_and_not_in_a_flood(site):
    site.browser().sign_in()
    site.far.key, site.far.header = THIRD_KEY, {"alg": "RS256", "kid": "third"}
    for _ in range(6):
        signed_by(site, reason="InvalidKeyIdError")
    assert site.far.asked.count("keys") == 2


def test_a_key_under_a_known_name_is_looked_for_once(site):
    site.browser().sign_in()
    site.far.key = OTHER_KEY
    for _ in range(4):
        signed_by(site, reason="BadSignatureError")
    assert site.far.asked.count("keys") == 2


def test_no_identity_at_all(site):
    site.far.token = {"id_token": None}
    signed_by(site, reason="no_id_token")


def test_userinfo_of_someone_else(site):
    site.far.claims = {"sub": "mallory", "tid": "ministry"}
    site.far.userinfo = {"sub": "ana-1", "name": "Ana Zupan", "email": "ana@ministry.example"}
    signed_by(site, reason="userinfo_sub")


def test_userinfo_signed_for_another_client(site):
    site.far.claims = {"sub": "mallory", "tid": "ministry"}
    site.far.userinfo = site.far._signed({"iss": site.far.issuer, "aud": "another", "sub": "mallory"})
    signed_by(site, reason="userinfo_aud")


# whose it is


@pytest.mark.parametrize("verified", [True, False, "true", None])
def test_the_mail_of_someone_else_makes_nobody_them(site, verified):
    alice = site.world.alice
    before = [row for row in site.rows(Login) if row.person_id == alice.person_id]
    site.far.claims = {
        "sub": "mallory",
        "tid": "ministry",
        "name": "Mallory",
        "email": alice.email,
        "email_verified": verified,
    }
    browser = site.browser()
    browser.sign_in()
    assert "Alice" not in (browser.name() or "")
    assert [row for row in site.rows(Login) if row.person_id == alice.person_id] == before
    assert site.rows(Login)[-1].person_id != alice.person_id


def test_another_tenant_with_the_same_mail_and_subject(site):
    site.browser().sign_in()
    site.far.claims |= {"tid": "a-tenant-of-mallory", "sub": "ana-1"}
    before = dump(site)
    browser = site.browser()
    answer = browser.get(browser.come_back(browser.leave()))
    assert answer.status_code == 403
    assert dump(site) == before
    assert refusals(site)[-1].action == "sign_in.refused"


# the way there and back


def test_an_answer_without_a_state(site):
    browser = site.browser()
    address = browser.come_back(browser.leave())
    query = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items() if name != "state"}
    attack(
        site, f"/sign-in/ministry/callback?{urlencode(query)}", reason="state", status=409, browser=browser
    )


def test_an_answer_with_two_states(site):
    browser = site.browser()
    address = browser.come_back(browser.leave())
    state = parse_qs(urlsplit(address).query)["state"][0]
    attack(site, f"{address}&state={state}", reason="state", status=409, browser=browser)


def test_a_state_of_another_browser(site):
    mallory, victim = site.browser(), site.browser()
    planted = mallory.come_back(mallory.leave())
    victim.leave()
    attack(site, planted, reason="state", status=409, browser=victim)


def test_an_answer_that_was_used(site):
    browser = site.browser()
    address = browser.come_back(browser.leave())
    assert browser.get(address).status_code == 303
    attack(site, address, reason="state", status=409, browser=browser)


def test_an_answer_that_comes_too_late(site):
    browser = site.browser()
    address = browser.come_back(browser.leave())
    late = clock.now() - timedelta(seconds=1)
    site.world.database.write_now(lambda tx: tx.execute(update(table(SignIn)).values(expires_at=late)))
    attack(site, address, reason="state", status=409, browser=browser)


def test_a_code_that_was_stolen_from_another_sign_in(site):
    """PKCE and the nonce bind a code to the browser that left: another's is of no use."""
    victim, mallory = site.browser(), site.browser()
    stolen = parse_qs(urlsplit(victim.come_back(victim.leave())).query)["code"][0]
    address = mallory.come_back(mallory.leave())
    own = parse_qs(urlsplit(address).query)["code"][0]
    attack(site, address.replace(own, stolen), reason="InvalidClaimError:nonce", browser=mallory)
    assert site.far.challenges[-1] is False


def test_a_code_that_the_provider_has_seen_before(site):
    site.far.answers["token"] = lambda: JSONResponse({"error": "invalid_grant"}, 400)
    signed_by(site, reason="invalid_grant")


@pytest.mark.parametrize("issuer", ["https://evil.example", ""])
def test_an_answer_of_another_issuer(site, issuer):
    site.far.response = {"iss": issuer}
    signed_by(site, reason="response_iss")
    assert "token" not in site.far.asked


def test_an_answer_that_hides_its_issuer(site):
    site.far.metadata = {"authorization_response_iss_parameter_supported": True}
    signed_by(site, reason="response_iss")
    assert "token" not in site.far.asked


def test_a_sign_in_that_was_broken_off(site):
    site.far.response = {"error": "<script>alert(1)</script>", "code": None}
    answer = signed_by(site, reason="other")
    assert "<script>alert" not in answer.text


# two providers, one of which is hostile


@pytest.fixture
def two(database_url: str, database: Database, far: Hostile, tmp_path):
    """Our site with an honest ministry and a company whose provider is Mallory's."""
    world = World(database)
    port = free_port()
    evil = Hostile(f"http://127.0.0.1:{port}")
    evil.claims |= {"tid": "company"}
    evil.key, evil.published, evil.header = THIRD_KEY, [THIRD_KEY], {"alg": "RS256", "kid": "third"}
    known_as(world, far.issuer, "ministry", world.organisations["public"])
    known_as(world, evil.issuer, "company", world.organisations["business"])
    file = providers_file(
        tmp_path / "providers.toml", ministry=table_for(far.issuer), company=table_for(evil.issuer)
    )
    ours = free_port()
    settings = settings_for(database_url, ours, identity_providers=file)
    with serving(evil.app(), port), serving(create_app(settings), ours) as address:
        yield Site(address, world, far), evil


def test_a_code_of_the_honest_provider_does_not_reach_the_hostile_one(two):
    """Mix-up: the victim chose the honest one, and Mallory leads their answer to her own callback."""
    site, evil = two
    victim = site.browser()
    address = victim.come_back(victim.leave("ministry"))
    moved = address.replace("/ministry/", "/company/")
    attack(site, moved, reason="state", status=409, browser=victim, provider="company")
    assert "token" not in evil.asked


def test_the_hostile_provider_cannot_speak_for_the_honest_one(two):
    site, evil = two
    evil.changed_claims = lambda claims: claims | {"iss": site.far.issuer, "tid": "ministry"}
    browser = site.browser()
    address = browser.come_back(browser.leave("company"))
    attack(site, address, reason="InvalidClaimError:iss", browser=browser, provider="company")


def test_the_hostile_provider_may_not_name_the_honest_ones_people(two):
    """The same subject at another issuer is another person, of another organisation."""
    site, evil = two
    site.browser().sign_in("ministry")
    ana = site.rows(Login)[-1].person_id
    evil.claims |= {"sub": "ana-1", "email": "ana@ministry.example", "email_verified": True}
    site.browser().sign_in("company")
    assert site.rows(Login)[-1].person_id != ana


def test_a_used_nonce_of_the_honest_provider(two):
    """A token that the honest provider made for another sign-in of the same person."""
    site, _ = two
    kept = []
    honest = site.far.sealed
    site.far.sealed = lambda claims: kept.append(honest(claims)) or kept[-1]
    site.browser().sign_in("ministry")
    site.far.sealed = lambda _: kept[0]
    browser = site.browser()
    attack(site, browser.come_back(browser.leave()), reason="InvalidClaimError:nonce", browser=browser)


# what the provider publishes

PUBLISHED = {
    "huge": (lambda far: Response(b'{"issuer": "' + b"x" * 2_000_000 + b'"}'), "Refused"),
    "a redirect": (lambda far: RedirectResponse("http://127.0.0.1/latest/meta-data", 302), "HTTPStatusError"),
    "not JSON": (lambda far: PlainTextResponse("<html>"), "JSONDecodeError"),
    "of another issuer": (lambda far: JSONResponse({"issuer": "https://evil.example"}), "metadata_issuer"),
    "down": (lambda far: Response(status_code=502), "HTTPStatusError"),
    "keys at a script": (
        lambda far: JSONResponse(endpoints(far) | {"jwks_uri": "javascript:alert(1)"}),
        "metadata_jwks_uri",
    ),
    "browsers sent to a script": (
        lambda far: JSONResponse(endpoints(far) | {"authorization_endpoint": "javascript:alert(1)"}),
        "metadata_authorization_endpoint",
    ),
    "plain http elsewhere": (
        lambda far: JSONResponse(endpoints(far) | {"token_endpoint": "http://10.0.0.1/token"}),
        "metadata_token_endpoint",
    ),
}


def endpoints(far):
    names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
    return {"issuer": far.issuer, **{name: f"{far.issuer}/{path}" for name, path in names.items()}}


def not_left(site, *, reason):
    """Nobody is sent anywhere: a plain page, an entry, and no departure that waits."""
    before = dump(site)
    answer = site.browser().leave()
    assert answer.status_code == 503
    assert "<h1" in answer.text
    assert dump(site) == before
    assert site.rows(SignIn) == []
    entry = refusals(site)[-1]
    assert (entry.action, entry.data["reason"], entry.data["provider"]) == (
        "sign_in.refused",
        reason,
        "ministry",
    )


@pytest.mark.parametrize("published", PUBLISHED)
def test_discovery_that_is(site, published):
    answer, reason = PUBLISHED[published]
    site.far.answers["metadata"] = lambda: answer(site.far)
    not_left(site, reason=reason)


def test_discovery_that_is_slow(site):
    site.far.slow_s = 30
    since = time.monotonic()
    not_left(site, reason="ReadTimeout")
    assert time.monotonic() - since < 10


@pytest.mark.parametrize("host", ["https://10.0.0.1", "https://169.254.169.254", "https://[fd00::1]"])
def test_keys_at_a_private_address(site, host):
    site.far.metadata = {"jwks_uri": f"{host}/keys"}
    signed_by(site, reason="Refused", status=503)


@pytest.mark.parametrize("host", ["https://10.0.0.1", "https://192.168.1.1", "https://100.64.0.1"])
def test_a_token_endpoint_at_a_private_address(site, host):
    site.far.metadata = {"token_endpoint": f"{host}/token"}
    signed_by(site, reason="Refused", status=503)


def test_userinfo_that_redirects(site):
    site.far.claims = {"sub": "ana-1", "tid": "ministry"}
    site.far.answers["userinfo"] = lambda: RedirectResponse("http://127.0.0.1:1/", 302)
    signed_by(site, reason="HTTPStatusError", status=503)


def test_keys_without_one_that_can_sign(site):
    site.far.answers["keys"] = lambda: JSONResponse({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})
    signed_by(site, reason="no_keys", status=503)


# a provider's word that a session is over


@pytest.fixture
def inside(site):
    """A browser that is signed in, in a session that the provider can name."""
    site.far.claims |= {"sid": "session-1"}
    browser = site.browser()
    browser.sign_in()
    assert browser.name()
    return browser


def post(site, token, provider="ministry"):
    return site.browser().post(f"/sign-in/{provider}/back-channel-logout", data={"logout_token": token})


def not_believed(site, answer, inside, reason):
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.json()["error"] == "invalid_request"
    assert inside.name() is not None
    entry = refusals(site)[-1]
    assert (entry.action, entry.data["reason"]) == ("logout.refused", reason)


def test_a_logout_token_ends_the_session_it_names(site, inside):
    other = site.browser()
    site.far.claims |= {"sid": "session-2"}
    other.sign_in()
    answer = post(site, site.far.logout_token(sid="session-1"))
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    ended = site.rows(AuditEntry)[-1]
    assert (ended.action, ended.data["reason"]) == ("session.ended", "ended_at_provider")
    assert inside.name() is None
    assert other.name() is not None


def test_a_logout_token_of_a_subject_ends_all_their_sessions_and_no_one_elses(site, inside):
    again, colleague = site.browser(), site.browser()
    again.sign_in()
    site.far.claims |= {"sub": "bor-1", "sid": "session-3", "name": "Bor"}
    colleague.sign_in()
    assert post(site, site.far.logout_token(sub="ana-1")).status_code == 200
    assert inside.name() is None
    assert again.name() is None
    assert colleague.name() is not None


def test_a_logout_token_without_an_end_is_good_for_as_long_as_it_is_new(site, inside):
    """As in the drafts of the standard: its time of making bounds it, and that it is taken once."""
    assert post(site, site.far.logout_token(exp=None)).status_code == 200
    assert inside.name() is None


def test_a_session_without_a_name_there_ends_by_its_subject(site):
    browser = site.browser()
    browser.sign_in()
    assert post(site, site.far.logout_token(sub="ana-1", sid="session-9")).status_code == 200
    assert browser.name() is None


def test_the_session_of_another_subject_is_left_alone(site, inside):
    assert post(site, site.far.logout_token(sub="bor-1", sid="session-1")).status_code == 200
    assert inside.name() is not None


FORGED = {
    "of another issuer": ({"iss": "https://evil.example"}, "logout_iss"),
    "for another client": ({"aud": "another"}, "logout_aud"),
    "for nobody": ({"aud": None}, "logout_aud"),
    "expired": ({"exp": 1}, "logout_exp"),
    "whose end is no time": ({"exp": "tomorrow"}, "logout_exp"),
    "of tomorrow": ({"iat": 9_999_999_999, "exp": 10_000_000_000}, "logout_iat"),
    "of yesterday": ({"iat": 1_500_000_000}, "logout_iat"),
    "without a time": ({"iat": None}, "logout_iat"),
    "without an event": ({"events": None}, "logout_events"),
    "of another event": ({"events": {"http://example.org/event": {}}}, "logout_events"),
    "whose event is no object": (
        {"events": {"http://schemas.openid.net/event/backchannel-logout": True}},
        "logout_events",
    ),
    "with a nonce": ({"nonce": "n"}, "logout_nonce"),
    "without a name": ({"jti": None}, "logout_jti"),
    "of nobody": ({"sub": None}, "logout_sub_sid"),
    "whose subject is no text": ({"sub": 7}, "logout_sub_sid"),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_logout_token(site, inside, forged):
    changes, reason = FORGED[forged]
    not_believed(site, post(site, site.far.logout_token(**changes)), inside, reason)


def test_an_identity_is_no_logout_token(site, inside):
    id_token = site.rows(BrowserSession)[-1].id_token
    not_believed(site, post(site, id_token), inside, "logout_events")


def test_a_logout_token_of_another_kind(site, inside):
    not_believed(site, post(site, site.far.logout_token({"typ": "at+jwt"})), inside, "logout_typ")


@pytest.mark.parametrize("seal", ["unsigned", "with_public_key_as_secret"])
def test_a_logout_token_that_anyone_could_have_made(site, inside, seal):
    payload = site.far.logout_token().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    token = getattr(site.far, seal)(claims)
    not_believed(site, post(site, token), inside, "UnsupportedAlgorithmError")


def test_a_logout_token_with_a_foreign_key(site, inside):
    site.far.key = OTHER_KEY
    not_believed(site, post(site, site.far.logout_token()), inside, "BadSignatureError")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 50, "." * 3000])
def test_what_is_no_token_at_all(site, inside, token):
    answer = post(site, token)
    assert answer.status_code == 400
    assert inside.name() is not None
    assert refusals(site)[-1].action == "logout.refused"


def test_a_logout_token_is_good_for_one_use(site):
    token = site.far.logout_token()
    assert post(site, token).status_code == 200
    browser = site.browser()
    browser.sign_in()
    not_believed(site, post(site, token), browser, "logout_replayed")


def test_a_logout_token_of_one_provider_says_nothing_at_another(two):
    site, evil = two
    ana = site.browser()
    ana.sign_in("ministry")
    forged = evil.logout_token(iss=site.far.issuer, sub="ana-1")
    for provider in ("company", "ministry"):
        assert post(site, forged, provider).status_code == 400
    assert post(site, evil.logout_token(sub="ana-1"), "company").status_code == 200
    assert ana.name() is not None


def test_the_page_within_a_page_ends_the_session_that_it_names(site, inside):
    frame = (
        f"/sign-in/ministry/front-channel-logout?{urlencode({'iss': site.far.issuer, 'sid': 'session-1'})}"
    )
    answer = site.browser().get(frame)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    assert inside.name() is None


@pytest.mark.parametrize(
    ("issuer", "sid"),
    [("https://evil.example", "session-1"), (None, "session-2"), (None, ""), ("", "session-1")],
)
def test_the_page_within_a_page_ends_nothing_else(site, inside, issuer, sid):
    query = urlencode({"iss": site.far.issuer if issuer is None else issuer, "sid": sid})
    assert site.browser().get(f"/sign-in/ministry/front-channel-logout?{query}").status_code == 200
    assert inside.name() is not None
    entry = refusals(site)[-1]
    assert (entry.action, entry.data["reason"]) == ("logout.refused", "logout_unknown")


def test_a_session_of_another_provider_is_out_of_reach_of_a_frame(two):
    site, evil = two
    site.far.claims |= {"sid": "session-1"}
    ana = site.browser()
    ana.sign_in("ministry")
    for issuer in (evil.issuer, site.far.issuer):
        query = urlencode({"iss": issuer, "sid": "session-1"})
        assert site.browser().get(f"/sign-in/company/front-channel-logout?{query}").status_code == 200
    assert ana.name() is not None
