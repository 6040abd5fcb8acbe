"""The `partnership` command: everything an operator does."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from app.database import Database, Transaction
    from app.settings import Settings

T = TypeVar("T")

FACTORY = "app.main:create_app"

app = typer.Typer(
    name="partnership",
    help="Civil servants and company employees solve public challenges together.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
programme = typer.Typer(help="Programmes: one run of a partnership in one place.", no_args_is_help=True)
person = typer.Typer(help="People and their places.", no_args_is_help=True)
token = typer.Typer(help="Access tokens for programs.", no_args_is_help=True)
app.add_typer(programme, name="programme")
app.add_typer(person, name="person")
app.add_typer(token, name="token")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Parent = Annotated[int | None, typer.Option(hidden=True)]


def main() -> NoReturn:
    """Run one command; a failure is one plain line on standard error and status 1."""
    try:
        app(prog_name="partnership")
    except Exception as error:
        message = _plainly(error)
        if message is None:
            raise
        _complain(message)
        raise SystemExit(1) from None
    raise SystemExit(0)


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.  [default: PARTNERSHIP_HOST]")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.  [default: PARTNERSHIP_PORT]")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes on that port.")] = 1,
    jobs: Annotated[bool, typer.Option("--jobs/--no-jobs", help="Also run the worker for jobs.")] = True,
    leave_seconds: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Told to end, take requests for so long.  [default: 0 in the demo, else 2]",
        ),
    ] = None,
    descriptor: Annotated[int | None, typer.Option(hidden=True)] = None,
    parent: Parent = None,
) -> None:
    """Serve pages, the API and live updates, until SIGTERM or Ctrl+C."""
    settings = _prepared()
    from app.web import processes, server

    if parent is not None:
        processes.end_with(parent)
    if leave_seconds is None:
        leave_seconds = 0.0 if settings.environment == "demo" else 2.0
    place = server.Place(host or settings.host, port or settings.port, descriptor)
    if descriptor is None:
        _require_tables(settings)
        _say(f"Serving {settings.base_url} on {place.host}:{place.port}. Ctrl+C ends it.")
    processes.leave_on_signal()
    with _worker(wanted=jobs):
        if workers > 1:
            _serve_together(place, workers, leave_seconds)
        elif not server.serve(FACTORY, settings, place, leave_s=leave_seconds):
            raise SystemExit(1)


@app.command()
def worker(parent: Parent = None) -> None:
    """Do jobs, such as sending mail, until SIGTERM or Ctrl+C; `serve` runs one by itself."""
    settings = _prepared()
    from app.jobs import worker as jobs

    jobs.main(settings, parent=parent)


@app.command()
def migrate() -> None:
    """Lead the database to this version's tables; makes it where there is none."""
    settings = _prepared()
    from app.services import schema

    schema.migrate(settings.database)
    _say(f"The database is at revision {schema.head()}.")


@app.command()
def demo(
    scale: Annotated[
        int, typer.Option(min=1, max=1000, help="That many times as large, for benchmarks.")
    ] = 1,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Leave a filled database alone.")] = False,
) -> None:
    """Fill an empty database with the demo programme; refuses another."""
    settings = _prepared()
    from app.demo import fill

    if settings.environment == "production":
        _fail("The demo does not go into production: its people can be signed in as by anyone.")
    with _database(settings) as database:
        if if_empty and not database.read_now(fill.is_empty):
            _move_logins(settings, database)
            return
        with _progress("Writing the demo programme") as advance:
            rows = fill.fill(database, scale=scale, progress=advance, base_url=settings.base_url)
    _say(f"Written: {rows['person']:,} people, {rows['idea']:,} ideas, {rows['support']:,} times support.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Where to; must not be there yet.")]) -> None:
    """Copy the whole database to FILE while it is in use."""
    settings = _prepared()
    from app.services import backups

    with _progress("Copying") as advance:
        backups.save(settings.database, file, advance)
    _say(f"{file} holds the database ({file.stat().st_size:,} bytes). It holds personal data: keep it safe.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Give up what the database holds.")] = False,
) -> None:
    """Put FILE back into the database, which must not be there yet; end the server first."""
    settings = _prepared()
    from app.services import backups, schema

    with _progress("Copying") as advance:
        backups.bring_back(settings.database, file, advance, replace=replace)
    schema.migrate(settings.database)
    _say("The database is back, with this version's tables.")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at configuration, database, Redis, identity providers, mail and disk; say how to mend what is wrong."""
    settings = _prepared()
    from dataclasses import asdict

    from app.services import doctor as surgery

    findings = surgery.look(settings)
    if as_json:
        _print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _print_finding(finding)
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A ballot's published log.")],
    receipt: Annotated[str | None, typer.Option(help="Also say how this receipt stands in it.")] = None,
    root: Annotated[str | None, typer.Option(help="The root from the mail to observers.")] = None,
    key: Annotated[
        str | None, typer.Option(help="The key from that mail: its fingerprint, or all of it.")
    ] = None,
    ballot: Annotated[int | None, typer.Option(help="The ballot's number, from its address.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count a ballot again from its published log alone; status 0 if all is well, 1 if not, 2 if it cannot be read."""
    from app.methods.log_check import Expected
    from app.methods.log_reader import Unreadable
    from app.services import verification

    try:
        report = verification.verify(file, Expected(root, key, ballot), receipt)
    except Unreadable as error:
        _complain(str(error))
        raise typer.Exit(2) from None
    if as_json:
        _print_json(verification.as_json(report))
    else:
        typer.echo("\n".join(verification.told(report)))
    if not report.is_whole:
        raise typer.Exit(1)


