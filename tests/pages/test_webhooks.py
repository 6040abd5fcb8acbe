"""The pages of webhooks, as those who coordinate use them: plain forms, a secret shown once, and what was answered."""

import re

import pytest
from sqlalchemy import select, update

from app.integrations import hooks
from app.integrations.hooks import Call, Outcome
from app.lib import clock
from app.models import BrowserSession, Delivery, Person, Webhook
from app.models.base import table
from app.services import webhook_clock, webhook_log

ADDRESS = "http://127.0.0.1:9/hook"
FORM = {"name": "Intranet", "address": ADDRESS, "types": "idea, comment.posted"}


@pytest.fixture
def cora(site):
    return site.of(site.world.cora)


def only(site, model):
    of = table(model)
    return site.world.ask(lambda connection: connection.execute(select(of).order_by(of.c.id.desc())).first())


def made(site, cora):
    answer = cora.post("/admin/webhooks", FORM)
    assert answer.status_code == 201, answer.text
    return only(site, Webhook).id, answer


def test_a_coordinator_makes_one_tries_it_out_and_ends_it(site, cora):
    assert 'href="/admin/webhooks"' in cora.get("/admin").text
    assert "There is none yet" in cora.get("/admin/webhooks").text
    id, answer = made(site, cora)
    secret = re.search(r'id="new-secret">(whsec_[^<]+)<', answer.text)[1]
    here = f"/admin/webhooks/{id}"
    page = cora.get(here)
    assert secret not in page.text
    assert "Cora Golob" in page.text
    assert only(site, Webhook).types == ["comment.posted", "idea"]
    test = cora.post(f"{here}/tests").headers["location"]
    assert "within seconds" in cora.get(test).text
    another = cora.post(f"{here}/secret")
    assert another.status_code == 201
    assert secret not in another.text
    assert "The one before holds until" in another.text
    assert cora.post(f"{here}/stop").headers["location"] == here
    off = cora.get(here).text
    assert "Off since" in off
    assert "Make a test call" not in off
    assert "until the webhook is switched on" in cora.get(test).text
    cora.post(f"{here}/start")
    assert "Off since" not in cora.get(here).text
    assert cora.post(f"{here}/deletion").headers["location"] == "/admin/webhooks?programme=here"
    assert cora.get(here).status_code == 404


def test_what_was_typed_comes_back_with_what_is_wrong(site, cora):
    bad = cora.post("/admin/webhooks", {**FORM, "address": "https://192.168.1.1/"})
    assert bad.status_code == 422
    assert 'value="https://192.168.1.1/"' in bad.text
    assert "that everyone on the internet can reach" in bad.text
    assert cora.post("/admin/webhooks", {**FORM, "types": "idea.painted"}).status_code == 422
    assert only(site, Webhook) is None
    id, _ = made(site, cora)
    here = f"/admin/webhooks/{id}"
    stale = cora.post(here, {**FORM, "name": "Chat", "version": "9"})
    assert stale.status_code == 412
    assert 'value="Chat"' in stale.text
    assert cora.post(here, {**FORM, "name": "Chat", "version": "1"}).headers["location"] == here
    assert cora.post(here, {**FORM, "address": "https://10.0.0.1/", "version": "2"}).status_code == 422
    assert (only(site, Webhook).name, only(site, Webhook).address) == ("Chat", ADDRESS)
    late = cora.post(f"{here}/replays", {"from": "2100-01-01T00:00"})
    assert late.status_code == 422
    assert cora.post(f"{here}/replays", {"from": "soon"}).status_code == 422
    done = cora.post(f"{here}/replays", {"from": "2020-01-01T00:00", "to": ""})
    assert done.headers["location"] == f"{here}#replays"
    assert "still running" in cora.get(here).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["en", "sl"])
