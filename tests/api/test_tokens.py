"""Who may call: tokens and their scopes."""

from app.services import tokens
from tests.api.conftest import Api, is_problem


def test_without_a_token_nothing_is_told(api: Api) -> None:
    answer = api.nobody.get("/people/me")
    assert is_problem(answer, 401, "not-signed-in")
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


def test_a_token_that_does_not_hold_is_refused(api: Api) -> None:
    good = api.world.token(api.world.alice)
    for authorization in (
        "Bearer",
        "Bearer ",
        "Bearer x",
        f"Bearer {good[:-1]}{'x' if good[-1] != 'x' else 'y'}",
        f"Bearer {good}{good}",
        f"Basic {good}",
        good,
        "Bearer " + "é" * 40,
        "Bearer " + "a" * 4000,
    ):
        answer = api.client.get("/api/v1/people/me", headers={"Authorization": authorization.encode()})
        assert is_problem(answer, 401, "not-signed-in"), authorization
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert good not in answer.text


def test_a_revoked_token_is_refused_at_once(api: Api) -> None:
    assert api.alice.get("/people/me").status_code == 200
    (row,) = api.ask(tokens.of_person, api.world.alice)
    api.do(tokens.revoke, api.world.alice, row.id)
    assert is_problem(api.alice.get("/people/me"), 401, "not-signed-in")


def test_a_token_does_only_what_it_is_for(api: Api) -> None:
    idea_id = api.idea()
    reader = api.of(api.world.alice, "read")
    writer = api.of(api.world.alice, "write")
    other = api.of(api.world.alice, "vote", "book", "admin")
    assert reader.get(f"/ideas/{idea_id}").status_code == 200
    assert writer.put(f"/ideas/{idea_id}/support").status_code == 200
    for answer in (
        reader.put(f"/ideas/{idea_id}/support"),
        reader.post(f"/challenges/{api.challenge_id}/ideas", {"title": "t"}),
        writer.get(f"/ideas/{idea_id}"),
        other.get(f"/ideas/{idea_id}"),
        other.delete(f"/ideas/{idea_id}", "*"),
    ):
        assert is_problem(answer, 403, "insufficient-scope")
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_the_cookie_of_a_browser_opens_nothing_here(api: Api) -> None:
    secret = api.world.cookie(api.world.alice)
    answer = api.client.get("/api/v1/people/me", headers={"Cookie": f"session={secret}"})
    assert is_problem(answer, 401, "not-signed-in")


def test_the_token_says_who_one_is(api: Api) -> None:
    from app.schemas.people import Me

    answer = api.of(api.world.bob, "read").get("/people/me")
    Me.model_validate(answer.json())
    assert answer.json()["name"] == "Bob Kos"
    assert answer.json()["scopes"] == ["read"]
    assert answer.json()["memberships"] == [
        {
            "programme": api.programme_id,
            "role": "participant",
            "organisation": api.organisations["business"],
            "sector": "business",
        }
    ]


def test_limits_are_announced(api: Api) -> None:
    answer = api.alice.get("/people/me")
    assert answer.headers["ratelimit-policy"].startswith('"default";q=')
    assert answer.headers["ratelimit"].startswith('"default";r=')
