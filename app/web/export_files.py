"""Exports as files that leave a piece at a time: CSV, JSON Lines, or a workbook that is first written to disk.

Memory stays the same however many rows there are: a page is read and written in one go in a thread, and the next one
only once the reader has taken it. A reader who goes away ends it; one who takes nothing for a while is let go.
"""

import asyncio
import gc
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.database import Database
from app.errors import NotAllowed, NotSignedIn, TooMany, Unavailable
from app.lib import tables
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.services import exports, tokens
from app.services.export_pages import Cell, Row
from app.services.exports import Export
from app.web import shedder

T = TypeVar("T")

log = structlog.get_logger(__name__)

Format = Literal["csv", "jsonl", "xlsx"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
MEDIA_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

MOST_AT_ONCE: Final = 8
MOST_EACH: Final = 2
"""How many exports run at the same time, in this process and for one person."""

PATIENCE_S: Final = 60.0
"""How long a reader may take for a piece."""

ON_A_SHEET: Final = 1_048_575
"""Rows that a sheet holds below its head."""

_PIECE: Final = 256 * 1024
_LONGEST_TEXT: Final = 32_767
"""Characters that a cell of a workbook holds."""


class Running:
    """The exports that this process is sending."""

    def __init__(self) -> None:
        self._of: Counter[int] = Counter()

    @contextmanager
    def one(self, person_id: int) -> Iterator[None]:
        """Count one more while it runs.

        :raises TooMany: the person has begun as many as one may
        :raises Unavailable: as many run as may, of all together
        """
        if self._of[person_id] >= MOST_EACH:
            message = N_("Two of your exports are still running. Please let one end first.")
            raise TooMany(message, retry_after_s=10)
        if self._of.total() >= MOST_AT_ONCE:
            raise Unavailable(N_("Very many exports are running. Please try again in a moment."))
        self._of[person_id] += 1
        try:
            yield
        finally:
            self._of[person_id] -= 1
            if not self._of[person_id]:
                del self._of[person_id]


def wanted(request: Request, given: Format | None) -> Format:
    """The form that is asked for: by name, else the first that `Accept` names, else CSV."""
    if given is not None:
        return given
    accepted = [
        part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")
    ]
    known = {media_type.partition(";")[0]: name for name, media_type in MEDIA_TYPES.items()}
    return next((known[each] for each in accepted if each in known), "csv")


def download(request: Request, actor: Actor, export: Export, form: Format) -> Response:
    """The export as an answer."""
    context = request.app.state.context
    return Download(context.database, context.exports, actor, export, form)


@dataclass(frozen=True, slots=True)
class _Pages:
    """The pages of an export, each read in a thread and there turned into something by `to`."""

    database: Database
    actor: Actor
    export: Export

    async def through(self, to: Callable[[Sequence[Row]], T]) -> AsyncIterator[T]:
        """What `to` makes of each page, in order; there is one at the least."""
        after: int | None = 0
        while after is not None:
            made, after = await self.one(after, to)
            yield made
            # The server looks for garbage seldom, and each page leaves some that refers to itself.
            gc.collect(0)

    async def one(self, after: int, to: Callable[[Sequence[Row]], T]) -> tuple[T, int | None]:
        """What `to` makes of the page after an id, and where the next one begins."""
        return await _to_its_end(self.database.read_unbounded(partial(self._read, after=after, to=to)))

    def _read(self, connection: Any, after: int, to: Callable[[Sequence[Row]], T]) -> tuple[T, int | None]:
        page = exports.page(connection, tokens.now(connection, self.actor), self.export, after)
        return to(page.rows), page.after


class Download(Response):
    """An export on its way to one reader."""

    def __init__(
        self, database: Database, running: Running, actor: Actor, export: Export, form: Format
    ) -> None:
        super().__init__(media_type=MEDIA_TYPES[form])
        del self.headers["content-length"]
        self.headers["Content-Disposition"] = f'attachment; filename="{_name(export)}.{form}"'
        self.headers["Cache-Control"] = "no-store, no-transform"
        self._pages = _Pages(database, actor, export)
        self._running = running
        self._person_id = actor.person_id or 0
        self._form = form
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, unless the reader goes away before its end; ASGI."""
        with self._running.one(self._person_id):
            shedder.step_aside(scope["state"])
            sending = asyncio.ensure_future(self._send(send))
            gone = asyncio.ensure_future(_until_gone(receive))
            try:
                await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
            except (NotAllowed, NotSignedIn):
                if not self._has_begun:
                    raise
                log.info("export_ended")  # who has lost their place meanwhile gets no more of it
            except TimeoutError:
                log.info("export_given_up")  # the server ends the connection: what has left is not whole
            finally:
                await _ended((sending, gone))

    async def _send(self, send: Send) -> None:
        pieces = self._workbook() if self._form == "xlsx" else self._lines()
        async with aclosing(pieces):
            async for piece in pieces:
                if not self._has_begun:
                    await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                    self._has_begun = True
                for start in range(0, len(piece), _PIECE):
                    body = piece[start : start + _PIECE]
                    async with asyncio.timeout(PATIENCE_S):
                        await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _lines(self) -> AsyncGenerator[bytes]:
        columns = self._pages.export.columns
        if self._form == "csv":
            yield tables.file([columns]).encode()
        async for piece in self._pages.through(
            _as_csv if self._form == "csv" else partial(tables.as_json_lines, columns)
        ):
            yield piece

    async def _workbook(self) -> AsyncGenerator[bytes]:
        with tempfile.TemporaryDirectory(prefix="export-") as directory:
            path = Path(directory) / "export.xlsx"
            book = Workbook(path, self._pages.export)
            async for _ in self._pages.through(book.write):
                pass
            await _to_its_end(asyncio.to_thread(book.close))
            self.headers["content-length"] = str(path.stat().st_size)
            with path.open("rb") as file:
                while piece := await _to_its_end(asyncio.to_thread(file.read, _PIECE)):
                    yield piece


class Workbook:
    """A workbook that grows on disk: texts are texts, whatever they look like."""

    def __init__(self, path: Path, export: Export) -> None:
        import xlsxwriter  # here, since most processes never write one

        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._bold = self._book.add_format({"bold": True})
        self._export = export
        self._sheets = 0
        self._begin_sheet()

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows; where a sheet is full the next one begins."""
        for row in rows:
            if self._line > ON_A_SHEET:
                self._begin_sheet()
            for column, cell in enumerate(row):
                self._cell(self._line, column, cell)
            self._line += 1

    def close(self) -> None:
        """Put it together; nothing can be added after."""
        self._book.close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        name = self._export.kind if self._sheets == 1 else f"{self._export.kind} {self._sheets}"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        for column, title in enumerate(self._export.columns):
            self._sheet.write_string(0, column, title, self._bold)
        self._line = 1

    def _cell(self, line: int, column: int, cell: Cell) -> None:
        if isinstance(cell, str):
            self._sheet.write_string(line, column, cell[:_LONGEST_TEXT])
        elif isinstance(cell, bool):
            self._sheet.write_boolean(line, column, cell)
        elif cell is not None:
            self._sheet.write_number(line, column, cell)


def _as_csv(rows: Sequence[Row]) -> bytes:
    return tables.as_csv(rows).encode()


def _name(export: Export) -> str:
    of = "" if export.wanted.challenge_id is None else f"-{export.wanted.challenge_id}"
    return f"{export.kind}-{export.wanted.programme.slug}{of}"


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """The answer of work in a thread; who is told to end waits for it: no file goes under its hands."""
    begun = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(begun)
    except asyncio.CancelledError:
        await asyncio.wait((begun,))
        raise


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ended(tasks: Collection[asyncio.Future[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
