"""Ballots: what is decided, by whom and when; making one, and what its coordinators do with it."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib import clock, i18n
from app.methods import charts
from app.methods.election import METHODS, RULES
from app.models.ballot import MODES
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import (
    ballot_making,
    ballots,
    challenges,
    organisations,
    reminders,
    solutions,
    votes,
)
from app.services.ballots import VOTERS, BallotView
from app.web import ballot_forms, closing, languages, pages, result_charts

router = APIRouter(include_in_schema=False)

MOST_ORGANISATIONS = 500


@router.get("/challenges/{id:key}/ballots/new")
async def new(request: Request, id: int) -> Response:
    """The form for a ballot."""
    actor = await pages.member(request)
    challenge = await pages.read(request, challenges.find, actor, id)
    require(actor, Permission.MAKE_BALLOT, challenge)
    form = pages.Form(ballot_forms.blank(languages.of(request, actor)))
    return await _show_form(request, actor, challenge, form)


@router.post("/challenges/{id:key}/ballots")
async def make(request: Request, id: int) -> Response:
    """Show the ballot as voters will see it, make it, or go back to the form, by the button that was pressed."""
    actor = await pages.member(request)
    values = await pages.fields_and_lists(request, *ballot_forms.LISTS)
    challenge = await pages.read(request, challenges.find, actor, id)
    require(actor, Permission.MAKE_BALLOT, challenge)
    form = pages.Form(values)
    try:
        draft = ballot_forms.drafted(values)
        if "make" in values:
            made = await pages.write(request, ballot_making.make, actor, id, draft)
            return pages.back_to(f"/ballots/{made}")
        if "again" not in values:
            return await _show_preview(request, actor, challenge, draft, values)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, ballot_forms.by_fields(error), values)
        return await _show_form(request, actor, challenge, form, status=error.status)
    return await _show_form(request, actor, challenge, form)


@router.get("/ballots/{id:key}")
async def show(request: Request, id: int) -> Response:
    """A ballot: what is decided, by whom, when and how."""
    actor = await pages.member(request)
    return await _show(request, actor, await pages.read(request, ballots.find, actor, id))


@router.get("/ballots/{id:key}/edit")
async def edit(request: Request, id: int) -> Response:
    """The form with what the ballot says, until it opens."""
    actor = await pages.member(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    require(actor, Permission.CHANGE_BALLOT, ballot)
    return await _show_form(request, actor, ballot, pages.Form(ballot_forms.values_of(ballot)), ballot=ballot)


@router.post("/ballots/{id:key}/edit")
async def change(request: Request, id: int) -> Response:
    """Show the changed ballot as voters will see it, save it, or go back to the form."""
    actor = await pages.member(request)
    values = await pages.fields_and_lists(request, *ballot_forms.LISTS)
    ballot = await pages.read(request, ballots.find, actor, id)
    require(actor, Permission.CHANGE_BALLOT, ballot)
    form = pages.Form(values)
    try:
        draft = ballot_forms.drafted(values)
        if "make" in values:
            version = pages.number(values.get("version", ""))
            await pages.write(request, ballot_making.change, actor, id, draft, version=version)
            return pages.back_to(f"/ballots/{id}")
        if "again" not in values:
            return await _show_preview(request, actor, ballot, draft, values, ballot=ballot)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, ballot_forms.by_fields(error), values)
        return await _show_form(request, actor, ballot, form, ballot=ballot, status=error.status)
    return await _show_form(request, actor, ballot, form, ballot=ballot)


@router.post("/ballots/{id:key}/cancellation")
async def cancel(request: Request, id: int) -> Response:
    """Take a ballot back before it opens."""
    actor = await pages.member(request)
    await pages.write(request, ballot_making.cancel, actor, id)
    return pages.back_to(f"/ballots/{id}")


@router.get("/ballots/{id:key}/extension")
async def choose_extension(request: Request, id: int) -> Response:
    """The form that asks until when a ballot is extended, and why."""
    actor = await pages.member(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    require(actor, Permission.CLOSE_BALLOT, ballot)
    form = pages.Form({"closes_at": i18n.local_input(ballot.closes_at)})
    return pages.show(request, actor, "ballots/extend.html", subject=ballot, ballot=ballot, form=form)


@router.post("/ballots/{id:key}/extension")
async def extend(request: Request, id: int) -> Response:
    """Let a ballot close later, for a reason."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    try:
        closes_at = pages.instant("closes_at", fields.get("closes_at", "").strip())
        reason = fields.get("reason", "")
        await pages.write(request, ballot_making.extend, actor, id, closes_at=closes_at, reason=reason)
    except pages.MENDABLE as error:
        return await _ask_again(request, actor, id, error, fields, name="ballots/extend.html")
    return pages.back_to(f"/ballots/{id}")


