"""The audit log as it is read: by those in charge alone, exported, checked elsewhere, and never changed."""

import csv
import io
import json
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from app.errors import NotAllowed
from app.lib import clock
from app.models import AuditEntry
from app.models.base import table
from app.services import actors, administrators, audit, audit_log, programmes, retention, roles, tokens
from app.services.audit_log import Filter
from app.services.roles import Wanted

ENTRY = table(AuditEntry)


@pytest.fixture
def filled(world):
    """Acts of several people, in two programmes, some refused."""
    public = world.organisations["public"]
    wanted = Wanted("organisation_administrator", organisation_id=public)
    world.do(roles.give, world.cora, world.programme_id, world.ana.person_id, wanted)
    world.do(roles.change, world.cora, world.programme_id, world.alice.person_id, "facilitator")
    world.do(roles.change, world.cora, world.programme_id, world.bob.person_id, "host")
    world.do(tokens.create, world.alice, name="A", scopes=["read"])
    world.do(audit.refused, "sign_in.refused", None, "response_iss", data={"provider": "ministry"})
    world.do(administrators.name, None, world.olga.person_id)
    return world


def now(world, person):
    return world.ask(actors.find, person.person_id)


def actions(rows):
    return [row.action for row in rows]


def all_of(world):
    return world.ask(lambda c: [dict(row._mapping) for row in c.execute(select(ENTRY).order_by(ENTRY.c.id))])


def test_an_instance_administrator_reads_all_newest_first_and_by_pages(filled):
    olga = now(filled, filled.olga)
    every = filled.ask(audit_log.entries, olga, Filter(), limit=200)
    assert len(every) == len(all_of(filled))
    assert every[0].action == "administrator.named"
    first = filled.ask(audit_log.entries, olga, Filter(), limit=2)
    rest = filled.ask(audit_log.entries, olga, Filter(), before=first[-1].id, limit=200)
    assert [row.id for row in (*first, *rest)] == [row.id for row in every]


def test_a_coordinator_reads_the_own_programme_alone(filled):
    mine = Filter(filled.programme_id)
    rows = filled.ask(audit_log.entries, filled.cora, mine, limit=200)
    assert {row.programme_id for row in rows} == {filled.programme_id}
    assert "role.changed" in actions(rows)
    assert "token.created" not in actions(rows)
    for wanted in (Filter(), Filter(filled.other_programme_id), Filter(actor_id=filled.cora.person_id)):
        with pytest.raises(NotAllowed):
            filled.ask(audit_log.entries, filled.cora, wanted)
        with pytest.raises(NotAllowed):
            filled.ask(audit_log.sheet, filled.cora, wanted)


def test_an_organisation_administrator_reads_what_concerns_the_organisation(filled):
    ana = now(filled, filled.ana)
    own = Filter(filled.programme_id, filled.organisations["public"])
    rows = filled.ask(audit_log.entries, ana, own)
    assert {row.organisation_id for row in rows} == {filled.organisations["public"]}
    assert filled.alice.person_id in {row.data.get("person_id") for row in rows}
    assert filled.bob.person_id not in {row.data.get("person_id") for row in rows}
    for other in (Filter(filled.programme_id), Filter(filled.programme_id, filled.organisations["business"])):
        with pytest.raises(NotAllowed):
            filled.ask(audit_log.entries, ana, other)


@pytest.mark.parametrize("name", ["alice", "fay", "sam", "charlie"])
def test_others_read_nothing(filled, name):
    with pytest.raises(NotAllowed):
        filled.ask(audit_log.entries, getattr(filled, name), Filter(filled.programme_id))
    with pytest.raises(NotAllowed):
        filled.do(audit_log.note_reading, getattr(filled, name), Filter(filled.programme_id))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"action": "role.changed"}, {"role.changed"}),
        ({"outcome": "refused"}, {"sign_in.refused"}),
        ({"until": clock.now() - timedelta(days=1)}, set()),
        ({"since": clock.now() + timedelta(days=1)}, set()),
    ],
)
def test_filters_leave_what_was_asked_for(filled, wanted, expected):
    rows = filled.ask(audit_log.entries, now(filled, filled.olga), Filter(**wanted))
    assert set(actions(rows)) == expected


