"""Backups: a copy of the whole database while it is in use, and its way back."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

from app.errors import Conflict, NotFound, Unavailable
from app.lib.i18n import N_

Progress = Callable[[int, int], None]
"""Told how much is done of how much."""

PAGES: Final = 2000
"""Pages copied at a time, so that writers get their turn between."""


def save(url: str, file: Path, progress: Progress) -> None:
    """Write the database at `url` to `file`, as of one instant; the file appears when it is complete.

    :raises Conflict: `file` is there already
    :raises NotFound: there is no such database
    :raises Unavailable: the database or its tools do not answer
    """
    if file.exists():
        raise Conflict(N_("%(file)s exists already. Choose another name, or remove it first."), file=file)
    address = make_url(url)
    partial = file.with_name(file.name + ".partial")
    try:
        if address.get_backend_name() == "sqlite":
            _copy(_existing(Path(address.database or "")), partial, progress)
        else:
            _run(["pg_dump", "--format=custom", "--no-owner", f"--file={partial}"], address)
        partial.chmod(0o600)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def bring_back(url: str, file: Path, progress: Progress, *, replace: bool = False) -> None:
    """Put what `save` wrote back into the database at `url`; all or nothing.

    :raises NotFound: there is no such file
    :raises Conflict: it is no backup of ours, or the database holds something and `replace` was not said
    :raises Unavailable: the database or its tools do not answer
    """
    address = make_url(url)
    _existing(file)
    if address.get_backend_name() == "sqlite":
        _require_ours(file)
        target = Path(address.database or "")
        if target.exists() and not replace:
            raise _occupied()
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(file, target, progress)
        return
    if not replace and _has_tables(address):
        raise _occupied()
    _run(
        [
            "pg_restore",
            "--no-owner",
            "--clean",
            "--if-exists",
            "--single-transaction",
            "--exit-on-error",
            f"--dbname={address.database}",
            str(file),
        ],
        address,
    )


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """Copy a SQLite database through its own backup interface, which writers do not disturb."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as there,
            closing(sqlite3.connect(target, timeout=10)) as here,
        ):
            there.backup(
                here,
                pages=PAGES,
                sleep=0.01,
                progress=lambda _, remaining, total: progress(total - remaining, total),
            )
    except sqlite3.Error as error:
        raise Unavailable(
            N_("SQLite could not copy the database: %(reason)s."), reason=error.sqlite_errorname
        ) from error


def _require_ours(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as found:
            is_whole = found.execute("PRAGMA quick_check").fetchone() == ("ok",)
            is_ours = found.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.DatabaseError:
        is_whole = is_ours = False
    if not (is_whole and is_ours):
        raise Conflict(N_("%(file)s is not a whole backup of this application."), file=file)


def _has_tables(address: URL) -> bool:
    found = _run(
        ["psql", "--no-psqlrc", "--tuples-only", "--command=SELECT to_regclass('alembic_version')"], address
    )
    return bool(found.strip())


def _run(command: list[str], address: URL) -> str:
    """Run one of PostgreSQL's own programs; the password goes by the environment, where `ps` does not show it."""
    program = shutil.which(command[0])
    if program is None:
        raise Unavailable(
            N_("%(program)s is not installed. It comes with PostgreSQL's client programs."),
            program=command[0],
        )
    done = subprocess.run(  # noqa: S603 -- a fixed program, and no shell
        [program, *command[1:]], env=os.environ | _libpq(address), capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [""]
        raise Unavailable(
            N_("%(program)s failed: %(reason)s"), program=command[0], reason=lines[0].removesuffix(".") + "."
        )
    return done.stdout


def _libpq(address: URL) -> dict[str, str]:
    told = {
        "PGHOST": address.host or address.query.get("host"),
        "PGPORT": address.port,
        "PGUSER": address.username,
        "PGPASSWORD": address.password,
        "PGDATABASE": address.database,
        "PGSSLMODE": address.query.get("sslmode"),
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise NotFound(N_("There is no file %(file)s."), file=file)
    return file


def _occupied() -> Conflict:
    return Conflict(N_("The database holds something already. Say --replace to give it up for the backup."))
