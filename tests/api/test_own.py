"""What is one's own through the API: name, tokens, sessions, logins, consents, data."""

from typing import Any

from sqlalchemy import select, update

from app.lib import clock
from app.models import DataExport, KeptAnswer, Person
from app.models.base import table
from app.schemas.own import (
    ConsentList,
    CopyItem,
    CopyList,
    DataItem,
    LoginList,
    SessionItem,
    SessionList,
    TokenItem,
    TokenList,
    TokenMade,
)
from app.services import consents, sessions
from tests.api.conftest import Api, Caller, is_problem, pointers

PERSON = table(Person)


def test_one_corrects_who_one_is(api: Api) -> None:
    tag = api.alice.tag("/people/me")
    changed = api.alice.patch("/people/me", {"name": "Alice Horvat", "language": "sl"}, tag)
    assert (changed.json()["name"], changed.json()["language"]) == ("Alice Horvat", "sl")
    assert api.alice.get("/people/me").headers["etag"] == changed.headers["etag"]
    assert is_problem(api.alice.patch("/people/me", {"name": "x"}, tag), 412, "version-moved-on")
    assert is_problem(api.alice.patch("/people/me", {"name": "x"}), 428, "precondition-required")
    told = api.alice.patch("/people/me", {"email": "new@example.org"}, "*")
    assert is_problem(told, 409, "conflict")
    assert pointers(api.alice.patch("/people/me", {"language": "de"}, "*")) == ["/language"]
    assert pointers(api.alice.patch("/people/me", {"name": "x" * 121}, "*")) == ["/name"]
    mine = PERSON.c.id == api.world.bob.person_id
    api.do(lambda tx: tx.execute(update(PERSON).where(mine).values(email=None)))
    assert pointers(api.bob.patch("/people/me", {"email": "nobody"}, "*")) == ["/email"]
    refused = api.bob.patch("/people/me", {"email": "b@example.org"}, "*")
    assert is_problem(refused, 403, "not-allowed"), (
        "links in mails decide, which a token for writing does not"
    )
    bob = api.of(api.world.bob, "read", "write", "admin")
    assert bob.patch("/people/me", {"email": "b@example.org"}, "*").json()["email"] == "b@example.org"
    assert bob.patch("/people/me", {"email": None}, "*").json()["email"] is None


def test_a_token_makes_a_smaller_one_that_is_told_once_and_ends_with_it(api: Api) -> None:
    admin = api.of(api.world.alice, "read", "write", "admin")
    draft = {"name": "Report", "scopes": ["read"], "days": 366, "programme": api.programme_id}
    key = {"Idempotency-Key": "report"}
    made = admin.post("/people/me/tokens", draft, headers=key)
    TokenMade.model_validate(made.json())
    token = made.json()["token"]
    child = Caller(api.client, token)
    assert child.get("/people/me").json()["scopes"] == ["read"]
    again = admin.post("/people/me/tokens", draft, headers=key)
    assert again.json() == {**made.json(), "token": None}
    kept = api.ask(lambda connection: connection.execute(select(table(KeptAnswer).c.body)).scalars().all())
    assert token not in str(kept)
    address = made.headers["location"]
    TokenItem.model_validate(admin.get(address).json())
    listed = admin.get("/people/me/tokens").json()
    TokenList.model_validate(listed)
    parent = listed["items"][1]
    assert listed["items"][0]["expires_at"] == parent["expires_at"]
    assert pointers(admin.post("/people/me/tokens", draft | {"scopes": ["vote"]})) == ["/scopes"]
    assert pointers(admin.post("/people/me/tokens", draft | {"scopes": []})) == ["/scopes"]
    elsewhere = draft | {"programme": api.other_programme_id}
    assert pointers(admin.post("/people/me/tokens", elsewhere)) == ["/programme"]
    foreign = draft | {"programme": None, "organisation": 999_999}
    assert pointers(admin.post("/people/me/tokens", foreign)) == ["/organisation"]
    more = draft | {"scopes": ["read", "admin"]}
    assert is_problem(admin.post("/people/me/tokens", more), 403, "fresh-sign-in-needed")
    assert is_problem(api.alice.post("/people/me/tokens", draft), 403, "insufficient-scope")
    assert is_problem(api.bob.delete(address), 404, "not-found")
    assert is_problem(api.bob.get(address), 404, "not-found")
    assert admin.delete(f"/people/me/tokens/{parent['id']}").status_code == 204
    assert is_problem(child.get("/people/me"), 401, "not-signed-in")
    assert is_problem(admin.get("/people/me"), 401, "not-signed-in")