@router.get("/ballots/{id:key}/closure")
async def choose_closure(request: Request, id: int) -> Response:
    """The form that asks why a ballot is closed early."""
    actor = await pages.member(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    require(actor, Permission.CLOSE_BALLOT, ballot)
    return pages.show(request, actor, "ballots/close.html", subject=ballot, ballot=ballot, form=pages.Form())


@router.post("/ballots/{id:key}/closure")
async def close(request: Request, id: int) -> Response:
    """Close a ballot now, for a reason, and count it if that is soon done."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    try:
        await pages.write(request, ballot_making.close, actor, id, reason=fields.get("reason", ""))
    except pages.MENDABLE as error:
        return await _ask_again(request, actor, id, error, fields, name="ballots/close.html")
    context = pages.context_of(request)
    await closing.count(context.database, id, context.settings.base_url)
    return pages.back_to(f"/ballots/{id}")


@router.post("/ballots/{id:key}/reminder")
async def remind(request: Request, id: int) -> Response:
    """Remind those who have not voted."""
    actor = await pages.member(request)
    await pages.write(request, reminders.remind, actor, id)
    return pages.back_to(f"/ballots/{id}")


@router.post("/ballots/{id:key}/interests")
async def declare_interest(request: Request, id: int) -> Response:
    """Say that one has a stake in a solution; without a statement it is taken back."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    solution_id = pages.number(fields.get("solution_id", "")) or 0
    statement = fields.get("statement", "")
    try:
        await pages.write(request, votes.declare_interest, actor, id, solution_id, statement=statement)
    except pages.MENDABLE as error:
        ballot = await pages.read(request, ballots.find, actor, id)
        form = pages.refused(request, actor, error, fields)
        return await _show(request, actor, ballot, form=form, status=error.status)
    return pages.back_to(f"/ballots/{id}#interests")


async def _show(
    request: Request, actor: Actor, ballot: BallotView, *, form: Any = None, status: int = 200
) -> Response:
    sectors = await pages.read(request, ballots.sectors, ballot.programme_id)
    return pages.show(
        request,
        actor,
        "ballots/show.html",
        status=status,
        subject=ballot,
        ballot=ballot,
        sectors={sector.key: sector for sector in sectors},
        organisations=await _names(request, ballot),
        changes=await pages.read(request, ballots.changes, ballot.id),
        interests=await pages.read(request, ballots.interests, ballot.id),
        chart=_live_chart(ballot),
        form=form or pages.Form(),
    )


async def _show_preview(
    request: Request, actor: Actor, place: Any, draft: Any, values: Any, *, ballot: BallotView | None = None
) -> Response:
    challenge_id = ballot.challenge_id if ballot else place.id
    checked = await pages.read_unbounded(request, ballot_making.check, actor, challenge_id, draft)
    challenge = await pages.read(request, challenges.find, actor, challenge_id)
    seen = ballot_making.preview(actor, challenge, checked, clock.now())
    sectors = await pages.read(request, ballots.sectors, seen.programme_id)
    return pages.show(
        request,
        actor,
        "ballots/preview.html",
        subject=seen,
        ballot=seen,
        changed=ballot,
        challenge=challenge,
        eligible=checked.eligible,
        sectors={sector.key: sector for sector in sectors},
        organisations=await _names(request, seen),
        fields=ballot_forms.SINGLE,
        lists=ballot_forms.LISTS,
        values=values,
    )


async def _show_form(
    request: Request,
    actor: Actor,
    place: Any,
    form: Any,
    *,
    ballot: BallotView | None = None,
    status: int = 200,
) -> Response:
    """The form, for a new ballot on the challenge `place` or for a change of `ballot`."""
    challenge_id = ballot.challenge_id if ballot else place.id
    return pages.show(
        request,
        actor,
        "ballots/edit.html" if ballot else "ballots/new.html",
        status=status,
        subject=place,
        ballot=ballot,
        challenge=place,
        solutions=await pages.read(request, solutions.on_challenge, actor, challenge_id),
        sectors=await pages.read(request, ballots.sectors, place.programme_id),
        organisations=await _organisations(request, place.programme_id),
        methods=METHODS,
        rules=RULES,
        modes=MODES,
        roles=VOTERS,
        form=form,
    )


async def _ask_again(
    request: Request, actor: Actor, ballot_id: int, error: Any, fields: dict[str, str], *, name: str
) -> Response:
    ballot = await pages.read(request, ballots.find, actor, ballot_id)
    form = pages.refused(request, actor, error, fields)
    return pages.show(request, actor, name, status=error.status, subject=ballot, ballot=ballot, form=form)


def _live_chart(ballot: BallotView) -> charts.SupportChart | None:
    """Support so far, where it is shown while people vote and some have."""
    tally = ballot.live_tally
    if not ballot.tallies_live or not tally:
        return None
    open_still = [{**standing, "winner": False} for standing in tally["standings"]]
    so_far = {"rule": ballot.rule, "sectors": tally["sectors"], "standings": open_still}
    return result_charts.support(so_far, ballot.settings.threshold)


async def _names(request: Request, ballot: BallotView) -> list[str]:
    """The names of the organisations whose people vote, where not all do."""
    if not ballot.organisations:
        return []
    found = await _organisations(request, ballot.programme_id)
    return [organisation.name for organisation in found if organisation.id in ballot.organisations]


async def _organisations(request: Request, programme_id: int) -> Any:
    return await pages.read(request, organisations.in_programme, programme_id, limit=MOST_ORGANISATIONS)
