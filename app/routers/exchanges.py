"""Finding an exchange: the catalogue of placements, the calendar of weeks and hosts, and what one offers oneself."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib import clock, days
from app.lib.days import week_of
from app.services import exchange_calendar, exchange_rules, placements
from app.services.placements import Filter
from app.web import exchange_pages, languages, pages

router = APIRouter(include_in_schema=False)


@router.get("/exchanges")
async def index(request: Request) -> Response:
    """The catalogue, by what someone looks for."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    rules = await pages.read(request, exchange_rules.find, programme.id)
    today = rules.today(clock.now())
    wanted, values = _wanted(request)
    found = await pages.read(request, placements.published, actor, programme, wanted, today=today)
    return pages.show(
        request,
        actor,
        "exchanges/index.html",
        subject=programme,
        programme=programme,
        placements=[(each, each.open_periods(today)) for each in found],
        competencies=await pages.read(request, placements.competencies, programme.id),
        sectors=await pages.read(request, placements.sectors, programme.id),
        form=pages.Form(values),
        is_filtered=any(value for name, value in values.items()),
    )


@router.get("/exchanges/calendar")
async def calendar(request: Request) -> Response:
    """Weeks by hosts, with free places at a glance."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    found = await pages.read(
        request,
        exchange_calendar.of,
        actor,
        programme,
        start=days.parse_day(request.query_params.get("from", "")),
        now=clock.now(),
        language=languages.of(request, actor),
    )
    return pages.show(
        request,
        actor,
        "exchanges/calendar.html",
        subject=programme,
        programme=programme,
        weeks=found.weeks,
        hosts=[(host.placement, host.offers) for host in found.hosts],
        earlier=found.earlier,
        later=found.later,
    )


@router.get("/exchanges/offers")
async def offers(request: Request) -> Response:
    """The placements that one may change."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    found = await pages.read(request, placements.of_host, actor, programme)
    return pages.show(
        request, actor, "placements/index.html", subject=programme, programme=programme, placements=found
    )


def _wanted(request: Request) -> tuple[Filter, dict[str, str]]:
    """What the address asks for, and the same as the form holds it; what cannot be read is not looked at."""
    asked = request.query_params
    names = ("words", "place", "competency", "sector", "week", "free")
    values = {name: asked.get(name, "").strip()[:200] for name in names}
    day = days.parse_day(values["week"])
    week = week_of(day) if day else None
    return (
        Filter(
            words=values["words"],
            place=values["place"],
            competency=values["competency"],
            sector=values["sector"],
            first_day=week.first_day if week else None,
            last_day=week.last_day if week else None,
            free=bool(values["free"]),
        ),
        values,
    )
