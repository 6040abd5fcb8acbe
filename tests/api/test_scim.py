"""SCIM 2.0 over HTTP: the dialects of Entra ID and Okta, what a directory's word does to people, and hostile input."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Group, User
from scim2_tester import Status, check_server
from sqlalchemy import select, update
from starlette.testclient import TestClient

from app.errors import NotAllowed
from app.integrations.identity_providers import ProviderSettings
from app.integrations.oidc import Arrival
from app.lib import clock
from app.models import (
    AccessToken,
    Assignment,
    AuditEntry,
    BrowserSession,
    Membership,
    Person,
    ScimGroup,
    ScimMember,
    ScimUser,
)
from app.models.base import table
from app.services import actors, clients, directory_groups, people
from tests.api.conftest import Api, Caller, is_problem
from tests.factories.world import fresh

USERS = "http://testserver/scim/v2/Users"
GROUPS = "http://testserver/scim/v2/Groups"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


KNOWN = {
    ("check_remove_attribute", "User", "Attribute 'active' was not removed"),
    ("check_add_attribute", "User", "Attribute 'emails' was not added or has unexpected value"),
    ("check_replace_attribute", "User", "Attribute 'emails' was not replaced or has unexpected value"),
}
"""Where we do otherwise: someone is active or not, and the one mail address that is kept comes first (docs/scim.md)."""


class Directory(Caller):
    """A directory of one organisation, with its long-lived token."""

    def __init__(self, api: Api, sector: str = "business") -> None:
        self.api = api
        self.made = api.client_of("scim", sector=sector, role="observer")
        token = api.do(clients.make_token, fresh(api.world.cora), self.made.id).token
        super().__init__(api.client, token)

    def user(self, user_name: str = "nika@company.example", external_id: str | None = "oid-1", **more) -> str:
        body = {"schemas": [USER], "userName": user_name, "externalId": external_id, **more}
        answer = self.post(USERS, body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def group(self, name: str = "Facilitators", *members: str) -> str:
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": id} for id in members]}
        answer = self.post(GROUPS, body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def change(self, address: str, *operations):
        return self("PATCH", address, json={"schemas": [PATCH], "Operations": list(operations)})

    def find(self, expression: str, address: str = USERS):
        answer = self.get(address, params={"filter": expression})
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json().get("Resources", [])]


@pytest.fixture
def directory(api: Api) -> Directory:
    return Directory(api)


def arrive(
    subject: str = "nika", directory_id: str | None = "oid-1", organisation: str = "Business House of Here"
):
    provider = ProviderSettings(
        id="company",
        label="Company",
        side="business",
        issuer="https://login.company.example",
        client_id="client",
        client_auth="none",
        programme="here",
        organisation=organisation,
    )
    return Arrival(
        provider=provider,
        subject=subject,
        name="Nika Novak",
        email="nika@company.example",
        organisation=None,
        sid=None,
        id_token="",
        directory_id=directory_id,
    )


def rows(api: Api, model, *conditions):
    of = table(model)
    found = select(of).where(*conditions).order_by(of.c.id if "id" in of.c else of.c[0])
    return api.database.read_now(lambda connection: connection.execute(found).all())


def told(api: Api, action: str) -> int:
    return len(rows(api, AuditEntry, table(AuditEntry).c.action == action))


def is_error(answer, status: int, kind: str | None = None) -> bool:
    document = answer.json()
    assert answer.headers["content-type"] == "application/scim+json", answer.text
    assert document["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert (answer.status_code, document["status"], document.get("scimType")) == (
        status,
        str(status),
        kind,
    ), document
    return True


# the protocol


def at(api: Api, directory: Directory) -> TestClient:
    """The same server below the directory's address, with its token."""
    return TestClient(api.client.app, base_url="http://testserver/scim/v2", headers=directory.headers)


def test_the_conformance_tester_of_scim_finds_no_fault(api: Api, directory: Directory) -> None:
    client = SyncSCIMClient(at(api, directory))
    client.discover()
    found = check_server(client)
    faults = {
        (each.title, each.resource_type, each.reason.partition("\n")[0])
        for each in found
        if each.status in (Status.ERROR, Status.CRITICAL, Status.DEVIATION)
    }
    assert faults - KNOWN == set()
    assert len(found) > 30


