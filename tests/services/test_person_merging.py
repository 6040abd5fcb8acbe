"""Two accounts made one: by both proofs alone, all at once, and with nothing left that refers to the one that goes."""

from datetime import UTC, date, datetime, timedelta
from secrets import token_bytes, token_hex

import pytest
from sqlalchemy import JSON, Boolean, Date, Integer, LargeBinary, String, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.database import UTCDateTime
from app.errors import Conflict, NotFound, NotFresh
from app.lib import clock
from app.models import (
    Assignment,
    BrowserSession,
    Client,
    CoAuthor,
    Login,
    Membership,
    Person,
    RollEntry,
    Support,
    Vote,
    WishList,
)
from app.models.base import metadata, table
from app.services import (
    actors,
    asking,
    ballots,
    comments,
    counting,
    ideas,
    memberships,
    person_merging,
    sessions,
    support,
    tokens,
    votes,
)
from tests.factories.world import ISSUER
from tests.services.test_memberships import cube, recounted
from tests.services.test_people import arrival

LOGIN = table(Login)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
ROLL = table(RollEntry)
SESSION = table(BrowserSession)
SUPPORT = table(Support)


def fresh(world, actor, *, ago=timedelta(0)):
    """The actor in a browser, who has signed in a moment ago."""
    cookie = world.cookie(actor)
    found = world.ask(sessions.find, cookie)[0]
    world.do(
        lambda tx: tx.execute(
            update(SESSION).where(SESSION.c.id == found.session_id).values(authenticated_at=clock.now() - ago)
        )
    )
    return world.ask(sessions.find, cookie)[0]


def by(world, actor):
    """The actor comes back from the provider at which they have their login."""
    return arrival(str(actor.person_id), issuer=ISSUER, organisation=None, known_people_only=True)


def proved(world, own, other):
    actor = fresh(world, own)
    world.do(person_merging.prove, actor, by(world, other))
    return actor


def merged(world, own, other):
    actor = proved(world, own, other)
    world.do(person_merging.merge, actor, other.person_id)
    return world.ask(actors.find, own.person_id)


def rows(world, statement):
    return world.ask(lambda connection: connection.execute(statement).all())


def references_to(world, person_id):
    return {
        f"{of.name}.{column.name}": found
        for of, column in person_merging.references()
        if (found := rows(world, select(func.count()).select_from(of).where(column == person_id))[0][0])
    }


# who may


def test_the_other_account_has_to_be_proved_in_this_session(world):
    actor = fresh(world, world.alice)
    with pytest.raises(Conflict, match="sign in by a login of the other account"):
        world.do(person_merging.merge, actor, world.bob.person_id)
    proved(world, world.alice, world.bob)
    with pytest.raises(Conflict, match="sign in by a login of the other account"):
        world.do(person_merging.merge, actor, world.bob.person_id)


def test_only_the_account_that_was_proved_becomes_one(world):
    actor = proved(world, world.alice, world.bob)
    with pytest.raises(NotFound):
        world.do(person_merging.merge, actor, world.ana.person_id)


def test_a_proof_is_good_for_a_short_while(world):
    actor = proved(world, world.alice, world.bob)
    world.do(
        lambda tx: tx.execute(update(SESSION).values(other_proved_at=clock.now() - timedelta(minutes=16)))
    )
    with pytest.raises(Conflict):
        world.do(person_merging.merge, actor, world.bob.person_id)
    with pytest.raises(Conflict):
        world.ask(person_merging.plan, actor)


def test_the_own_sign_in_has_to_be_fresh_too(world):
    stale = fresh(world, world.alice, ago=timedelta(minutes=16))
    with pytest.raises(NotFresh):
        world.do(person_merging.prove, stale, by(world, world.bob))