def test_who_did_it_and_whom_it_is_about_have_names(filled):
    wanted = Filter(action="role.changed", actor_id=filled.cora.person_id)
    rows = filled.ask(audit_log.entries, now(filled, filled.olga), wanted)
    assert {row.actor for row in rows} == {"Cora Golob"}
    names = filled.ask(audit_log.concerned, rows)
    assert {names[audit_log.person_of(row)] for row in rows} == {"Alice Novak", "Bob Kos"}


def test_reading_is_an_entry_itself(filled):
    filled.do(audit_log.note_reading, filled.cora, Filter(filled.programme_id))
    assert all_of(filled)[-1]["action"] == "audit.read"
    assert all_of(filled)[-1]["actor_id"] == filled.cora.person_id


def test_who_goes_on_reading_the_same_part_is_noted_once_in_a_while(filled):
    def noted():
        return [entry["action"] for entry in all_of(filled)].count("audit.read")

    here, nowhere = Filter(filled.programme_id), Filter(filled.programme_id, action="nothing")
    filled.do(audit_log.note_reading, filled.cora, here, goes_on=True)
    assert noted() == 1, "a page without one before it"
    for wanted in (here, nowhere):
        filled.do(audit_log.note_reading, filled.cora, wanted, goes_on=True)
    assert noted() == 1
    filled.do(audit_log.note_reading, now(filled, filled.olga), here, goes_on=True)
    assert noted() == 2, "somebody else"
    with time_machine.travel(clock.now() + audit_log.WALK + timedelta(minutes=1), tick=True):
        filled.do(audit_log.note_reading, filled.cora, here, goes_on=True)
    assert noted() == 3


def test_the_tables_themselves_refuse_to_change_or_delete_an_entry(filled):
    first = all_of(filled)[0]["id"]
    for statement in (
        update(ENTRY).where(ENTRY.c.id == first).values(action="nothing.happened"),
        delete(ENTRY).where(ENTRY.c.id == first),
        delete(ENTRY),
    ):
        with pytest.raises(DBAPIError, match="only ever added to"):
            filled.do(lambda tx, s=statement: tx.execute(s))
    if not filled.database.is_sqlite:
        with pytest.raises(DBAPIError, match="only ever added to"):
            filled.do(lambda tx: tx.execute(text("TRUNCATE audit_entry")))
    assert filled.ask(audit_log.verify).is_whole


def tampered(world, statement):
    """Change the log as somebody could who owns the database and takes its triggers away."""
    off = (
        ["DROP TRIGGER audit_entry_unchanged", "DROP TRIGGER audit_entry_kept"]
        if world.database.is_sqlite
        else ["ALTER TABLE audit_entry DISABLE TRIGGER USER"]
    )

    def work(tx):
        for each in off:
            tx.execute(text(each))
        tx.execute(statement)

    world.do(work)


def test_a_changed_entry_breaks_the_chain_where_it_stands(filled):
    found = filled.ask(audit_log.verify)
    assert (found.is_whole, found.entries, found.newest) == (
        True,
        len(all_of(filled)),
        all_of(filled)[-1]["hash"],
    )
    victim = all_of(filled)[1]["id"]
    tampered(filled, update(ENTRY).where(ENTRY.c.id == victim).values(actor_id=filled.bob.person_id))
    found = filled.ask(audit_log.verify)
    assert (found.is_whole, found.broken) == (False, (victim,))


def test_an_entry_that_was_taken_out_breaks_the_chain_after_it(filled):
    first, victim, following = (entry["id"] for entry in all_of(filled)[:3])
    tampered(filled, delete(ENTRY).where(ENTRY.c.id == victim))
    assert filled.ask(audit_log.verify).broken == (following,)
    tampered_first = delete(ENTRY).where(ENTRY.c.id == first)
    filled.do(lambda tx: tx.execute(tampered_first))
    assert not filled.ask(audit_log.verify).is_whole


