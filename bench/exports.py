"""How much memory an export takes, of few rows and of very many: a page at a time, it should be the same."""

import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from sqlalchemy import func, insert, literal, select

from app.database import Database, Transaction
from app.models import Idea, Sector, Tally
from app.models.base import table
from app.models.support import ALL
from app.web.export_files import FORMATS
from bench import data, servers
from bench.data import CHALLENGE, PROGRAMME, Board, Size
from bench.duels import Plan
from bench.figures import Aim, Figure
from bench.servers import Server

BEGUN = 1000
"""Ideas that are written one by one; the others are copies of these, made by the database."""


AIM: Final[Aim] = ("at most", 1.25)


@dataclass(frozen=True, slots=True)
class Taken:
    """One export: by how much the server's memory grew at its highest, and how long it took."""

    growth_mib: float
    seconds: float
    size_mib: float
    errors: int


def take_along(plan: Plan, directory: Path) -> list[Figure]:
    """The peak of the server's memory over what it held before, for very many rows against fewer, in each form of file.

    Against few it tells what the database keeps in its cache too (32 MiB at the most for each connection, full after
    some hundred thousand rows); against many it tells whether anything grows.
    """
    taken = {}
    for rows in plan.rows:
        board = _board(directory, rows)
        for form in FORMATS:
            with servers.application(directory, board.url) as server:
                taken[rows, form] = _take(server, board, form, rows)
    few, many, most = plan.rows
    return [
        _figure(form, taken[most, form], taken[other, form], (most, other), aim)
        for form in FORMATS
        for other, aim in ((few, None), (many, AIM))
    ]


def _figure(form: str, here: Taken, floor: Taken, rows: tuple[int, int], aim: Aim | None) -> Figure:
    ratio = here.growth_mib / max(floor.growth_mib, 1)
    return Figure(
        f"export of {rows[0]:,} rows, {form}",
        f"of {rows[1]:,} rows",
        "peak memory",
        ratio,
        ratio,
        ratio,
        f"{here.growth_mib:,.0f} MiB",
        f"{floor.growth_mib:,.0f} MiB",
        aim,
        errors=here.errors + floor.errors,
        note=f"{here.size_mib:,.0f} MiB in {here.seconds:,.0f} s",
    )


def _take(server: Server, board: Board, form: str, rows: int) -> Taken:
    path = f"/api/v1/programmes/{PROGRAMME}/exports/ideas?format={form}"
    _ask(server, board, "/api/v1/people/me", "json")
    before, begun = server.memory_bytes(), time.perf_counter()
    size, lines, is_whole = _ask(server, board, path, form)
    seconds = time.perf_counter() - begun
    wanted = {"csv": rows + 1, "jsonl": rows}.get(form, lines)
    is_right = is_whole and lines == wanted
    return Taken((_peak_bytes(server) - before) / 2**20, seconds, size / 2**20, int(not is_right))


def _ask(server: Server, board: Board, path: str, form: str) -> tuple[int, int, bool]:
    """Bytes of the answer, its lines as the form ends them, and whether it came whole."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=1800)
    connection.request("GET", path, headers={"Authorization": f"Bearer {board.token}"})
    answer = connection.getresponse()
    end = b"\r\n" if form == "csv" else b"\n"
    size = lines = 0
    rest = b""
    while piece := answer.read(1 << 18):
        size += len(piece)
        lines += (rest + piece).count(end)
        rest = piece[-1:] if form == "csv" and piece.endswith(b"\r") else b""
    connection.close()
    return size, lines, answer.status == 200


def _peak_bytes(server: Server) -> int:
    """The most that the server has held since it began."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell the peak of a process")


def _board(directory: Path, rows: int) -> Board:
    """A board of so many ideas."""
    url = f"sqlite:///{directory}/export-{rows}.db"
    begun = min(rows, BEGUN)
    board = data.fill(url, Size(ideas=begun, people=200, supporters=50, each=5, signed_in=1))
    database = Database(url)
    try:
        there = begun
        while there < rows:
            more = min(there, rows - there)
            database.write_now(lambda tx, more=more: _double(tx, more))
            there += more
        database.write_now(_count)
        data.analyse(database)
    finally:
        database.close()
    return board


def _double(tx: Transaction, most: int) -> None:
    idea = table(Idea)
    names = [column.name for column in idea.c if column.name != "id"]
    tx.execute(insert(idea).from_select(names, select(*(idea.c[name] for name in names)).limit(most)))


def _count(tx: Transaction) -> None:
    """Tallies at nought for the copies."""
    idea, tally, sector = table(Idea), table(Tally), table(Sector)
    last = tx.execute(select(func.max(tally.c.idea_id))).scalar_one()
    names = ["challenge_id", "idea_id", "sector_id", "programme_id", "people"]
    for sector_id in [*tx.execute(select(sector.c.id)).scalars(), ALL]:
        rows = select(literal(CHALLENGE), idea.c.id, literal(sector_id), literal(PROGRAMME), literal(0))
        tx.execute(insert(tally).from_select(names, rows.where(idea.c.id > last)))
