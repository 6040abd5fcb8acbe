"""People, places and roles through the API: read, changed, ended, lent, by the rules of the pages."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.lib import clock
from app.models import AuditEntry, Person
from app.models.base import table
from app.schemas.members import (
    AdministratorList,
    AssignmentItem,
    AssignmentList,
    DelegationItem,
    DelegationList,
    NameList,
    ParticipantList,
    PersonItem,
    PlaceItem,
    PlaceList,
)
from tests.api.conftest import Api, is_problem, pointers

PERSON = table(Person)
ENTRY = table(AuditEntry)


@pytest.fixture
def cora(api: Api) -> Any:
    return api.of(api.world.cora, "read", "write", "admin")


def place_of(api: Api, who: str) -> int:
    return int(getattr(api.world, who).memberships[api.programme_id].id)


def administrator(api: Api) -> Any:
    """Charlie, of another programme, runs the installation."""
    is_it = PERSON.c.id == api.world.charlie.person_id
    api.do(lambda tx: tx.execute(update(PERSON).where(is_it).values(administrator_since=clock.now())))
    return api.of(api.world.charlie, "read", "admin")


def actions(api: Api) -> list[str]:
    query = select(ENTRY.c.action).order_by(ENTRY.c.id)
    return list(api.ask(lambda connection: connection.execute(query).scalars()))


def test_members_read_who_takes_part_in_pages_and_without_addresses(api: Api) -> None:
    path = f"/programmes/{api.programme_id}/people"
    first = api.alice.get(f"{path}?limit=3").json()
    rest = api.alice.get(f"{path}?limit=200&cursor={first['next']}").json()
    ParticipantList.model_validate(first)
    found = first["items"] + rest["items"]
    assert [each["id"] for each in found] == sorted(each["id"] for each in found)
    assert {each["name"] for each in found} >= {"Alice Novak", "Bob Kos"}
    assert "example.org" not in str(found)
    assert is_problem(api.charlie.get(path), 403, "not-allowed")


def test_places_are_found_by_what_they_are(api: Api, cora: Any) -> None:
    everyone = cora.get("/memberships?limit=200").json()
    PlaceList.model_validate(everyone)
    assert len(everyone["items"]) == 8
    business = api.organisations["business"]
    found = cora.get(f"/memberships?organisation={business}&role=participant&q=be").json()["items"]
    assert [(each["name"], each["email"]) for each in found] == [("Bea Čeh", "bea@example.org")]
    assert cora.get("/memberships?state=left").json()["items"] == []
    first = cora.get("/memberships?limit=5").json()
    rest = cora.get(f"/memberships?limit=5&cursor={first['next']}").json()
    assert [each["id"] for each in first["items"] + rest["items"]] == [
        each["id"] for each in everyone["items"]
    ]
    assert is_problem(cora.get("/memberships?role=king"), 422, "invalid")
    assert is_problem(api.of(api.world.alice, "admin").get("/memberships"), 403, "not-allowed")
    assert is_problem(api.cora.get("/memberships"), 403, "insufficient-scope")


def test_a_place_changes_its_role_and_ends_with_its_version(api: Api, cora: Any) -> None:
    path, bob = f"/memberships/{place_of(api, 'bob')}", api.bob
    tag = cora.tag(path)
    changed = cora.patch(path, {"role": "facilitator"}, tag)
    PlaceItem.model_validate(changed.json())
    assert (changed.json()["role"], changed.json()["version"]) == ("facilitator", 2)
    assert is_problem(cora.patch(path, {"role": "host"}, tag), 412, "version-moved-on")
    assert is_problem(cora.patch(path, {"role": "host"}), 428, "precondition-required")
    assert pointers(cora.patch(path, {"role": "king"}, "*")) == ["/role"]
    assert is_problem(cora.delete(path, tag), 412, "version-moved-on")
    assert cora.delete(path, changed.headers["etag"]).status_code == 204
    assert cora.delete(path, "*").status_code == 204
    assert cora.get(path).json()["ended_at"]
    assert is_problem(bob.get("/people/me"), 401, "not-signed-in")
    own = f"/memberships/{place_of(api, 'cora')}"
    assert is_problem(cora.delete(own, "*"), 409, "conflict")
    assert is_problem(api.of(api.world.charlie, "admin").patch(path, {"role": "host"}, "*"), 404, "not-found")


def test_whoever_changes_their_employer_stays_who_they_are(api: Api, cora: Any) -> None:
    path = f"/memberships/{place_of(api, 'bob')}"
    draft = {"organisation": api.organisations["public"]}
    key = {"Idempotency-Key": "bob-moves"}
    moved = cora.post(f"{path}/move", draft, headers=key)
    assert (moved.status_code, moved.json()["sector"]) == (201, "public")
    assert moved.headers["location"].endswith(f"/memberships/{moved.json()['id']}")
    again = cora.post(f"{path}/move", draft, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (moved.json(), "true")
    assert cora.get(path).json()["ended_at"]
    assert moved.json()["person"] == api.world.bob.person_id
    assert is_problem(cora.post(f"{path}/move", draft), 409, "conflict")


def test_a_person_is_read_by_those_whose_affair_they_are(api: Api, cora: Any) -> None:
    path = f"/people/{api.world.bob.person_id}"
    answer = cora.get(path)
    PersonItem.model_validate(answer.json())
    assert answer.json()["places"] == [place_of(api, "bob")]
    assert cora.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert is_problem(cora.get(f"/people/{api.world.charlie.person_id}"), 404, "not-found")
    assert is_problem(api.of(api.world.alice, "admin").get(path), 404, "not-found")


def test_instance_administrators_put_people_out_of_action_and_back(api: Api, cora: Any) -> None:
    path = f"/people/{api.world.bob.person_id}/deactivation"
    assert is_problem(cora.put(path), 403, "not-allowed")
    admin, bob = administrator(api), api.bob
    for _ in range(2):
        assert admin.put(path).json()["disabled_at"]
    assert is_problem(bob.get("/people/me"), 401, "not-signed-in")
    assert [each["person"] for each in admin.get("/memberships?state=disabled").json()["items"]] == [
        api.world.bob.person_id
    ]
    for _ in range(2):
        assert admin.delete(path).json()["disabled_at"] is None
    assert is_problem(bob.get("/people/me"), 401, "not-signed-in")
    assert is_problem(admin.put(f"/people/{api.world.charlie.person_id}/deactivation"), 409, "conflict")
    assert is_problem(admin.put("/people/999999/deactivation"), 404, "not-found")
    assert actions(api)[-3:].count("person.reactivated") == 1
    names = admin.get("/administrators").json()
    AdministratorList.model_validate(names)
    assert [each["name"] for each in names["items"]] == ["Charlie Oman"]
    cora.delete(f"/memberships/{place_of(api, 'bob')}", "*")
    nowhere = admin.get("/people?q=bob").json()
    NameList.model_validate(nowhere)
    assert [each["id"] for each in nowhere["items"]] == [api.world.bob.person_id]
    for caller in (cora, api.of(api.world.alice, "admin")):
        assert is_problem(caller.get("/people"), 403, "not-allowed")
        assert is_problem(caller.get("/administrators"), 403, "not-allowed")


def test_a_role_besides_a_place_is_given_once_read_and_taken_back(api: Api, cora: Any) -> None:
    path = f"/memberships/{place_of(api, 'bob')}/assignments"
    draft = {"role": "facilitator", "challenge": api.challenge_id}
    given = cora.post(path, draft, headers={"Idempotency-Key": "one"})
    AssignmentItem.model_validate(given.json())
    assert given.status_code == 201
    assert cora.post(path, draft, headers={"Idempotency-Key": "one"}).json() == given.json()
    assert is_problem(cora.post(path, draft), 409, "conflict")
    assert pointers(cora.post(path, {"role": "host"})) == ["/organisation"]
    assert pointers(cora.post(path, {"role": "sponsor", "last_day": "2020-01-01"})) == ["/last_day"]
    stale = {"If-Match": '"99-0123456789abcdef"'}
    assert is_problem(cora.post(path, {"role": "sponsor"}, headers=stale), 412, "version-moved-on")
    address = given.headers["location"]
    assert api.bob.get(address).json() == given.json()
    assert api.bob.get("/people/me/assignments").json()["items"] == [given.json()]
    assert is_problem(api.alice.get(address), 404, "not-found")
    listed = cora.get(f"/programmes/{api.programme_id}/assignments").json()
    AssignmentList.model_validate(listed)
    assert listed["items"] == [given.json()]
    assert is_problem(api.of(api.world.alice, "admin").post(path, draft), 404, "not-found")
    own = f"/memberships/{place_of(api, 'cora')}/assignments"
    assert is_problem(cora.post(own, {"role": "sponsor"}), 403, "not-allowed")
    for _ in range(2):
        assert cora.delete(address).status_code == 204
    assert is_problem(cora.get(address), 404, "not-found")


def test_what_someone_had_besides_a_place_ends_with_it_each_with_its_own_entry(api: Api, cora: Any) -> None:
    place = f"/memberships/{place_of(api, 'bob')}"
    cora.post(f"{place}/assignments", {"role": "sponsor"})
    lent = {"person": api.world.bea.person_id, "last_day": str(clock.now().date() + timedelta(days=5))}
    bob = api.of(api.world.bob, "read", "admin")
    assert bob.post(f"/programmes/{api.programme_id}/delegations", lent).status_code == 201
    assert cora.delete(place, "*").status_code == 204
    told = actions(api)
    assert told.index("membership.ended") > told.index("assignment.ended")
    assert told.count("assignment.ended") == told.count("delegation.ended") == 1


def test_a_role_is_lent_in_absence_and_ended_by_either(api: Api) -> None:
    path = f"/programmes/{api.programme_id}/delegations"
    last = clock.now().date() + timedelta(days=5)
    draft = {"person": api.world.bob.person_id, "last_day": str(last)}
    fay = api.of(api.world.fay, "read", "write", "admin")
    lent = fay.post(path, draft, headers={"Idempotency-Key": "away"})
    DelegationItem.model_validate(lent.json())
    assert (lent.status_code, lent.json()["role"], lent.json()["lender_name"]) == (
        201,
        "facilitator",
        "Fay Zupan",
    )
    assert fay.post(path, draft, headers={"Idempotency-Key": "away"}).json() == lent.json()
    assert is_problem(fay.post(path, draft), 409, "conflict")
    assert pointers(fay.post(path, draft | {"person": api.world.charlie.person_id})) == ["/person"]
    assert pointers(fay.post(path, draft | {"last_day": str(last + timedelta(days=99))})) == ["/last_day"]
    address = lent.headers["location"]
    for caller in (fay, api.bob):
        listed = caller.get("/people/me/delegations").json()
        DelegationList.model_validate(listed)
        assert listed["items"] == [lent.json()]
    assert is_problem(api.alice.get(address), 404, "not-found")
    assert is_problem(api.alice.delete(address), 404, "not-found")
    cora = api.of(api.world.cora, "read", "admin")
    assert cora.get(path).json()["items"] == [lent.json()]
    for _ in range(2):
        assert api.bob.delete(address).status_code == 204
    assert api.bob.get(address).json()["ended_at"]
    assert fay.get("/people/me/delegations").json()["items"] == []


def test_text_that_no_database_keeps_is_refused_or_found_nowhere(api: Api, cora: Any) -> None:
    here, house = f"/programmes/{api.programme_id}", api.organisations["public"]
    assert pointers(cora.post(f"{here}/invitations", {"organisation": house, "provider": "a\x00b"})) == [
        "/provider"
    ]
    assert pointers(cora.post(f"{here}/organisations", {"name": "N", "sector": "\x00"})) == ["/sector"]
    assert pointers(cora.post(f"{here}/clients", {"name": "a\x00"})) == ["/name"]
    assert is_problem(cora.get("/memberships?q=%00"), 400, "bad-request")


def test_a_machine_gives_no_roles(api: Api) -> None:
    made = api.world.client("read", "admin", role="coordinator")
    form = {"grant_type": "client_credentials", "scope": "read admin"}
    issued = api.client.post("/oauth/token", data=form, auth=(made.client_id, made.secret)).json()
    machine = api.nobody.__class__(api.client, issued["access_token"])
    place = place_of(api, "bob")
    assert machine.get("/memberships").status_code == 200
    for answer in (
        machine.patch(f"/memberships/{place}", {"role": "host"}, "*"),
        machine.post(f"/memberships/{place}/assignments", {"role": "sponsor"}),
        machine.get("/clients"),
        machine.post("/people/me/tokens", {"name": "n", "scopes": ["read"]}),
    ):
        assert is_problem(answer, 403, "not-allowed")
    assert machine.delete(f"/memberships/{place}", "*").status_code == 204
