"""Filling a database with the demo: whole, consistent, once, and the same each time."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.demo.fill import fill
from app.demo.people import account, accounts
from app.errors import Conflict
from app.models import (
    Challenge,
    Comment,
    Event,
    Hiding,
    Idea,
    IdeaVersion,
    Login,
    Membership,
    Merge,
    Notice,
    Organisation,
    OrganisationDomain,
    OrganisationIdentity,
    Person,
    Phase,
    Pin,
    Programme,
    Sector,
    Support,
    Tally,
    metadata,
)
from app.models.base import table
from app.models.support import ALL
from app.services.events import TYPES
from app.services.notice_words import WORDS
from tests.conftest import ENGINES

NOW = datetime(2026, 5, 6, 10, 30, tzinfo=UTC)
BASE_URL = "http://demo.test"
GOVERNMENT = f"{BASE_URL}/demo-identity/government"
COMPANY = f"{BASE_URL}/demo-identity/company"


@pytest.fixture(scope="module", params=ENGINES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A filled database for tests that only read it, on both engines."""
    with _fresh(request, tmp_path_factory) as url:
        database = Database(url)
        fill(database, now=NOW, base_url=BASE_URL)
        yield database
        database.close()


@contextmanager
def _fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("filled") / "filled.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create(request.getfixturevalue("postgres_template"), prefix="pfc_filled")
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def empty(sqlite_url: str):
    database = Database(sqlite_url)
    yield database
    database.close()


def rows(database: Database, model, *where):
    found = table(model)
    order = list(found.primary_key.columns)
    return database.read_now(
        lambda connection: connection.execute(select(found).where(*where).order_by(*order)).all()
    )


def count(database: Database, model) -> int:
    statement = select(func.count()).select_from(table(model))
    return database.read_now(lambda connection: connection.execute(statement).scalar_one())


def recounted(database: Database) -> dict[tuple[int, int, int], int]:
    """What the tallies ought to be, from the support rows alone."""
    people = Counter()
    active = set()
    for support in rows(database, Support):
        people[support.challenge_id, support.idea_id, support.sector_id] += 1
        people[support.challenge_id, support.idea_id, ALL] += 1
        active.add((support.challenge_id, support.sector_id, support.person_id))
    for challenge, sector, _ in active:
        people[challenge, ALL, sector] += 1
        people[challenge, ALL, ALL] += 1
    return dict(people)


def tallied(database: Database) -> dict[tuple[int, int, int], int]:
    return {(row.challenge_id, row.idea_id, row.sector_id): row.people for row in rows(database, Tally)}


def test_it_is_as_large_as_promised(filled):
    counts = {model: count(filled, model) for model in (Programme, Sector, Person, Idea, Challenge, Phase)}
    assert counts == {Programme: 1, Sector: 2, Person: 120, Idea: 150, Challenge: 5, Phase: 35}
    sectors = {sector.id: sector.key for sector in rows(filled, Sector)}
    assert Counter(sectors[row.sector_id] for row in rows(filled, Organisation)) == {
        "public": 5,
        "business": 30,
    }
    assert rows(filled, Programme)[0].slug == "demo"
    assert count(filled, Membership) == count(filled, Login) == 120


def test_tallies_are_what_the_support_table_says(filled):
    expected, found = recounted(filled), tallied(filled)
    assert {key: people for key, people in found.items() if people} == expected


def test_every_idea_has_a_tally_for_all_and_for_each_sector_at_nought_too(filled):
    found = tallied(filled)
    sectors = [ALL, *(sector.id for sector in rows(filled, Sector))]
    assert all(
        (idea.challenge_id, idea.id, sector) in found for idea in rows(filled, Idea) for sector in sectors
    )


def test_an_idea_counts_the_comments_that_show(filled):
    shown = Counter(
        comment.idea_id
        for comment in rows(filled, Comment)
        if comment.hidden_at is None and comment.withdrawn_at is None
    )
    assert {idea.id: idea.comments for idea in rows(filled, Idea)} == {
        idea.id: shown[idea.id] for idea in rows(filled, Idea)
    }
    assert any(comment.hidden_at for comment in rows(filled, Comment))


