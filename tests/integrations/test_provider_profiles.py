"""Each ready-made profile against a provider that behaves as that one is said to: odd demands met, odd words read."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import SecretStr

from app.errors import NotAllowed, NotFound
from app.integrations import client_keys, provider_profiles
from app.integrations.arrivals import Arrival, Asked
from app.integrations.http import Guarded
from app.integrations.identity_providers import read
from app.integrations.oidc import Distrusted, Provider
from app.integrations.oidc_failures import TooWeak, Unreachable
from app.integrations.provider_profiles import PROFILES
from app.integrations.provider_settings import CONSUMERS, ProviderSettings
from app.lib import clock
from tests.identity.hostile import KEY, Hostile
from tests.identity.serving import free_port, serving
from tests.integrations.test_oidc import answer_to

pytestmark = pytest.mark.anyio

DOCUMENT = (Path(__file__).parents[2] / "docs" / "identity-providers.md").read_text(encoding="utf-8")
EXAMPLES = {
    name: block
    for block in re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    if (name := next(iter(re.findall(r'^profile = "([a-z-]+)"', block, re.MULTILINE)), None))
}
CONTOSO = "11111111-2222-3333-4444-555555555555"
FABRIKAM = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
SECRETS = ("client_secret", "client_secret_env", "client_secret_file")


@pytest.fixture
def far() -> Iterator[Hostile]:
    port = free_port()
    hostile = Hostile(f"http://127.0.0.1:{port}")
    hostile.userinfo = {"sub": "ana-1"}
    with serving(hostile.app(), port):
        yield hostile


@pytest.fixture
def key(tmp_path) -> client_keys.ClientKey:
    return client_keys.make(tmp_path / "key.pem")


def near(far: Hostile, profile: str, **changes: object) -> Provider:
    """The documented example of a profile, led to the provider on this machine."""
    (example,) = tomllib.loads(EXAMPLES[profile])["providers"].values()
    table = {name: value for name, value in example.items() if name not in (*SECRETS, "client_keys")}
    table = provider_profiles.completed(table)
    aliases = table.pop("issuer_aliases", [])
    settings = {
        **table,
        "id": "theirs",
        "issuer": far.issuer,
        "discovery": None,
        "client_id": "client",
        "issuer_aliases": [urlsplit(far.issuer).netloc] if aliases else [],
    }
    if settings.get("client_auth", "client_secret_basic") in ("client_secret_basic", "client_secret_post"):
        settings["client_secret"] = SecretStr("secret")
    return Provider(
        ProviderSettings.model_validate({**settings, **changes}),
        base_url="http://127.0.0.1:8000",
        transport=Guarded(allow_loopback=True),
        allow_loopback=True,
    )


async def sign_in(provider: Provider, *, fresh: bool = False) -> Arrival:
    departure = await provider.depart(fresh=fresh)
    answer = await answer_to(departure)
    asked = Asked(departure.nonce, departure.code_verifier, clock.now(), 0 if fresh else None)
    return (await provider.hear(answer, asked)).arrival


def proves_itself(far: Hostile, provider: Provider, audience: str) -> None:
    """From now on the provider takes `private_key_jwt` alone, checked with the keys that we publish."""
    seen: set[str] = set()

    def proof(_, form):
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        keys = KeySet.import_key_set(provider.published_keys())
        token = jwt.decode(form["client_assertion"], keys, algorithms=["RS256", "ES256"])
        claims = token.claims
        is_new = claims["jti"] not in seen
        seen.add(claims["jti"])
        return (
            is_new
            and claims["iss"] == claims["sub"] == "client"
            and claims["aud"] == audience
            and claims["exp"] - claims["iat"] <= 300
            and token.header["kid"] in {one["kid"] for one in provider.published_keys()["keys"]}
        )

    far.proof = proof


def by_basic(request, form):
    return request.headers.get("authorization", "").startswith("Basic ") and "client_secret" not in form


def in_the_body(request, form):
    return form.get("client_secret") == "secret" and "authorization" not in request.headers


async def left_with(provider: Provider) -> dict[str, str]:
    address = await provider.farewell(id_token="hint", state="s" * 64)
    assert address is not None
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


# what is documented


def test_every_profile_has_its_example() -> None:
    assert set(EXAMPLES) == set(PROFILES)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_example_is_a_good_one(profile, tmp_path, monkeypatch) -> None:
    for name in re.findall(r'client_secret_env = "(\w+)"', EXAMPLES[profile]):
        monkeypatch.setenv(name, "secret")
    for name in re.findall(r'"([\w-]+\.pem)"', EXAMPLES[profile]):
        client_keys.make(tmp_path / name)
    file = tmp_path / "providers.toml"
    file.write_text(EXAMPLES[profile], encoding="utf-8")
    (provider,) = read(file)
    assert provider.profile == profile


# one by one


@pytest.fixture
def entra(far: Hostile) -> Provider:
    template = f"{far.issuer}/{{tenantid}}/v2.0"
    far.metadata = {"issuer": template}
    far.claims |= {"tid": CONTOSO, "iss": f"{far.issuer}/{CONTOSO}/v2.0", "groups": ["a", "b"]}
    return near(
        far,
        "entra",
        issuer=template,
        discovery=f"{far.issuer}/.well-known/openid-configuration",
        tenants=(CONTOSO, FABRIKAM),
    )


async def test_entra_has_an_issuer_for_each_tenant(far, entra):
    far.claims |= {"email_verified": True}
    arrival = await sign_in(entra)
    assert arrival.issuer == f"{far.issuer}/{CONTOSO}/v2.0"
    assert (arrival.organisation, arrival.tenant, arrival.groups) == (CONTOSO, CONTOSO, ("a", "b"))
    assert not arrival.email_verified
    assert "userinfo" not in far.asked


async def test_the_same_subject_in_two_tenants_of_entra_is_two_people(far, entra):
    first = await sign_in(entra)
    far.claims |= {"tid": FABRIKAM, "iss": f"{far.issuer}/{FABRIKAM}/v2.0"}
    second = await sign_in(entra)
    assert first.subject == second.subject
    assert first.issuer != second.issuer


@pytest.mark.parametrize(
    "tid", ["99999999-2222-3333-4444-555555555555", CONSUMERS, FABRIKAM, None, "{tenantid}"]
)
async def test_a_tenant_of_entra_that_may_not_or_is_not_the_issuers_is_refused(far, entra, tid):
    far.claims |= {"tid": tid}
    with pytest.raises(Distrusted):
        await sign_in(entra)


async def test_an_issuer_of_entra_that_is_not_listed_is_refused(far, entra):
    for tenant in (CONSUMERS, "99999999-2222-3333-4444-555555555555", "{tenantid}"):
        far.claims |= {"tid": tenant, "iss": f"{far.issuer}/{tenant}/v2.0"}
        with pytest.raises(Distrusted):
            await sign_in(entra)


async def test_a_key_of_entra_signs_for_the_issuer_that_it_names_alone(far, entra):
    document = KEY.as_dict(private=False)

    def published(issuer):
        from starlette.responses import JSONResponse

        far.answers["keys"] = lambda: JSONResponse({"keys": [document | {"issuer": issuer}]})

    published(f"{far.issuer}/{{tenantid}}/v2.0")
    assert (await sign_in(entra)).tenant == CONTOSO
    published(f"{far.issuer}/{FABRIKAM}/v2.0")
    entra._keys.fetched_at = entra._keys._tried_at = None
    with pytest.raises(Distrusted):
        await sign_in(entra)


def test_the_tenant_of_private_accounts_cannot_be_listed(far):
    with pytest.raises(ValueError, match="private Microsoft accounts"):
        near(far, "entra", issuer=f"{far.issuer}/{{tenantid}}/v2.0", tenants=(CONSUMERS,))


def test_a_template_without_tenants_is_refused(far):
    with pytest.raises(ValueError, match="list of those that may sign in"):
        near(far, "entra", issuer=f"{far.issuer}/{{tenantid}}/v2.0", tenants=())


async def test_google_leaves_the_scheme_out_and_is_the_same_issuer(far):
    far.without = ("end_session_endpoint",)
    far.claims |= {"hd": "company.example", "email_verified": True}
    google = near(far, "google")
    whole = await sign_in(google)
    far.claims |= {"iss": urlsplit(far.issuer).netloc}
    short = await sign_in(google)
    assert whole.issuer == short.issuer == far.issuer
    assert (short.organisation, short.email_verified) == ("company.example", True)
    assert json.loads(far.departures[-1]["claims"]) == {"id_token": {"auth_time": {"essential": True}}}
    assert await google.farewell(id_token="hint", state="s") is None


async def test_a_private_account_of_google_belongs_to_no_organisation(far):
    far.userinfo = {"sub": "ana-1"}
    assert (await sign_in(near(far, "google"))).organisation is None


async def test_okta_names_groups(far):
    far.proof = by_basic
    far.claims |= {"groups": ["everyone", "innovation"]}
    assert (await sign_in(near(far, "okta"))).groups == ("everyone", "innovation")


async def test_keycloak_names_roles_inside_and_an_organisation_by_its_key(far):
    far.claims |= {"realm_access": {"roles": ["member"]}, "organization": {"acme": {"id": "7"}}}
    keycloak = near(far, "keycloak", organisation=None, organisation_claim="organization")
    arrival = await sign_in(keycloak)
    assert (arrival.groups, arrival.organisation) == (("member",), "acme")


async def test_adfs_says_all_in_the_token_and_is_not_asked_again(far):
    far.userinfo = {"sub": "another-subject"}
    far.claims = {"sub": "ana-1", "name": "Ana Zupan", "email": "ana@ministry.example"}
    arrival = await sign_in(near(far, "adfs"))
    assert arrival.name == "Ana Zupan"
    assert "userinfo" not in far.asked
    assert "allatclaims" in far.departures[-1]["scope"].split()


async def test_si_pass_lets_only_the_invited_in_and_at_the_level_that_is_asked(far):
    far.claims |= {"acr": "low"}
    provider = near(far, "si-pass")
    assert provider.settings.known_people_only
    assert provider.settings.least_acr == "substantial"
    with pytest.raises(TooWeak, match="not strong enough"):
        await sign_in(provider)
    for level in ("substantial", "high"):
        far.claims |= {"acr": level}
        assert (await sign_in(provider)).acr == level


async def test_login_gov_wants_a_signed_proof_levels_and_long_values(far, key):
    provider = near(far, "login-gov", client_keys=(key,))
    proves_itself(far, provider, f"{far.issuer}/token")
    far.demands = lambda asked: (
        len(asked["state"]) >= 22
        and len(asked["nonce"]) >= 22
        and "urn:acr.login.gov:" in asked["acr_values"]
    )
    assert (await sign_in(provider)).subject == "ana-1"
    assert set(await left_with(provider)) == {"client_id", "post_logout_redirect_uri", "state"}


async def test_france_connect_signs_userinfo_and_names_its_level(far):
    key = ECKey.generate_key("P-256", {"kid": "first", "use": "sig", "alg": "ES256"})
    far.key, far.published, far.header = key, [key], {"alg": "ES256", "kid": "first"}
    far.proof = in_the_body
    far.claims = {"sub": "fc-1", "acr": "eidas1"}
    told = {"sub": "fc-1", "given_name": "Ana", "family_name": "Zupan", "email": "ana@citizen.example"}
    far.userinfo = far._signed({"iss": far.issuer, "aud": "client", **told})
    provider = near(far, "france-connect")
    far.demands = lambda asked: asked["acr_values"] == "eidas1"
    arrival = await sign_in(provider)
    assert (arrival.name, arrival.email, arrival.acr) == ("Ana Zupan", "ana@citizen.example", "eidas1")
    assert set(await left_with(provider)) == {"id_token_hint", "post_logout_redirect_uri", "state"}
    far.userinfo = told
    with pytest.raises(Distrusted):
        await sign_in(provider)
    far.claims["acr"] = "eidas0"
    with pytest.raises(TooWeak):
        await sign_in(provider)


KNOWN_TO_PRO_CONNECT = {
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "claims",
    "acr_values",
}


async def test_pro_connect_refuses_what_it_does_not_know_and_names_the_siret(far):
    far.proof = lambda request, form: in_the_body(request, form) and "code_verifier" not in form
    far.metadata = {"pushed_authorization_request_endpoint": f"{far.issuer}/push"}
    far.demands = lambda asked: (
        set(asked) <= KNOWN_TO_PRO_CONNECT and min(len(asked["state"]), len(asked["nonce"])) >= 32
    )
    far.claims = {"sub": "pc-1", "amr": ["pwd", "mfa"]}
    told = {"sub": "pc-1", "given_name": "Ana", "usual_name": "Zupan", "siret": "13002526500013"}
    far.userinfo = far._signed({"iss": far.issuer, "aud": "client", **told})
    provider = near(far, "pro-connect")
    arrival = await sign_in(provider)
    assert (arrival.name, arrival.organisation, arrival.organisation_number) == (
        "Ana Zupan",
        "13002526500013",
        "13002526500013",
    )
    assert arrival.amr == ("pwd", "mfa")
    assert "push" not in far.asked
    assert set(await left_with(provider)) == {"id_token_hint", "post_logout_redirect_uri", "state"}


async def test_id_porten_takes_pushed_requests_from_who_proves_themselves_to_the_issuer(far, key):
    far.metadata = {"pushed_authorization_request_endpoint": f"{far.issuer}/push"}
    far.claims |= {"acr": "idporten-loa-high"}
    provider = near(far, "id-porten", client_keys=(key,))
    proves_itself(far, provider, far.issuer)
    far.demands = lambda asked: (
        "code_challenge" in asked and asked["acr_values"] == "idporten-loa-substantial"
    )
    departure = await provider.depart()
    assert set(parse_qs(urlsplit(departure.url).query)) == {"client_id", "request_uri"}
    answer = await answer_to(departure)
    asked = Asked(departure.nonce, departure.code_verifier, clock.now())
    assert (await provider.hear(answer, asked)).arrival.acr == "idporten-loa-high"
    assert far.challenges == [True]
    far.claims |= {"acr": "idporten-loa-low"}
    with pytest.raises(TooWeak):
        await sign_in(provider)


async def test_ansattporten_names_the_employer_deep_inside(far, key):
    provider = near(far, "ansattporten", client_keys=(key,))
    proves_itself(far, provider, far.issuer)
    employer = {"ID": "0192:987464291", "Name": "Example"}
    far.claims |= {"acr": "substantial", "authorization_details": [{"reportees": [employer]}]}
    arrival = await sign_in(provider)
    assert (arrival.organisation, arrival.organisation_number) == ("0192:987464291", "0192:987464291")
    far.claims |= {"authorization_details": [{"reportees": [employer, {"ID": "0192:1"}]}]}
    assert (await sign_in(provider)).organisation is None


async def test_tara_tells_the_name_inside_and_lives_for_40_seconds(far):
    far.proof = by_basic
    far.without = ("end_session_endpoint", "userinfo_endpoint")
    far.claims = {
        "sub": "EE60001019906",
        "acr": "high",
        "amr": ["idcard"],
        "profile_attributes": {"given_name": "Mary Änn", "family_name": "O'Connež"},
    }
    far.changed_claims = lambda claims: claims | {"exp": claims["iat"] + 40}
    far.demands = lambda asked: asked["scope"] == "openid"
    provider = near(far, "tara")
    arrival = await sign_in(provider)
    assert (arrival.name, arrival.amr, arrival.email) == ("Mary Änn O'Connež", ("idcard",), None)
    far.claims |= {"acr": "low"}
    with pytest.raises(TooWeak):
        await sign_in(provider)


async def test_a_proxy_for_spid_gets_letters_and_digits_and_a_level(far):
    far.claims |= {"acr": "https://www.spid.gov.it/SpidL2"}
    far.demands = lambda asked: all(
        asked[name].isalnum() and len(asked[name]) >= 32 for name in ("state", "nonce")
    )
    assert (await sign_in(near(far, "spid-proxy"))).acr.endswith("L2")
    far.claims |= {"acr": "https://www.spid.gov.it/SpidL1"}
    with pytest.raises(TooWeak):
        await sign_in(near(far, "spid-proxy"))


# what any table may ask for


async def test_a_factor_that_is_asked_for_must_be_among_those_that_were_used(far):
    provider = near(far, "okta", accepted_amr=("mfa", "hwk"))
    for enough in (["pwd", "hwk"], ["mfa"]):
        far.claims |= {"amr": enough}
        assert (await sign_in(provider)).amr == tuple(enough)
    for too_little in (["pwd"], [], None):
        far.claims |= {"amr": too_little}
        with pytest.raises(TooWeak):
            await sign_in(provider)


async def test_an_old_proof_is_refused_where_a_fresh_one_was_asked_for(far):
    provider = near(far, "okta", max_age_s=600)
    now = int(clock.now().timestamp())
    with pytest.raises(Distrusted):
        await sign_in(provider)
    for age_s, is_enough in ((30, True), (500, True), (700, False), (86_400, False)):
        far.claims |= {"auth_time": now - age_s}
        if is_enough:
            assert (await sign_in(provider)).auth_time is not None
        else:
            with pytest.raises(TooWeak):
                await sign_in(provider)
    assert far.departures[-1]["max_age"] == "600"


async def test_a_proof_of_this_moment_can_be_asked_for(far):
    provider = near(far, "okta")
    now = int(clock.now().timestamp())
    far.claims |= {"auth_time": now}
    await sign_in(provider, fresh=True)
    assert (far.departures[-1]["prompt"], far.departures[-1]["max_age"]) == ("login", "0")
    far.claims |= {"auth_time": now - 3600}
    with pytest.raises(TooWeak):
        await sign_in(provider, fresh=True)


async def test_a_proof_is_compared_with_when_the_browser_left(far):
    """Who takes nine minutes at the provider has still proved themselves after they left."""
    provider = near(far, "okta")
    departure = await provider.depart(fresh=True)
    answer = await answer_to(departure)
    left_at = clock.now() - timedelta(minutes=9)
    far.claims |= {"auth_time": int((left_at + timedelta(minutes=1)).timestamp())}
    asked = Asked(departure.nonce, departure.code_verifier, left_at, 0)
    assert (await provider.hear(answer, asked)).arrival.auth_time is not None


async def test_other_parameters_a_prompt_and_claims_are_sent_as_they_are_written(far):
    claims = {"userinfo": {"email": None}}
    await sign_in(near(far, "okta", prompt="select_account", parameters={"idp": "x y"}, claims=claims))
    asked = far.departures[-1]
    assert (asked["prompt"], asked["idp"], json.loads(asked["claims"])) == ("select_account", "x y", claims)


async def test_pushed_requests_that_must_be_and_are_not_offered_stop_everyone(far):
    with pytest.raises(Unreachable):
        await near(far, "okta", pushed_requests="always").depart()


async def test_a_pushed_request_that_is_refused_sends_nobody_anywhere(far):
    far.metadata = {"pushed_authorization_request_endpoint": f"{far.issuer}/push"}
    far.proof = lambda *_: False
    with pytest.raises(Unreachable):
        await near(far, "okta").depart()


@pytest.mark.parametrize("auth", ["client_secret_basic", "client_secret_post"])
async def test_pushed_requests_carry_our_proof_and_the_client_once(far, auth):
    far.metadata = {"pushed_authorization_request_endpoint": f"{far.issuer}/push"}
    far.proof = by_basic if auth == "client_secret_basic" else in_the_body
    departure = await near(far, "okta", client_auth=auth).depart()
    pushed = far.pushed[parse_qs(urlsplit(departure.url).query)["request_uri"][0]]
    assert pushed["client_id"] == "client"
    assert (await answer_to(departure))["code"]


async def test_keys_rotate_without_a_gap(far, tmp_path):
    old, new = client_keys.make(tmp_path / "old.pem"), client_keys.make(tmp_path / "new.pem")
    provider = near(far, "login-gov", client_keys=(new, old))
    published = [one["kid"] for one in provider.published_keys()["keys"]]
    assert published == [new.kid, old.kid]
    proves_itself(far, provider, f"{far.issuer}/token")
    await sign_in(provider)
    assert not {"d", "p", "q"} & set(provider.published_keys()["keys"][0])


def test_a_provider_without_keys_of_ours_publishes_none(far):
    with pytest.raises(NotFound):
        near(far, "okta").published_keys()


async def test_pairwise_subjects_are_taken_as_they_come(far):
    """One person has another subject for each client: it is ours alone, and the key all the same."""
    far.claims |= {"sub": "pairwise-7f3a"}
    far.userinfo = {"sub": "pairwise-7f3a"}
    assert (await sign_in(near(far, "okta"))).subject == "pairwise-7f3a"


async def test_a_sign_in_that_was_broken_off_for_its_level_says_so(far):
    far.response = {"error": "unmet_authentication_requirements", "code": None}
    with pytest.raises(NotAllowed) as caught:
        await sign_in(near(far, "okta"))
    assert caught.value.reason == "unmet_authentication_requirements"