def test_a_client_library_reads_and_writes_people(api: Api, directory: Directory) -> None:
    client = SyncSCIMClient(at(api, directory))
    client.discover()
    user, group = client.get_resource_model("User"), client.get_resource_model("Group")
    made = client.create(user(user_name="ana@company.example", display_name="Ana"))
    team = client.create(group(display_name="Team", members=[{"value": made.id}]))
    assert client.query(user, made.id).groups[0].value == team.id
    made.display_name = "Ana K."
    assert client.replace(made).display_name == "Ana K."
    client.delete(user, made.id)
    assert client.query(group, team.id).members is None
    assert User.__name__ == "User"
    assert Group.__name__ == "Group"


def test_what_entra_sends_is_understood(api: Api, directory: Directory) -> None:
    id = directory.user(
        schemas=[USER, ENTERPRISE],
        active=True,
        displayName="Nika",
        emails=[{"primary": True, "type": "work", "value": "nika@company.local"}],
        meta={"resourceType": "User"},
        name={"formatted": "Nika Novak", "familyName": "Novak", "givenName": "Nika"},
        roles=[],
        **{ENTERPRISE: {"department": "IT", "manager": {"value": "7"}}},
    )
    assert directory.find('externalId eq "oid-1"') == [id]
    assert directory.find('userName eq "NIKA@company.example"') == [id]
    answer = directory.change(
        f"{USERS}/{id}",
        {"op": "Replace", "path": "displayName", "value": "Nika N."},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": "new@company.local"},
        {"op": "Replace", "path": "name.familyName", "value": "Kos"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "HR"},
    )
    assert answer.status_code == 204, answer.text
    user = directory.get(f"{USERS}/{id}").json()
    assert (user["displayName"], user["name"]["familyName"]) == ("Nika N.", "Kos")
    assert user["emails"][0]["value"] == "new@company.local"
    off = directory.change(f"{USERS}/{id}", {"op": "Replace", "path": "active", "value": "False"})
    assert off.status_code == 204
    assert directory.get(f"{USERS}/{id}").json()["active"] is False
    team = directory.group("Team", id)
    gone = directory.change(f"{GROUPS}/{team}", {"op": "Remove", "path": "members", "value": [{"value": id}]})
    assert gone.status_code == 204, gone.text
    assert "members" not in directory.get(f"{GROUPS}/{team}").json()


def test_what_okta_sends_is_understood(api: Api, directory: Directory) -> None:
    id = directory.user(
        "nika@company.example", "00u1", emails=[{"value": "n@company.example", "primary": True}]
    )
    listed = directory.get(
        USERS, params={"filter": 'userName eq "nika@company.example"', "startIndex": 1, "count": 100}
    )
    assert (listed.json()["totalResults"], listed.json()["Resources"][0]["id"]) == (1, id)
    whole = directory.get(f"{USERS}/{id}").json() | {"displayName": "Nika"}
    assert directory.put(f"{USERS}/{id}", json=whole).json()["displayName"] == "Nika"
    off = directory.change(f"{USERS}/{id}", {"op": "replace", "value": {"active": False}})
    assert off.status_code == 204
    assert directory.get(f"{USERS}/{id}").json()["active"] is False
    team = directory.group("Team")
    added = directory.change(
        f"{GROUPS}/{team}", {"op": "add", "path": "members", "value": [{"value": id, "display": "Nika"}]}
    )
    assert added.status_code == 204
    taken = directory.change(f"{GROUPS}/{team}", {"op": "remove", "path": f'members[value eq "{id}"]'})
    assert taken.status_code == 204
    renamed = directory.change(f"{GROUPS}/{team}", {"op": "replace", "value": {"displayName": "Crew"}})
    assert renamed.status_code == 204
    assert directory.get(f"{GROUPS}/{team}").json()["displayName"] == "Crew"


