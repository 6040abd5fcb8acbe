"""Conflicts of interest, and whom hosts would rather have, through the API."""

from app.schemas.conflicts import ConflictItem, ConflictList
from app.schemas.preferences import PreferencesItem
from tests.api.conftest import Api, is_problem, pointers
from tests.api.hosting import booker, placement


def test_a_conflict_of_interest_is_ones_own_and_keeps_one_away(api: Api) -> None:
    mine = f"/programmes/{api.programme_id}/conflicts"
    host = f"{mine}/{api.world.organisations['public']}"
    bob = booker(api, api.world.bob)
    for statement in ("I audit them.", "I audit them still."):
        declared = bob.put(host, json={"statement": statement})
        assert declared.status_code == 200
        ConflictItem.model_validate(declared.json())
    listed = bob.get(mine).json()
    ConflictList.model_validate(listed)
    assert listed["items"] == [declared.json()]
    assert declared.json()["statement"] == "I audit them still."
    assert booker(api, api.world.bea).get(mine).json()["items"] == []
    wishes = {"wishes": [{"placement": placement(api)["id"]}]}
    stated = f"/programmes/{api.programme_id}/wishes"
    assert is_problem(bob.put(stated, json=wishes, headers={"If-Match": "*"}), 422, "invalid")
    assert [bob.delete(host).status_code for _ in range(2)] == [204, 204]
    assert bob.put(stated, json=wishes, headers={"If-Match": "*"}).status_code == 200
    withdrawn = api.cora.get(f"/programmes/{api.programme_id}/events?limit=200").json()["items"]
    assert [each["type"] for each in withdrawn].count("conflict.withdrawn") == 1


def test_a_conflict_that_cannot_be_declared(api: Api) -> None:
    mine = f"/programmes/{api.programme_id}/conflicts"
    bob = booker(api, api.world.bob)
    for organisation in (api.world.organisations["business"], 999_999):
        assert is_problem(bob.put(f"{mine}/{organisation}", json={}), 404, "not-found")
    long = bob.put(f"{mine}/{api.world.organisations['public']}", json={"statement": "x" * 401})
    assert is_problem(long, 422, "invalid")
    assert pointers(long) == ["/statement"]
    host = f"{mine}/{api.world.organisations['public']}"
    for actor in (api.world.olga, api.world.charlie):
        assert booker(api, actor).put(host, json={}).status_code in (403, 404)
        assert booker(api, actor).delete(host).status_code in (403, 404)
    assert is_problem(api.bob.put(host, json={}), 403, "insufficient-scope")


def test_a_host_says_whom_it_would_rather_have(api: Api) -> None:
    placed = placement(api)
    here = f"/placements/{placed['id']}/preferences"
    for actor in (api.world.bob, api.world.bea):
        wishes = {"wishes": [{"placement": placed["id"]}]}
        there = f"/programmes/{api.programme_id}/wishes"
        assert booker(api, actor).put(there, json=wishes, headers={"If-Match": "*"}).status_code == 200
    host = api.of(api.world.hana, "read", "write")
    before = host.get(here)
    PreferencesItem.model_validate(before.json())
    assert [(each["name"], each["rank"]) for each in before.json()["people"]] == [
        ("Bea Čeh", None),
        ("Bob Kos", None),
    ]
    tag = {"If-Match": before.headers["etag"]}
    people = {"people": [api.world.bob.person_id, api.world.bea.person_id]}
    stated = host.put(here, json=people, headers=tag)
    assert stated.status_code == 200
    assert [(each["name"], each["rank"]) for each in stated.json()["people"]] == [
        ("Bob Kos", 1),
        ("Bea Čeh", 2),
    ]
    assert host.get(here, headers={"If-None-Match": stated.headers["etag"]}).status_code == 304
    assert is_problem(host.put(here, json={"people": []}, headers=tag), 412, "version-moved-on")
    assert is_problem(host.put(here, json=people), 428, "precondition-required")
    for wrong in ([api.world.bob.person_id] * 2, [api.world.alice.person_id]):
        refused = host.put(here, json={"people": wrong}, headers={"If-Match": "*"})
        assert is_problem(refused, 422, "invalid")
        assert pointers(refused) == ["/people"]
    assert host.put(here, json={"people": []}, headers={"If-Match": "*"}).status_code == 200
    for caller in (api.bob, api.cora):
        assert is_problem(caller.get(here), 403, "not-allowed")
        assert is_problem(caller.put(here, json=people, headers={"If-Match": "*"}), 403, "not-allowed")
    assert is_problem(api.charlie.get(here), 404, "not-found")


def test_a_page_goes_on_where_it_stood_when_its_last_conflict_is_gone(api: Api) -> None:
    admin = api.of(api.world.cora, "admin")
    hosts = [api.world.organisations["public"]]
    for name in ("Čas", "Alba"):
        draft = {"name": name, "sector": "public"}
        hosts.append(admin.post(f"/programmes/{api.programme_id}/organisations", draft).json()["id"])
    mine = f"/programmes/{api.programme_id}/conflicts"
    bob = booker(api, api.world.bob)
    for host in hosts:
        assert bob.put(f"{mine}/{host}", json={}).status_code == 200
    listed = [item["organisation"] for item in bob.get(mine).json()["items"]]
    first = bob.get(f"{mine}?limit=2")
    assert [item["organisation"] for item in first.json()["items"]] == listed[:2]
    assert bob.delete(f"{mine}/{listed[1]}").status_code == 204
    rest = bob.get(first.links["next"]["url"]).json()
    assert ([item["organisation"] for item in rest["items"]], rest["next"]) == (listed[2:], None)