def test_a_login_that_nobody_has_or_that_is_ones_own_proves_nothing(world):
    actor = fresh(world, world.alice)
    with pytest.raises(Conflict, match="No account here"):
        world.do(person_merging.prove, actor, arrival("nobody"))
    with pytest.raises(Conflict, match="own already"):
        world.do(person_merging.prove, actor, by(world, world.alice))


def test_a_person_out_of_action_does_not_come_back_by_this_way(world):
    world.do(memberships.put_out, None, world.bob.person_id)
    with pytest.raises(Conflict, match="out of action"):
        world.do(person_merging.prove, fresh(world, world.alice), by(world, world.bob))


# what comes of it


def test_both_logins_lead_to_the_account_that_stays(world):
    cookie, token = world.cookie(world.bob), world.token(world.bob)
    alice = merged(world, world.alice, world.bob)
    assert {row.person_id for row in rows(world, select(LOGIN).where(LOGIN.c.subject.in_(("1", "3"))))} == {
        alice.person_id
    }
    assert not world.ask(sessions.find, cookie)[0].is_known
    assert not world.ask(tokens.find, token)[0].is_known
    (gone,) = rows(world, select(PERSON).where(PERSON.c.id == world.bob.person_id))
    assert (gone.name, gone.email, gone.disabled_at is None) == ("—", None, False)


def test_of_two_places_in_one_programme_the_older_one_stays(world):
    actor = proved(world, world.bob, world.alice)
    (both,) = world.ask(person_merging.plan, actor).places
    assert (both.staying, both.ending) == ("Public administration House of Here", "Business House of Here")
    world.do(person_merging.merge, actor, world.alice.person_id)
    bob = world.ask(actors.find, world.bob.person_id)
    assert bob.memberships[world.programme_id].organisation_id == world.organisations["public"]
    assert len(rows(world, select(MEMBERSHIP).where(MEMBERSHIP.c.person_id == bob.person_id))) == 2


def test_places_in_two_programmes_both_stay(world):
    alice = merged(world, world.alice, world.charlie)
    assert set(alice.memberships) == {world.programme_id, world.other_programme_id}
    assert alice.role_in(world.other_programme_id) == "coordinator"


def test_the_only_coordinator_does_not_vanish_into_a_participant(world):
    actor = proved(world, world.alice, world.cora)
    with pytest.raises(Conflict, match="Nobody else coordinates"):
        world.do(person_merging.merge, actor, world.cora.person_id)


def test_what_both_support_counts_once_and_for_the_sector_that_stays(world):
    idea, other = world.idea(world.ana), world.idea(world.ana, "Another")
    for actor, id in ((world.alice, idea), (world.bob, idea), (world.bob, other), (world.bea, other)):
        world.do(support.give, actor, id)
    alice = merged(world, world.alice, world.bob)
    assert cube(world) == recounted(world)
    own = rows(world, select(SUPPORT).where(SUPPORT.c.person_id == alice.person_id))
    assert {(row.idea_id, row.sector_id) for row in own} == {
        (idea, world.sectors["public"]),
        (other, world.sectors["public"]),
    }
    world.do(support.withdraw, alice, idea)
    assert cube(world) == recounted(world)


@pytest.mark.parametrize("mode", ["secret", "open"])
def test_a_vote_goes_along_and_can_be_changed(world, mode):
    crowd = [*world.people(6, "public"), *world.people(6, "business")]
    ballot = world.ballot(mode=mode)
    view = world.ask(ballots.find, world.cora, ballot)
    first, second = ({"approved": [str(view.solutions[number].id)]} for number in (0, 1))
    world.do(votes.cast, world.bob, ballot, first)
    alice = merged(world, world.alice, world.bob)
    assert world.ask(votes.mine, alice, view).choice == first
    assert world.do(votes.cast, alice, ballot, second).replaced
    for someone in crowd:
        world.do(votes.cast, someone, ballot, first)
    world.close_now(ballot)
    tallied = world.ask(counting.tally, ballot)
    assert len(tallied.election.votes) == 13
    assert counting.finish(world.database, ballot, "http://testserver")


