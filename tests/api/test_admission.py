"""Invitations, join requests and organisations through the API."""

from typing import Any

import pytest
from sqlalchemy import select

from app.models import JoinRequest, KeptAnswer
from app.models.base import table
from app.schemas.admission import (
    InvitationItem,
    InvitationList,
    InvitationMade,
    JoiningItem,
    JoinRequestItem,
    JoinRequestList,
    OrganisationDetail,
    SectorList,
)
from app.services import invitations
from tests.api.conftest import Api, is_problem, pointers


@pytest.fixture
def cora(api: Api) -> Any:
    return api.of(api.world.cora, "read", "write", "admin")


def waiting(api: Api, subject: str = "w", **values: Any) -> int:
    """Someone whom a provider vouches for and who waits."""

    def work(tx: Any) -> int:
        row = JoinRequest(
            programme_id=api.programme_id,
            provider="test",
            issuer="https://login.example",
            subject=subject,
            name="Wanda",
            **values,
        )
        tx.session.add(row)
        tx.session.flush()
        return int(row.id or 0)

    return int(api.do(work))


def test_an_invitation_tells_its_address_once_and_nothing_keeps_it(api: Api, cora: Any) -> None:
    path = f"/programmes/{api.programme_id}/invitations"
    draft = {"organisation": api.organisations["public"], "name": "Mira", "days": 3}
    key = {"Idempotency-Key": "mira"}
    made = cora.post(path, draft, headers=key)
    InvitationMade.model_validate(made.json())
    token = made.json()["address"].rsplit("/", 1)[-1]
    assert api.ask(invitations.opened, token).problem is None
    again = cora.post(path, draft, headers=key)
    assert again.json() == {**made.json(), "address": None}
    assert again.headers["idempotency-replayed"] == "true"
    kept = api.ask(lambda connection: connection.execute(select(table(KeptAnswer).c.body)).scalars().all())
    assert token not in str(kept)
    address = made.headers["location"]
    shown = cora.get(address)
    InvitationItem.model_validate(shown.json())
    assert shown.headers["etag"] == made.headers["etag"]
    listed = cora.get(f"/invitations?programme={api.programme_id}").json()
    InvitationList.model_validate(listed)
    assert listed["items"] == [shown.json()]
    assert cora.get(f"/invitations?programme={api.other_programme_id}").json()["items"] == []
    for _ in range(2):
        assert cora.delete(address).status_code == 204
    assert (cora.get(address).json()["good"], bool(cora.get(address).json()["revoked_at"])) == (False, True)


def test_who_may_not_invite_is_told_and_what_cannot_be_taken_too(api: Api, cora: Any) -> None:
    path, house = f"/programmes/{api.programme_id}/invitations", api.organisations["public"]
    made = cora.post(path, {"organisation": house}).headers["location"]
    alice, charlie = (api.of(who, "read", "admin") for who in (api.world.alice, api.world.charlie))
    assert is_problem(alice.post(path, {"organisation": house}), 403, "not-allowed")
    assert is_problem(alice.get("/invitations"), 403, "not-allowed")
    assert is_problem(charlie.get(made), 404, "not-found")
    assert is_problem(charlie.delete(made), 404, "not-found")
    assert is_problem(cora.post(path, {"organisation": 999999}), 404, "not-found")
    assert is_problem(api.cora.post(path, {"organisation": house}), 403, "insufficient-scope")
    for draft, where in (
        ({}, "/organisation"),
        ({"organisation": house, "role": "king"}, "/role"),
        ({"organisation": house, "email": "nobody"}, "/email"),
        ({"organisation": house, "days": 61}, "/days"),
        ({"organisation": house, "token": "x"}, "/token"),
    ):
        assert pointers(cora.post(path, draft)) == [where]