def test_sessions_are_seen_and_ended(api: Api) -> None:
    cookies = [api.world.cookie(api.world.alice) for _ in range(3)]
    other = api.world.cookie(api.world.bob)
    listed = api.alice.get("/people/me/sessions").json()
    SessionList.model_validate(listed)
    ids = [each["id"] for each in listed["items"]]
    path = f"/people/me/sessions/{ids[0]}"
    SessionItem.model_validate(api.alice.get(path).json())
    assert is_problem(api.bob.delete(path), 404, "not-found")
    for _ in range(2):
        assert api.alice.delete(path).status_code == 204
    assert is_problem(api.alice.get(path), 404, "not-found")
    assert len(api.alice.get("/people/me/sessions").json()["items"]) == 2
    for _ in range(2):
        assert api.alice.delete("/people/me/sessions").status_code == 204
    assert not any(api.ask(sessions.find, cookie)[0].is_known for cookie in cookies)
    assert api.ask(sessions.find, other)[0].is_known
    logins = api.alice.get("/people/me/logins").json()
    LoginList.model_validate(logins)
    assert [each["issuer"] for each in logins["items"]] == ["https://login.example"]


def test_consent_is_given_in_person_and_taken_back_by_any_way(api: Api) -> None:
    api.do(consents.give, api.world.alice, api.programme_id, "research")
    listed = api.alice.get("/people/me/consents").json()
    ConsentList.model_validate(listed)
    assert [bool(each["given_at"]) for each in listed["items"]] == [False, True]
    first = api.alice.get("/people/me/consents?limit=1").json()
    assert api.alice.get(f"/people/me/consents?cursor={first['next']}").json()["items"] == listed["items"][1:]
    path = f"/people/me/consents/{api.programme_id}"
    for _ in range(2):
        assert api.alice.delete(f"{path}/research").status_code == 204
    assert not any(each["given_at"] for each in api.alice.get("/people/me/consents").json()["items"])
    assert is_problem(api.alice.delete(f"{path}/nothing"), 404, "not-found")
    assert is_problem(api.charlie.delete(f"{path}/research"), 404, "not-found")


def test_a_copy_of_ones_data_is_asked_for_once_and_no_token_opens_it(api: Api, monkeypatch: Any) -> None:
    from app.integrations import queue

    asked: list[str] = []
    monkeypatch.setattr(queue, "enqueue", lambda _tx, _name, *, workflow_id, **_: asked.append(workflow_id))
    kinds = api.alice.get("/people/me/data").json()
    DataItem.model_validate(kinds)
    assert kinds["kinds"]
    key = {"Idempotency-Key": "copy"}
    made = api.alice.post("/people/me/data/copies", headers=key)
    CopyItem.model_validate(made.json())
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    assert api.alice.post("/people/me/data/copies", headers=key).json() == made.json()
    assert is_problem(api.alice.post("/people/me/data/copies"), 409, "conflict")
    assert len(asked) == 1
    address = made.headers["location"]
    ready = {"state": "ready", "content": b"zip", "expires_at": clock.now()}
    api.do(lambda tx: tx.execute(update(table(DataExport)).values(**ready)))
    assert api.alice.get(address).json()["state"] == "ready"
    largest = f"/people/me/data/copies/{2**63 - 1}"
    assert is_problem(api.alice.get(largest), 404, "not-found")
    listed = api.alice.get("/people/me/data/copies").json()
    CopyList.model_validate(listed)
    assert len(listed["items"]) == 1
    assert is_problem(api.bob.get(address), 404, "not-found")
    page = api.alice("GET", made.json()["url"], follow_redirects=False)
    assert page.status_code == 303