def test_nobody_supports_their_own_idea_and_observers_and_visitors_support_none(filled):
    authors = {idea.id: idea.author_id for idea in rows(filled, Idea)}
    supports = rows(filled, Support, table(Support).c.via_id.is_(None))
    assert all(authors[support.idea_id] != support.person_id for support in supports)
    visitors = {person.id for person in rows(filled, Person) if person.email.endswith("@demo.example")}
    observers = {row.person_id for row in rows(filled, Membership) if row.role == "observer"}
    assert len(visitors) == 7
    assert not (visitors | observers) & {support.person_id for support in supports}


def test_events_grow_in_time_and_tell_every_change(filled):
    events = rows(filled, Event)
    times = [event.created_at for event in events]
    assert times == sorted(times)
    assert times[-1] <= NOW
    types = Counter(event.type for event in events)
    assert types.keys() <= TYPES
    assert types["idea.posted"] == count(filled, Idea)
    assert types["comment.posted"] == count(filled, Comment)
    assert types["support.given"] == len(rows(filled, Support, table(Support).c.via_id.is_(None)))
    assert types["idea.edited"] == count(filled, IdeaVersion)
    assert types["idea.pinned"] == count(filled, Pin)
    assert types["person.joined"] == 120
    assert types["merge.proposed"] == count(filled, Merge) == 3
    assert types["merge.accepted"] == types["idea.hidden"] == types["idea.answered"] == 1


def test_events_keep_what_people_were_promised_nobody_learns(filled):
    events = rows(filled, Event)
    assert all(event.actor_id is None for event in events if event.type == "support.given")
    anonymous = {idea.id: idea.author_id for idea in rows(filled, Idea) if idea.anonymous}
    assert anonymous
    assert not [
        event for event in events if event.actor_id and event.actor_id == anonymous.get(event.idea_id)
    ]


def test_ids_of_ideas_and_comments_grow_with_time(filled):
    for model in (Idea, Comment, Notice):
        times = [row.created_at for row in rows(filled, model)]
        assert times == sorted(times), model


def test_everything_happens_while_the_phase_allows_it(filled):
    open_for = {}
    for phase in rows(filled, Phase):
        for opening in ("posting", "commenting", "supporting"):
            if getattr(phase, opening):
                open_for.setdefault((phase.challenge_id, opening), []).append(
                    (phase.starts_at, phase.ends_at)
                )
    for model, opening in ((Idea, "posting"), (Comment, "commenting"), (Support, "supporting")):
        for row in rows(filled, model):
            assert any(
                start <= row.created_at <= (end or NOW) and row.created_at <= NOW
                for start, end in open_for[row.challenge_id, opening]
            ), (model, row)


def test_nothing_is_said_of_an_idea_before_it_is_posted(filled):
    posted = {idea.id: idea.created_at for idea in rows(filled, Idea)}
    for model in (Comment, Support):
        assert all(row.created_at >= posted[row.idea_id] for row in rows(filled, model))


def test_an_accepted_merge_unites_support_and_counts_nobody_twice(filled):
    (merge,) = rows(filled, Merge, table(Merge).c.state == "accepted")
    ideas = {idea.id: idea for idea in rows(filled, Idea)}
    assert ideas[merge.source_id].state == "merged"
    assert ideas[merge.source_id].merged_into_id == merge.target_id
    supporters = {
        idea_id: {row.person_id: row for row in rows(filled, Support, table(Support).c.idea_id == idea_id)}
        for idea_id in (merge.source_id, merge.target_id)
    }
    assert supporters[merge.source_id].keys() <= supporters[merge.target_id].keys()
    carried = [row for row in supporters[merge.target_id].values() if row.via_id == merge.source_id]
    assert carried
    assert all(row.created_at == merge.decided_at for row in carried)
    assert merge.decided_by == merge.asked_id == ideas[merge.target_id].author_id


