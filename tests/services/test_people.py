"""People: known by exact logins, joined by trusted claims, once."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update

from app.database import Database
from app.errors import Conflict, Invalid, NotFound
from app.integrations.identity_providers import ProviderSettings
from app.integrations.oidc import Arrival
from app.models import Event, Login, Membership, OrganisationIdentity, Person
from app.models.base import table
from app.policies.actor import ANONYMOUS
from app.services import actors, erasure, operator, people, sessions
from tests.factories.world import ISSUER

PERSON = table(Person)
LOGIN = table(Login)


def arrival(subject="new-1", **changes):
    provider = {
        "id": "company",
        "label": "Company",
        "side": "business",
        "issuer": "https://login.company.example",
        "client_id": "client",
        "client_auth": "none",
        "programme": "here",
        "organisation": "Business House of Here",
    }
    values = {
        "name": "Nika Novak",
        "email": "nika@company.example",
        "organisation": None,
        "sid": None,
        "id_token": "",
    }
    provider |= {name: changes.pop(name) for name in list(changes) if name in ProviderSettings.model_fields}
    provider = {name: value for name, value in provider.items() if value is not None}
    return Arrival(provider=ProviderSettings(**provider), subject=subject, **values | changes)


def count(world, of):
    return world.ask(lambda connection: connection.execute(select(func.count()).select_from(of)).scalar_one())


def test_everyone_of_a_companys_own_provider_belongs_to_it(world):
    person_id = world.do(people.enter, arrival())
    actor = world.ask(actors.find, person_id)
    place = actor.membership_in(world.programme_id)
    assert (actor.name, place.role, place.sector_key) == ("Nika Novak", "participant", "business")


def test_two_processes_that_see_someone_first_at_once_make_one_person(world):
    other = Database(world.database.url.render_as_string(hide_password=False))
    before = count(world, PERSON)
    both = threading.Barrier(2)

    def work(tx):
        # SQLite lets one in at a time, and so breaks this off; PostgreSQL lets both in.
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return people.enter(tx, arrival())

    with ThreadPoolExecutor(2) as threads:
        ids = list(threads.map(lambda database: database.write_now(work), (world.database, other)))
    other.close()
    assert ids[0] == ids[1]
    assert count(world, PERSON) == before + 1


@pytest.mark.parametrize(
    "changes", [{"issuer": "https://another.example"}, {"subject": "NEW-1"}, {"subject": "new-1 "}]
)
def test_another_issuer_or_subject_is_another_person(world, changes):
    assert world.do(people.enter, arrival()) != world.do(people.enter, arrival(**changes))


def test_a_person_known_at_the_issuer_needs_no_claim_where_only_known_people_enter(world):
    known = arrival(str(world.alice.person_id), issuer=ISSUER, organisation=None, known_people_only=True)
    assert world.do(people.enter, known) == world.alice.person_id


def test_where_only_known_people_enter_nobody_joins(world):
    before = count(world, PERSON)
    with pytest.raises(Exception, match="does not take part"):
        world.do(people.enter, arrival(issuer=ISSUER, organisation=None, known_people_only=True))
    assert count(world, PERSON) == before


def test_a_provider_of_a_programme_that_there_is_not_lets_nobody_in(world):
    with pytest.raises(Exception, match="does not exist"):
        world.do(people.enter, arrival(programme="nowhere"))


def test_an_organisation_of_another_programme_is_not_ours(world):
    with pytest.raises(Exception, match="does not take part"):
        world.do(people.enter, arrival(organisation="Business House of There"))


def test_a_change_of_name_is_told_once_and_once_more_where_they_take_part_and_no_change_is_not(world):
    world.do(people.enter, arrival())
    before = count(world, table(Event))
    world.do(people.enter, arrival())
    assert count(world, table(Event)) == before
    world.do(people.enter, arrival(name="Nika Kos"))
    assert count(world, table(Event)) == before + 2


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("nika@company.example", "nika@company.example"),
        (" nika@company.example ", "nika@company.example"),
        ("nika", None),
        ("@company.example", None),
        ("nika@", None),
        ("nika@x\r\nBcc: all@x", None),
        ("nika@x, all@x", None),
        ("Nika <nika@x>", None),
        ("a@" + "x" * 260, None),
        (None, None),
    ],
)
def test_only_what_mail_could_go_to_is_kept_as_an_address(world, told, kept):
    person_id = world.do(people.enter, arrival(email=told))
    assert world.ask(actors.find, person_id).email == kept


def test_a_person_without_a_name_has_a_dash(world):
    assert world.ask(actors.find, world.do(people.enter, arrival(name=None))).name == "—"


def test_a_person_is_found_by_mail_for_an_operator(world):
    assert world.ask(people.with_email, "ALICE@example.org ") == world.alice
    with pytest.raises(NotFound):
        world.ask(people.with_email, "nobody@example.org")


@pytest.mark.parametrize("find", [people.with_email, operator.found])
def test_a_mail_address_with_letters_beyond_ascii_is_found_in_any_case(world, find):
    named = (
        update(PERSON).where(PERSON.c.id == world.alice.person_id).values(email="Žan.Novak@rivers.example")
    )
    world.do(lambda tx: tx.execute(named))
    for told in ("žan.novak@rivers.example", "ŽAN.NOVAK@RIVERS.EXAMPLE"):
        found = world.ask(find, told)
        assert getattr(found, "person_id", found) == world.alice.person_id


def test_a_mail_address_that_two_people_have_finds_neither(world):
    world.do(people.enter, arrival(email=world.alice.email))
    with pytest.raises(Conflict):
        world.ask(people.with_email, world.alice.email)


def test_a_disabled_person_is_not_found(world):
    world.do(
        lambda tx: tx.execute(
            update(PERSON).where(PERSON.c.id == world.bob.person_id).values(disabled_at=tx.now)
        )
    )
    with pytest.raises(NotFound):
        world.ask(actors.find, world.bob.person_id)


def test_an_ended_place_is_no_place(world):
    of = table(Membership)
    world.do(
        lambda tx: tx.execute(update(of).where(of.c.person_id == world.bob.person_id).values(ended_at=tx.now))
    )
    assert world.ask(actors.find, world.bob.person_id).memberships == {}
    assert world.ask(people.places, world.bob) == []


def test_my_places_say_where_and_as_what(world):
    (place,) = world.ask(people.places, world.fay)
    assert (place.programme_slug, place.organisation, place.sector_key, place.role) == (
        "here",
        "Public administration House of Here",
        "public",
        "facilitator",
    )


def test_a_language_is_chosen_once(world):
    world.do(people.choose_language, world.alice, "sl")
    alice = world.ask(actors.find, world.alice.person_id)
    assert (alice.language, alice.version) == ("sl", 2)
    world.do(people.choose_language, alice, "sl")
    assert world.ask(actors.find, world.alice.person_id).version == 2
    with pytest.raises(Invalid):
        world.do(people.choose_language, alice, "xx")
    with pytest.raises(Exception, match="sign in"):
        world.do(people.choose_language, ANONYMOUS, "sl")


def test_all_sessions_of_a_person_end_together(world):
    own = [world.cookie(world.alice) for _ in range(3)]
    others = world.cookie(world.bob)
    assert world.do(sessions.end_all, world.alice.person_id) == 3
    assert not any(world.ask(sessions.find, secret)[0].is_known for secret in own)
    assert world.ask(sessions.find, others)[0].is_known


def test_the_demos_logins_follow_to_another_address(world):
    old, new = "http://127.0.0.1:8000/demo-identity/company", "http://127.0.0.1:9000/demo-identity/company"

    def fill(tx):
        tx.session.add(Login(person_id=world.bob.person_id, issuer=old, subject="demo-1"))
        tx.session.add(
            OrganisationIdentity(
                programme_id=world.programme_id,
                organisation_id=world.organisations["business"],
                issuer=old,
                value="1",
            )
        )

    world.do(fill)
    pairs = [("/demo-identity/company", new)]
    assert world.do(people.move_logins, pairs) == 1
    assert world.do(people.move_logins, pairs) == 0
    issuers = world.ask(lambda connection: set(connection.execute(select(LOGIN.c.issuer)).scalars()))
    assert issuers == {ISSUER, new}


def test_a_corrected_name_outlives_the_next_sign_in_until_it_is_given_up(world):
    person_id = world.do(people.enter, arrival())
    actor = world.ask(actors.find, person_id)
    world.do(people.correct, actor, name="Nika N.", email="nika@company.example")
    world.do(people.enter, arrival(name="Nikolaja Novak", email="other@company.example"))
    actor = world.ask(actors.find, person_id)
    assert (actor.name, actor.email) == ("Nika N.", "other@company.example")
    world.do(people.correct, actor, name="", email="other@company.example")
    world.do(people.enter, arrival(name="Nikolaja Novak"))
    assert world.ask(actors.find, person_id).name == "Nikolaja Novak"


def test_saving_the_name_as_it_is_corrects_nothing(world):
    person_id = world.do(people.enter, arrival())
    actor = world.ask(actors.find, person_id)
    world.do(people.correct, actor, name="Nika Novak", email="nika@company.example")
    assert not world.ask(people.account, actor).name_is_own
    assert world.ask(actors.find, person_id).version == actor.version


def test_an_address_given_here_holds_until_the_provider_tells_one(world):
    person_id = world.do(people.enter, arrival(email=None))
    actor = world.ask(actors.find, person_id)
    world.do(people.correct, actor, name="Nika Novak", email="own@example.org")
    world.do(people.enter, arrival(email=None))
    assert world.ask(actors.find, person_id).email == "own@example.org"
    world.do(people.enter, arrival(email="nika@company.example"))
    account = world.ask(people.account, actor)
    assert (account.email, account.is_email_told) == ("nika@company.example", True)
    with pytest.raises(Conflict):
        world.do(people.correct, actor, name="", email="own@example.org")


def test_who_signs_in_after_an_erasure_is_someone_new(world):
    person_id = world.do(people.enter, arrival())
    world.do(erasure.erase_by_operator, person_id)
    again = world.do(people.enter, arrival())
    assert again != person_id
    assert world.ask(actors.find, again).name == "Nika Novak"