def test_filters_are_searched_in_the_database(api: Api, directory: Directory) -> None:
    ana = directory.user("ana@company.example", "oid-ana", displayName="Ana_1", name={"givenName": "Ana"})
    bor = directory.user("bor@company.example", "oid-bor", active=False)
    other = Directory(api, "public")
    other.user("ana@company.example", "oid-ana")
    for expression, expected in {
        'userName eq "ANA@company.example"': [ana],
        'externalId eq "OID-ANA"': [],
        'externalId eq "oid-ana"': [ana],
        "active eq true": [ana],
        "active eq false": [bor],
        "not (active eq true)": [bor],
        'userName sw "a" or userName sw "b"': [ana, bor],
        'userName co "company" and active eq true': [ana],
        'userName ew ".example"': [ana, bor],
        'displayName co "a_1"': [ana],
        'displayName co "a%1"': [],
        "displayName pr": [ana],
        'not (displayName eq "Ana_1")': [bor],
        'name.givenName ne "Ana"': [bor],
        f'id eq "{bor}"': [bor],
        'id eq "nobody"': [],
        'meta.created gt "2020-01-01T00:00:00Z"': [ana, bor],
        'meta.created lt "2020-01-01T00:00:00Z"': [],
        f'{USER}:userName eq "ana@company.example"': [ana],
    }.items():
        assert directory.find(expression) == expected, expression
    assert directory.get(USERS, params={"count": 1, "startIndex": 2}).json()["Resources"][0]["id"] == bor
    assert directory.get(USERS, params={"count": 0}).json()["totalResults"] == 2
    falling = directory.get(USERS, params={"sortBy": "userName", "sortOrder": "descending"}).json()
    assert [each["id"] for each in falling["Resources"]] == [bor, ana]
    only = directory.get(USERS, params={"attributes": "userName"}).json()["Resources"][0]
    assert set(only) == {"schemas", "id", "userName"}


def test_a_version_that_moved_on_is_not_written_over(api: Api, directory: Directory) -> None:
    id = directory.user()
    tag = directory.get(f"{USERS}/{id}").headers["etag"]
    known = directory.get(f"{USERS}/{id}", headers={"If-None-Match": tag})
    assert known.status_code == 304
    body = {"schemas": [USER], "userName": "nika@company.example", "externalId": "oid-1", "displayName": "N"}
    assert directory.put(f"{USERS}/{id}", json=body, headers={"If-Match": tag}).status_code == 200
    late = directory.put(f"{USERS}/{id}", json=body | {"displayName": "M"}, headers={"If-Match": tag})
    assert is_error(late, 412)
    assert is_error(directory("DELETE", f"{USERS}/{id}", headers={"If-Match": tag}), 412)


# who may


def test_only_an_organisations_directory_may(api: Api, directory: Directory) -> None:
    assert is_error(api.nobody.get(USERS), 401)
    assert is_error(Caller(api.client, directory.headers["Authorization"][7:] + "x").get(USERS), 401)
    assert is_error(api.of(api.world.cora, "read", "write", "admin").get(USERS), 403)
    forged = api.world.token(api.world.cora, "scim")
    assert is_error(Caller(api.client, forged).get(USERS), 403), "a person is no directory"
    assert is_problem(directory.get("/people/me"), 403, "insufficient-scope")
    cookie = {"Cookie": f"session={api.world.cookie(api.world.cora)}"}
    assert is_error(api.client.get("/scim/v2/Users", headers=cookie), 401)
    api.do(clients.revoke, fresh(api.world.cora), directory.made.id)
    assert is_error(directory.get(USERS), 401)


def test_a_directory_knows_nobody_of_another_organisation(api: Api, directory: Directory) -> None:
    other = Directory(api, "public")
    theirs, group = other.user(), other.group("Team")
    mine = directory.group("Team")
    body = {"schemas": [USER], "userName": "x"}
    for answer in (
        directory.get(f"{USERS}/{theirs}"),
        directory.put(f"{USERS}/{theirs}", json=body),
        directory.change(f"{USERS}/{theirs}", {"op": "replace", "path": "active", "value": False}),
        directory.delete(f"{USERS}/{theirs}"),
        directory.get(f"{GROUPS}/{group}"),
        directory.change(f"{GROUPS}/{group}", {"op": "replace", "path": "displayName", "value": "x"}),
        directory.delete(f"{GROUPS}/{group}"),
    ):
        assert is_error(answer, 404)
    added = directory.change(
        f"{GROUPS}/{mine}", {"op": "add", "path": "members", "value": [{"value": theirs}]}
    )
    assert is_error(added, 400, "invalidValue")
    assert directory.find("userName pr") == []
    assert other.get(f"{USERS}/{theirs}").json()["active"] is True