def test_old_entries_go_from_the_beginning_after_a_checkpoint_and_the_rest_stays_whole(filled):
    count = len(all_of(filled))
    assert filled.do(audit_log.prune, clock.now()) == 0
    assert len(all_of(filled)) == count + 1
    assert filled.do(audit_log.prune, clock.now() - timedelta(days=1)) == count
    assert actions_of(filled) == ["audit.pruned"]
    assert filled.ask(audit_log.verify).is_whole
    filled.do(tokens.create, filled.bob, name="B", scopes=["read"])
    assert filled.ask(audit_log.verify).is_whole
    kept = all_of(filled)[-1]["id"]
    with pytest.raises(DBAPIError, match="only ever added to"):
        filled.do(lambda tx: tx.execute(delete(ENTRY).where(ENTRY.c.id == kept)))


def test_what_is_not_old_is_not_let_go(filled):
    count = len(all_of(filled))
    for _ in range(2):
        assert filled.do(audit_log.prune, clock.now() - timedelta(days=1)) == 0
    assert len(all_of(filled)) == count


def actions_of(world):
    return [entry["action"] for entry in all_of(world)]


def test_an_export_can_be_checked_elsewhere_in_both_forms(filled):
    rows = all_of(filled)
    lines = [json.dumps(audit_log.line(row)) for row in rows]
    assert audit_log.walk(audit_log.of_lines(lines)).is_whole
    written = io.StringIO()
    sheet = csv.DictWriter(written, audit_log.COLUMNS)
    sheet.writeheader()
    for row in rows:
        told = audit_log.line(row)
        sheet.writerow({**told, "data": json.dumps(told["data"])})
    again = csv.DictReader(io.StringIO(written.getvalue()))
    found = audit_log.walk(audit_log.of_table(again))
    assert found.is_whole
    assert found.newest == rows[-1]["hash"]
    forged = json.loads(lines[2]) | {"actor_id": filled.bob.person_id}
    lines[2] = json.dumps(forged)
    assert audit_log.walk(audit_log.of_lines(lines)).broken == (forged["id"],)


def test_an_export_of_a_part_has_gaps_and_is_whole_otherwise(filled):
    rows = [row for row in all_of(filled) if row["programme_id"] is not None]
    lines = [json.dumps(audit_log.line(row)) for row in rows if row["action"] != "assignment.given"]
    lines.append(json.dumps(audit_log.line(all_of(filled)[-1])))
    found = audit_log.walk(audit_log.of_lines(lines), is_part=True)
    assert (found.broken, found.gaps) == ((), 1)
    assert not audit_log.walk(audit_log.of_lines(lines)).is_whole


def test_what_is_no_export_is_told_by_its_line():
    with pytest.raises(ValueError, match="Line 1"):
        list(audit_log.of_lines(["{}"]))
    with pytest.raises(ValueError, match="Line 2"):
        list(audit_log.of_table([{"id": "x"}]))


def test_walking_takes_no_more_memory_for_more_entries(world):
    import tracemalloc

    def peak(entries):
        def found():
            previous = audit.BEGINNING
            for number in range(entries):
                entry = dict.fromkeys(audit.SEALED) | {"created_at": clock.now(), "data": {}}
                hash = audit.hash_of(entry, previous)
                yield {**entry, "id": number, "previous": previous, "hash": hash}
                previous = hash

        tracemalloc.start()
        assert audit_log.walk(found()).is_whole
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(4000) < peak(500) * 1.5 + 20_000


def test_the_clock_lets_old_entries_go_when_no_programme_wants_them_any_more(filled):
    count = len(all_of(filled))
    filled.do(retention.set_rules, filled.cora, filled.programme, months_of_audit=24)
    there = filled.ask(programmes.find, filled.charlie, filled.other_programme_id)
    later = clock.now() + timedelta(days=366 * 3)
    with time_machine.travel(later, tick=False):
        assert [filled.do(retention.prune_audit) for _ in range(2)] == [0, 0]
    assert len(all_of(filled)) == count + 1
    filled.do(retention.set_rules, filled.charlie, there, months_of_audit=24)
    with time_machine.travel(later, tick=False):
        assert [filled.do(retention.prune_audit) for _ in range(3)] == [0, count + 2, 0]
    assert actions_of(filled) == ["audit.pruned"]
    assert filled.ask(audit_log.verify).is_whole
