"""Reading: the board as a page and as JSON, against bare programs and against itself when it grows."""

import asyncio
import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from bench import data, load, servers
from bench.data import CHALLENGE, Board, Size
from bench.duels import BROWSER, Contestant, Plan, duel, signed_in
from bench.figures import Aim, Figure
from bench.servers import Server

CONNECTIONS = 8
PAGE = f"/challenges/{CHALLENGE}"
LIST = f"/api/v1/challenges/{CHALLENGE}/ideas"
CURSOR_PAGES = 60
SORTS = {"new": "newest first", "supported": "most supported", "bridging": "bridging"}


def page(plan: Plan, directory: Path) -> list[Figure]:
    """The board of 50 ideas, signed in: as it is, not changed, and after a change; against hello."""
    board = data.fill(f"sqlite:///{directory}/page.db", size(plan, 50))
    with servers.application(directory, board.url) as here, servers.floor("hello", directory) as hello:
        known = _etag(here, board)
        floor = Contestant(hello, [load.request("GET", "/", BROWSER)], plan, connections=CONNECTIONS)
        warm = duel(_reading(here, board, plan), floor, plan)
        unchanged = duel(_reading(here, board, plan, known=known), floor, plan)
        afresh = duel(_afresh(here, board, plan, "new"), floor, plan)
    job = "board page of 50 ideas"
    return [
        warm.figure(f"{job}, warm", "FastAPI hello", "CPU", ("at most", 5.0)),
        warm.figure(f"{job}, warm", "FastAPI hello", "rate"),
        unchanged.figure(f"{job}, not changed (304)", "FastAPI hello", "CPU"),
        unchanged.figure(f"{job}, not changed (304)", "FastAPI hello", "rate", ("at least", 1.5)),
        afresh.figure(f"{job}, made anew", "FastAPI hello", "CPU"),
    ]


def listing(plan: Plan, directory: Path) -> list[Figure]:
    """The API's list of 50 ideas, with token and cursor, against sqlite3 and `json.dumps`."""
    board = data.fill(f"sqlite:///{directory}/list.db", size(plan, 120))
    headers = token(board)
    with (
        servers.application(directory, board.url) as here,
        servers.floor("ideas_sqlite", directory, f"{directory}/list.db") as floor,
    ):
        first = fetched(here, board, f"{LIST}?limit=50")
        address = f"{LIST}?limit=50&cursor={first['next']}"
        bare = f"/challenges/{CHALLENGE}/ideas?limit=50&before={first['items'][-1]['id']}"
        rounds = duel(
            Contestant(here, [load.request("GET", address, headers)], plan, connections=CONNECTIONS),
            Contestant(floor, [load.request("GET", bare, headers)], plan, connections=CONNECTIONS),
            plan,
        )
    job, against = "API list of 50 ideas", "raw sqlite3, json.dumps"
    return [
        rounds.figure(job, against, "rate", ("at least", 0.6)),
        rounds.figure(job, against, "CPU"),
    ]


def growth(plan: Plan, directory: Path) -> list[Figure]:
    """A page made anew on a large board against a small one, in each order; the last against the first page."""
    few, many = plan.ideas
    small = data.fill(f"sqlite:///{directory}/few.db", size(plan, few))
    large = data.fill(f"sqlite:///{directory}/many.db", size(plan, many))
    with (
        servers.application(directory, large.url) as here,
        servers.application(directory, small.url) as floor,
    ):
        figures = [
            duel(_afresh(here, large, plan, sort), _afresh(floor, small, plan, sort), plan).figure(
                f"page, {name}, {many:,} ideas", f"{few:,} ideas", "CPU", ("at most", 1.3)
            )
            for sort, name in SORTS.items()
        ]
        return [*figures, *_cursors(here, large, plan)]


def _cursors(server: Server, board: Board, plan: Plan) -> list[Figure]:
    """Pages at the end of the list against pages at its beginning, none of them kept."""
    addresses = _walk(server, board)
    some = min(CURSOR_PAGES, max(len(addresses) // 2, 1))
    sides = [
        Contestant(
            server,
            [load.request("GET", address, token(board)) for address in chosen],
            plan,
            connections=CONNECTIONS,
            before=changing(server, board),
            most=some,
        )
        for chosen in (addresses[-some:], addresses[:some])
    ]
    aim: Aim = ("at most", 1.5)
    rounds = duel(*sides, plan)
    return [rounds.figure(f"last of {len(addresses)} cursor pages", "first page", "p50", aim)]


def _walk(server: Server, board: Board) -> list[str]:
    """The addresses of all pages of the list."""
    addresses = [f"{LIST}?limit=50"]
    while following := fetched(server, board, addresses[-1])["next"]:
        addresses.append(f"{LIST}?limit=50&cursor={following}")
    return addresses


def changing(server: Server, board: Board) -> Callable[[], None]:
    """Something happens on the board, so that nothing holds any longer that was kept."""
    methods = count()

    def change() -> None:
        method = "DELETE" if next(methods) % 2 else "PUT"
        request = load.request(method, "/api/v1/ideas/1/support", token(board))
        status, _, body = asyncio.run(load.fetch(server.port, request))
        if status != 200:
            raise RuntimeError(f"{method} {status}: {body[:500]!r}")

    return change


def _reading(server: Server, board: Board, plan: Plan, *, known: str = "") -> Contestant:
    """One person who opens the board again and again."""
    headers = [*signed_in(board), *([("If-None-Match", known)] if known else [])]
    request = load.request("GET", PAGE, headers)
    return Contestant(server, [request], plan, connections=CONNECTIONS, wanted=304 if known else 200)


def _afresh(server: Server, board: Board, plan: Plan, sort: str) -> Contestant:
    """Readers of whom none has the board yet, so that nothing is given again: each address is another one."""
    people = len(board.cookies)
    requests = (
        load.request("GET", f"{PAGE}?sort={sort}&reader={number}", signed_in(board, 1 + number % people))
        for number in range(20_000)
    )
    return Contestant(server, requests, plan, connections=CONNECTIONS)


def _etag(server: Server, board: Board) -> str:
    _, headers, _ = asyncio.run(load.fetch(server.port, load.request("GET", PAGE, signed_in(board))))
    return headers["etag"]


def fetched(server: Server, board: Board, address: str) -> Any:
    """A page of a list, read."""
    status, _, body = asyncio.run(load.fetch(server.port, load.request("GET", address, token(board))))
    if status != 200:
        raise RuntimeError(f"{address}: {status} {body[:500]!r}")
    return json.loads(body)


def token(board: Board) -> list[tuple[str, str]]:
    """The headers of a program that has a token."""
    return [
        ("Authorization", f"Bearer {board.token}"),
        ("Accept", "application/json"),
        ("User-Agent", "bench"),
    ]


def size(plan: Plan, ideas: int) -> Size:
    """A board that has been used: everyone supports a few ideas."""
    return Size(
        ideas=ideas, people=plan.people, supporters=plan.people, each=min(20, ideas), signed_in=plan.people
    )