# from a directory to a person


def test_nobody_is_made_or_linked_before_they_sign_in(api: Api, directory: Directory) -> None:
    before = len(rows(api, Person))
    directory.user(emails=[{"value": "bob@example.org"}], userName="bob@example.org")
    assert len(rows(api, Person)) == before
    assert rows(api, ScimUser)[0].person_id is None


def test_a_signed_claim_links_and_mail_never_does(api: Api, directory: Directory) -> None:
    directory.user(emails=[{"value": "nika@company.example"}])
    stranger = api.do(people.enter, arrive("stranger", directory_id="nika@company.example"))
    assert rows(api, ScimUser)[0].person_id is None
    nameless = api.do(people.enter, arrive("nameless", directory_id=None))
    assert rows(api, ScimUser)[0].person_id is None
    nika = api.do(people.enter, arrive())
    assert rows(api, ScimUser)[0].person_id == nika
    assert nika not in (stranger, nameless)
    api.do(people.enter, arrive("another", directory_id="oid-1"))
    assert rows(api, ScimUser)[0].person_id == nika, "who was first stays linked"


def test_a_claim_at_another_organisation_links_nobody(api: Api, directory: Directory) -> None:
    directory.user()
    api.do(people.enter, arrive(organisation="Public administration House of Here"))
    assert rows(api, ScimUser)[0].person_id is None


@pytest.mark.parametrize("how", ["patch", "put", "delete"])
def test_who_leaves_is_out_at_once(api: Api, directory: Directory, how: str) -> None:
    id = directory.user()
    nika = api.do(people.enter, arrive())
    actor = api.ask(actors.find, nika)
    token, secret = api.world.token(actor), api.world.cookie(actor)
    machine = Caller(api.client, token)
    assert machine.get("/people/me").status_code == 200
    if how == "patch":
        answer = directory.change(f"{USERS}/{id}", {"op": "Replace", "path": "active", "value": "False"})
    elif how == "put":
        body = {"schemas": [USER], "userName": "n", "externalId": "oid-1", "active": False}
        answer = directory.put(f"{USERS}/{id}", json=body)
    else:
        answer = directory.delete(f"{USERS}/{id}")
    assert answer.status_code in (200, 204), answer.text
    assert is_problem(machine.get("/people/me"), 401, "not-signed-in")
    page = api.client.get("/me", headers={"Cookie": f"session={secret}"}, follow_redirects=False)
    assert page.status_code == 303
    (place,) = rows(api, Membership, table(Membership).c.person_id == nika)
    (person,) = rows(api, Person, table(Person).c.id == nika)
    assert place.ended_at is not None
    assert person.disabled_at is not None
    with pytest.raises(NotAllowed):
        api.do(people.enter, arrive())
    assert told(api, "scim.user_deactivated") == 1
    assert len(rows(api, ScimUser)) == (0 if how == "delete" else 1)


def test_who_comes_back_has_their_place_again(api: Api, directory: Directory) -> None:
    id = directory.user()
    nika = api.do(people.enter, arrive())
    for value in (False, False, True, True):
        directory.change(f"{USERS}/{id}", {"op": "replace", "path": "active", "value": value})
    assert api.do(people.enter, arrive()) == nika
    assert api.ask(actors.find, nika).role_in(api.programme_id) == "participant"
    assert (told(api, "scim.user_deactivated"), told(api, "scim.user_reinstated")) == (1, 1)


