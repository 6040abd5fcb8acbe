"""For coordinators: the console of exchanges, and the rules by which they run."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib import clock, closing_days
from app.models.exchange import AIMS, APPROVERS, WAYS
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import exchange_overview, exchange_rules
from app.web import exchange_pages, languages, pages
from app.web.exchange_rule_forms import by_fields, changes_of, room, values_of

router = APIRouter(include_in_schema=False)


@router.get("/exchanges/console")
async def show(request: Request) -> Response:
    """What waits, what is stuck, how full the weeks are, and whether both directions balance."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    overview = await pages.read_unbounded(request, exchange_overview.of, actor, programme, now=clock.now())
    return pages.show(
        request, actor, "exchanges/console.html", subject=programme, programme=programme, overview=overview
    )


@router.get("/exchanges/rules")
async def edit(request: Request) -> Response:
    """The form with the rules as they are."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    require(actor, Permission.RUN_EXCHANGES, programme)
    rules = await pages.read(request, exchange_rules.find, programme.id)
    return _show(request, actor, programme, pages.Form(values_of(rules, languages.of(request, actor))))


@router.post("/exchanges/rules")
async def save(request: Request) -> Response:
    """Save the rules."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    values = await pages.fields_and_lists(request, "approvals")
    version = pages.number(values.get("version", ""))
    changes = changes_of(values, languages.of(request, actor))
    try:
        await pages.write(request, exchange_rules.set_rules, actor, programme, version=version, **changes)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, by_fields(error), values)
        return _show(request, actor, programme, form, status=error.status)
    return pages.back_to(f"/exchanges/console?programme={programme.slug}")


def _show(request: Request, actor: Actor, programme: Any, form: pages.Form, *, status: int = 200) -> Response:
    return pages.show(
        request,
        actor,
        "exchanges/rules.html",
        status=status,
        subject=programme,
        programme=programme,
        form=form,
        item_numbers=room(form.values),
        ways=WAYS,
        aims=AIMS,
        approvers=APPROVERS,
        countries=closing_days.countries(languages.of(request, actor)),
    )
