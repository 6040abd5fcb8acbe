"""The calendar of exchanges, closing days, and the coordinator's overview, for programs."""

from typing import Annotated

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.lib import clock
from app.schemas.base import Day
from app.schemas.overviews import CalendarItem, ClosingDayList, OverviewItem
from app.services import exchange_calendar, exchange_overview, programmes
from app.web import etags, languages, paging, stay_items
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit

UNCOUNTED = 0
"""The version of what counts none: its tag differs by the bytes."""

Start = Annotated[Day | None, Query(description="A day of the first week; left out: this week.")]
FirstDay = Annotated[Day | None, Query(description="From this day on; left out: from today.")]
LastDay = Annotated[
    Day | None, Query(description="Until this day, at most two years later; left out: for a year.")
]


@operation(
    "GET",
    "/programmes/{programme_id}/exchange-calendar",
    name="get_exchange_calendar",
    tag="exchanges",
    summary="Read what is free in which week",
    scope="read",
    gives=CalendarItem,
    tagged=True,
)
async def calendar(request: Request, programme_id: Identifier, start: Start = None) -> Response:
    """Twelve weeks by hosts, each week with its closing days, each offer with its free places."""
    actor = await caller(request)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    language = languages.of(request, actor)
    found = await database(request).read(
        lambda connection: exchange_calendar.of(
            connection, actor, programme, start=start, now=clock.now(), language=language
        )
    )
    body = to_json(stay_items.calendar(base_url(request), programme, found))
    return etags.item(request, body, UNCOUNTED)


@operation(
    "GET",
    "/programmes/{programme_id}/closing-days",
    name="list_closing_days",
    tag="exchanges",
    summary="List closing days",
    scope="read",
    gives=ClosingDayList,
    paged=True,
)
async def closing_days(  # noqa: PLR0917 -- the framework passes them by name
    request: Request,
    programme_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
) -> Response:
    """Public holidays of the country, and the region, that the programme's rules name; in order."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    language = languages.of(request, actor)
    found = await database(request).read(
        lambda connection: exchange_calendar.closing_days_of(
            connection, actor, programme, first_day, last_day, language=language, now=clock.now()
        )
    )
    shown, more = page.cut([each for each in found if each.day.toordinal() > page.after])
    items = [stay_items.closing_day(each) for each in shown]
    return paging.listing(request, page, items, shown[-1].day.toordinal() if more else None)


@operation(
    "GET",
    "/programmes/{programme_id}/exchange-overview",
    name="get_exchange_overview",
    tag="exchanges",
    summary="Read what waits, what is stuck and how full the weeks are",
    scope="read",
    gives=OverviewItem,
    tagged=True,
)
async def overview(request: Request, programme_id: Identifier) -> Response:
    """For coordinators: occupancy by week, stuck bookings, the waiting line, placements to review, the balance."""
    actor = await caller(request)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read_unbounded(
        lambda connection: exchange_overview.of(connection, actor, programme, now=clock.now())
    )
    body = to_json(stay_items.overview(base_url(request), programme, found))
    return etags.item(request, body, UNCOUNTED)