def test_what_a_coordinator_ended_no_directory_gives_back(api: Api, directory: Directory) -> None:
    id = directory.user()
    nika = api.do(people.enter, arrive())
    place = table(Membership)
    ended = update(place).where(place.c.person_id == nika).values(ended_at=clock.now() - timedelta(days=1))
    api.do(lambda tx: tx.execute(ended))
    for value in (False, True):
        directory.change(f"{USERS}/{id}", {"op": "replace", "path": "active", "value": value})
    assert api.ask(actors.find, nika).role_in(api.programme_id) is None


def test_whom_a_directory_has_let_go_does_not_get_in_at_all(api: Api, directory: Directory) -> None:
    directory.user(active=False)
    before = len(rows(api, Person))
    with pytest.raises(NotAllowed):
        api.do(people.enter, arrive())
    assert len(rows(api, Person)) == before


def test_a_place_elsewhere_stays_and_sessions_end_all_the_same(api: Api, directory: Directory) -> None:
    id = directory.user()
    nika = api.do(people.enter, arrive())
    actor = api.ask(actors.find, nika)
    other = api.world.charlie.memberships[api.other_programme_id]

    def join(tx):
        tx.session.add(
            Membership(
                programme_id=api.other_programme_id,
                person_id=nika,
                organisation_id=other.organisation_id,
                sector_id=other.sector_id,
            )
        )

    api.do(join)
    api.world.cookie(actor)
    directory.delete(f"{USERS}/{id}")
    after = api.ask(actors.find, nika)
    assert set(after.memberships) == {api.other_programme_id}
    sessions = rows(api, BrowserSession, table(BrowserSession).c.person_id == nika)
    assert all(session.revoked_at for session in sessions)


def test_a_directory_ends_nobodys_place_in_another_organisation(api: Api, directory: Directory) -> None:
    id = directory.user()
    nika = api.do(people.enter, arrive())
    place = table(Membership)
    moved = {"organisation_id": api.organisations["public"], "sector_id": api.sectors["public"]}
    api.do(lambda tx: tx.execute(update(place).where(place.c.person_id == nika).values(**moved)))
    directory.delete(f"{USERS}/{id}")
    assert api.ask(actors.find, nika).role_in(api.programme_id) == "participant"


def test_even_the_last_coordinator_is_let_go(api: Api, directory: Directory) -> None:
    id = directory.user()
    nika = api.do(people.enter, arrive())
    place = table(Membership)
    api.do(lambda tx: tx.execute(update(place).where(place.c.person_id == nika).values(role="coordinator")))
    cora = api.world.cora.person_id
    api.do(lambda tx: tx.execute(update(place).where(place.c.person_id == cora).values(role="participant")))
    assert directory.delete(f"{USERS}/{id}").status_code == 204
    assert rows(api, Person, table(Person).c.id == nika)[0].disabled_at is not None


# groups


def roles_of(api: Api, person_id: int) -> list[str]:
    of = table(Assignment)
    return [row.role for row in rows(api, Assignment, of.c.person_id == person_id, of.c.ended_at.is_(None))]


def map_to(api: Api, group: str, role: str | None, who: str = "cora") -> None:
    api.do(directory_groups.map_to, getattr(api.world, who), int(group), role)


def test_a_group_is_nothing_until_a_coordinator_says_what(api: Api, directory: Directory) -> None:
    id = directory.user()
    nika = api.do(people.enter, arrive())
    team = directory.group("coordinator", id)
    assert roles_of(api, nika) == []
    map_to(api, team, "facilitator")
    assert roles_of(api, nika) == ["facilitator"]
    actor = api.ask(actors.find, nika)
    assert [each.role for each in actor.assignments] == ["facilitator"]
    map_to(api, team, "host")
    assert roles_of(api, nika) == ["host"]
    map_to(api, team, None)
    assert roles_of(api, nika) == []


