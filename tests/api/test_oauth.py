"""OAuth 2.0 client credentials: how machines get a token, give it back, and what they are told when they cannot."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote_plus

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from sqlalchemy import select

from app.lib import clock, secrets
from app.models import AccessToken, AuditEntry, UsedAssertion
from app.models.base import table
from app.services import clients
from tests.api.conftest import BASE, Api, Caller, is_problem
from tests.factories.world import fresh

TOKEN = table(AccessToken)
ENTRY = table(AuditEntry)


def ask(api: Api, path: str = "/oauth/token", auth: tuple[str, str] | None = None, **form: str):
    headers = {} if auth is None else {"Authorization": _basic(*auth)}
    body = {"grant_type": "client_credentials"} | form if path == "/oauth/token" else form
    return api.client.post(path, data=body, headers=headers)


def _basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def caller(api: Api, answer) -> Caller:
    assert answer.status_code == 200, answer.text
    return Caller(api.client, answer.json()["access_token"])


def is_refused(answer, status: int, error: str) -> bool:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.json()["error_description"].isascii()
    return True


def entries(api: Api, action: str):
    found = select(ENTRY).where(ENTRY.c.action == action).order_by(ENTRY.c.id)
    return api.database.read_now(lambda connection: connection.execute(found).all())


def test_a_client_gets_a_token_for_its_secret_in_the_header_or_the_form(api: Api) -> None:
    made = api.client_of("read", "write")
    for answer in (
        ask(api, auth=(made.client_id, made.secret)),
        ask(api, client_id=made.client_id, client_secret=made.secret),
    ):
        given = answer.json()
        assert answer.headers["cache-control"] == "no-store"
        assert given["access_token"].startswith("pfc_cat_")
        assert secrets.is_token(given["access_token"])
        assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 3600, "read write")
        me = caller(api, answer).get("/people/me").json()
        assert (me["name"], me["scopes"]) == ("Robot", ["read", "write"])
        assert [place["programme"] for place in me["memberships"]] == [api.programme_id]


def test_only_hashes_are_kept(api: Api) -> None:
    made = api.client_of()
    token = ask(api, auth=(made.client_id, made.secret)).json()["access_token"]
    row = api.database.read_now(lambda connection: connection.execute(select(TOKEN)).one())
    assert row.token_hash == secrets.digest(token)
    assert token not in str(row)
    assert made.secret not in str(api.ask(clients.find, api.world.cora, made.id))
    assert made.secret not in repr(made)


def test_a_token_is_for_what_was_asked_and_no_more_than_the_client_has(api: Api) -> None:
    made = api.client_of("read", "write")
    auth = (made.client_id, made.secret)
    assert ask(api, auth=auth, scope="write").json()["scope"] == "write"
    for scope in ("admin", "read admin", "vote", "everything"):
        assert is_refused(ask(api, auth=auth, scope=scope), 400, "invalid_scope"), scope
    writer = caller(api, ask(api, auth=auth, scope="write"))
    assert is_problem(writer.get("/people/me"), 403, "insufficient-scope")


def test_what_is_wrong_is_told_by_its_name(api: Api) -> None:
    made = api.client_of()
    auth = (made.client_id, made.secret)
    assert is_refused(ask(api, auth=auth, grant_type="password"), 400, "unsupported_grant_type")
    assert is_refused(ask(api, auth=auth, grant_type=""), 400, "invalid_request")
    assert is_refused(ask(api, auth=auth, resource="https://elsewhere.example"), 400, "invalid_target")
    twice = api.client.post(
        "/oauth/token",
        content="grant_type=client_credentials&grant_type=client_credentials",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert is_refused(twice, 400, "invalid_request")
    as_json = api.client.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert is_refused(as_json, 400, "invalid_request")
    both = ask(api, auth=auth, client_secret=made.secret)
    assert is_refused(both, 400, "invalid_request")
    other = ask(api, auth=auth, client_id="another")
    assert is_refused(other, 400, "invalid_request")


def test_who_is_not_known_or_not_proved_gets_the_same_answer(api: Api) -> None:
    made = api.client_of()
    answers = [
        ask(api),
        ask(api, client_id=made.client_id),
        ask(api, auth=(made.client_id, "")),
        ask(api, auth=(made.client_id, made.secret + "x")),
        ask(api, auth=("nobody", made.secret)),
        ask(api, client_id=made.client_id, client_secret="pfc_cs_wrong"),
        api.client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": "Basic ///"},
        ),
        api.client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Bearer {made.secret}"},
        ),
    ]
    for answer in answers:
        assert is_refused(answer, 401, "invalid_client")
        assert "realm=" in answer.headers["www-authenticate"]
    assert len({answer.text for answer in answers}) == 1
    assert len(entries(api, "client.refused")) == 1, "one entry a minute for an address"


def test_a_new_secret_holds_at_once_and_the_old_one_a_day_more(api: Api) -> None:
    made = api.client_of()
    new = api.do(clients.change_secret, fresh(api.world.cora), made.id)
    for secret in (made.secret, new.secret):
        assert ask(api, auth=(made.client_id, secret)).status_code == 200
    newest = api.do(clients.change_secret, fresh(api.world.cora), made.id)
    assert is_refused(ask(api, auth=(made.client_id, made.secret)), 401, "invalid_client")
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        assert is_refused(ask(api, auth=(made.client_id, new.secret)), 401, "invalid_client")
        assert ask(api, auth=(made.client_id, newest.secret)).status_code == 200


def test_revoking_a_client_ends_its_tokens_at_once(api: Api) -> None:
    made = api.client_of()
    machine = caller(api, ask(api, auth=(made.client_id, made.secret)))
    assert machine.get("/people/me").status_code == 200
    api.do(clients.revoke, api.world.cora, made.id)
    api.do(clients.revoke, api.world.cora, made.id)
    assert is_problem(machine.get("/people/me"), 401, "not-signed-in")
    assert is_refused(ask(api, auth=(made.client_id, made.secret)), 401, "invalid_client")
    assert len(entries(api, "client.revoked")) == 1


def test_tokens_and_clients_end_by_themselves(api: Api) -> None:
    made = api.client_of(days=1)
    with time_machine.travel(clock.now() + timedelta(hours=23, minutes=30)):
        answer = ask(api, auth=(made.client_id, made.secret))
        assert 1700 < answer.json()["expires_in"] <= 1800, "no longer than the client"
    with time_machine.travel(clock.now() + timedelta(hours=24, minutes=1)):
        assert is_problem(caller(api, answer).get("/people/me"), 401, "not-signed-in")
        assert is_refused(ask(api, auth=(made.client_id, made.secret)), 401, "invalid_client")


def test_a_client_gives_its_own_token_back_and_no_others(api: Api) -> None:
    made, other = api.client_of(), api.client_of()
    auth = (made.client_id, made.secret)
    token = ask(api, auth=auth).json()["access_token"]
    foreign = ask(api, auth=(other.client_id, other.secret)).json()["access_token"]
    personal = api.world.token(api.world.alice)
    for sent in (token, token, foreign, personal, "never one of ours"):
        assert ask(api, "/oauth/revoke", auth, token=sent, token_type_hint="access_token").status_code == 200
    assert is_problem(Caller(api.client, token).get("/people/me"), 401, "not-signed-in")
    assert Caller(api.client, foreign).get("/people/me").status_code == 200
    assert Caller(api.client, personal).get("/people/me").status_code == 200
    assert is_refused(ask(api, "/oauth/revoke", auth), 400, "invalid_request")
    assert is_refused(ask(api, "/oauth/revoke", token=token), 401, "invalid_client")


def test_a_client_sees_its_own_programme_alone(api: Api) -> None:
    made = api.client_of("read", "write")
    machine = caller(api, ask(api, auth=(made.client_id, made.secret)))
    assert machine.get(f"/challenges/{api.challenge_id}").status_code == 200
    assert is_problem(machine.get(f"/challenges/{api.other_challenge_id}"), 404, "not-found")
    assert is_problem(machine.get(f"/ideas/{api.other_idea_id}"), 404, "not-found")


def test_a_machine_posts_as_itself_and_never_supports_votes_books_or_wishes(api: Api) -> None:
    made = api.client_of("read", "write", "admin", role="coordinator")
    machine = caller(api, ask(api, auth=(made.client_id, made.secret)))
    posted = machine.post(f"/challenges/{api.challenge_id}/ideas", {"title": "From the register"})
    assert posted.status_code == 201
    assert posted.json()["author"]["name"] == "Robot"
    idea = api.idea()
    assert is_problem(machine.put(f"/ideas/{idea}/support"), 403, "not-allowed")
    # With every scope there is, as a slip of ours might once give.
    row = api.database.read_now(lambda connection: connection.execute(select(TOKEN)).one())
    of_all = "read write vote book admin"
    api.do(lambda tx: tx.execute(TOKEN.update().where(TOKEN.c.id == row.id).values(scopes=of_all)))
    ballot = api.ballot()
    cast = machine.put(f"/ballots/{ballot}/vote", json={"abstain": True})
    assert is_problem(cast, 403, "not-allowed")
    placement = api.placement()
    asked = machine.post(f"/placements/{placement}/bookings", {"period": api.periods(placement)[0].id})
    assert is_problem(asked, 403, "not-allowed")
    wished = machine.put(
        f"/programmes/{api.programme_id}/wishes", json={"wishes": []}, headers={"If-Match": "*"}
    )
    assert is_problem(wished, 403, "not-allowed")


KEYS = {
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


def keyed(api: Api, algorithm: str = "ES256"):
    """A client with a key, and what signs for it: claims and header may be changed."""
    key = KEYS[algorithm]()
    written = json.dumps({"keys": [key.as_dict(private=False)]})
    made = api.client_of(method=clients.KEYS, keys=written)

    def sign(key=key, algorithm=algorithm, **changes):
        now = int(time.time())
        usual = {"iss": made.client_id, "sub": made.client_id, "aud": BASE, "iat": now, "exp": now + 60}
        claims = {**usual, "jti": secrets.new_hex(), **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])

    return made, key, sign


def prove(api: Api, assertion: str, **form: str):
    return ask(api, client_assertion=assertion, client_assertion_type=client_assertion_type(), **form)


def client_assertion_type() -> str:
    return "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_client_proves_its_key(api: Api, algorithm: str) -> None:
    made, _, sign = keyed(api, algorithm)
    assert prove(api, sign()).status_code == 200
    assert prove(api, sign(aud=f"{BASE}/oauth/token"), client_id=made.client_id).status_code == 200
    assert prove(api, sign(aud=[BASE])).status_code == 200


def test_an_assertion_is_good_once_also_at_the_same_moment(api: Api) -> None:
    _, _, sign = keyed(api)
    assertion = sign()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: prove(api, assertion), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert is_refused(prove(api, assertion), 401, "invalid_client")
    assert len(api.database.read_now(lambda c: c.execute(select(table(UsedAssertion))).all())) == 1


def test_an_assertion_that_is_not_as_it_must_be_proves_nothing(api: Api) -> None:
    made, key, sign = keyed(api)
    now = int(time.time())
    public = json.dumps(key.as_dict(private=False))
    stranger = ECKey.generate_key("P-256")
    wrong = {
        "another key": sign(key=stranger),
        "another issuer": sign(iss="pfc_other"),
        "another subject": sign(sub="pfc_other"),
        "no subject": sign(sub=None),
        "another audience": sign(aud="https://elsewhere.example"),
        "several audiences": sign(aud=[BASE, "https://elsewhere.example"]),
        "no audience": sign(aud=None),
        "expired": sign(exp=now - 60),
        "good for too long": sign(exp=now + 600),
        "without end": sign(exp=None),
        "end that is no number": sign(exp="soon"),
        "end that is true": sign(exp=True),
        "not yet": sign(nbf=now + 120),
        "made in the future": sign(iat=now + 120),
        "no jti": sign(jti=None),
        "empty jti": sign(jti=""),
        "jti that is no text": sign(jti=7),
        "HS256 with the public key": jwt.encode(
            {"alg": "HS256"}, {"iss": made.client_id}, OctKey.import_key(public), algorithms=["HS256"]
        ),
        "none": _unsigned({"iss": made.client_id, "sub": made.client_id, "aud": BASE, "exp": now + 60}),
        "cut short": sign()[:-3],
        "nothing": "..",
        "huge": "a" * 10_000,
    }
    for what, assertion in wrong.items():
        assert is_refused(prove(api, assertion), 401, "invalid_client"), what
    assert prove(api, sign()).status_code == 200


def _unsigned(claims) -> str:
    parts = ({"alg": "none"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


def test_one_way_of_proving_does_not_open_for_another(api: Api) -> None:
    made, _, sign = keyed(api)
    with_secret = api.client_of()
    assert is_refused(ask(api, auth=(made.client_id, "")), 401, "invalid_client")
    assert is_refused(ask(api, client_id=made.client_id, client_secret="x"), 401, "invalid_client")
    forged = sign(iss=with_secret.client_id, sub=with_secret.client_id)
    assert is_refused(prove(api, forged), 401, "invalid_client")
    untyped = ask(api, client_assertion=sign(), client_assertion_type="something else")
    assert is_refused(untyped, 400, "invalid_request")


def test_what_is_offered_can_be_read(api: Api) -> None:
    told = api.client.get("/.well-known/oauth-authorization-server").json()
    assert told["issuer"] == BASE
    assert told["token_endpoint"] == f"{BASE}/oauth/token"
    assert told["grant_types_supported"] == ["client_credentials"]
    assert "none" not in told["token_endpoint_auth_signing_alg_values_supported"]
    resource = api.client.get("/.well-known/oauth-protected-resource/api/v1").json()
    assert resource["authorization_servers"] == [BASE]


def test_tokens_are_no_cookies_and_open_no_page(api: Api) -> None:
    made = api.client_of()
    token = ask(api, auth=(made.client_id, made.secret)).json()["access_token"]
    answer = api.client.get("/me", headers={"Authorization": f"Bearer {token}"}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_a_form_of_another_site_gets_no_token(api: Api) -> None:
    made = api.client_of()
    form = {"grant_type": "client_credentials", "client_id": made.client_id, "client_secret": made.secret}
    answer = api.client.post("/oauth/token", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_old_tokens_of_a_client_are_forgotten(api: Api) -> None:
    made = api.client_of()
    ask(api, auth=(made.client_id, made.secret))
    with time_machine.travel(clock.now() + timedelta(days=2)):
        ask(api, auth=(made.client_id, made.secret))
    assert len(api.database.read_now(lambda connection: connection.execute(select(TOKEN)).all())) == 1


def test_a_token_that_is_asked_for_is_in_the_audit_log(api: Api) -> None:
    made = api.client_of()
    ask(api, auth=(made.client_id, made.secret))
    (entry,) = entries(api, "token.issued")
    assert (entry.client_id, entry.programme_id) == (made.id, api.programme_id)
    assert made.secret not in str(entry)


def test_a_token_asks_for_no_clients_that_administer(api: Api) -> None:
    from app.errors import NotFresh

    actor = replace(fresh(api.world.cora), scopes=frozenset({"admin"}))
    with pytest.raises(NotFresh):
        api.do(clients.create, actor, api.programme_id, None, clients.Draft("Robot", scopes=("admin",)))
