"""The file of identity providers: what it says, and how it says what is wrong with it."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.integrations import client_keys
from app.integrations.identity_providers import ConfigurationError, ProviderSettings, load, read
from app.integrations.provider_settings import claim
from app.settings import Settings

GOOD = """
[providers.ministry]
label = { en = "The Ministry", sl = "Ministrstvo" }
side = "public"
issuer = "https://login.ministry.example"
client_id = "client"
client_secret = "secret"
programme = "demo"
organisation_claim = "tid"
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "providers.toml"


def written(file, text):
    file.write_text(text, encoding="utf-8")
    return file


def test_a_good_table_is_a_provider(file):
    (provider,) = read(written(file, GOOD))
    assert (provider.id, provider.side, provider.organisation_claim) == ("ministry", "public", "tid")
    assert provider.algorithms == ("RS256",)
    assert provider.scopes == ("openid", "profile", "email")
    assert (provider.label_in("sl"), provider.label_in("en"), provider.label_in("de")) == (
        "Ministrstvo",
        "The Ministry",
        "The Ministry",
    )
    assert "secret" not in repr(provider).replace("client_secret", "")


def test_one_label_serves_both_languages(file):
    (provider,) = read(written(file, GOOD.replace('{ en = "The Ministry", sl = "Ministrstvo" }', '"Acme"')))
    assert provider.label_in("sl") == "Acme"


def test_a_secret_may_lie_in_the_environment_or_in_a_file(file, monkeypatch):
    monkeypatch.setenv("MINISTRY_SECRET", "from the environment")
    text = GOOD.replace('client_secret = "secret"', 'client_secret_env = "MINISTRY_SECRET"')
    assert read(written(file, text))[0].client_secret == SecretStr("from the environment")
    (file.parent / "secret.txt").write_text("from a file\n")
    text = GOOD.replace('client_secret = "secret"', 'client_secret_file = "secret.txt"')
    assert read(written(file, text))[0].client_secret == SecretStr("from a file")


WRONG = {
    ('side = "public"', 'side = "middle"'): ["[providers.ministry] side", "'public' or 'business'"],
    ('side = "public"', ""): ["[providers.ministry] side: is missing; add it"],
    ('side = "public"', 'side = "public"\ncolour = "red"'): ["colour: is not a key that we know", "issuer"],
    ('"https://login.ministry.example"', '"login.ministry.example"'): ["issuer", "exactly as"],
    ('"https://login.ministry.example"', '"http://login.ministry.example"'): ["issuer", "https://"],
    ('"https://login.ministry.example"', '"https://login.ministry.example?x=1"'): ["issuer", "exactly as"],
    ('client_secret = "secret"', ""): ["client_secret_env", 'client_auth = "none"'],
    ('client_secret = "secret"', 'client_secret = ""'): ["client_secret: must be a text"],
    ('client_secret = "secret"', 'client_secret_env = "NOT_SET_ANYWHERE"'): ["NOT_SET_ANYWHERE", "set it"],
    ('client_secret = "secret"', 'client_secret_file = "missing.txt"'): [
        "client_secret_file",
        "cannot be read",
    ],
    ('client_secret = "secret"', 'client_secret = "a"\nclient_secret_env = "B"'): ["keep one of them"],
    ('organisation_claim = "tid"', ""): ["exactly one of organisation"],
    ('organisation_claim = "tid"', 'organisation_claim = "tid"\norganisation = "A"'): ["exactly one of"],
    ('programme = "demo"', 'programme = "demo"\nalgorithms = ["none"]'): ["algorithms.0"],
    ('programme = "demo"', 'programme = "demo"\nalgorithms = ["HS256"]'): ["algorithms.0"],
    ('programme = "demo"', 'programme = "demo"\nalgorithms = []'): ["algorithms"],
    ('programme = "demo"', 'programme = "demo"\nscopes = ["email"]'): ["scopes", 'add "openid"'],
    ('programme = "demo"', 'programme = "demo"\nredirect_origins = ["*"]'): [
        "redirect_origins",
        "origins such as",
    ],
    ("[providers.ministry]", '[providers."../x"]'): ["id"],
    ('programme = "demo"', 'programme = "demo"\nprofile = "nobody"'): ["profile", "entra", "keycloak"],
    ('programme = "demo"', 'programme = "demo"\npkce = false'): ["no_pkce_because"],
    ('programme = "demo"', 'programme = "demo"\nno_pkce_because = "x"'): ["pkce = false needs"],
    ('programme = "demo"', 'programme = "demo"\nleast_acr = "high"'): ["least_acr must be one of acr_levels"],
    ('programme = "demo"', 'programme = "demo"\nclock_skew_s = 3600'): ["clock_skew_s"],
    ('programme = "demo"', 'programme = "demo"\nmax_age_s = -1'): ["max_age_s"],
    ('programme = "demo"', 'programme = "demo"\nparameters = { state = "x" }'): [
        "parameters",
        "state has a key",
    ],
    ('programme = "demo"', 'programme = "demo"\ntenants = ["contoso"]'): ["tenants", "by its id"],
    (
        'programme = "demo"',
        'programme = "demo"\ntenants = ["11111111-2222-3333-4444-555555555555"]',
    ): ["{tenantid}", "another takes none"],
    ('programme = "demo"', 'programme = "demo"\nclient_keys = ["a.pem"]'): [
        "client_keys",
        "provider key FILE",
    ],
    ('programme = "demo"', 'programme = "demo"\nclient_keys = "a.pem"'): ["client_keys: must be a list"],
    ('programme = "demo"', 'programme = "demo"\nclient_auth = "private_key_jwt"'): ["takes client_keys"],
    ('programme = "demo"', 'programme = "demo"\nprompt = "none"'): ["prompt"],
    ('programme = "demo"', 'programme = "demo"\ndiscovery = "http://10.0.0.1/x"'): [
        "must start with https://"
    ],
    ("[providers.ministry]", "[provider.ministry]"): ["no top-level key provider", "[providers"],
    ("[providers.ministry]", "[providers.ministry"): ["is not TOML"],
}


