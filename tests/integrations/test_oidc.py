"""What a provider may tell us, and what we do not believe: against a real server on the far side."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import anyio
import httpx2
import pytest
import time_machine
from pydantic import SecretStr
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from app.errors import DomainError, NotAllowed, Unavailable
from app.integrations.http import Guarded
from app.integrations.identity_providers import ProviderSettings
from app.integrations.oidc import Arrival, Departure, Distrusted, Provider, Providers
from app.lib import clock
from tests.identity.hostile import KEY, OTHER_KEY, THIRD_KEY, Hostile
from tests.identity.serving import free_port, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def far() -> Iterator[Hostile]:
    port = free_port()
    hostile = Hostile(f"http://127.0.0.1:{port}")
    with serving(hostile.app(), port):
        yield hostile


def settings(far: Hostile, **changes: object) -> ProviderSettings:
    return ProviderSettings(
        **{
            "id": "ministry",
            "label": "Ministry",
            "side": "public",
            "issuer": far.issuer,
            "client_id": "client",
            "client_secret": SecretStr("secret"),
            "programme": "demo",
            "known_people_only": True,
        }
        | changes
    )


def near(far: Hostile, **changes: object) -> Provider:
    return Provider(
        settings(far, **changes),
        base_url="http://127.0.0.1:8000",
        transport=Guarded(allow_loopback=True),
        allow_loopback=True,
    )


def tenant(**changes: object) -> dict[str, object]:
    """The settings of a provider whose claim names the organisation."""
    return {"known_people_only": False, "organisation_claim": "tid", **changes}


async def answer_to(departure: Departure) -> dict[str, str]:
    """What comes back to the callback after a browser went where the departure leads."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        response = await browser.get(departure.url)
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


async def sign_in(provider: Provider) -> Arrival:
    departure = await provider.depart()
    answer = await answer_to(departure)
    return await provider.redeem(answer, nonce=departure.nonce, code_verifier=departure.code_verifier)


async def test_an_honest_provider_is_believed(far):
    arrival = await sign_in(near(far))
    assert (arrival.subject, arrival.name, arrival.email) == ("ana-1", "Ana Zupan", "ana@ministry.example")
    assert far.challenges == [True]


