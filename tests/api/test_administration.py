"""Machines, directories, the audit log, retention and providers through the API."""

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from app.lib import clock
from app.models import KeptAnswer, Person, ScimGroup
from app.models.base import table
from app.schemas.administration import (
    AuditList,
    ClientItem,
    ClientList,
    ClientMade,
    ClientTokenList,
    DirectoryList,
    GroupItem,
    ProviderList,
    RetentionItem,
    VerificationItem,
)
from app.services import audit_log
from tests.api.conftest import Api, is_problem, pointers
from tests.factories.world import fresh

PERSON = table(Person)


@pytest.fixture
def cora(api: Api) -> Any:
    return api.of(api.world.cora, "read", "write", "admin")


def administrator(api: Api) -> Any:
    is_it = PERSON.c.id == api.world.charlie.person_id
    api.do(lambda tx: tx.execute(update(PERSON).where(is_it).values(administrator_since=clock.now())))
    return api.of(api.world.charlie, "read", "admin")


def test_a_machine_is_made_gets_another_secret_and_is_revoked(api: Api, cora: Any) -> None:
    path, key = f"/programmes/{api.programme_id}/clients", {"Idempotency-Key": "robot"}
    draft = {"name": "Robot", "role": "participant", "scopes": ["read", "write"]}
    made = cora.post(path, draft, headers=key)
    ClientMade.model_validate(made.json())
    secret, auth = made.json()["client_secret"], made.json()["client_id"]
    form = {"grant_type": "client_credentials"}
    assert api.client.post("/oauth/token", data=form, auth=(auth, secret)).status_code == 200
    assert cora.post(path, draft, headers=key).json() == {**made.json(), "client_secret": None}
    kept = api.ask(lambda connection: connection.execute(select(table(KeptAnswer).c.body)).scalars().all())
    assert secret not in str(kept)
    address = made.headers["location"]
    shown = cora.get(address)
    ClientItem.model_validate(shown.json())
    listed = cora.get(f"/clients?programme={api.programme_id}").json()
    ClientList.model_validate(listed)
    assert [each["id"] for each in listed["items"]] == [made.json()["id"]]
    other = cora.post(f"{address}/secret")
    assert (other.status_code, other.json()["client_secret"] != secret) == (201, True)
    assert is_problem(
        cora.put(f"{address}/keys", json={"keys": {}}, headers={"If-Match": "*"}), 409, "conflict"
    )
    assert is_problem(cora.delete(address, shown.headers["etag"]), 412, "version-moved-on")
    for _ in range(2):
        assert cora.delete(address, "*").status_code == 204
    assert api.client.post("/oauth/token", data=form, auth=(auth, secret)).status_code == 401
    assert is_problem(cora.post(f"{address}/secret"), 409, "conflict")


def test_what_would_outlive_a_token_takes_a_fresh_sign_in(api: Api, cora: Any) -> None:
    path = f"/programmes/{api.programme_id}/clients"
    draft = {"name": "Robot", "scopes": ["read", "admin"]}
    assert is_problem(cora.post(path, draft), 403, "fresh-sign-in-needed")
    made = api.world.client("read", "scim", sector="public", actor=fresh(api.world.cora))
    address = f"/clients/{made.id}"
    assert is_problem(cora.post(f"{address}/secret"), 403, "fresh-sign-in-needed")
    from app.services import clients

    token = api.do(clients.make_token, fresh(api.world.cora), made.id, days=5)
    listed = cora.get(f"{address}/tokens").json()
    ClientTokenList.model_validate(listed)
    assert [each["id"] for each in listed["items"]] == [token.id]
    for _ in range(2):
        assert cora.delete(f"{address}/tokens/{token.id}").status_code == 204
    assert cora.get(f"{address}/tokens").json()["items"] == []
    for who in (api.world.alice, api.world.charlie):
        caller = api.of(who, "admin")
        assert is_problem(caller.get(address), 404, "not-found")
        assert is_problem(caller.post(path, draft | {"scopes": ["read"]}), 404, "not-found")
    assert is_problem(api.of(api.world.alice, "admin").get("/clients"), 403, "not-allowed")
    for wrong, where in (
        ({"name": ""}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"days": 999}, "/days"),
        ({"method": "private_key_jwt", "keys": {"keys": []}}, "/keys"),
    ):
        assert pointers(cora.post(path, {"name": "R", **wrong})) == [where]


def group(api: Api) -> int:
    """A group of which the directory of the public house told."""

    def work(tx: Any) -> int:
        told = ScimGroup(
            programme_id=api.programme_id, organisation_id=api.organisations["public"], display_name="Hosts"
        )
        tx.session.add(told)
        tx.session.flush()
        return int(told.id or 0)

    return int(api.do(work))