def test_a_message_is_shown_as_text_with_what_went_wrong(site, language):
    world, cora = site.world, site.of(site.world.cora)
    of_person = table(Person)
    world.do(lambda tx: tx.execute(update(of_person).values(language=language)))
    id, _ = made(site, cora)
    world.idea()
    world.do(webhook_log.fan_out, id)
    delivery = only(site, Delivery)
    hostile = '<script>alert("x")</script>'
    outcome = Outcome(1234, hooks.REDIRECTED, 302, {"location": hostile}, hostile)
    call = Call(ADDRESS, "msg", clock.now(), b'{"type":"idea.posted"}', ())
    world.do(webhook_clock.note, delivery.id, outcome, call=call, waits_s=())
    here = f"/admin/webhooks/{id}"
    page = cora.get(f"{here}/deliveries/{delivery.id}").text
    assert hostile not in page
    assert "&lt;script&gt;" in page
    assert "POST http://127.0.0.1:9/hook" in page
    assert page.count(f'<time datetime="{clock.rfc3339(call.at)}">') == 2
    assert "{&#34;type&#34;:&#34;idea.posted&#34;}" in page
    index, whole = cora.get("/admin/webhooks").text, cora.get(f"{here}?state=dead").text
    words = {
        "en": ("redirects are not followed", "does not get through", "given up"),
        "sl": ("preusmeritv", "ne pride", "opuščen"),
    }[language]
    for word in words:
        assert word in page + index + whole, word
    assert f"msg_{id}_{delivery.event_id}" in whole
    assert f"msg_{id}_{delivery.event_id}" not in cora.get(f"{here}?state=waiting").text
    again = cora.post(f"{here}/deliveries/{delivery.id}/replay")
    assert again.headers["location"] == f"{here}/deliveries/{delivery.id}"
    assert only(site, Delivery).state == "waiting"
    notices = cora.get("/me").text
    assert 'href="/admin/webhooks"' in notices


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nobody_else_comes_near_and_another_webhooks_message_is_not_found(site, cora):
    world = site.world
    id, _ = made(site, cora)
    other, _ = made(site, cora)
    test = cora.post(f"/admin/webhooks/{id}/tests").headers["location"]
    assert cora.get(test.replace(f"webhooks/{id}/", f"webhooks/{other}/")).status_code == 404
    assert site.nobody.get("/admin/webhooks").headers["location"].startswith("/sign-in")
    for reader in (site.of(world.alice), site.of(world.fay), site.of(world.charlie)):
        assert reader.get(f"/admin/webhooks/{id}").status_code == 404
        assert reader.get(test).status_code == 404
        for act in ("tests", "stop", "start", "secret", "deletion", "replays"):
            assert reader.post(f"/admin/webhooks/{id}/{act}", {"from": "2020-01-01T00:00"}).status_code == 404
        assert reader.post("/admin/webhooks?programme=here", FORM).status_code in (403, 404)
    assert 'href="/admin/webhooks"' not in site.of(world.fay).get("/me").text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_where_messages_go_is_decided_after_a_fresh_sign_in(site, cora):
    id, _ = made(site, cora)
    long_ago = clock.now().replace(year=2020)
    site.world.do(lambda tx: tx.execute(update(table(BrowserSession)).values(authenticated_at=long_ago)))
    for path, form in (
        ("/admin/webhooks", FORM),
        (f"/admin/webhooks/{id}", {**FORM, "address": "http://127.0.0.1:10/", "version": "1"}),
        (f"/admin/webhooks/{id}/secret", {}),
    ):
        assert cora.post(path, form).status_code == 403, path
    assert cora.post(f"/admin/webhooks/{id}/stop").status_code == 303
    assert cora.post(f"/admin/webhooks/{id}/start").status_code == 403
    assert only(site, Webhook).address == ADDRESS


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_older_messages_are_a_link_away(site, cora):
    id, _ = made(site, cora)
    for _ in range(27):
        cora.post(f"/admin/webhooks/{id}/tests")
    page = cora.get(f"/admin/webhooks/{id}").text
    assert page.count('id="delivery-') == 25
    following = re.search(r'href="(/admin/webhooks/\d+\?cursor=[^"#]+)', page)[1]
    assert cora.get(following).text.count('id="delivery-') == 2