def test_roles_follow_who_is_in_the_group(api: Api, directory: Directory) -> None:
    id = directory.user()
    team = directory.group("Team", id)
    map_to(api, team, "facilitator")
    nika = api.do(people.enter, arrive())
    assert roles_of(api, nika) == ["facilitator"], "given at the first sign-in"
    api.do(people.enter, arrive())
    assert roles_of(api, nika) == ["facilitator"], "once"
    directory.change(f"{GROUPS}/{team}", {"op": "remove", "path": f'members[value eq "{id}"]'})
    assert roles_of(api, nika) == []
    directory.change(f"{GROUPS}/{team}", {"op": "add", "path": "members", "value": [{"value": id}]})
    assert roles_of(api, nika) == ["facilitator"]
    directory.change(f"{USERS}/{id}", {"op": "replace", "path": "active", "value": False})
    assert roles_of(api, nika) == []
    directory.change(f"{USERS}/{id}", {"op": "replace", "path": "active", "value": True})
    assert roles_of(api, nika) == ["facilitator"]
    assert directory.delete(f"{GROUPS}/{team}").status_code == 204
    assert roles_of(api, nika) == []


def test_who_may_say_what_a_group_is(api: Api, directory: Directory) -> None:
    from app.errors import Invalid, NotFound

    team = directory.group("Team")
    for who in ("alice", "charlie", "bob"):
        with pytest.raises((NotAllowed, NotFound)):
            map_to(api, team, "facilitator", who)
    for role in ("administrator", "participant", ""):
        with pytest.raises(Invalid):
            map_to(api, team, role)
    assert rows(api, ScimGroup)[0].role is None


def test_no_field_of_a_directory_is_a_role_here(api: Api, directory: Directory) -> None:
    id = directory.user(
        roles=[{"value": "coordinator"}],
        groups=[{"value": "1"}],
        person_id=api.world.cora.person_id,
        personId=api.world.cora.person_id,
        organisation_id=api.organisations["public"],
        id="77777",
        entitlements=[{"value": "admin"}],
        meta={"version": 'W/"99"'},
    )
    directory.change(
        f"{USERS}/{id}", {"op": "add", "value": {"roles": [{"value": "coordinator"}], "person_id": 1}}
    )
    (row,) = rows(api, ScimUser)
    assert (row.person_id, row.organisation_id, str(row.id)) == (None, api.organisations["business"], id)
    assert row.version <= 2
    grouped = directory.change(f"{USERS}/{id}", {"op": "add", "path": "groups", "value": [{"value": "1"}]})
    assert is_error(grouped, 400, "mutability")
    team = directory.post(GROUPS, {"schemas": [GROUP], "displayName": "T", "role": "coordinator"})
    assert team.status_code == 201
    assert rows(api, ScimGroup)[0].role is None
    assert rows(api, ScimMember) == []


# hostile input


def test_what_cannot_be_read_is_told_in_the_form_of_scim(api: Api, directory: Directory) -> None:
    def send(content, media_type="application/scim+json"):
        headers = directory.headers | {"Content-Type": media_type}
        return api.client.post("/scim/v2/Users", content=content, headers=headers)

    deep = "[" * 500 + "]" * 500
    for content, status in (
        (b"{", 400),
        (b'{"userName": "a", "userName": "b"}', 400),
        (deep.encode(), 400),
        (b"\xff", 400),
        (b'{"userName": "' + b"a" * 300_000 + b'"}', 413),
    ):
        assert is_error(send(content), status), content[:40]
    assert is_error(send(b"<xml/>", "application/xml"), 415)
    assert is_error(send(b"[]"), 400, "invalidSyntax")
    for body in (
        {"schemas": [USER]},
        {"schemas": [USER], "userName": ""},
        {"schemas": [USER], "userName": "a\u0007b"},
        {"schemas": [USER], "userName": "a" * 300},
        {"schemas": [USER], "userName": "a", "active": "perhaps"},
        {"schemas": [USER], "userName": "a", "emails": [{"value": "x"}] * 50},
        {"schemas": [USER], "userName": {"$ne": None}},
        {"schemas": ["urn:something:else"], "userName": "a"},
    ):
        answer = send(json.dumps(body))
        assert answer.status_code == 400, (body, answer.text)
        assert is_error(answer, 400, answer.json().get("scimType"))
    assert rows(api, ScimUser) == []