async def test_a_departure_carries_long_fresh_values_and_a_challenge(far):
    provider = near(far)
    first, second = await provider.depart(), await provider.depart()
    asked = parse_qs(urlsplit(first.url).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/sign-in/ministry/callback"]
    for value in (first.state, first.nonce, first.code_verifier):
        assert len(value) == 64
        assert value.isalnum()
    assert {first.state, first.nonce, first.code_verifier}.isdisjoint(
        {second.state, second.nonce, second.code_verifier}
    )


async def test_metadata_is_asked_for_once_an_hour(far):
    provider = near(far)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        await provider.depart()
        await provider.depart()
        traveller.shift(timedelta(minutes=59))
        await provider.depart()
        assert far.asked == ["metadata"]
        traveller.shift(timedelta(minutes=2))
        await provider.depart()
        assert far.asked == ["metadata", "metadata"]


async def test_the_last_good_metadata_serves_while_the_provider_is_down(far):
    provider = near(far)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        await provider.depart()
        far.answers["metadata"] = lambda: Response(status_code=500)
        traveller.shift(timedelta(hours=2))
        assert (await provider.depart()).url


async def test_a_provider_that_is_down_is_left_alone_for_a_moment(far):
    provider = near(far)
    far.answers["metadata"] = lambda: Response(status_code=503)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(3):
            with pytest.raises(Unavailable):
                await provider.depart()
        assert far.asked == ["metadata"]
        far.answers.clear()
        traveller.shift(timedelta(seconds=11))
        assert (await provider.depart()).url


async def test_a_provider_that_nobody_answers_for_is_unavailable(far):
    provider = near(far, issuer=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        await provider.depart()


NONSENSE = {
    "not JSON": lambda: PlainTextResponse("<html>welcome</html>"),
    "not UTF-8": lambda: Response(b"\xff\xfe{}", media_type="application/json"),
    "a list": lambda: JSONResponse([]),
    "deep": lambda: Response(b"[" * 200_000, media_type="application/json"),
    "huge": lambda: Response(b'{"issuer": "' + b"x" * 2_000_000 + b'"}', media_type="application/json"),
    "a redirect": lambda: RedirectResponse("/keys", 302),
    "not found": lambda: JSONResponse({}, 404),
    "empty": lambda: Response(b""),
    "compressed": lambda: Response(b"{}", headers={"content-encoding": "gzip"}),
}


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("endpoint", ["metadata", "keys"])
async def test_nonsense_from_a_provider_is_unavailable(far, endpoint, nonsense):
    far.answers[endpoint] = NONSENSE[nonsense]
    with pytest.raises(Unavailable):
        await sign_in(near(far))


@pytest.mark.parametrize("nonsense", NONSENSE)
async def test_nonsense_instead_of_tokens_signs_nobody_in(far, nonsense):
    far.answers["token"] = NONSENSE[nonsense]
    with pytest.raises(DomainError):
        await sign_in(near(far))


async def test_a_provider_that_takes_too_long_is_unavailable(far, monkeypatch):
    monkeypatch.setattr("app.integrations.http.TIMEOUT_S", 0.3)
    far.slow_s = 3
    with anyio.fail_after(2), pytest.raises(Unavailable):
        await near(far).depart()


WRONG_METADATA = {
    "another issuer": {"issuer": "https://evil.example"},
    "no issuer": {"issuer": None},
    "an address that runs": {"authorization_endpoint": "javascript:alert(1)"},
    "a plain address": {"authorization_endpoint": "http://login.example/authorize"},
    "a user in the address": {"token_endpoint": "https://user:password@login.example/token"},
    "a number": {"token_endpoint": 7},
    "no keys": {"jwks_uri": None},
    "odd sign-out": {"end_session_endpoint": "data:text/html,hello"},
}


@pytest.mark.parametrize("wrong", WRONG_METADATA)
async def test_wrong_metadata_is_not_believed(far, wrong):
    far.metadata = WRONG_METADATA[wrong]
    with pytest.raises(Unavailable):
        await near(far).depart()


async def test_metadata_cannot_set_up_our_client(far):
    far.metadata = {
        "verify": False,
        "transport": "evil",
        "headers": {"x": "y"},
        "code_challenge_method": "plain",
        "grant_type": "password",
        "token_endpoint_auth_method": "none",
        "scope": "everything",
    }
    provider = near(far)
    asked = parse_qs(urlsplit((await provider.depart()).url).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid profile email"]
    assert (await sign_in(provider)).subject == "ana-1"


DISTRUSTED_CLAIMS = {
    "another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "issuer with a slash": lambda claims: claims | {"iss": claims["iss"] + "/"},
    "no issuer": lambda claims: _without(claims, "iss"),
    "another audience": lambda claims: claims | {"aud": "someone-else"},
    "another audience with us as party": lambda claims: claims | {"aud": "someone-else", "azp": "client"},
    "several audiences and another party": lambda claims: claims | {"aud": ["client", "x"], "azp": "x"},
    "several audiences without a party": lambda claims: claims | {"aud": ["client", "x"]},
    "no audience": lambda claims: _without(claims, "aud"),
    "another nonce": lambda claims: claims | {"nonce": "0" * 64},
    "no nonce": lambda claims: _without(claims, "nonce"),
    "expired": lambda claims: claims | {"exp": claims["iat"] - 61},
    "expires never": lambda claims: claims | {"exp": float("nan")},
    "no expiry": lambda claims: _without(claims, "exp"),
    "not yet": lambda claims: claims | {"nbf": claims["iat"] + 600},
    "from the future": lambda claims: claims | {"iat": claims["iat"] + 600},
    "two days old": lambda claims: claims | {"iat": claims["iat"] - 2 * 86400},
    "no subject": lambda claims: _without(claims, "sub"),
    "an empty subject": lambda claims: claims | {"sub": ""},
    "a long subject": lambda claims: claims | {"sub": "x" * 256},
    "a number as subject": lambda claims: claims | {"sub": 7},
    "a wrong hash of the access token": lambda claims: claims | {"at_hash": "AAAA"},
}


def _without(claims, name):
    return {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize("wrong", DISTRUSTED_CLAIMS)
async def test_wrong_claims_are_not_believed(far, wrong):
    far.changed_claims = DISTRUSTED_CLAIMS[wrong]
    with pytest.raises(Distrusted):
        await sign_in(near(far))


@pytest.mark.parametrize(
    "seal", ["unsigned", "with_public_key_as_secret", "with_elliptic_key", "with_critical_header"]
)
async def test_only_what_was_agreed_counts_as_signed(far, seal):
    far.sealed = getattr(far, seal)
    with pytest.raises(Distrusted):
        await sign_in(near(far))


async def test_a_token_without_identity_signs_nobody_in(far):
    far.token = {"id_token": None}
    with pytest.raises(Distrusted):
        await sign_in(near(far))


async def test_an_error_from_the_token_endpoint_signs_nobody_in(far):
    far.answers["token"] = lambda: JSONResponse({"error": "invalid_grant"}, 400)
    with pytest.raises(Distrusted):
        await sign_in(near(far))


async def test_a_new_key_under_a_new_name_is_found(far):
    provider = near(far)
    await sign_in(provider)
    far.key, far.published, far.header = THIRD_KEY, [THIRD_KEY], {"alg": "RS256", "kid": "third"}
    assert (await sign_in(provider)).subject == "ana-1"


async def test_a_new_key_under_the_same_name_is_found(far):
    provider = near(far)
    await sign_in(provider)
    far.key, far.published = OTHER_KEY, [OTHER_KEY]
    assert (await sign_in(provider)).subject == "ana-1"


async def test_a_foreign_key_is_refused_and_fetches_keys_once_a_minute(far):
    provider = near(far)
    far.key = OTHER_KEY
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(5):
            with pytest.raises(Distrusted):
                await sign_in(provider)
        assert far.asked.count("keys") == 2
        traveller.shift(timedelta(seconds=61))
        with pytest.raises(Distrusted):
            await sign_in(provider)
        assert far.asked.count("keys") == 3


async def test_keys_are_kept_for_ten_minutes(far):
    provider = near(far)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        await sign_in(provider)
        traveller.shift(timedelta(minutes=9))
        await sign_in(provider)
        assert far.asked.count("keys") == 1
        traveller.shift(timedelta(minutes=2))
        await sign_in(provider)
        assert far.asked.count("keys") == 2


async def test_keys_for_other_purposes_do_not_disturb(far):
    published = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
        {"kty": "OKP", "crv": "unheard of", "kid": "a"},
        {"kty": "RSA", "kid": "b"},
        KEY.as_dict(private=False) | {"use": "enc", "kid": "c"},
        "text",
        KEY.as_dict(private=False),
    ]
    far.answers["keys"] = lambda: JSONResponse({"keys": published})
    assert (await sign_in(near(far))).subject == "ana-1"


async def test_the_answer_of_another_issuer_is_refused_before_the_code_is_sent(far):
    far.response = {"iss": "https://evil.example"}
    with pytest.raises(Distrusted):
        await sign_in(near(far))
    assert "token" not in far.asked


async def test_an_announced_issuer_must_be_in_the_answer(far):
    far.metadata = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(Distrusted):
        await sign_in(near(far))
    assert "token" not in far.asked


async def test_the_own_issuer_in_the_answer_is_fine(far):
    far.metadata = {"authorization_response_iss_parameter_supported": True}
    far.response = {"iss": far.issuer}
    assert (await sign_in(near(far))).subject == "ana-1"


async def test_an_error_in_the_answer_is_a_sign_in_that_was_broken_off(far):
    far.response = {"error": "access_denied", "code": None}
    with pytest.raises(NotAllowed, match="broken off"):
        await sign_in(near(far))
    assert "token" not in far.asked


async def test_userinfo_fills_what_the_token_leaves_open(far):
    far.claims = {"sub": "ana-1"}
    far.userinfo = {"sub": "ana-1", "name": "Ana Zupan", "email": "ana@ministry.example", "tid": "ministry"}
    arrival = await sign_in(near(far, **tenant()))
    assert (arrival.name, arrival.organisation) == ("Ana Zupan", "ministry")


async def test_the_signed_token_goes_before_userinfo(far):
    far.claims = {"sub": "ana-1", "tid": "ministry"}
    far.userinfo = {"sub": "ana-1", "tid": "another", "name": "Ana"}
    assert (await sign_in(near(far, **tenant()))).organisation == "ministry"


async def test_userinfo_of_someone_else_is_refused(far):
    far.claims = {"sub": "ana-1"}
    far.userinfo = {"sub": "boss-1", "name": "The Boss"}
    with pytest.raises(Distrusted):
        await sign_in(near(far))


async def test_userinfo_is_asked_for_with_a_token_that_lives_for_a_moment(far):
    far.claims = {"sub": "ana-1"}
    far.userinfo = {"sub": "ana-1", "name": "Ana Zupan"}
    far.token = {"expires_in": 20, "refresh_token": "of no use"}
    assert (await sign_in(near(far))).name == "Ana Zupan"
    assert far.asked.count("token") == 1


async def test_userinfo_may_be_signed(far):
    far.claims = {"sub": "ana-1"}
    far.userinfo = far._signed({"iss": far.issuer, "aud": ["client"], "sub": "ana-1", "name": "Ana"})
    assert (await sign_in(near(far))).name == "Ana"


@pytest.mark.parametrize(
    "changes", [{"iss": "https://evil.example"}, {"aud": "x"}, {"aud": None}, {"sub": "boss-1"}]
)
async def test_signed_userinfo_must_be_ours(far, changes):
    far.claims = {"sub": "ana-1"}
    far.userinfo = far._signed({"iss": far.issuer, "aud": "client", "sub": "ana-1", "name": "Ana"} | changes)
    with pytest.raises(Distrusted):
        await sign_in(near(far))


async def test_userinfo_that_fails_is_unavailable(far):
    far.claims = {"sub": "ana-1"}
    far.answers["userinfo"] = lambda: Response(status_code=500)
    with pytest.raises(Unavailable):
        await sign_in(near(far))


@pytest.mark.parametrize(
    ("claim", "organisation"),
    [
        ("ministry", "ministry"),
        (["ministry"], "ministry"),
        ({"ministry": {"id": "1"}}, "ministry"),
        (["ministry", "company"], None),
        ([], None),
        ("", None),
        (7, None),
        (None, None),
        ([["ministry"]], None),
    ],
)
async def test_an_organisation_is_trusted_where_the_claim_has_one_value(far, claim, organisation):
    far.claims |= {"tid": claim}
    assert (await sign_in(near(far, **tenant()))).organisation == organisation


async def test_signing_out_leads_to_the_provider_with_the_hint_and_back(far):
    address = await near(far).farewell(id_token="hint", state="state")
    assert address.startswith(f"{far.issuer}/sign-out?")
    assert parse_qs(urlsplit(address).query) == {
        "client_id": ["client"],
        "post_logout_redirect_uri": ["http://127.0.0.1:8000/sign-out/done"],
        "state": ["state"],
        "id_token_hint": ["hint"],
    }


async def test_signing_out_stays_here_where_the_provider_has_no_place_for_it(far):
    far.without = ("end_session_endpoint",)
    assert await near(far).farewell(id_token=None, state="state") is None
    assert await near(far, sign_out=False).farewell(id_token=None, state="state") is None


async def test_signing_out_stays_here_while_the_provider_is_down(far):
    far.answers["metadata"] = lambda: Response(status_code=500)
    assert await near(far).farewell(id_token=None, state="state") is None


async def test_forms_may_lead_where_the_provider_said(far):
    providers = Providers(
        [settings(far, redirect_origins=("https://federated.example",))],
        base_url="http://127.0.0.1:8000",
        transport=Guarded(allow_loopback=True),
        allow_loopback=True,
    )
    assert providers.origins() == [far.issuer, "https://federated.example"]
    far.metadata = {"authorization_endpoint": "https://login.example/authorize"}
    assert await providers.warm() == {"ministry": None}
    assert "https://login.example" in providers.origins()


async def test_warming_up_tells_which_provider_does_not_answer(far):
    far.answers["metadata"] = lambda: Response(status_code=500)
    providers = Providers(
        [settings(far)],
        base_url="http://127.0.0.1:8000",
        transport=Guarded(allow_loopback=True),
        allow_loopback=True,
    )
    assert (await providers.warm())["ministry"]