@pytest.mark.parametrize("change", WRONG)
def test_what_is_wrong_is_named_by_table_and_key_with_its_mend(file, change):
    assert change[0] in GOOD
    with pytest.raises(ConfigurationError) as caught:
        read(written(file, GOOD.replace(*change)))
    for word in [str(file), *WRONG[change]]:
        assert word in str(caught.value)
    assert "secret" not in str(caught.value).replace("client_secret", "").replace(
        "a client without a secret", ""
    )


def test_keys_of_ours_take_the_place_of_a_secret(file):
    made = client_keys.make(file.parent / "2026-11.pem")
    keys = 'client_auth = "private_key_jwt"\nclient_keys = ["2026-11.pem"]'
    (provider,) = read(written(file, GOOD.replace('client_secret = "secret"', keys)))
    assert [key.kid for key in provider.client_keys] == [made.kid]
    made.file.write_text("no longer a key")
    with pytest.raises(ConfigurationError, match="holds no private RSA or EC key"):
        read(file)


def test_a_table_goes_before_its_profile(file):
    table = GOOD.replace('issuer = "https://login.ministry.example"', 'profile = "google"')
    (provider,) = read(written(file, table))
    assert (provider.issuer, provider.organisation_claim) == ("https://accounts.google.com", "tid")
    own = table.replace('profile = "google"', 'profile = "google"\nissuer = "https://proxy.example"')
    (provider,) = read(written(file, own))
    assert (provider.issuer, provider.issuer_aliases) == ("https://proxy.example", ())


def test_levels_are_enough_from_the_least_upwards(file):
    levels = 'acr_levels = ["low", "substantial", "high"]\nleast_acr = "substantial"\naccepted_acr = ["gold"]'
    (provider,) = read(written(file, f"{GOOD}{levels}\n"))
    assert provider.acrs() == {"substantial", "high", "gold"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a", 1),
        ("/b/c", 2),
        ("/b/d/*/e", 3),
        ("/b/f/*/e", None),
        ("/b/none", None),
        ("/a/b", None),
        ("https://example.org/groups", "g"),
        ("missing", None),
    ],
)
def test_a_claim_may_lie_inside_of_another(name, value):
    claims = {
        "a": 1,
        "b": {"c": 2, "d": [{"e": 3}], "f": [{"e": 4}, {"e": 5}]},
        "https://example.org/groups": "g",
    }
    assert claim(claims, name) == value


def test_a_file_that_is_not_there_says_so(file):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(file)


def test_an_empty_file_describes_no_provider(file):
    with pytest.raises(ConfigurationError, match="describes no provider"):
        read(written(file, ""))


def test_loopback_is_for_the_demo_and_tests_alone(file):
    text = GOOD.replace("https://login.ministry.example", "http://127.0.0.1:9000")
    assert read(written(file, text), allow_loopback=True)
    with pytest.raises(ConfigurationError, match="https://"):
        read(file)


def test_the_demos_provider_is_refused_in_production(file):
    text = GOOD.replace("login.ministry.example", "site.example/demo-identity/government")
    with pytest.raises(ConfigurationError, match="does not start in production"):
        load(
            Settings(
                _env_file=None,
                environment="production",
                base_url="https://site.example",
                secret_key=SecretStr("0123456789abcdefghijklmnopqrstuvwxyz"),
                identity_providers=written(file, text),
            )
        )


def test_without_a_file_the_demo_has_its_two():
    government, company = load(Settings(_env_file=None, base_url="http://127.0.0.1:9999"))
    assert (government.id, government.side, company.id, company.side) == (
        "government",
        "public",
        "company",
        "business",
    )
    assert government.issuer == "http://127.0.0.1:9999/demo-identity/government"


def test_the_example_in_the_documents_is_a_good_one(file, monkeypatch):
    documents = Path(__file__).parent.parent.parent / "docs" / "identity-providers.md"
    example = documents.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    monkeypatch.setenv("MINISTRY_SECRET", "secret")
    (provider,) = read(written(file, example))
    assert provider.label_in("sl") == "Ministrstvo za primere"
    told = set(re.findall(r"^(?:# )?([a-z_]+) = ", example, re.MULTILINE))
    assert told >= set(ProviderSettings.model_fields) - {"id"}