def test_requests_to_join_are_read_and_decided_once(api: Api, cora: Any) -> None:
    house = api.organisations["public"]
    first, second = waiting(api, "1", organisation_id=house), waiting(api, "2")
    path = f"/programmes/{api.programme_id}/join-requests"
    listed = cora.get(path).json()
    JoinRequestList.model_validate(listed)
    assert [each["id"] for each in listed["items"]] == [second, first]
    tag = cora.tag(f"/join-requests/{first}")
    approved = cora.post(
        f"/join-requests/{first}/approval", {}, headers={"If-Match": tag, "Idempotency-Key": "in"}
    )
    JoinRequestItem.model_validate(approved.json())
    assert (approved.json()["state"], approved.json()["organisation"]) == ("approved", house)
    repeated = cora.post(
        f"/join-requests/{first}/approval", {}, headers={"If-Match": tag, "Idempotency-Key": "in"}
    )
    assert repeated.json() == approved.json()
    assert is_problem(cora.post(f"/join-requests/{first}/approval", {}), 409, "conflict")
    assert pointers(cora.post(f"/join-requests/{second}/approval", {})) == ["/organisation"]
    assert pointers(cora.post(f"/join-requests/{second}/refusal", {"reason": ""})) == ["/reason"]
    moved = {"If-Match": '"9-0123456789abcdef"'}
    refusal = f"/join-requests/{second}/refusal"
    assert is_problem(cora.post(refusal, {"reason": "No."}, headers=moved), 412, "version-moved-on")
    assert cora.post(refusal, {"reason": "No."}).json()["reason"] == "No."
    assert [each["id"] for each in cora.get(f"{path}?state=declined").json()["items"]] == [second]
    for caller, code in ((api.of(api.world.alice, "admin"), 403), (api.nobody, 401)):
        kind = {403: "not-allowed", 401: "not-signed-in"}[code]
        assert is_problem(caller.get(path), code, kind)
    stranger = api.of(api.world.charlie, "admin")
    assert is_problem(stranger.get(f"/join-requests/{first}"), 404, "not-found")
    assert is_problem(stranger.post(refusal, {"reason": "No."}), 404, "not-found")


def test_what_becomes_of_people_who_are_not_known_is_chosen(api: Api, cora: Any) -> None:
    path = f"/programmes/{api.programme_id}/joining"
    before = cora.get(path)
    JoiningItem.model_validate(before.json())
    chosen = cora.patch(path, {"joining": "refuse"}, before.headers["etag"])
    assert chosen.json()["joining"] == "refuse"
    assert is_problem(cora.patch(path, {"joining": "join"}, before.headers["etag"]), 412, "version-moved-on")
    assert is_problem(cora.patch(path, {"joining": "join"}), 428, "precondition-required")
    assert pointers(cora.patch(path, {"joining": "perhaps"}, "*")) == ["/joining"]
    assert is_problem(api.of(api.world.alice, "admin").get(path), 403, "not-allowed")


def test_an_organisation_is_added_changed_and_known_from_outside(api: Api, cora: Any) -> None:
    path = f"/programmes/{api.programme_id}"
    sectors = api.alice.get(f"{path}/sectors?limit=1").json()
    SectorList.model_validate(sectors)
    rest = api.alice.get(f"{path}/sectors?cursor={sectors['next']}").json()
    assert [each["key"] for each in sectors["items"] + rest["items"]] == ["public", "business"]

    made = cora.post(f"{path}/organisations", {"name": "Rivers", "sector": "public"})
    OrganisationDetail.model_validate(made.json())
    assert made.json()["known_by"] == {"claims": [], "domains": []}
    address = made.headers["location"]
    assert pointers(cora.post(f"{path}/organisations", {"name": "Rivers", "sector": "public"})) == ["/name"]
    assert pointers(cora.post(f"{path}/organisations", {"name": "R", "sector": "moon"})) == ["/sector"]
    changed = cora.patch(address, {"number": "5023912000"}, made.headers["etag"])
    assert (changed.json()["name"], changed.json()["number"]) == ("Rivers", "5023912000")
    assert is_problem(cora.patch(address, {"name": "x"}, made.headers["etag"]), 412, "version-moved-on")

    noted = cora.post(f"{address}/domains", {"domain": "@Rivers.example."}).json()
    (domain,) = noted["known_by"]["domains"]
    assert (domain["domain"], domain["verified_at"]) == ("rivers.example", None)
    assert pointers(cora.post(f"{address}/domains", {"domain": "rivers"})) == ["/domain"]
    assert pointers(cora.post(f"{address}/domains", {"domain": "rivers.example"})) == ["/domain"]
    for _ in range(2):
        confirmed = cora.put(f"{address}/domains/{domain['id']}/verification").json()
        assert confirmed["known_by"]["domains"][0]["verified_at"]
    unknown = {"issuer": "https://else.example", "value": "1"}
    assert pointers(cora.post(f"{address}/claims", unknown)) == ["/issuer"]
    for what in (f"domains/{domain['id']}", "claims/1"):
        for _ in range(2):
            assert cora.delete(f"{address}/{what}").status_code == 204
    assert cora.get(address).json()["known_by"]["domains"] == []

    seen = api.alice.get(address)
    assert (seen.json()["name"], seen.json()["known_by"], seen.json()["people"]) == ("Rivers", None, None)
    alice = api.of(api.world.alice, "admin")
    for answer in (
        alice.patch(address, {"name": "x"}, "*"),
        alice.post(f"{address}/domains", {"domain": "x.example"}),
        alice.delete(f"{address}/domains/{domain['id']}"),
    ):
        assert is_problem(answer, 404, "not-found")
    assert is_problem(
        alice.post(f"{path}/organisations", {"name": "N", "sector": "public"}), 403, "not-allowed"
    )
