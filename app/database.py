"""Engine, reads, and the one writer: the only place that commits.

Every write is a piece of work, a function of a `Transaction`, handed to one thread with a connection of
its own. Whatever is waiting is taken as one batch: a savepoint for each piece of work, one commit, and only
then is everyone answered, so an acknowledged write is a saved one. Work may run twice (a batch that a
deadlock broke is run again, piece by piece, and so is a piece that lost a race), so it changes nothing but the
database.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import (
    BigInteger,
    DateTime,
    Integer,
    Table,
    and_,
    create_engine,
    event,
    func,
    text,
    type_coerce,
)
from sqlalchemy.engine import Connection, Dialect, Engine, Result, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.sql import ColumnElement, Executable
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session

from app.errors import DomainError, Unavailable
from app.lib import clock

T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")

log = structlog.get_logger(__name__)

BATCH = 256
"""Pieces of work that share one commit at the most."""

TRIES = 3
"""How often a batch is tried that loses against another process's locks."""

BUSY_TIMEOUT_S = 5.0
"""How long SQLite waits for another process's write before the request is told to come back."""

LOG_LOCK = 0x7066635F6C6F67
"""PostgreSQL advisory lock held while appended rows are written, so that their ids grow in commit order."""

Key = BigInteger().with_variant(Integer, "sqlite")
"""The type of every surrogate key: SQLite counts rows only in a column that is exactly INTEGER."""


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC on both engines; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive instants, and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back an aware instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def present(dialect: str) -> ColumnElement[datetime]:
    """The instant now by the database's own clock, which decides where processes of several machines must agree.

    On PostgreSQL it is that of the statement, not of the transaction, so that it never lies before a lock was got.
    """
    if dialect == "postgresql":
        return func.clock_timestamp(type_=UTCDateTime)
    return type_coerce(func.strftime("%Y-%m-%d %H:%M:%f", "now").op("||")("000"), UTCDateTime)