def test_what_takes_long_to_read_is_refused(api: Api, directory: Directory) -> None:
    id = directory.user()
    long = "(" * 5000 + "active eq true" + ")" * 5000
    step = {"op": "replace", "path": "displayName", "value": "x"}
    for answer in (
        directory.change(f"{USERS}/{id}", *[step] * 101),
        directory.change(f"{USERS}/{id}", step | {"path": f"emails[{long}]"}),
        directory.change(f"{USERS}/{id}", {"op": "replace", "value": {"a" * 3000: 1}}),
        directory.post(f"{USERS}/.search", {"filter": long}),
    ):
        assert is_error(answer, 413)
    assert "displayName" not in directory.get(f"{USERS}/{id}").json()


def test_filters_that_ask_for_too_much_are_refused(api: Api, directory: Directory) -> None:
    directory.user()
    for expression in (
        "(" * 400 + "active eq true" + ")" * 400,
        "not (" * 60 + "active eq true" + ")" * 60,
        "password pr",
        "person_id eq 1",
        'userName eq "',
        "userName",
        'userName eq "x" or',
        "active gt true",
        'id co "1"',
        'emails[emails[value eq "a"]]',
        "1=1; DROP TABLE person",
    ):
        answer = directory.get(USERS, params={"filter": expression})
        assert answer.status_code in (200, 400), (expression, answer.text)
        if answer.status_code == 400:
            assert is_error(answer, 400, answer.json().get("scimType"))
    injected = directory.get(USERS, params={"filter": 'userName eq "\' OR 1=1 --"'})
    assert injected.json()["totalResults"] == 0
    twice = directory.get(f"{USERS}?filter=active+eq+true&FILTER=active+eq+false")
    assert is_error(twice, 400)
    for count in ("-1", "999999999", "many"):
        answer = directory.get(USERS, params={"count": count})
        assert answer.status_code in (200, 400)
        assert len(answer.json().get("Resources", [])) <= 1


def test_addresses_and_methods_that_are_none(api: Api, directory: Directory) -> None:
    for path in ("/scim/v2/Nothing", "/scim/v2", "/scim/v2/Users/1/more", "/scim/v2/Me"):
        assert is_error(directory.get(f"http://testserver{path}"), 404)
    for id in ("0", "-1", "9" * 40, "x", "1e3", "%00", "%D9%A1"):
        assert is_error(directory.get(f"{USERS}/{id}"), 404)
    assert is_error(directory.put(USERS, json={}), 405)
    assert is_error(directory.post("http://testserver/scim/v2/Bulk", {}), 501)


# at the same moment


def test_two_at_once_make_one_and_change_one_after_another(api: Api, directory: Directory) -> None:
    body = {"schemas": [USER], "userName": "nika@company.example", "externalId": "oid-1"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: directory.post(USERS, body), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    conflict = next(answer for answer in answers if answer.status_code == 409)
    assert is_error(conflict, 409, "uniqueness")
    assert is_error(
        directory.post(USERS, body | {"userName": "NIKA@company.example", "externalId": "2"}),
        409,
        "uniqueness",
    )
    id = rows(api, ScimUser)[0].id
    tag = directory.get(f"{USERS}/{id}").headers["etag"]
    with ThreadPoolExecutor(4) as pool:
        changed = list(
            pool.map(
                lambda name: (
                    directory.put(
                        f"{USERS}/{id}", json=body | {"displayName": name}, headers={"If-Match": tag}
                    ).status_code
                ),
                "ABCD",
            )
        )
    assert sorted(changed) == [200, 412, 412, 412]
    directory.put(f"{USERS}/{id}", json=body | {"active": True})
    api.do(people.enter, arrive())
    with ThreadPoolExecutor(4) as pool:
        gone = list(pool.map(lambda _: directory.delete(f"{USERS}/{id}").status_code, range(4)))
    assert sorted(gone) == [204, 404, 404, 404]
    assert told(api, "scim.user_deactivated") == 1


def test_its_tokens_are_kept_as_hashes_and_end_one_by_one(api: Api, directory: Directory) -> None:
    (row,) = rows(api, AccessToken)
    assert (row.scopes, row.client_id) == ("scim", directory.made.id)
    assert row.expires_at - row.created_at <= timedelta(days=366)
    api.do(clients.revoke_token, fresh(api.world.cora), directory.made.id, row.id)
    assert is_error(directory.get(USERS), 401)
