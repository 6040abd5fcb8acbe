"""The pages of machines and of directories, as people use them."""

import re

import pytest
from sqlalchemy import select, update

from app.lib import clock
from app.models import BrowserSession, Client, ScimGroup
from app.models.base import table
from app.services import directories
from app.services.directory_places import Directory
from tests.factories.world import fresh

FORM = {"name": "Register", "role": "participant", "scopes": ["read", "write"], "method": "client_secret"}


def rows(site, model):
    of = table(model)
    return site.world.ask(lambda connection: connection.execute(select(of).order_by(of.c.id)).all())


@pytest.fixture
def cora(site):
    return site.of(site.world.cora)


def test_a_coordinator_makes_one_and_sees_its_secret_once(site, cora):
    world = site.world
    answer = cora.post("/admin/clients", {**FORM, "room": str(world.programme_id)})
    assert answer.status_code == 201
    secret = re.search(r'id="new-secret">(pfc_cs_\w+)<', answer.text)[1]
    client = rows(site, Client)[0]
    assert client.client_id in answer.text
    page = cora.get(f"/admin/clients/{client.id}")
    assert secret not in page.text
    assert secret[-4:] in page.text
    assert "Register" in cora.get("/admin/clients").text
    again = cora.post(f"/admin/clients/{client.id}/secret")
    assert secret not in again.text
    assert "pfc_cs_" in again.text
    assert cora.post(f"/admin/clients/{client.id}/revocation").headers["location"] == "/admin/clients"
    assert "Register" not in cora.get("/admin/clients").text
    assert "revoked" in cora.get(f"/admin/clients/{client.id}").text


def test_what_was_typed_comes_back_with_what_is_wrong(site, cora):
    answer = cora.post("/admin/clients", {**FORM, "room": str(site.world.programme_id), "days": "9999"})
    assert answer.status_code == 422
    assert 'value="Register"' in answer.text
    assert "between 1 and 366" in answer.text
    keyed = {
        **FORM,
        "method": "private_key_jwt",
        "keys": '{"keys": []}',
        "room": str(site.world.programme_id),
    }
    assert "between one and ten keys" in cora.post("/admin/clients", keyed).text
    assert rows(site, Client) == []


def test_nobody_else_sees_or_makes_them(site, cora):
    world = site.world
    made = world.client()
    assert site.nobody.get("/admin/clients").headers["location"].startswith("/sign-in")
    for reader in (site.of(world.alice), site.of(world.fay), site.of(world.olga)):
        assert reader.get("/admin/clients").status_code == 404
        assert reader.get("/admin/directory").status_code == 404
        assert reader.post("/admin/clients", {**FORM, "room": str(world.programme_id)}).status_code == 404
    for reader in (site.of(world.alice), site.of(world.charlie)):
        assert reader.get(f"/admin/clients/{made.id}").status_code == 404
        for act in ("secret", "revocation", "keys", "tokens"):
            assert reader.post(f"/admin/clients/{made.id}/{act}", {"days": "9"}).status_code == 404, act
    assert rows(site, Client)[0].revoked_at is None


def test_what_is_dangerous_leads_to_a_fresh_sign_in(site, cora):
    long_ago = clock.now().replace(year=2020)
    site.world.do(lambda tx: tx.execute(update(table(BrowserSession)).values(authenticated_at=long_ago)))
    room = str(site.world.programme_id)
    answer = cora.post("/admin/clients", {**FORM, "room": room, "scopes": ["admin"]})
    assert answer.status_code in (303, 403)
    assert rows(site, Client) == []
    assert cora.post("/admin/clients", {**FORM, "room": room}).status_code == 201
    token = cora.post("/me/tokens", {"name": "x", "scopes": ["admin"], "days": "9"})
    assert token.status_code in (303, 403)


def test_a_directory_gets_its_token_and_its_groups_become_roles(site, cora):
    world = site.world
    room = f"{world.programme_id}-{world.organisations['business']}"
    cora.post("/admin/clients", {**FORM, "room": room, "scopes": ["scim"], "role": "observer"})
    client = rows(site, Client)[0]
    made = cora.post(f"/admin/clients/{client.id}/tokens", {"days": "300"})
    assert made.status_code == 201
    token = re.search(r'id="new-token">(pfc_cat_\w+)<', made.text)[1]
    headers = {"Authorization": f"Bearer {token}"}
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Facilitators"}
    assert "No directory" in cora.get("/admin/directory").text
    assert site.client.post("/scim/v2/Groups", json=body, headers=headers).status_code == 201
    group = rows(site, ScimGroup)[0]
    page = cora.get("/admin/directory").text
    assert "Facilitators" in page
    mapped = cora.post(f"/admin/directory/groups/{group.id}/role", {"role": "facilitator", "version": "1"})
    assert mapped.headers["location"] == f"/admin/directory#group-{group.id}"
    assert rows(site, ScimGroup)[0].role == "facilitator"
    stale = cora.post(f"/admin/directory/groups/{group.id}/role", {"role": "host", "version": "1"})
    assert stale.status_code == 412
    assert (
        site.of(world.alice).post(f"/admin/directory/groups/{group.id}/role", {"role": "host"}).status_code
        == 404
    )
    late = cora.post(f"/admin/clients/{client.id}/tokens", {"days": "400"})
    assert late.status_code == 422
    assert re.search(r"…\w{4}", cora.get(f"/admin/clients/{client.id}").text)


def test_a_token_is_bound_on_ones_own_page(site):
    world = site.world
    alice = site.of(world.alice)
    page = alice.get("/me/tokens").text
    assert f'value="programme-{world.programme_id}"' in page
    assert f'value="organisation-{world.organisations["public"]}"' in page
    values = {"name": "Report", "scopes": ["read"], "days": "9", "place": f"programme-{world.programme_id}"}
    made = alice.post("/me/tokens", values)
    assert made.status_code == 201
    token = re.search(r'id="new-token">(pfc_pat_\w+)<', made.text)[1]
    assert "Good for Here alone." in made.text
    assert re.search(r'href="/me/tokens">[^<]*</a> <span class="pill pill-quiet">1<', alice.get("/me").text)
    headers = {"Authorization": f"Bearer {token}"}
    here = f"/api/v1/challenges/{world.challenge_id}"
    assert site.client.get(here, headers=headers).status_code == 200
    for place in (f"programme-{world.other_programme_id}", "programme-", "organisation-99999"):
        assert alice.post("/me/tokens", values | {"place": place}).status_code == 422
    assert "in which you take part" in alice.post("/me/tokens", values | {"place": "programme-0"}).text


def test_a_reading_request_never_writes(site):
    world = site.world
    world.client("scim", sector="business", role="observer")
    client = rows(site, Client)[0]
    actor = fresh(world.cora)
    tables = directories._Tables(None, Directory(actor, client.programme_id, client.organisation_id))
    with pytest.raises(RuntimeError):
        _ = tables.tx