def test_a_group_of_a_directory_is_given_a_role(api: Api, cora: Any) -> None:
    id = group(api)
    listed = cora.get("/directories").json()
    DirectoryList.model_validate(listed)
    assert [group["id"] for each in listed["items"] for group in each["groups"]] == [id]
    path = f"/directory-groups/{id}"
    before = cora.get(path)
    GroupItem.model_validate(before.json())
    changed = cora.patch(path, {"role": "host"}, before.headers["etag"])
    assert (changed.json()["role"], changed.json()["version"]) == ("host", 2)
    assert is_problem(cora.patch(path, {"role": None}, before.headers["etag"]), 412, "version-moved-on")
    assert pointers(cora.patch(path, {"role": "observer"}, "*")) == ["/role"]
    assert cora.patch(path, {"role": None}, "*").json()["role"] is None
    alice = api.of(api.world.alice, "admin")
    assert is_problem(alice.get(path), 404, "not-found")
    assert is_problem(alice.get("/directories"), 403, "not-allowed")


def test_no_part_of_the_audit_log_is_read_that_there_is_not(api: Api, cora: Any) -> None:
    here = f"/audit?programme={api.programme_id}"
    assert cora.get(f"{here}&organisation={api.world.organisations['public']}").status_code == 200
    assert is_problem(cora.get(f"{here}&organisation=2883800"), 404, "not-found")


def test_the_audit_log_is_read_in_pages_and_checks_as_a_file(api: Api, cora: Any) -> None:
    for number in range(3):
        draft = {"name": f"House {number}", "sector": "public"}
        assert cora.post(f"/programmes/{api.programme_id}/organisations", draft).status_code == 201
    found = cora.get("/audit?action=organisation.added").json()
    AuditList.model_validate(found)
    assert [each["action"] for each in found["items"]] == ["organisation.added"] * 3
    assert found["items"][0]["id"] > found["items"][-1]["id"]
    first = cora.get("/audit?limit=2&sort=old").json()
    lines = first["items"]
    while first["next"]:
        first = cora.get(f"/audit?limit=200&sort=old&cursor={first['next']}").json()
        lines += first["items"]
    walk = audit_log.walk(audit_log.of_lines(json.dumps(line) for line in lines), is_part=True)
    assert (walk.broken, walk.entries) == ((), len(lines))
    by_cora = cora.get(f"/audit?actor={api.world.cora.person_id}&outcome=done&until=2020-01-01T00:00:00Z")
    assert by_cora.json()["items"] == []
    assert cora.get("/audit?action=audit.read").json()["items"]
    assert pointers(cora.get("/audit?since=yesterday")) == ["/since"]
    for path in ("/audit", "/audit/verification"):
        assert is_problem(api.of(api.world.alice, "admin").get(path), 403, "not-allowed")
    assert is_problem(cora.get(f"/audit?programme={api.other_programme_id}"), 403, "not-allowed")
    assert is_problem(cora.get("/audit/verification"), 403, "not-allowed")
    verified = administrator(api).get("/audit/verification").json()
    VerificationItem.model_validate(verified)
    assert (verified["whole"], verified["broken"]) == (True, [])


def test_a_walk_through_the_audit_log_comes_to_an_end_and_is_one_entry(api: Api, cora: Any) -> None:
    read = "/audit?action=audit.read&sort=old"
    for _ in range(2):
        assert cora.get(read).status_code == 200
    before = len(cora.get(f"{read}&limit=200").json()["items"])
    page = cora.get(f"{read}&limit=1")
    assert page.json()["next"]
    for _ in range(before + 5):
        if "next" not in page.links:
            break
        page = cora.get(page.links["next"]["url"])
    assert page.json()["next"] is None
    assert len(cora.get(f"{read}&limit=200").json()["items"]) == before + 2


def test_how_long_data_is_kept_is_read_and_changed(api: Api, cora: Any) -> None:
    path = f"/programmes/{api.programme_id}/retention"
    before = cora.get(path)
    RetentionItem.model_validate(before.json())
    assert (before.json()["months_of_audit"], before.json()["version"]) == (60, 0)
    changed = cora.patch(path, {"months_of_audit": 24}, before.headers["etag"])
    assert (changed.json()["months_of_audit"], changed.json()["months_unused"]) == (24, 36)
    for same in ({"months_of_audit": 24}, {}):
        assert cora.patch(path, same, "*").headers["etag"] == changed.headers["etag"]
    assert is_problem(cora.patch(path, {"months_unused": 7}, before.headers["etag"]), 412, "version-moved-on")
    assert pointers(cora.patch(path, {"months_of_audit": 11}, "*")) == ["/months_of_audit"]
    assert is_problem(api.of(api.world.alice, "admin").get(path), 403, "not-allowed")


def test_providers_are_read_by_those_who_look_after_them(api: Api, cora: Any) -> None:
    found = cora.get("/providers")
    ProviderList.model_validate(found.json())
    assert found.json()["items"] == []
    assert is_problem(api.of(api.world.alice, "admin").get("/providers"), 403, "not-allowed")
