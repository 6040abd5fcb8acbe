"""What pages and files of the audit log need: which part of it the address asks for, and its lines."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request

from app.errors import NotAllowed
from app.lib import days, tables
from app.lib.i18n import N_, ZONE
from app.policies import reach
from app.policies.actor import Actor
from app.services import audit_log
from app.services.audit_log import COLUMNS, Filter
from app.web import pages

FIELDS: Final = ("programme", "organisation", "actor", "action", "outcome", "first_day", "last_day")


def wanted(request: Request, actor: Actor) -> Filter:
    """The part of the log that the address asks for; where it names none, the one that the reader is in charge of.

    :raises NotAllowed: the reader is in charge of none
    """
    query = request.query_params
    first, last = (days.parse_day(query.get(name, "")) for name in ("first_day", "last_day"))
    programme_id, organisation_id = part(
        actor, pages.number(query.get("programme", "")), pages.number(query.get("organisation", ""))
    )
    return Filter(
        programme_id=programme_id,
        organisation_id=organisation_id,
        actor_id=pages.number(query.get("actor", "")),
        action=query.get("action", "")[:60],
        outcome=query.get("outcome", "")[:10],
        since=days.begins(first, str(ZONE)) if first else None,
        until=days.begins(last + timedelta(days=1), str(ZONE)) if last else None,
    )


def values_of(request: Request, found: Filter) -> dict[str, str]:
    """What the form of the filter holds."""
    typed = {name: request.query_params.get(name, "") for name in FIELDS}
    return typed | {
        "programme": str(found.programme_id or ""),
        "organisation": str(found.organisation_id or ""),
    }


async def as_json_lines(request: Request, actor: Actor, found: Filter) -> AsyncIterator[bytes]:
    """The entries in JSON Lines, a piece at a time."""
    async for rows in _pieces(request, actor, found):
        yield b"".join(
            json.dumps(audit_log.line(row._mapping), ensure_ascii=False).encode() + b"\n"  # noqa: SLF001 -- public
            for row in rows
        )


async def as_table(request: Request, actor: Actor, found: Filter) -> AsyncIterator[bytes]:
    """The entries in CSV, a piece at a time: without a mark at its beginning, for it is checked by a program."""
    yield tables.as_csv([COLUMNS]).encode()
    async for rows in _pieces(request, actor, found):
        told = [audit_log.line(row._mapping) for row in rows]  # noqa: SLF001 -- public
        cells = [{**each, "data": json.dumps(each["data"], ensure_ascii=False)} for each in told]
        yield tables.as_csv([each[name] for name in COLUMNS] for each in cells).encode()


async def _pieces(request: Request, actor: Actor, found: Filter) -> AsyncIterator[Sequence[Any]]:
    after = 0
    while rows := await pages.read_unbounded(request, audit_log.sheet, actor, found, after=after):
        yield rows
        after = rows[-1].id


def part(
    actor: Actor, programme_id: int | None, organisation_id: int | None
) -> tuple[int | None, int | None]:
    """The programme and organisation: as asked for, or those that the reader is in charge of.

    :raises NotAllowed: they are in charge of none
    """
    if actor.is_administrator or (programme_id is not None and organisation_id is not None):
        return programme_id, organisation_id
    coordinated = reach.coordinated(actor)
    if programme_id in coordinated or (programme_id is None and coordinated):
        return programme_id or coordinated[0], organisation_id
    for each in sorted(actor.memberships) if programme_id is None else [programme_id]:
        for own in sorted(reach.administered(actor, each)):
            return each, own
    if programme_id is None:
        raise NotAllowed(N_("The audit log is for those who run the programme."))
    return programme_id, organisation_id
