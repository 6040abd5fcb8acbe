"""How a provider fares: what is looked at, and the mend for what differs."""

from collections.abc import Iterator

import pytest
from starlette.responses import JSONResponse, Response

from app.integrations import client_keys, provider_health
from tests.identity.hostile import Hostile
from tests.identity.serving import free_port, serving
from tests.integrations.test_oidc import near

pytestmark = pytest.mark.anyio


@pytest.fixture
def far() -> Iterator[Hostile]:
    port = free_port()
    hostile = Hostile(f"http://127.0.0.1:{port}")
    with serving(hostile.app(), port):
        yield hostile


async def states(far, **changes):
    """The state of each check by its name, and all that was said."""
    checks = await provider_health.look(near(far, **changes))
    said = " ".join(f"{check.says % check.values} {check.mend % check.values}" for check in checks)
    return {check.name: check.state for check in checks}, said


async def test_an_honest_provider_is_fine(far):
    found, said = await states(far)
    assert set(found.values()) == {"ok"}
    assert "Keys that check signatures: 1." in said


async def test_one_that_is_down_is_bad_and_its_reason_told(far):
    far.answers["metadata"] = lambda: Response(status_code=500)
    found, said = await states(far)
    assert found == {"discovery": "bad"}
    assert "HTTPStatusError" in said


async def test_one_without_keys_is_bad(far):
    far.answers["keys"] = lambda: JSONResponse({"keys": []})
    found, said = await states(far)
    assert found["keys"] == "bad"
    assert "no_keys" in said


@pytest.mark.parametrize(
    ("name", "metadata", "changes", "state"),
    [
        ("algorithms", {"id_token_signing_alg_values_supported": ["ES256"]}, {}, "bad"),
        ("algorithms", {"id_token_signing_alg_values_supported": "RS256"}, {}, "ok"),
        ("client_auth", {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, {}, "bad"),
        ("pkce", {"code_challenge_methods_supported": ["plain"]}, {}, "warning"),
        ("pkce", {}, {"pkce": False, "no_pkce_because": "It breaks."}, "warning"),
        ("pushed_requests", {}, {"pushed_requests": "always"}, "bad"),
        (
            "pushed_requests",
            {"require_pushed_authorization_requests": True},
            {"pushed_requests": "never"},
            "bad",
        ),
        ("acr_values", {"acr_values_supported": ["low"]}, {"acr_values": ("high",)}, "warning"),
        ("back_channel", {"backchannel_logout_supported": True}, {}, "ok"),
    ],
)
async def test_what_differs_is_told(far, name, metadata, changes, state):
    far.metadata = metadata
    found, _ = await states(far, **changes)
    assert found[name] == state


async def test_pushed_requests_are_told_of_where_they_are_used(far):
    far.metadata = {"pushed_authorization_request_endpoint": f"{far.issuer}/push"}
    assert (await states(far))[0]["pushed_requests"] == "ok"
    assert "pushed_requests" not in (await states(far, pushed_requests="never"))[0]


async def test_a_missing_way_out_is_told_unless_nobody_expects_it(far):
    far.without = ("end_session_endpoint",)
    assert (await states(far))[0]["sign_out"] == "warning"
    assert "sign_out" not in (await states(far, sign_out=False))[0]


async def test_our_own_keys_are_looked_at_even_where_the_provider_is_down(far, tmp_path):
    far.answers["metadata"] = lambda: Response(status_code=500)
    ours = {
        "client_auth": "private_key_jwt",
        "client_secret": None,
        "client_keys": (client_keys.make(tmp_path / "key.pem"),),
    }
    found, said = await states(far, **ours)
    assert found["client_keys"] == "ok"
    assert ours["client_keys"][0].kid in said
    (tmp_path / "key.pem").chmod(0o644)
    found, said = await states(far, **ours)
    assert found["client_keys"] == "bad"
    assert "chmod 600 key.pem" in said