def same_in_any_case(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """The condition that a text is `value`, whatever the case, as `str.lower` has it; the database folds both.

    `İ`, the one letter that grows in small, is told apart from `I` beforehand, as some of PostgreSQL's locales do not.
    Then lengths tell most texts apart, and spare SQLite five sixths of the time.
    """
    own, other = (func.replace(each, "\u0130", "i\u0307") for each in (column, value))
    return and_(func.length(own) == func.length(other), func.lower(own) == func.lower(other))


class Transaction:
    """What a piece of work may do: read, write, append to the log."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now = clock.now()
        self._session: Session | None = None
        self._appended: list[_Appended] = []

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    @property
    def session(self) -> Session:
        """A unit of work for rare writes; hot ones use `execute`."""
        if self._session is None:
            self._session = Session(self.connection, join_transaction_mode="create_savepoint")
        return self._session

    def execute(self, statement: Executable, parameters: Any = None) -> Result[Any]:
        """Run a Core statement."""
        return self.connection.execute(statement, parameters)

    def attempt(self, work: "Callable[[Transaction], T]") -> T:
        """Do `work` within a savepoint: what it raises undoes its own changes alone, and is the caller's to answer."""
        inner = Transaction(self.connection)
        inner.now = self.now
        savepoint = self.connection.begin_nested()
        try:
            answer = work(inner)
            inner._finish()
        except BaseException:
            inner._close()
            savepoint.rollback()
            raise
        inner._close()
        savepoint.commit()
        self._appended += inner._appended
        return answer

    def append(self, table: Table, row: dict[str, Any], seal: "Seal | None" = None) -> None:
        """Write `row` to `table` at the end of the batch, so that ids grow in the order of commits.

        `seal` completes all rows of the table once their order is certain, as in a chain of hashes.
        """
        self._appended.append((table, row, seal))

    def _finish(self) -> None:
        if self._session is not None:
            self._session.flush()
            self._session.commit()

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()


Seal = Callable[[Connection, list[dict[str, Any]]], list[dict[str, Any]]]
_Appended = tuple[Table, dict[str, Any], Seal | None]
Work = Callable[[Transaction], Any]
TogetherWork = Callable[[Transaction, Sequence[Any]], Sequence[Any]]
Listener = Callable[[Collection[Table]], None]


class _Piece:
    """One piece of work that waits for its commit; in an event loop, if it came from one."""

    __slots__ = ("future", "item", "loop", "together", "work")

    def __init__(
        self,
        work: Work | None,
        together: TogetherWork | None = None,
        item: Any = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.work = work
        self.together = together
        self.item = item
        self.loop = loop
        self.future: Any = loop.create_future() if loop else Future()


class Database:
    """One database: reads from any number of places, writes from one."""

    def __init__(self, url: str, *, readers: int = 4) -> None:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        self.url = address
        self.is_sqlite = address.get_backend_name() == "sqlite"
        if self.is_sqlite and address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        self.writes = _engine(address, writing=True)
        self.reads = _engine(address, writing=False, readers=readers)
        self._listeners: list[Listener] = []
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._inline: Connection | None = None
        self._writer: _Writer | None = None
        self._starting = threading.Lock()

    # reading

    async def read(self, query: Callable[[Connection], T]) -> T:
        """The answer of a query whose rows are bounded: on SQLite in the event loop, where it takes
        microseconds; on PostgreSQL, where it crosses the network, in a thread.

        :raises Unavailable: the database does not answer
        """
        if not self.is_sqlite:
            return await self.read_unbounded(query)
        with _translated():
            if self._inline is None:
                self._inline = self.reads.connect()
            return query(self._inline)

    async def read_unbounded(self, query: Callable[[Connection], T]) -> T:
        """The answer of a query that may take long, from a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_now, query)

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """The answer of a query, for callers without an event loop."""
        with _translated(), self.reads.connect() as connection:
            return query(connection)

    def generation(self) -> int | None:
        """A number that stays the same as long as nobody commits anything; None where the engine counts no commits.

        SQLite counts for each connection the commits of all others, in every process: a few microseconds to ask.
        """
        if not self.is_sqlite:
            return None
        try:
            with _translated():
                if self._inline is None:
                    self._inline = self.reads.connect()
                raw = self._inline.connection.dbapi_connection
                return int(raw.execute("PRAGMA data_version").fetchone()[0]) if raw is not None else None
        except Unavailable:
            return None

    # writing

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in the next batch; its answer comes after the commit.

        :raises DomainError: what the work raised; only its own changes are undone
        :raises Unavailable: the database is locked, full or gone; nothing was saved
        """
        return await self._hand_over(_Piece(work, loop=asyncio.get_running_loop()))  # type: ignore[no-any-return]

    async def write_together(
        self, work: Callable[[Transaction, Sequence[A]], Sequence[R | DomainError]], item: A
    ) -> R:
        """Do `work` once for all the items that wait for it; it answers each, with an error as a value."""
        return await self._hand_over(_Piece(None, work, item, asyncio.get_running_loop()))  # type: ignore[no-any-return]

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` and wait, for callers without an event loop."""
        answer: T = self._hand_over(_Piece(work)).result()
        return answer

    def _hand_over(self, piece: _Piece) -> Any:
        if self._writer is None:
            with self._starting:
                if self._writer is None:
                    self._writer = _Writer(self.writes, self._tell)
                    self._writer.start()
        self._writer.waiting.put(piece)
        return piece.future

    # afterwards

    def after_commit(self, listener: Listener) -> None:
        """Call `listener`, in the writer's thread, with the tables that a commit has appended rows to."""
        self._listeners.append(listener)

    def _tell(self, appended: Collection[Table]) -> None:
        for listener in self._listeners:
            try:
                listener(appended)
            except Exception:
                log.exception("after_commit_listener_failed")

    def tidy(self, *tables: Table) -> None:
        """Let go of what was deleted from `tables`, as far as the engine can.

        PostgreSQL keeps old rows until then, SQLite keeps old pages in its write-ahead log. Where another connection
        is in the way, it is left for the engine's own time.
        """
        names = ", ".join(table.name for table in tables)
        statement = "PRAGMA wal_checkpoint(TRUNCATE)" if self.is_sqlite else f"VACUUM {names}"
        try:
            self.read_now(lambda connection: connection.exec_driver_sql(statement))
        except Unavailable:
            log.warning("not_tidied")

    def check(self) -> None:
        """Answer a trivial question.

        :raises Unavailable: the database does not answer
        """
        self.read_now(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    def writer_counts(self) -> tuple[int, int, int]:
        """For measurements: pieces of work that wait, batches since the start, pieces in them."""
        writer = self._writer
        return (writer.waiting.qsize(), writer.batches, writer.pieces) if writer else (0, 0, 0)

    def close(self) -> None:
        """Finish what waits, then let go of every connection."""
        if self._writer is not None:
            self._writer.waiting.put(None)
            self._writer.join()
            self._writer = None
        self._threads.shutdown()
        if self._inline is not None:
            self._inline.close()
            self._inline = None
        self.writes.dispose()
        self.reads.dispose()


class _Writer(threading.Thread):
    """The thread that writes: one batch, one commit, then the answers."""

    def __init__(self, engine: Engine, tell: Listener) -> None:
        super().__init__(name="writer", daemon=True)
        self.waiting: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self.batches = 0
        self.pieces = 0
        self._engine = engine
        self._tell = tell

    def run(self) -> None:
        """Take batches until told to end."""
        ended = False
        while not ended:
            batch, ended = self._take()
            if batch:
                self.batches += 1
                self.pieces += len(batch)
                self._serve(batch)

    def _take(self) -> tuple[list[_Piece], bool]:
        batch: list[_Piece] = []
        piece = self.waiting.get()
        while piece is not None:
            batch.append(piece)
            if len(batch) == BATCH:
                return batch, False
            try:
                piece = self.waiting.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _serve(self, batch: list[_Piece], *, tries: int = TRIES, once_more: bool = True) -> None:
        """Commit a batch and answer it.

        One that lost against another process's locks is tried again as it is. Where the database itself is at
        fault all are told so at once, since each would wait as long again; else each is tried by itself. A piece
        that was by itself is tried `once_more` if another process's commit may have been in its way: now its rules
        see that, and say what is wrong.
        """
        try:
            self._commit(batch)
        except Exception as error:  # noqa: BLE001 -- whoever waits is told, whatever it was
            if tries > 1 and _lost_against_locks(error):
                self._serve(batch, tries=tries - 1, once_more=once_more)
                return
            named = _named(error)
            is_last = len(batch) == 1 and not (once_more and _may_have_lost_a_race(error))
            if is_last or isinstance(named, Unavailable):
                _answer([(piece, named) for piece in batch])
                return
            for piece in batch:
                self._serve([piece], once_more=len(batch) > 1)

    def _commit(self, batch: list[_Piece]) -> None:
        answers: list[tuple[_Piece, Any]] = []
        appended: list[_Appended] = []
        groups = list(_grouped(batch))
        with self._engine.connect() as connection, connection.begin():
            for group in groups:
                answers += _attempt(connection, group, appended, alone=len(groups) == 1)
            written = _write_appended(connection, appended)
        if written:
            self._tell(written)
        _answer(answers)


def _answer(answers: Iterable[tuple[_Piece, Any]]) -> None:
    """Give each piece its answer. An event loop is woken once for all that wait in it."""
    waiting: dict[asyncio.AbstractEventLoop, list[tuple[Any, Any]]] = {}
    for piece, answer in answers:
        if piece.loop is None:
            _settle([(piece.future, answer)])
        else:
            waiting.setdefault(piece.loop, []).append((piece.future, answer))
    for loop, settled in waiting.items():
        with suppress(RuntimeError):  # the loop has ended: nobody waits in it any more
            loop.call_soon_threadsafe(_settle, settled)


def _settle(settled: Iterable[tuple[Any, Any]]) -> None:
    """Set futures that somebody still waits for."""
    for future, answer in settled:
        if future.done():
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _grouped(batch: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces that share a batched work in one group, the others alone, in the order of arrival."""
    groups: dict[Any, list[_Piece]] = {}
    for piece in batch:
        groups.setdefault(piece.together or piece, []).append(piece)
    yield from groups.values()


def _attempt(
    connection: Connection, group: list[_Piece], appended: list[_Appended], *, alone: bool
) -> list[tuple[_Piece, Any]]:
    """Do one group's work within a savepoint; a domain error undoes that and is its answer."""
    transaction = Transaction(connection)
    savepoint = None if alone and group[0].together else connection.begin_nested()
    try:
        first = group[0]
        if first.together is not None:
            answers = list(first.together(transaction, [piece.item for piece in group]))
        elif first.work is not None:
            answers = [first.work(transaction)]
        transaction._finish()
    except DomainError as error:
        if savepoint is None:
            raise
        transaction._close()
        savepoint.rollback()
        return [(piece, error) for piece in group]
    transaction._close()
    if savepoint is not None:
        savepoint.commit()
    appended += transaction._appended
    return list(zip(group, answers, strict=True))


def _write_appended(connection: Connection, appended: Iterable[_Appended]) -> Collection[Table]:
    """Write the appended rows, one statement a table; the tables."""
    rows_of: dict[Table, list[dict[str, Any]]] = {}
    seals: dict[Table, Seal] = {}
    for table, row, seal in appended:
        rows_of.setdefault(table, []).append(row)
        if seal is not None:
            seals[table] = seal
    if rows_of and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOG_LOCK})")
    for table, rows in rows_of.items():
        connection.execute(table.insert(), seals[table](connection, rows) if table in seals else rows)
    return rows_of.keys()


def _named(error: Exception) -> Exception:
    """The database's own failures by their name: locked, full, read-only or gone is `Unavailable`.

    What was raised first counts: a full disk ends the transaction, and then even its savepoint is unknown.
    """
    if isinstance(error, StopIteration):
        # No future takes it: whoever waits would wait for ever.
        stopped = RuntimeError("a piece of work has let a StopIteration out")
        stopped.__cause__ = error
        return stopped
    trouble = next((one for one in _chain(error) if isinstance(one, DBAPIError) and _is_trouble(one)), None)
    if trouble is not None:
        log.error("database_unavailable", reason=type(trouble.orig).__name__, engine_code=_code(trouble))
        return Unavailable("The database does not answer. Nothing was saved; please try again.")
    return error


def _lost_against_locks(error: Exception) -> bool:
    """Whether PostgreSQL ended the transaction so that another one could go on."""
    return any(isinstance(one, DBAPIError) and _code(one) in ("40001", "40P01") for one in _chain(error))


def _may_have_lost_a_race(error: Exception) -> bool:
    """Whether PostgreSQL found a key taken or gone, as it is when another process has committed in the meantime.

    SQLite lets one write at a time, so there the work has seen all that stands in its way.
    """
    return any(isinstance(one, DBAPIError) and _code(one) in ("23503", "23505") for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it followed from, the first one last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_trouble(error: DBAPIError) -> bool:
    """Whether the database is at fault, and not a statement of ours."""
    is_mistake = _code(error) in ("SQLITE_ERROR", "SQLITE_MISUSE")
    return error.connection_invalidated or (isinstance(error, OperationalError) and not is_mistake)


def _code(error: DBAPIError) -> str | None:
    """The engine's short name for a failure; never its text, which may carry data."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorname", None)
    return getattr(error.orig, "sqlstate", None)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        named = _named(error)
        if named is error:
            raise
        raise named from error


def _engine(address: Any, *, writing: bool, readers: int = 4) -> Engine:
    if address.get_backend_name() == "sqlite":
        return _sqlite(address, writing=writing, readers=readers)
    options: Mapping[str, Any] = {
        "pool_pre_ping": writing,
        "connect_args": {"connect_timeout": 5, "options": "-c lock_timeout=5s -c statement_timeout=30s"},
    }
    if writing:
        return create_engine(address, pool_size=1, max_overflow=0, **options)
    return create_engine(address, pool_size=readers, max_overflow=2, isolation_level="AUTOCOMMIT", **options)


def _sqlite(address: Any, *, writing: bool, readers: int) -> Engine:
    engine = create_engine(
        address,
        pool_size=1 if writing else readers + 1,
        max_overflow=0 if writing else 2,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S, "cached_statements": 512},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.create_function("lower", 1, _lower, deterministic=True)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-32000")
        connection.execute("PRAGMA temp_store=MEMORY")
        if not writing:
            connection.execute("PRAGMA query_only=ON")

    if writing:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _lower(value: Any) -> Any:
    """What `lower` answers on SQLite, whose own knows the letters of ASCII alone."""
    return value.lower() if isinstance(value, str) else value
