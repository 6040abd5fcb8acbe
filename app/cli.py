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
audit = typer.Typer(help="The audit log: who did what to whom.", no_args_is_help=True)
app.add_typer(programme, name="programme")
app.add_typer(person, name="person")
provider = typer.Typer(help="Identity providers, with whose accounts people sign in.", no_args_is_help=True)
client = typer.Typer(help="Machines that get tokens of their own.", no_args_is_help=True)
app.add_typer(token, name="token")
app.add_typer(client, name="client")
app.add_typer(audit, name="audit")
app.add_typer(provider, name="provider")

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


@person.command("administrator")
def name_administrator(
    email: Annotated[str, typer.Argument(help="Who, by mail address.")],
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Let them be one no longer.")] = False,
) -> None:
    """Make someone an instance administrator: who runs the installation, whatever the programme."""
    settings = _prepared()
    from app.services import administrators, people

    def work(tx: "Transaction") -> str:
        who = people.with_email(tx.connection, email)
        (administrators.withdraw if withdraw else administrators.name)(tx, None, who.person_id or 0)
        return who.name

    name = _write(settings, work)
    _say(f"{name} is {'no longer ' if withdraw else ''}an instance administrator.")


@audit.command("verify")
def verify_audit(
    file: Annotated[
        Path | None, typer.Argument(help="An export (.jsonl or .csv).  [default: the database]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk the chain of the audit log, or of an export of it; status 0 if all is well, 1 if not, 2 if unreadable."""
    from app.services import audit_files, audit_log

    if file is None:
        with _database(_prepared()) as database:
            found = database.read_now(audit_log.verify)
    else:
        try:
            found = audit_files.walk(file)
        except ValueError as error:
            _complain(str(error))
            raise typer.Exit(2) from None
    if as_json:
        _print_json(audit_files.as_json(found))
    else:
        typer.echo("\n".join(audit_files.told(found)))
    if not audit_files.is_well(found, is_part=file is not None):
        raise typer.Exit(1)


@person.command("invite")
def invite_person(
    of: Annotated[str, typer.Option("--programme", help="To which programme (its slug).")],
    organisation: Annotated[str, typer.Option(help="For which organisation, by its exact name.")],
    role: Annotated[str, typer.Option(help="As what, such as coordinator.")] = "participant",
    email: Annotated[str, typer.Option(help="Also mail it there, where mail is set up.")] = "",
    provider: Annotated[str, typer.Option(help="Good for a sign-in at this identity provider alone.")] = "",
    days: Annotated[int, typer.Option(min=1, max=60, help="How many days it is good for.")] = 14,
) -> None:
    """Invite someone and print the address, alone, on standard output: so the first coordinator comes in."""
    settings = _prepared()
    from app.services import invitations, organisations

    def work(tx: "Transaction") -> Any:
        there = organisations.named(tx.connection, of, organisation)
        return invitations.invite(
            tx,
            None,
            there.id,
            programme_id=there.programme_id,
            role=role,
            email=email,
            provider=provider or None,
            days=days,
        )

    typer.echo(f"{settings.base_url}/invitations/{_write(settings, work).token}")


Who = Annotated[str, typer.Argument(metavar="WHO", help="A mail address, or the person's number.")]


@person.command("export")
def export_person(
    who: Who,
    file: Annotated[Path, typer.Argument(help="Where to, a zip; must not be there yet.")],
    language: Annotated[str, typer.Option(help="Of the page to read: en or sl.")] = "en",
) -> None:
    """Write a copy of all that is kept about someone to FILE, for them; it is noted in the audit log."""
    settings = _prepared()
    from app.services import data_exports, operator
    from app.web import data_files
    from app.web.templating import Templates

    if file.exists():
        _fail(f"{file} is there already.")
    with _database(settings) as database:
        person_id = database.read_now(lambda connection: operator.found(connection, who))
        database.write_now(lambda tx: data_exports.note_operators(tx, person_id))
        made = database.read_now(
            lambda connection: data_files.make(connection, Templates(), person_id, language)
        )
    file.touch(mode=0o600)
    file.write_bytes(made)
    _say(f"{file} holds the data of person {person_id} ({len(made):,} bytes). Give it to them alone.")


@person.command("erase")
def erase_person(
    who: Who,
    with_texts: Annotated[
        bool, typer.Option("--with-texts", help="Take back their ideas and comments as well.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase someone: nothing says any more who they were. It cannot be undone, and is noted in the audit log."""
    settings = _prepared()
    from app.services import erasure, operator

    with _database(settings) as database:
        person_id = database.read_now(lambda connection: operator.found(connection, who))
        if not yes:
            typer.confirm(f"Erase person {person_id} for good?", abort=True, err=True)
        database.write_now(lambda tx: erasure.erase_by_operator(tx, person_id, with_texts=with_texts))
        erasure.tidy(database)
    _say(f"Erased: person {person_id}. What still holds their data: backups, and mails that were sent.")


@token.command("create")
def create_token(
    email: Annotated[str, typer.Option("--person", help="Whose token, by mail address.")],
    scopes: Annotated[
        str, typer.Option(help="What for: read, write, vote, book, admin; with commas.")
    ] = "read",
    name: Annotated[str, typer.Option(help="What it is for, to know it again.")] = "command line",
    expires_days: Annotated[int, typer.Option(min=1, max=366, help="How many days it is good for.")] = 90,
    of: Annotated[
        str | None, typer.Option("--programme", help="Good in this programme alone (its slug).")
    ] = None,
) -> None:
    """Make a token and print it, alone, on standard output; it is shown this once."""
    settings = _prepared()
    from app.services import tokens

    def work(tx: "Transaction") -> Any:
        actor, programme_id = _acting_for(tx, email, of)
        return tokens.create(
            tx, actor, name=name, scopes=_words(scopes), days=expires_days, programme_id=programme_id
        )

    typer.echo(_write(settings, work).token)


@provider.command("key")
def make_provider_key(
    file: Annotated[Path, typer.Argument(help="Where to; must not be there yet.")],
) -> None:
    """Make a key with which we prove ourselves to a provider (private_key_jwt); only its owner may read FILE."""
    from app.integrations import client_keys

    try:
        made = client_keys.make(file)
    except FileExistsError:
        _fail(f"{file} is there already, and a key is never written over. Choose another name.")
    _say(f'Written. Put "{file.name}" first in client_keys; it will be published as {made.kid}.')


@client.command("create")
def create_client(
    of: Annotated[str, typer.Option("--programme", help="Where it belongs (its slug).")],
    by: Annotated[
        str, typer.Option(help="Who answers for it, by mail address: a coordinator of the programme.")
    ],
    name: Annotated[str, typer.Option(help="What it is called.")],
    organisation: Annotated[str, typer.Option(help="Good for this organisation alone (its name).")] = "",
    role: Annotated[str, typer.Option(help="Its role in the programme.")] = "observer",
    scopes: Annotated[str, typer.Option(help="What for: read, write, admin, scim; with commas.")] = "read",
    keys: Annotated[
        Path | None,
        typer.Option(help="Its public keys, a file with a JWK set; without them it gets a secret."),
    ] = None,
    expires_days: Annotated[
        int | None,
        typer.Option(min=1, max=366, help="How many days it is good for.  [default: until revoked]"),
    ] = None,
) -> None:
    """Make an account for a machine; prints its client_id and its secret as JSON, this once."""
    settings = _prepared()
    from app.services import clients, operator

    draft = clients.Draft(
        name=name,
        role=role,
        scopes=_words(scopes),
        method=clients.KEYS if keys else clients.SECRET,
        keys=keys.read_text(encoding="utf-8") if keys else "",
        days=expires_days,
    )

    def work(tx: "Transaction") -> Any:
        actor, programme_id = _acting_for(tx, by, of)
        place = (
            operator.organisation(tx.connection, programme_id or 0, organisation) if organisation else None
        )
        return clients.create(tx, actor, programme_id or 0, place, draft)

    made = _write(settings, work)
    _print_json(
        {"id": made.id, "client_id": made.client_id} | ({"client_secret": made.secret} if made.secret else {})
    )


@client.command("list")
def list_clients(as_json: AsJson = False) -> None:
    """All machines with what they may do, and when they were last here."""
    settings = _prepared()
    from app.services import operator

    with _database(settings) as database:
        _print_rows(database.read_now(operator.clients), as_json=as_json)


@client.command("revoke")
def revoke_client(
    id: Annotated[int, typer.Argument(help="Its number, from `client list`.")],
    by: Annotated[str, typer.Option(help="Who answers for it, by mail address.")],
) -> None:
    """End a machine's account and its tokens, at once and for good."""
    settings = _prepared()
    from app.services import clients

    _write(settings, lambda tx: clients.revoke(tx, _acting_for(tx, by, None)[0], id))
    _say("Its tokens hold no longer.")


# what the commands share


def _acting_for(tx: "Transaction", email: str, slug: str | None) -> tuple[Any, int | None]:
    """Whom an operator acts for, as freshly signed in as someone at this keyboard is; and a programme's id."""
    from dataclasses import replace

    from app.services import people, programmes

    actor = replace(people.with_email(tx.connection, email), authenticated_at=tx.now)
    return actor, None if slug is None else programmes.by_slug(tx.connection, actor, slug).id


def _words(listed: str) -> list[str]:
    """What stands between commas."""
    return [word.strip() for word in listed.split(",") if word.strip()]


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
