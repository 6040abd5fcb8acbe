"""Notices: who is told what, what their words may name, and what telling costs."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from app.errors import NotSignedIn
from app.jobs import mail as mail_job
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import Ballot, CoAuthor, Idea, Membership, Merge, Notice, Person
from app.models.base import table
from app.policies.actor import ANONYMOUS
from app.services import notice_words, notices
from tests.jobs.places import as_actor, settle, statements

pytest_plugins = ["tests.jobs.fixtures"]

MERGE_KINDS = {kind for kind, words in notice_words.WORDS.items() if "%(source)s" in words.message}
BALLOT_KINDS = {kind for kind, words in notice_words.WORDS.items() if "%(ballot)s" in words.message}


def tell(database, world, person_ids, kind, **about):
    about.setdefault("idea_id", None if kind in MERGE_KINDS | BALLOT_KINDS else world.idea)
    database.write_now(lambda tx: notices.tell(tx, person_ids, kind, programme_id=world.programme, **about))


def waiting(database, world, person_id, **actor):
    reader = as_actor(world, person_id, **actor)
    return database.read_now(lambda connection: notices.waiting(connection, reader))


def set_on(database, model, id, **values):
    columns = table(model)
    database.write_now(lambda tx: tx.execute(update(columns).where(columns.c.id == id).values(**values)))


def propose(database, world):
    def work(tx):
        merge = Merge(
            programme_id=world.programme,
            challenge_id=world.challenge,
            source_id=world.idea,
            target_id=world.other_idea,
            proposed_by=world.bob,
            asked_id=world.alice,
        )
        tx.session.add(merge)
        tx.session.flush()
        return merge.id

    return database.write_now(work)


def ballot(database, world):
    def work(tx):
        row = Ballot(
            programme_id=world.programme,
            challenge_id=world.challenge,
            title="Which forms go first?",
            method="approval",
            rule="least_sector",
            seed="seed",
            opens_at=clock.now(),
            closes_at=clock.now() + timedelta(days=1),
            made_by=world.bob,
        )
        tx.session.add(row)
        tx.session.flush()
        return row.id

    return database.write_now(work)


def said(view):
    return view.message % view.values


def jobs(database):
    schema = "" if database.is_sqlite else "dbos."
    query = text(f"SELECT workflow_uuid, name FROM {schema}workflow_status ORDER BY workflow_uuid")
    return [tuple(row) for row in database.read_now(lambda connection: connection.execute(query).all())]


def rows(database):
    query = text("SELECT id, person_id FROM notice ORDER BY id")
    return [tuple(row) for row in database.read_now(lambda connection: connection.execute(query).all())]


def letter(database, notice_id=1):
    workplace = Workplace(database, "http://board.test", "no-reply@board.test", "smtp://127.0.0.1:1")
    return mail_job.compose(workplace, notice_id)


# telling


def test_each_is_told_once_and_nobody_else(jobs_database, jobs_world):
    tell(jobs_database, jobs_world, [jobs_world.alice, jobs_world.bob, jobs_world.alice], "idea_restored")
    assert {person for _, person in rows(jobs_database)} == {jobs_world.alice, jobs_world.bob}
    assert len(rows(jobs_database)) == 2
    assert len(waiting(jobs_database, jobs_world, jobs_world.alice)) == 1
    assert waiting(jobs_database, jobs_world, jobs_world.charlie) == ()


def test_to_tell_nobody_does_nothing(jobs_database, jobs_world, mail_on):
    tell(jobs_database, jobs_world, [], "idea_restored")
    assert rows(jobs_database) == []
    assert jobs(jobs_database) == []


def test_a_kind_without_words_is_refused(jobs_database, jobs_world):
    with pytest.raises(ValueError, match="idea_eaten"):
        tell(jobs_database, jobs_world, [jobs_world.alice], "idea_eaten")


def test_without_a_mail_server_no_mail_is_put_in_line(jobs_database, jobs_world):
    tell(jobs_database, jobs_world, [jobs_world.alice], "idea_restored")
    assert len(rows(jobs_database)) == 1
    assert jobs(jobs_database) == []


def test_one_person_gets_one_job(jobs_database, jobs_world, mail_on):
    tell(jobs_database, jobs_world, [jobs_world.alice], "idea_restored")
    assert jobs(jobs_database) == [("notice-1", "mail.send")]


def test_a_mail_is_put_in_line_after_the_last_notice_was_deleted(jobs_database, jobs_world, mail_on):
    """Its job must not take the name of the one that is done."""
    tell(jobs_database, jobs_world, [jobs_world.alice], "idea_restored")
    jobs_database.write_now(lambda tx: tx.execute(table(Notice).delete()))
    tell(jobs_database, jobs_world, [jobs_world.bob], "idea_restored")
    assert jobs(jobs_database) == [("notice-1", "mail.send"), ("notice-2", "mail.send")]


def test_who_has_no_address_gets_a_notice_and_no_job(jobs_database, jobs_world, mail_on):
    set_on(jobs_database, Person, jobs_world.alice, email=None)
    tell(jobs_database, jobs_world, [jobs_world.alice], "idea_restored")
    assert len(waiting(jobs_database, jobs_world, jobs_world.alice)) == 1
    assert jobs(jobs_database) == []


def test_many_get_one_job_that_makes_one_for_each_with_an_address(jobs_database, mail_on):
    world = settle(jobs_database, people=250)
    set_on(jobs_database, Person, world.bob, email=None)
    tell(jobs_database, world, world.people, "idea_restored")
    assert [name for _, name in jobs(jobs_database)] == ["mail.spread"]
    ids = [id for id, person in rows(jobs_database) if person != world.bob]
    workplace = Workplace(jobs_database, "http://board.test", "no-reply@board.test", "smtp://127.0.0.1:1")
    for _ in range(2):  # a job may run twice
        mail_job.spread(workplace, notice_ids=ids)
    made = {job for job, name in jobs(jobs_database) if name == "mail.send"}
    assert made == {f"notice-{id}" for id in ids}
    assert len(made) == 249


@pytest.mark.parametrize("people", [1, 2, 60])
def test_telling_costs_two_statements_and_two_for_mail(jobs_database, people, mail_on):
    world = settle(jobs_database, people=max(people, 2))
    with statements(jobs_database.writes) as seen:
        tell(jobs_database, world, world.people[:people], "idea_restored")
    assert len(seen) == 4, seen


def test_telling_costs_two_statements_without_mail(jobs_database):
    world = settle(jobs_database, people=60)
    with statements(jobs_database.writes) as seen:
        tell(jobs_database, world, world.people, "idea_restored")
    assert len(seen) == 2, seen


# reading


def test_the_newest_comes_first_and_says_what_and_where(jobs_database, jobs_world):
    reason = {"reason": "100 % advertising"}
    tell(jobs_database, jobs_world, [jobs_world.alice], "idea_hidden", data=reason)
    tell(jobs_database, jobs_world, [jobs_world.alice], "comment_posted", data={"comment_id": 5})
    newest, oldest = waiting(jobs_database, jobs_world, jobs_world.alice)
    assert said(newest) == "There is a new comment on your idea “Fewer forms”."
    assert newest.path == f"/ideas/{jobs_world.idea}#comment-5"
    assert "“100 % advertising”" in said(oldest)
    assert oldest.path == f"/ideas/{jobs_world.idea}"


ELSEWHERE = (
    "placement_",
    "booking_",
    "story_",
    "match_",
    "data_",
    "join_",
    "login_",
    "machines_",
    "role_",
    "webhook_",
)
"""What `test_exchange_notices.py`, `pages/test_own_data.py` and `pages/test_webhooks.py` look at."""


@pytest.mark.parametrize(
    "kind", sorted(kind for kind in notice_words.WORDS if not kind.startswith(ELSEWHERE))
)
def test_every_kind_has_words_that_can_be_filled(jobs_database, jobs_world, kind):
    about = {"merge_id": propose(jobs_database, jobs_world)} if kind in MERGE_KINDS else {}
    if kind in BALLOT_KINDS:
        about = {"ballot_id": ballot(jobs_database, jobs_world)}
    data = {"reason": "because", "root": "a1b2", "key": "c3d4"}
    tell(jobs_database, jobs_world, [jobs_world.alice], kind, data=data, **about)
    [view] = waiting(jobs_database, jobs_world, jobs_world.alice)
    named = "Which forms go first?" if kind in BALLOT_KINDS else "Fewer forms"
    assert named in said(view) or kind == "co_author_added"
    assert "%(" not in said(view)
    assert view.subject
    pages = {f"/ideas/{jobs_world.idea}", f"/merges/{about.get('merge_id')}"}
    pages |= {f"/ballots/{about.get('ballot_id')}{part}" for part in ("", "/result")}
    assert view.path in pages
    if kind == "ballot_sealed":
        assert "a1b2" in said(view)
        assert "c3d4" in said(view)
    assert said(view) in letter(jobs_database).body


def test_waiting_costs_one_statement_for_any_number(jobs_database, jobs_world):
    for _ in range(10):
        tell(jobs_database, jobs_world, [jobs_world.alice], "idea_restored")
    with statements(jobs_database.reads) as seen:
        assert len(waiting(jobs_database, jobs_world, jobs_world.alice)) == 10
    assert len([statement for statement in seen if "PRAGMA" not in statement]) == 1


def test_what_is_read_waits_no_more(jobs_database, jobs_world):
    tell(jobs_database, jobs_world, [jobs_world.alice, jobs_world.bob], "idea_restored")
    alice = as_actor(jobs_world, jobs_world.alice)
    for _ in range(2):
        jobs_database.write_now(lambda tx: notices.read_all(tx, alice))
    assert waiting(jobs_database, jobs_world, jobs_world.alice) == ()
    assert len(waiting(jobs_database, jobs_world, jobs_world.bob)) == 1, "others' notices were read"
    events = text("SELECT type FROM event")
    kinds = jobs_database.read_now(lambda connection: connection.execute(events).scalars().all())
    assert kinds == ["notice.read"], "the second time changed something"


def test_a_passer_by_has_no_notices(jobs_database):
    with pytest.raises(NotSignedIn):
        jobs_database.read_now(lambda connection: notices.waiting(connection, ANONYMOUS))
    with pytest.raises(NotSignedIn):
        jobs_database.write_now(lambda tx: notices.read_all(tx, ANONYMOUS))


# what words may name


@pytest.mark.parametrize("state", ["hidden", "withdrawn"])
def test_the_title_of_a_hidden_idea_is_told_to_its_authors_and_facilitators_alone(
    jobs_database, jobs_world, state
):
    set_on(jobs_database, Idea, jobs_world.idea, state=state)
    tell(jobs_database, jobs_world, [jobs_world.alice, jobs_world.bob], "idea_restored")
    merge = propose(jobs_database, jobs_world)
    tell(jobs_database, jobs_world, [jobs_world.bob], "merge_declined", merge_id=merge)
    [to_alice] = waiting(jobs_database, jobs_world, jobs_world.alice)
    assert "Fewer forms" in said(to_alice)
    to_bob = waiting(jobs_database, jobs_world, jobs_world.bob)
    assert not any("Fewer forms" in said(view) for view in to_bob)
    assert "One window" in said(to_bob[0]), "the idea that is open has lost its title"
    to_facilitator = waiting(jobs_database, jobs_world, jobs_world.bob, role="facilitator")
    assert all("Fewer forms" in said(view) for view in to_facilitator)


def test_a_co_author_reads_the_title_of_their_hidden_idea(jobs_database, jobs_world):
    set_on(jobs_database, Idea, jobs_world.idea, state="hidden")
    row = CoAuthor(idea_id=jobs_world.idea, person_id=jobs_world.bob, programme_id=jobs_world.programme)
    jobs_database.write_now(lambda tx: tx.session.add(row))
    tell(jobs_database, jobs_world, [jobs_world.bob], "idea_hidden", data={"reason": "r"})
    assert "Fewer forms" in said(waiting(jobs_database, jobs_world, jobs_world.bob)[0])
    assert "Fewer forms" in letter(jobs_database).body


def test_a_mail_that_goes_out_late_names_only_what_may_be_seen_then(jobs_database, jobs_world):
    tell(jobs_database, jobs_world, [jobs_world.bob], "co_author_added")
    assert "Fewer forms" in letter(jobs_database).body
    set_on(jobs_database, Idea, jobs_world.idea, state="hidden")
    assert "Fewer forms" not in letter(jobs_database).body


def test_a_mail_speaks_the_language_of_its_reader(jobs_database, jobs_world):
    tell(jobs_database, jobs_world, [jobs_world.alice, jobs_world.bob], "idea_restored")
    set_on(jobs_database, Person, jobs_world.bob, language=None)
    assert letter(jobs_database, 1).language == "en"
    to_bob = letter(jobs_database, 2)
    assert to_bob.language == "sl", "without a choice it is the programme's"
    assert to_bob.subject == "Vaša ideja je spet na tabli"
    assert to_bob.body.startswith("Pozdravljeni,\n\nVaša ideja »Fewer forms« ")


def test_a_mail_leads_to_the_page(jobs_database, jobs_world):
    tell(jobs_database, jobs_world, [jobs_world.alice], "comment_posted", data={"comment_id": 5})
    written = letter(jobs_database)
    assert f"\nhttp://board.test/ideas/{jobs_world.idea}#comment-5\n" in written.body
    assert "http://board.test/me" in written.body
    assert (written.id, written.to) == ("notice-1", "alice@example.test")


def test_no_mail_goes_to_who_is_gone_or_knows_already(jobs_database, jobs_world):
    tell(jobs_database, jobs_world, [jobs_world.alice, jobs_world.bob, jobs_world.charlie], "idea_restored")
    assert letter(jobs_database, 3) is None, "a stranger"
    now = jobs_database.write_now(lambda tx: tx.now)
    set_on(jobs_database, Person, jobs_world.alice, disabled_at=now)
    assert letter(jobs_database, 1) is None, "disabled"
    set_on(jobs_database, Person, jobs_world.alice, disabled_at=None)
    set_on(jobs_database, Notice, 1, read_at=now)
    assert letter(jobs_database, 1) is None, "read already"
    assert letter(jobs_database, 2) is not None
    set_on(jobs_database, Membership, 2, ended_at=now)
    assert letter(jobs_database, 2) is None, "no longer in the programme"
    assert letter(jobs_database, 99) is None, "no such notice"
