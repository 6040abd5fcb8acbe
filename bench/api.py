"""Reading through the API: what its layers cost, what a tag saves, and what it costs to be far down a list."""

import asyncio
from pathlib import Path

from bench import data, load, servers
from bench.boards import CONNECTIONS, LIST, changing, fetched, size, token
from bench.data import Board
from bench.duels import Contestant, Plan, duel
from bench.figures import Figure
from bench.servers import Server

ITEM = "/api/v1/ideas/1"
FAR = 1_000
"""The page that is compared with the first one."""

NEAR_IT = 100
"""So many pages before it, and after the first one, are read on each side: each once a round."""

BYTES = "bytes.json"


def reading(plan: Plan, directory: Path) -> list[Figure]:
    """A page of 50 ideas against the same bytes from a bare route; an idea that has not changed against one sent."""
    board = data.fill(f"sqlite:///{directory}/api.db", size(plan, 120))
    with servers.application(directory, board.url) as here:
        address = f"{LIST}?limit=50"
        status, _, body = _get(here, board, address)
        if status != 200:
            raise RuntimeError(f"{address}: {status}")
        (directory / BYTES).write_bytes(body)
        with servers.floor("same_bytes", directory, f"{directory / BYTES}") as floor:
            page = duel(_asking(here, board, plan, address), _asking(floor, board, plan, "/"), plan)
        tag = _get(here, board, ITEM)[1]["etag"]
        again = duel(_asking(here, board, plan, ITEM, tag), _asking(here, board, plan, ITEM), plan)
    job, against = "API page of 50 ideas", "the same bytes, bare FastAPI"
    return [
        page.figure(job, against, "rate"),
        page.figure(job, against, "CPU"),
        again.figure("API idea, not changed (304)", "sent (200)", "rate"),
        again.figure("API idea, not changed (304)", "sent (200)", "CPU"),
    ]


def cursors(plan: Plan, directory: Path) -> list[Figure]:
    """Pages around the thousandth of a list against pages at its beginning, none of them kept."""
    ideas = plan.ideas[1]
    limit = max(ideas // FAR, 1)
    board = data.fill(f"sqlite:///{directory}/cursors.db", size(plan, ideas))
    with servers.application(directory, board.url) as here:
        pages = _walk(here, board, limit)
        some = min(NEAR_IT, max(len(pages) // 2, 1))
        rounds = duel(
            *(_once(here, board, plan, chosen) for chosen in (pages[-some:], pages[:some])),
            plan,
        )
    job, against = f"page {len(pages):,} of a list", "page 1"
    return [
        rounds.figure(job, against, "CPU", ("at most", 1.3)),
        rounds.figure(job, against, "p50", ("at most", 1.5)),
    ]


def _walk(server: Server, board: Board, limit: int) -> list[str]:
    """The addresses of the pages, from the first one to that which is far."""
    addresses = [f"{LIST}?limit={limit}"]
    while len(addresses) < FAR and (following := fetched(server, board, addresses[-1])["next"]):
        addresses.append(f"{LIST}?limit={limit}&cursor={following}")
    return addresses


def _asking(server: Server, board: Board, plan: Plan, address: str, tag: str = "") -> Contestant:
    headers = [*token(board), *([("If-None-Match", tag)] if tag else [])]
    request = load.request("GET", address, headers)
    return Contestant(server, [request], plan, connections=CONNECTIONS, wanted=304 if tag else 200)


def _once(server: Server, board: Board, plan: Plan, addresses: list[str]) -> Contestant:
    """Each of these pages once a round, after a change on the board, so that none is given again from memory."""
    return Contestant(
        server,
        [load.request("GET", address, token(board)) for address in addresses],
        plan,
        connections=CONNECTIONS,
        before=changing(server, board),
        most=len(addresses),
    )


def _get(server: Server, board: Board, address: str) -> tuple[int, dict[str, str], bytes]:
    return asyncio.run(load.fetch(server.port, load.request("GET", address, token(board))))