@app.command()
def tally(
    file: Annotated[Path, typer.Argument(help="An election as JSON, or as a Pabulib .pb file.")],
    method: Annotated[str, typer.Option(help="For .pb files: the method, if another than is usual.")] = "",
    rule: Annotated[str, typer.Option(help="How sectors decide together, if not as the file says.")] = "",
    seats: Annotated[int, typer.Option(min=0, help="How many win, if not as the file says.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Count an election from FILE alone; status 2 if it cannot be read."""
    from app.errors import Invalid
    from app.services import tally as tallying

    try:
        report = tallying.tally(file, method=method, rule=rule, seats=seats)
    except (Invalid, OSError) as error:
        _complain(_plainly(error) or str(error))
        raise typer.Exit(2) from None
    if as_json:
        _print_json(tallying.as_json(report))
    else:
        typer.echo("\n".join(tallying.told(report)))


@programme.command("create")
def create_programme(
    slug: Annotated[str, typer.Argument(help="Its name in addresses, such as `slovenia-2026`.")],
    name: Annotated[str, typer.Option(help="Its name for people.")],
    language: Annotated[str, typer.Option(help="Its own language: en or sl.")] = "en",
    description: Annotated[str, typer.Option(help="What it is about, in a few sentences.")] = "",
) -> None:
    """Create a programme with the sectors public and business; prints its id."""
    settings = _prepared()
    from app.services import programmes

    made = _write(
        settings,
        lambda tx: programmes.create(tx, slug=slug, name=name, language=language, description=description),
    )
    typer.echo(made)


@programme.command("list")
def list_programmes(as_json: AsJson = False) -> None:
    """All programmes."""
    settings = _prepared()
    from app.services import operator

    with _database(settings) as database:
        _print_rows(database.read_now(operator.programmes), as_json=as_json)


@person.command("list")
def list_people(
    of: Annotated[
        str | None, typer.Option("--programme", help="Only those of this programme (its slug).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Everyone with their place and role."""
    settings = _prepared()
    from app.services import operator

    with _database(settings) as database:
        _print_rows(database.read_now(lambda connection: operator.people(connection, of)), as_json=as_json)


@token.command("create")
def create_token(
    email: Annotated[str, typer.Option("--person", help="Whose token, by mail address.")],
    scopes: Annotated[
        str, typer.Option(help="What for: read, write, vote, book, admin; with commas.")
    ] = "read",
    name: Annotated[str, typer.Option(help="What it is for, to know it again.")] = "command line",
    expires_days: Annotated[int, typer.Option(min=1, max=366, help="How many days it is good for.")] = 90,
) -> None:
    """Make a token and print it, alone, on standard output; it is shown this once."""
    settings = _prepared()
    from app.services import people, tokens

    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]

    def work(tx: "Transaction") -> Any:
        actor = people.with_email(tx.connection, email)
        return tokens.create(tx, actor, name=name, scopes=wanted, days=expires_days)

    typer.echo(_write(settings, work).token)


# what the commands share


def _prepared() -> "Settings":
    """The settings, with logs on their way to standard error."""
    from app.lib import logging
    from app.settings import settings

    found = settings()
    logging.configure(found.log_format)
    return found


@contextmanager
def _database(settings: "Settings") -> Iterator["Database"]:
    from app.database import Database

    _require_tables(settings)
    database = Database(settings.database, readers=1)
    try:
        yield database
    finally:
        database.close()


def _write(settings: "Settings", work: "Callable[[Transaction], T]") -> T:
    with _database(settings) as database:
        return database.write_now(work)


def _require_tables(settings: "Settings") -> None:
    """Stop where the database is not there, or is of another version."""
    from app.database import Database
    from app.services import schema

    is_file = settings.database.startswith("sqlite:///")
    found = None
    if not is_file or Path(settings.database.removeprefix("sqlite:///")).exists():
        database = Database(settings.database, readers=1)
        try:
            found = database.read_now(schema.revision)
        finally:
            database.close()
    if found is None:
        _fail("There are no tables in the database yet. Run: partnership migrate")
    if found != schema.head():
        _fail(
            f"The database is at revision {found}, this version needs {schema.head()}. Run: partnership migrate"
        )


def _serve_together(place: Any, workers: int, leave_seconds: float) -> None:
    """Several processes on one socket; this one holds it and looks after them."""
    from app.web import processes

    opened = place.sockets()[0]
    opened.set_inheritable(True)
    arguments = [
        "serve",
        "--no-jobs",
        "--descriptor",
        str(opened.fileno()),
        "--leave-seconds",
        str(leave_seconds),
    ]
    arguments += ["--host", place.host, "--port", str(place.port)]
    children = [
        processes.Child(f"server-{number}", arguments, descriptors=[opened.fileno()])
        for number in range(1, workers + 1)
    ]
    for child in children:
        child.start()
    try:
        processes.wait_for_signal()
    finally:
        processes.end(children)


@contextmanager
def _worker(*, wanted: bool) -> Iterator[None]:
    """The worker for jobs, beside the server."""
    from app.web import processes

    children = [processes.Child("worker", ["worker"])] if wanted else []
    for child in children:
        child.start()
    try:
        yield
    finally:
        processes.end(children)


def _move_logins(settings: "Settings", database: "Database") -> None:
    """The demo's identity provider is part of its address; with another port its people keep their accounts."""
    from app.integrations import identity_providers as known
    from app.services import people

    issuers = [
        (f"{known.DEMO_PATH}/{id}", known.demo_issuer(settings, id)) for id, _, _ in known.DEMO_ISSUERS
    ]
    if settings.identity_providers is None:
        database.write_now(lambda tx: people.move_logins(tx, issuers))


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn(what),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_rows(rows: Sequence[Any], *, as_json: bool) -> None:
    if as_json:
        _print_json([dict(row._mapping) for row in rows])  # noqa: SLF001 -- SQLAlchemy's public name for it
        return
    if not rows:
        _say("None yet.")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*rows[0]._fields, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console = Console()
    console.print(table, soft_wrap=not console.is_terminal)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _print_finding(finding: Any) -> None:
    mark, colour = {"ok": ("ok", "green"), "warning": ("mind", "yellow"), "bad": ("BAD", "red")}[
        finding.state
    ]
    typer.echo(f"{typer.style(f'{mark:>4}', fg=colour)}  {finding.name}: {finding.says}")
    if finding.mend and finding.state != "ok":
        typer.echo(f"      → {finding.mend}")


def _plainly(error: Exception) -> str | None:
    """A failure in plain words, or None where only a traceback helps."""
    from pydantic import ValidationError
    from sqlalchemy.exc import SQLAlchemyError

    from app.errors import DomainError, Invalid

    if isinstance(error, ValidationError):
        return "\n".join(_told_of_setting(found) for found in error.errors(include_input=False))
    if isinstance(error, Invalid) and error.errors:
        return "\n".join(f"{wrong.field}: {wrong.message % dict(wrong.values)}" for wrong in error.errors)
    if isinstance(error, DomainError):
        return error.message % error.values if error.values else error.message
    if isinstance(error, SQLAlchemyError):
        return f"The database does not answer ({type(error).__name__}). Try: partnership doctor"
    if isinstance(error, OSError):
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}."
    return str(error) if isinstance(error, ValueError) else None


def _told_of_setting(found: Any) -> str:
    message = str(found["msg"]).removeprefix("Value error, ")
    if not found["loc"]:
        return message
    return f"PARTNERSHIP_{'_'.join(map(str, found['loc'])).upper()}: {message}"


def _say(message: str) -> None:
    """A word to whoever watches; standard output is for what was asked for."""
    typer.echo(message, err=True)


def _complain(message: str) -> None:
    typer.echo(f"partnership: {message}", err=True)


def _fail(message: str) -> NoReturn:
    _complain(message)
    raise typer.Exit(1)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