def test_a_proposed_merge_waits_for_the_demo_employee_of_a_company(filled):
    (person,) = rows(filled, Person, table(Person).c.email == "business@demo.example")
    (merge,) = rows(filled, Merge, table(Merge).c.state == "proposed", table(Merge).c.asked_id == person.id)
    (notice,) = rows(filled, Notice, table(Notice).c.merge_id == merge.id)
    assert (notice.kind, notice.person_id) == ("merge_proposed", person.id)


def test_a_hidden_idea_has_its_reason_its_answer_and_told_its_author(filled):
    (hiding,) = rows(filled, Hiding)
    (idea,) = rows(filled, Idea, table(Idea).c.state == "hidden")
    assert hiding.idea_id == idea.id
    assert hiding.reason
    assert hiding.hidden_at < hiding.answered_at <= NOW
    kinds = {notice.kind for notice in rows(filled, Notice, table(Notice).c.idea_id == idea.id)}
    assert kinds == {"idea_hidden", "hiding_answered"}


def test_an_edited_idea_keeps_what_it_said(filled):
    ideas = {idea.id: idea for idea in rows(filled, Idea)}
    versions = rows(filled, IdeaVersion)
    assert versions
    for version in versions:
        idea = ideas[version.idea_id]
        assert (version.number, idea.version) == (1, 2)
        assert version.body != idea.body
        assert version.written_at == idea.created_at < idea.updated_at


def test_notices_are_of_kinds_that_have_words_and_only_new_ones_are_unread(filled):
    notices = rows(filled, Notice)
    assert {notice.kind for notice in notices} <= WORDS.keys()
    assert any(notice.read_at is None for notice in notices)
    assert all((NOW - notice.created_at).days < 3 for notice in notices if notice.read_at is None)


def test_html_is_rendered_as_it_is_when_people_write(filled):
    bodies = [row.body_html for model in (Idea, Comment) for row in rows(filled, model)]
    assert all(body.startswith("<p>") for body in bodies)
    assert any("<strong>" in body for body in bodies)
    assert all(challenge.brief_html.startswith("<p>") for challenge in rows(filled, Challenge))


def test_everyone_can_be_signed_in_by_the_provider_of_their_sector(filled):
    government = filled.read_now(lambda connection: accounts(connection, GOVERNMENT))
    company = filled.read_now(lambda connection: accounts(connection, COMPANY))
    assert (len(government), len(company)) == (50, 70)
    assert {person.sector for person in government} == {"public"}
    assert {person.sector for person in company} == {"business"}
    subjects = [person.subject for person in (*government, *company)]
    assert sorted(subjects) == sorted(f"demo-{number}" for number in range(1, 121))
    numbers = {(row.issuer, row.value): row.organisation_id for row in rows(filled, OrganisationIdentity)}
    names = {row.id: row.name for row in rows(filled, Organisation)}
    for issuer, people in ((GOVERNMENT, government), (COMPANY, company)):
        for person in people:
            assert names[numbers[issuer, person.organisation_number]] == person.organisation


def test_the_people_of_the_contract_come_first_in_the_list(filled):
    government = filled.read_now(lambda connection: accounts(connection, GOVERNMENT))
    company = filled.read_now(lambda connection: accounts(connection, COMPANY))
    firsts = [*government[:4], *company[:3]]
    assert {(person.email.partition("@")[0], person.role) for person in firsts} == {
        ("public", "participant"),
        ("business", "participant"),
        ("facilitator", "facilitator"),
        ("host", "host"),
        ("sponsor", "sponsor"),
        ("coordinator", "coordinator"),
        ("observer", "observer"),
    }


def test_one_account_is_found_by_its_subject_and_a_stranger_is_not(filled):
    def found(issuer: str, subject: str):
        return filled.read_now(lambda connection: account(connection, issuer, subject))

    mojca = found(GOVERNMENT, "demo-3")
    assert (mojca.name, mojca.email) == ("Mojca Hribar", "public@demo.example")
    assert found(COMPANY, "demo-3") is None
    assert found(GOVERNMENT, "demo-9999") is None


