"""Votes: choosing, looking over what was chosen, sending it, taking it back."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, DomainError, Invalid, NotAllowed
from app.methods import choices
from app.methods.election import Choice, canonical
from app.policies.actor import Actor
from app.services import ballots, votes
from app.services.ballots import OPEN, BallotView
from app.services.votes import MyVote, Wish
from app.web import pages, vote_forms

router = APIRouter(include_in_schema=False)


@router.get("/ballots/{id:key}/vote")
async def show(request: Request, id: int) -> Response:
    """The solutions to answer, filled in with the vote that is there; or why the reader does not vote."""
    actor = await pages.member(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    mine = await _mine(request, actor, ballot)
    keys = [solution.key for solution in ballot.solutions]
    values = vote_forms.values_of(ballot.method, mine.choice, keys) if mine else {}
    return _show_form(request, actor, ballot, pages.Form(values), mine=mine)


@router.post("/ballots/{id:key}/vote/review")
async def review(request: Request, id: int) -> Response:
    """What was chosen, in words, before it is sent; or the form again, where it cannot be taken or `again` asks."""
    actor = await pages.member(request)
    pairs = await pages.pairs(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    form = pages.Form(vote_forms.values(pairs))
    if "again" in form.values:
        return _show_form(request, actor, ballot, form)
    if ballot.state != OPEN or ballot.why_not is not None:
        status = NotAllowed.status if ballot.why_not else Conflict.status
        return _show_form(request, actor, ballot, form, typed=_typed(ballot, pairs), status=status)
    try:
        choice = _checked(ballot, pairs)
    except Invalid as error:
        return _show_again(request, actor, ballot, form, error)
    return pages.show(
        request,
        actor,
        "votes/review.html",
        subject=ballot,
        ballot=ballot,
        choice=choice,
        titles=_titles(ballot),
        fields=[(name, value) for name, value in pairs if name.startswith(_KEPT)],
    )


@router.get("/ballots/{id:key}/vote/review")
async def begin_again(request: Request, id: int) -> Response:
    """Who comes here by the address alone, such as after choosing another language, finds the form."""
    await pages.member(request)
    return pages.back_to(f"/ballots/{id}/vote")


@router.post("/ballots/{id:key}/vote")
async def cast(request: Request, id: int) -> Response:
    """Vote, or replace the vote; the receipt is the answer, and stands in no address."""
    actor = await pages.member(request)
    pairs = await pages.pairs(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    form = pages.Form(vote_forms.values(pairs))
    try:
        wish = Wish(actor, id, vote_forms.choice_of(ballot.method, pairs))
        receipt = await pages.context_of(request).database.write_together(votes.meet, wish)
    except Invalid as error:
        return _show_again(request, actor, ballot, form, error)
    except Conflict as error:
        ballot = await pages.read(request, ballots.find, actor, id)
        form = pages.refused(request, actor, error, form.values)
        typed = _typed(ballot, pairs)
        return _show_form(request, actor, ballot, form, typed=typed, status=error.status)
    return pages.show(
        request,
        actor,
        "votes/receipt.html",
        subject=ballot,
        ballot=ballot,
        receipt=receipt,
        plain=canonical(receipt.choice).decode(),
        titles=_titles(ballot),
    )


@router.post("/ballots/{id:key}/vote/withdrawal")
async def withdraw(request: Request, id: int) -> Response:
    """Take one's vote back."""
    actor = await pages.member(request)
    await pages.write(request, votes.withdraw, actor, id)
    return pages.back_to(f"/ballots/{id}/vote")


_KEPT = (vote_forms.AT, vote_forms.INSTEAD)
"""The fields that go from the form through the review to the vote."""


def _checked(ballot: BallotView, pairs: vote_forms.Pairs) -> Choice:
    """The choice of a form, in the form in which it is kept.

    :raises Invalid: it is none that the method knows
    """
    choice = vote_forms.choice_of(ballot.method, pairs)
    errors = choices.check(ballot.settings, ballot.options, choice)
    if errors:
        raise Invalid(*errors)
    return choices.normal(choice)


def _typed(ballot: BallotView, pairs: vote_forms.Pairs) -> Choice | None:
    """What was chosen, to be shown once more where it cannot be sent; None if it was no whole choice."""
    try:
        return _checked(ballot, pairs)
    except Invalid:
        return None


async def _mine(request: Request, actor: Actor, ballot: BallotView) -> MyVote | None:
    if ballot.state != OPEN or not ballot.has_voted:
        return None
    found: MyVote | None = await pages.read(request, votes.mine, actor, ballot)
    return found


def _show_again(
    request: Request, actor: Actor, ballot: BallotView, form: pages.Form, error: DomainError
) -> Response:
    again = pages.refused(request, actor, vote_forms.by_fields(error, ballot), form.values)
    return _show_form(request, actor, ballot, again, status=error.status)


def _show_form(
    request: Request,
    actor: Actor,
    ballot: BallotView,
    form: pages.Form,
    *,
    mine: MyVote | None = None,
    typed: Choice | None = None,
    status: int = 200,
) -> Response:
    return pages.show(
        request,
        actor,
        "votes/new.html",
        status=status,
        subject=ballot,
        ballot=ballot,
        shuffled=ballot.shuffled(actor.person_id),
        titles=_titles(ballot),
        form=form,
        mine=mine,
        typed=typed,
    )


def _titles(ballot: BallotView) -> dict[str, Any]:
    return {solution.key: solution for solution in ballot.solutions}
