"""Webhooks through the API: made, changed, tried out, looked into and replayed, by coordinators alone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from app.integrations import hooks
from app.integrations.hooks import Call, Outcome
from app.lib import clock
from app.models import KeptAnswer, Membership
from app.models.base import table
from app.schemas.webhooks import DeliveryItem, DeliveryList, ReplayItem, ReplayList, WebhookItem, WebhookList
from app.services import webhook_clock, webhook_log
from tests.api.conftest import Api, Caller, is_problem, pointers

ADDRESS = "http://127.0.0.1:9/hook"
DRAFT: dict[str, Any] = {"name": "Intranet", "address": ADDRESS, "types": ["idea"]}


def admin(api: Api) -> Caller:
    return api.of(api.world.cora, "admin")


def listed(api: Api) -> str:
    return f"/programmes/{api.programme_id}/webhooks"


def made(api: Api, **fields: Any) -> dict[str, Any]:
    answer = admin(api).post(listed(api), DRAFT | fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def deliveries_of(api: Api, hook: int) -> list[int]:
    """Something happens, and becomes a delivery; the ids of all, the newest first."""
    api.world.idea()
    api.world.do(webhook_log.fan_out, hook)
    return [item["id"] for item in admin(api).get(f"/webhooks/{hook}/deliveries").json()["items"]]


def test_a_webhook_is_made_read_changed_and_deleted(api: Api) -> None:
    cora = admin(api)
    answer = cora.post(listed(api), DRAFT)
    item = answer.json()
    WebhookItem.model_validate(item)
    assert item["secret"].startswith("whsec_")
    assert (item["state"], item["active"], item["owner"]) == ("active", True, api.world.cora.person_id)
    here = answer.headers["location"]
    assert here.endswith(f"/api/v1/webhooks/{item['id']}")
    read = cora.get(here)
    assert read.json() == item | {"secret": None}
    assert read.headers["etag"] == answer.headers["etag"]
    assert cora.get(here, headers={"If-None-Match": read.headers["etag"]}).status_code == 304
    assert cora.patch(here, {"name": "Chat"}).status_code == 428
    changed = cora.patch(here, {"name": "Chat", "active": False}, read.headers["etag"])
    assert (changed.json()["name"], changed.json()["state"]) == ("Chat", "off")
    assert changed.json()["stopped_why"] == "person"
    assert is_problem(cora.patch(here, {"active": True}, read.headers["etag"]), 412, "version-moved-on")
    assert cora.patch(here, {"active": True}, "*").json()["state"] == "active"
    WebhookList.model_validate(cora.get(listed(api)).json())
    assert cora.delete(here, cora.tag(here)).status_code == 204
    assert is_problem(cora.get(here), 404, "not-found")
    assert cora.get(listed(api)).json()["items"] == []


def test_a_secret_is_told_once_even_to_those_who_ask_again(api: Api) -> None:
    cora = admin(api)
    key = {"Idempotency-Key": "one"}
    first = cora.post(listed(api), DRAFT, headers=key)
    again = cora.post(listed(api), DRAFT, headers=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == first.json() | {"secret": None}
    another = cora.post(f"/webhooks/{first.json()['id']}/secret", headers={"Idempotency-Key": "two"})
    assert another.status_code == 201
    WebhookItem.model_validate(another.json())
    assert another.json()["secret"] not in (None, first.json()["secret"])
    assert another.json()["previous_secret_until"] is not None
    kept = api.world.ask(lambda connection: connection.execute(select(table(KeptAnswer))).all())
    assert len(kept) == 2
    assert not any("whsec_" in str(tuple(row)) for row in kept)


def test_the_same_request_again_is_answered_alike_whatever_has_become_of_name_and_right(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    cora = admin(api)
    key = {"Idempotency-Key": "one"}
    draft = DRAFT | {"address": ADDRESS.replace("127.0.0.1", "localhost")}
    first = cora.post(listed(api), draft, headers=key)
    assert first.status_code == 201
    with monkeypatch.context() as crowded:
        crowded.setattr(api.inside.state.context.hooks._transport._names, "_most", 0)
        again = cora.post(listed(api), draft, headers=key)
        assert is_problem(cora.post(listed(api), draft), 422, "invalid")
        assert is_problem(cora.post(listed(api), DRAFT, headers=key), 422, "idempotency-key-reused")
    assert (again.status_code, again.json()) == (201, first.json() | {"secret": None})
    place = table(Membership)
    is_cora = place.c.person_id == api.world.cora.person_id
    api.world.do(lambda tx: tx.execute(update(place).where(is_cora).values(role="facilitator")))
    assert cora.post(listed(api), draft, headers=key).content == again.content
    assert is_problem(cora.post(listed(api), draft), 403, "not-allowed")
    assert is_problem(cora.post(listed(api), draft, headers={"Idempotency-Key": "two"}), 403, "not-allowed")


def test_nobody_else_and_no_lesser_token_comes_near(api: Api) -> None:
    hook = made(api)
    delivery = deliveries_of(api, hook["id"])[0]
    one, item = f"/webhooks/{hook['id']}", f"/deliveries/{delivery}"
    tries: list[tuple[str, str, Any]] = [
        ("GET", one, None),
        ("PATCH", one, {"name": "Mine"}),
        ("DELETE", one, None),
        ("POST", f"{one}/secret", None),
        ("POST", f"{one}/tests", None),
        ("GET", f"{one}/deliveries", None),
        ("GET", f"{one}/replays", None),
        ("POST", f"{one}/replays", {"from": "2026-05-01T00:00:00Z"}),
        ("GET", item, None),
        ("POST", f"{item}/replay", None),
    ]
    for method, path, body in tries:
        headers = {"If-Match": "*"}
        for person in (api.world.alice, api.world.fay, api.world.charlie):
            answer = api.of(person, "admin")(method, path, json=body, headers=headers)
            assert is_problem(answer, 404, "not-found"), path
        weak = api.of(api.world.cora, "read", "write")(method, path, json=body, headers=headers)
        assert is_problem(weak, 403, "insufficient-scope")
        assert is_problem(api.nobody(method, path, json=body, headers=headers), 401, "not-signed-in")
    assert is_problem(api.of(api.world.fay, "admin").get(listed(api)), 403, "not-allowed")
    assert is_problem(api.of(api.world.fay, "admin").post(listed(api), DRAFT), 403, "not-allowed")
    assert admin(api).get(one).json()["version"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"address": "http://169.254.169.254/latest"}, "/address"),
        ({"address": "https://10.1.2.3/"}, "/address"),
        ({"address": "https://[fe80::1]/"}, "/address"),
        ({"address": "https://nowhere.invalid/"}, "/address"),
        ({"address": "javascript:alert(1)"}, "/address"),
        ({"address": "https://[nonsense"}, "/address"),
        ({"address": 7}, "/address"),
        ({"types": []}, "/types"),
        ({"types": ["idea.painted"]}, "/types"),
        ({"types": "idea"}, "/types"),
        ({"name": ""}, "/name"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_a_pointer(api: Api, fields: Any, pointer: str) -> None:
    answer = admin(api).post(listed(api), DRAFT | fields)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [pointer]
    hook = f"/webhooks/{made(api)['id']}"
    assert pointers(admin(api).patch(hook, fields, "*")) == [pointer]
    assert admin(api).get(hook).json()["version"] == 1


def test_a_delivery_shows_what_was_sent_and_answered(api: Api) -> None:
    cora, hook = admin(api), made(api)
    delivery = deliveries_of(api, hook["id"])[0]
    waiting = cora.get(f"/deliveries/{delivery}").json()
    DeliveryItem.model_validate(waiting)
    assert (waiting["state"], waiting["request"], waiting["answer"]) == ("waiting", None, None)
    assert waiting["message"].startswith(f"msg_{hook['id']}_{waiting['event']}_")
    call = Call(ADDRESS, waiting["message"], clock.now(), b"{}", ())
    outcome = Outcome(41, hooks.NOT_TAKEN, 503, {"server": "x"}, "out of order")
    api.world.do(webhook_clock.note, delivery, outcome, call=call, waits_s=(60,))
    answer = cora.get(f"/deliveries/{delivery}", headers={"Accept-Language": "en"})
    tried = answer.json()
    DeliveryItem.model_validate(tried)
    assert tried["answer"] == {"status": 503, "headers": {"server": "x"}, "body": "out of order"}
    assert tried["request"]["headers"]["webhook-id"] == waiting["message"]
    assert "webhook-signature" not in tried["request"]["headers"]
    assert (tried["error"], tried["tries"], tried["took_ms"]) == ("status", 1, 41)
    assert "did not take the message" in tried["reason"]
    assert len(tried["history"]) == 1
    assert (
        cora.get(f"/deliveries/{delivery}", headers={"If-None-Match": answer.headers["etag"]}).status_code
        == 304
    )
    again = cora.post(f"/deliveries/{delivery}/replay", headers={"Idempotency-Key": "again"})
    assert (again.status_code, again.json()["state"], again.json()["tries"]) == (200, "waiting", 0)
    assert cora.get(f"/webhooks/{hook['id']}").json()["waiting"] == 1


def test_deliveries_come_in_pages_the_newest_first_and_by_state(api: Api) -> None:
    cora, hook = admin(api), made(api)
    for _ in range(2):
        cora.post(f"/webhooks/{hook['id']}/tests")
    ids = deliveries_of(api, hook["id"])
    assert ids == sorted(ids, reverse=True)
    seen: list[int] = []
    page = f"/webhooks/{hook['id']}/deliveries?limit=2&state=waiting"
    while page:
        answer = cora.get(page)
        DeliveryList.model_validate(answer.json())
        seen += [item["id"] for item in answer.json()["items"]]
        cora.post(f"/webhooks/{hook['id']}/tests")
        page = answer.links["next"]["url"] if answer.links else ""
    assert seen == ids
    assert cora.get(f"/webhooks/{hook['id']}/deliveries?state=dead").json()["items"] == []
    assert pointers(cora.get(f"/webhooks/{hook['id']}/deliveries?state=lost")) == ["/state"]


def test_test_calls_and_replays_wait_for_the_worker_and_need_it_switched_on(api: Api) -> None:
    cora, hook = admin(api), made(api)
    one = f"/webhooks/{hook['id']}"
    ping = cora.post(f"{one}/tests")
    assert (ping.status_code, ping.json()["type"], ping.json()["event"]) == (201, "ping", None)
    assert cora.get(ping.headers["location"]).json() == ping.json()
    since = (clock.now() - timedelta(hours=1)).isoformat()
    replay = cora.post(f"{one}/replays", {"from": since})
    assert replay.status_code == 201
    ReplayItem.model_validate(replay.json())
    assert (replay.json()["state"], replay.json()["deliveries"]) == ("running", 0)
    assert is_problem(cora.post(f"{one}/replays", {"from": since}), 409, "conflict")
    api.world.do(webhook_log.replay, replay.json()["id"])
    listed = cora.get(f"{one}/replays").json()
    ReplayList.model_validate(listed)
    assert [item["state"] for item in listed["items"]] == ["done"]
    bad = cora.post(f"{one}/replays", {"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"})
    assert pointers(bad) == ["/from"]
    assert pointers(cora.post(f"{one}/replays", {"from": "yesterday"})) == ["/from"]
    assert pointers(cora.post(f"{one}/replays", {"to": since})) == ["/from"]
    cora.patch(one, {"active": False}, "*")
    for path, body in (("tests", None), ("replays", {"from": since})):
        assert is_problem(cora.post(f"{one}/{path}", body), 409, "conflict")
    assert is_problem(cora.post(f"/deliveries/{ping.json()['id']}/replay"), 409, "conflict")


def test_a_list_takes_as_many_statements_for_one_as_for_many(api: Api) -> None:
    cora, hook = admin(api), made(api)
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    def cost(path: str) -> int:
        cora.get(path)
        event.listen(api.database.reads, "before_cursor_execute", note)
        seen.clear()
        assert cora.get(path).status_code == 200
        event.remove(api.database.reads, "before_cursor_execute", note)
        return len(seen)

    paths = (listed(api), f"/webhooks/{hook['id']}/deliveries")
    few = [cost(path) for path in paths]
    for number in range(8):
        made(api, name=f"Hook {number}")
        cora.post(f"/webhooks/{hook['id']}/tests")
    assert [cost(path) for path in paths] == few
