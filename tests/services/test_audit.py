"""The audit log: entries in a chain, in the order of commits, whoever writes at the same moment."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from app.models import AuditEntry
from app.models.base import table
from app.services import audit, tokens

ENTRY = table(AuditEntry)


def entries(world):
    return world.ask(lambda connection: connection.execute(select(ENTRY).order_by(ENTRY.c.id)).all())


def test_what_is_audited_is_an_entry_with_who_and_what(world):
    made = world.do(tokens.create, world.alice, name="A", scopes=["read"])
    entry = entries(world)[-1]
    assert (entry.action, entry.outcome, entry.actor_id) == ("token.created", "done", world.alice.person_id)
    assert (entry.subject, entry.subject_id) == ("token", made.id)


def test_what_was_refused_is_an_entry_with_its_reason(world):
    world.do(audit.refused, "sign_in.refused", None, "response_iss", data={"provider": "ministry"})
    entry = entries(world)[-1]
    assert (entry.outcome, entry.actor_id) == ("refused", None)
    assert entry.data == {"reason": "response_iss", "provider": "ministry"}


def test_each_entry_seals_the_one_before_however_many_write_at_once(world):
    with ThreadPoolExecutor(8) as several:
        list(
            several.map(
                lambda number: world.do(audit.refused, "test.tried", world.bob, f"r{number}"), range(40)
            )
        )
    previous = audit.BEGINNING
    for entry in entries(world):
        assert entry.previous == previous
        assert entry.hash == audit.hash_of(entry._mapping, previous)
        previous = entry.hash