def test_someone_who_left_is_no_longer_listed(empty):
    fill(empty, now=NOW, base_url=BASE_URL)
    membership = table(Membership)
    empty.write_now(
        lambda tx: tx.execute(membership.update().where(membership.c.person_id == 3).values(ended_at=NOW))
    )
    assert empty.read_now(lambda connection: account(connection, GOVERNMENT, "demo-3")) is None


def test_domains_of_organisations_are_verified(filled):
    domains = rows(filled, OrganisationDomain)
    assert len(domains) == 35
    assert all(domain.verified_at and domain.domain.endswith(".example") for domain in domains)


def test_the_next_rows_get_new_ids(database):
    fill(database, now=NOW, base_url=BASE_URL)
    person = table(Person)
    new = {"name": "Nova Oseba", "version": 1, "created_at": NOW, "updated_at": NOW}
    id = database.write_now(
        lambda tx: tx.execute(person.insert().values(**new).returning(person.c.id)).scalar_one()
    )
    assert id == 121


def test_a_database_with_anything_in_it_is_refused_and_left_alone(database):
    person = table(Person)
    row = {"name": "Somebody", "version": 1, "created_at": NOW, "updated_at": NOW}
    database.write_now(lambda tx: tx.execute(person.insert(), [row]))
    with pytest.raises(Conflict, match="not empty"):
        fill(database, now=NOW, base_url=BASE_URL)
    assert count(database, Person) == 1
    assert count(database, Programme) == 0


def test_filling_twice_is_refused(empty):
    fill(empty, now=NOW, base_url=BASE_URL)
    before = count(empty, Event)
    with pytest.raises(Conflict):
        fill(empty, now=NOW, base_url=BASE_URL)
    assert count(empty, Event) == before


def test_the_same_moment_gives_the_same_rows(empty, tmp_path):
    other = Database(f"sqlite:///{tmp_path}/other.db")
    metadata.create_all(other.writes)
    for database in (empty, other):
        fill(database, now=NOW, base_url=BASE_URL)
    for model in (Person, Idea, Comment, Support, Tally, Event, Notice):
        assert rows(empty, model) == rows(other, model), model
    other.close()


def test_progress_goes_from_nought_to_the_end(empty):
    told = []
    written = fill(empty, now=NOW, base_url=BASE_URL, progress=lambda done, total: told.append((done, total)))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] == sum(written.values())
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_failure_in_the_middle_leaves_nothing(empty):
    def stumble(done: int, _total: int) -> None:
        if done > 1000:
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        fill(empty, now=NOW, base_url=BASE_URL, progress=stumble)
    assert count(empty, Person) == count(empty, Programme) == 0


@pytest.mark.parametrize("scale", [0, -1])
def test_a_scale_below_one_is_refused(empty, scale):
    with pytest.raises(ValueError, match="scale"):
        fill(empty, scale=scale, now=NOW, base_url=BASE_URL)


def test_twice_as_large_is_twice_the_people_ideas_comments_and_support(database, tmp_path):
    once = Database(f"sqlite:///{tmp_path}/once.db")
    metadata.create_all(once.writes)
    fill(once, now=NOW, base_url=BASE_URL)
    fill(database, scale=2, now=NOW, base_url=BASE_URL)
    for model in (Person, Membership, Login, Idea, Comment):
        assert count(database, model) == 2 * count(once, model), model
    assert 1.9 < count(database, Support) / count(once, Support) < 2.1
    assert count(database, Programme) == 1
    assert count(database, Challenge) == 5
    found = tallied(database)
    assert {key: people for key, people in found.items() if people} == recounted(database)
    titles = [idea.title for idea in rows(database, Idea)]
    assert len(set(titles)) == len(titles)
    assert max(map(len, titles)) <= 120
    people = rows(database, Person)
    assert len({person.email for person in people}) == len(people)
    assert sum(person.email.endswith("@demo.example") for person in people) == 7
    once.close()