def test_two_votes_on_a_ballot_that_is_not_counted_hinder_it_until_one_is_taken_back(world):
    ballot = world.ballot()
    view = world.ask(ballots.find, world.cora, ballot)
    choice = {"approved": [str(view.solutions[0].id)]}
    for actor in (world.alice, world.bob):
        world.do(votes.cast, actor, ballot, choice)
    actor = proved(world, world.alice, world.bob)
    assert [each.message for each in world.ask(person_merging.plan, actor).hindrances] == [
        person_merging.BOTH_VOTED
    ]
    with pytest.raises(Conflict, match="Both accounts have voted"):
        world.do(person_merging.merge, actor, world.bob.person_id)
    world.do(votes.withdraw, world.bob, ballot)
    world.do(person_merging.merge, actor, world.bob.person_id)
    assert world.ask(ballots.roll_size, ballot) == 1


def test_two_votes_on_a_counted_ballot_hinder_nothing(world):
    ballot = world.ballot()
    view = world.ask(ballots.find, world.cora, ballot)
    for actor in (world.alice, world.bob):
        world.do(votes.cast, actor, ballot, {"approved": [str(view.solutions[0].id)]})
    world.close_now(ballot)
    assert counting.finish(world.database, ballot, "http://testserver")
    merged(world, world.alice, world.bob)


def test_nobody_is_in_two_places_at_once(world):
    placement = world.placement()
    period = world.periods(placement)[0].id
    world.rules(way="first_come", approvals=())
    for actor in (world.bob, world.bea):
        world.do(asking.ask, actor, placement, period_id=period)
    actor = proved(world, world.bob, world.bea)
    with pytest.raises(Conflict, match="two places at once"):
        world.do(person_merging.merge, actor, world.bea.person_id)


def test_nobody_is_the_co_author_of_their_own_idea(world):
    idea = world.idea(world.alice)
    world.do(ideas.add_co_author, world.alice, idea, world.bob.person_id)
    merged(world, world.alice, world.bob)
    assert rows(world, select(table(CoAuthor))) == []


def test_nobody_lends_a_role_to_themselves(world):
    of = table(Assignment)
    values = {"programme_id": world.programme_id, "role": "facilitator", "starts_at": clock.now()}
    values |= {"person_id": world.bob.person_id, "delegated_by": world.alice.person_id}
    world.do(lambda tx: tx.execute(insert(of), {**values, "created_at": clock.now()}))
    merged(world, world.alice, world.bob)
    assert [row.ended_at is None for row in rows(world, select(of))] == [False]


def test_a_list_of_wishes_stays_whole(world):
    both = (world.alice, world.bob)
    common = {"programme_id": world.programme_id, "unavailable": [], "offers_desk": False, "version": 1}
    common |= {"created_at": clock.now(), "updated_at": clock.now()}
    wish = metadata.tables["wish"]

    def fill(tx):
        for actor, ranks in zip(both, ([1, 2], [1, 2, 3]), strict=True):
            tx.execute(insert(table(WishList)), {**common, "person_id": actor.person_id})
            for rank in ranks:
                values = {"programme_id": world.programme_id, "person_id": actor.person_id, "rank": rank}
                tx.execute(insert(wish), {**values, "competency": actor.name})

    world.do(fill)
    merged(world, world.alice, world.bob)
    assert [(row.rank, row.competency) for row in rows(world, select(wish).order_by(wish.c.rank))] == [
        (1, world.alice.name),
        (2, world.alice.name),
    ]


def test_what_was_written_has_one_author(world):
    idea = world.idea(world.bob)
    world.do(comments.post, world.bob, world.idea(world.ana, "Another"), body="Yes.", language="en")
    alice = merged(world, world.alice, world.bob)
    assert [each.id for each in world.ask(ideas.written_by, alice)] == [idea]


# whatever refers to a person


