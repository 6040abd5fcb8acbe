"""Results: who was chosen by which rule, how each sector voted, and the files with which anyone counts again."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.integrations import seal
from app.lib import i18n
from app.methods import ballot_log, charts, count
from app.methods.opinion_map import OpinionMap
from app.services import ballots, counting
from app.services.ballots import CLOSED, BallotView
from app.services.counting import ResultView
from app.web import pages, result_charts, result_files

router = APIRouter(include_in_schema=False)


@router.get("/ballots/{id:key}/result")
async def show(request: Request, id: int) -> Response:
    """The result with all that explains it; before it is there, when it will be."""
    return await _show(request, id, "results/show.html")


@router.get("/ballots/{id:key}/result/sheet")
async def sheet(request: Request, id: int) -> Response:
    """The result on one page, to print or to project."""
    return await _show(request, id, "results/sheet.html")


@router.get("/ballots/{id:key}/result.csv")
async def table(request: Request, id: int) -> Response:
    """The result as a table for spreadsheets."""
    actor = await pages.member(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    found = await pages.read(request, counting.result, ballot)
    text = result_files.table(result_charts.as_counted(ballot, found), found.result)
    return _file(text, "text/csv", f"ballot-{id}-result.csv")


@router.get("/ballots/{id:key}/log")
async def log(request: Request, id: int) -> Response:
    """The published log, byte for byte as `partnership verify` takes it."""
    actor = await pages.member(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    body = await pages.read_unbounded(request, _log, ballot)
    return _file(body, "application/json", f"ballot-{id}.json")


def _log(connection: Any, ballot: BallotView) -> bytes:
    return "".join(ballot_log.lines(counting.log(connection, ballot))).encode()


def _file(body: str | bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"}
    return Response(body, headers=headers, media_type=media_type)


async def _show(request: Request, id: int, name: str) -> Response:
    actor = await pages.member(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    if ballot.state != CLOSED:
        return pages.show(request, actor, "results/waiting.html", subject=ballot, ballot=ballot)
    found = await pages.read(request, counting.result, ballot)
    sectors = await pages.read(request, ballots.sectors, ballot.programme_id)
    return pages.show(
        request,
        actor,
        name,
        subject=ballot,
        ballot=ballot,
        found=found,
        sectors={sector.key: sector for sector in sectors},
        interests=await pages.read(request, ballots.interests, id),
        voters=sorted(await pages.read(request, counting.voters, ballot, most=MOST_NAMES), key=_by_name),
        titles=result_charts.as_counted(ballot, found),
        words=count.WORDS,
        **_charts(ballot, found),
    )


MOST_NAMES = 500
"""How many names an open ballot's page shows beside their votes; the log has them all."""


MOST_PAIRS = 30
"""So many solutions are shown each against each; a larger table nobody reads, and the log has it."""


def _by_name(vote: Any) -> Any:
    return i18n.sort_key(vote["voter"]["name"])


def _charts(ballot: BallotView, found: ResultView) -> dict[str, Any]:
    view = result_charts.opinion_map(found.beside["map"])
    return {
        "support": result_charts.support(found.result, ballot.settings.threshold),
        "view": view,
        "map": charts.opinion_map(view) if isinstance(view, OpinionMap) else None,
        "turnout": result_charts.turnout(ballot, found),
        "pairs": _pairs(found.result),
        "differing": result_charts.differing(found.result, found.beside["rules"]),
        "key": seal.fingerprint(bytes.fromhex(found.signature["key"])),
    }


def _pairs(result: Any) -> tuple[charts.PairRow, ...]:
    """Each solution against each, in the order of the result, where rankings were compared in pairs."""
    preferred = next((one["preferred"] for one in result["rounds"] if one["round"] == "pairwise"), None)
    if preferred is None:
        return ()
    keys = [key for key in result["order"] if key in preferred][:MOST_PAIRS]
    counts = [[preferred[one].get(other, 0) for other in keys] for one in keys]
    return charts.pairwise(keys, counts)