def test_after_it_nothing_refers_to_the_account_that_is_no_more_whatever_it_had(world):
    """A row of every table for both accounts, alike in all but whose they are, wherever the table takes both."""
    world.do(support.give, world.alice, world.idea(world.ana))
    world.placement()
    world.ballot()
    filled = world.do(fill, world, [world.bob.person_id, world.alice.person_id])
    assert filled == {of.name for of, _ in person_merging.references()}
    wanted = set(references_to(world, world.bob.person_id))
    assert wanted >= {f"{of.name}.{column.name}" for of, column in person_merging.references()}
    world.do(lambda tx: tx.execute(update(table(BrowserSession)).values(other_person_id=None)))
    world.do(lambda tx: tx.execute(update(table(Client)).values(expires_at=None)))
    merged(world, world.alice, world.bob)
    assert references_to(world, world.bob.person_id) == {}


SKIPPED = {"event", "audit_entry", "person"}


def fill(tx, world, people):
    """Rows of every table that refers to people, for each of them; the names of those tables."""
    done = set()
    referring = {of.name for of, _ in person_merging.references()}
    for of in metadata.sorted_tables:
        if of.name in SKIPPED or (
            of.name not in referring and tx.execute(select(func.count()).select_from(of)).scalar()
        ):
            continue
        seed = token_hex(4)
        for person_id in people:
            try:
                with tx.connection.begin_nested():
                    tx.execute(insert(of), values(tx, of, person_id, seed))
            except IntegrityError:
                continue
            done |= {of.name} & referring
    return done


def values(tx, of, person_id, seed):
    """A row of a table: what it must hold, with the people that it names all the same one."""
    return {
        column.name: value(tx, column, person_id, seed)
        for column in of.columns
        if column.foreign_keys or not (column.primary_key and column.name == "id")
    }


def value(tx, column, person_id, seed):
    if column.foreign_keys:
        (key,) = column.foreign_keys
        if key.column is PERSON.c.id:
            return person_id
        # The newest of each noun, made by this test, leaves alone what the small world's rules hold on to.
        found = tx.execute(select(func.max(key.column))).scalar()
        return found if found is not None or column.nullable else 0
    return made(column, seed)


def made(column, seed):
    kinds = {Boolean: False, Date: date(2031, 1, 6), JSON: {}, Integer: 7}
    if column.name in ("state", "role"):
        return {"booking": "reflected", "membership": "participant"}.get(column.table.name, "done")
    if column.nullable and column.name.endswith("_at"):
        return clock.now() - timedelta(days=900) if column.name != "other_proved_at" else None
    if isinstance(column.type, LargeBinary):
        return token_bytes(16)
    if isinstance(column.type, String):
        is_unique = column.unique or column.name in ("uid", "client_id", "subject", "user_name")
        return (token_hex(8) if is_unique else seed)[: column.type.length or 8]
    for kind, of_kind in kinds.items():
        if isinstance(column.type, kind):
            return of_kind
    return datetime(2020, 1, 1, tzinfo=UTC) if isinstance(column.type, UTCDateTime) else 7


def test_every_single_thing_that_a_person_can_have_one_of_is_seen_to(world):
    """Keys that hold only under a condition are united by hand; a new one has to be thought of here."""
    conditional = {
        index.name
        for of, column in person_merging.references()
        for index in of.indexes
        if index.unique
        and column.name in {each.name for each in index.columns}
        and index.dialect_options["sqlite"].get("where") is not None
    }
    assert conditional == {"ix_membership_now", "ix_consent_now"}


def test_votes_under_pseudonyms_are_where_the_roll_says(world):
    ballot = world.ballot()
    view = world.ask(ballots.find, world.cora, ballot)
    world.do(votes.cast, world.bob, ballot, {"approved": [str(view.solutions[0].id)]})
    merged(world, world.alice, world.bob)
    assert [row.person_id for row in rows(world, select(ROLL))] == [world.alice.person_id]
    assert len(rows(world, select(table(Vote)))) == 1
