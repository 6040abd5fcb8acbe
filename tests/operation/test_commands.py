"""The `partnership` command, as an operator runs it: real processes, real databases."""

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import chdir, closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from unittest.mock import patch
from urllib.error import URLError
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from app import cli
from app.lib import logging
from app.services.audit import SEALED
from app.settings import settings
from tests.factories.databases import Server
from tests.with_servers import free_port

ROOT = Path(__file__).parent.parent.parent
COMMANDS = [
    ["serve"], ["worker"], ["migrate"], ["demo"], ["backup"], ["restore"], ["doctor"],
    ["programme", "create"], ["programme", "list"], ["person", "list"], ["person", "invite"],
    ["person", "administrator"], ["person", "export"], ["person", "erase"], ["audit", "verify"],
    ["token", "create"], ["verify"], ["tally"],
    ["client", "create"], ["client", "list"], ["client", "revoke"],
]  # fmt: skip


def environment(url: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARTNERSHIP_")}
    return kept | {"PARTNERSHIP_DATABASE_URL": url, "PYTHONPATH": str(ROOT)} | more


def partnership(url: str, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """The command, in this process: as a process of its own each call would take seconds to import."""
    given = ["partnership", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    settings.cache_clear()
    with (
        patch.dict(os.environ, environment(url, **more), clear=True),
        patch.object(sys, "argv", given),
        chdir("/"),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        cli.main()
    settings.cache_clear()
    logging.configure("json")
    return subprocess.CompletedProcess(given, int(ended.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture
def fresh(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/partnership.db"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('filled')}/partnership.db"
    assert partnership(url, "migrate").returncode == 0
    told = partnership(url, "demo")
    assert told.returncode == 0, told.stderr
    return url


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str], fresh: str) -> None:
    told = partnership(fresh, *command, "--help")
    assert told.returncode == 0
    assert "Usage: partnership " + " ".join(command) in told.stdout
    assert "--parent" not in told.stdout


def test_a_person_is_copied_and_erased_without_being_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/partnership.db"
    assert partnership(url, "migrate").returncode == 0
    assert partnership(url, "demo").returncode == 0
    people = json.loads(partnership(url, "person", "list", "--json").stdout)
    someone = next(each for each in people if each["role"] == "participant")
    copy = tmp_path / "copy.zip"
    told = partnership(url, "person", "export", someone["email"], copy)
    assert told.returncode == 0, told.stderr
    with zipfile.ZipFile(copy) as archive:
        assert someone["name"] in archive.read("account.json").decode()
    assert copy.stat().st_mode & 0o077 == 0
    assert partnership(url, "person", "export", someone["email"], copy).returncode == 1
    erased = partnership(url, "person", "erase", someone["person_id"], "--yes")
    assert erased.returncode == 0, erased.stderr
    for said in (told, erased):
        assert someone["name"] not in said.stdout + said.stderr
        assert someone["email"] not in said.stdout + said.stderr
    with closing(sqlite3.connect(tmp_path / "partnership.db")) as database:
        audited = database.execute("SELECT action FROM audit_entry ORDER BY id").fetchall()
    assert [action for (action,) in audited][-2:] == ["data.exported", "person.erased"]
    again = partnership(url, "person", "erase", someone["person_id"], "--yes")
    assert again.returncode == 1
    assert partnership(url, "person", "erase", "nobody@nowhere.example", "--yes").returncode == 1


def test_help_is_quick() -> None:
    loaded = "import sys, app.cli; print([m for m in ('fastapi', 'sqlalchemy', 'rich', 'dbos') if m in sys.modules])"
    told = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command", [["serve"], ["demo"], ["programme", "list"], ["token", "create", "--person", "x"]]
)
def test_without_tables_a_command_says_what_to_do(command: list[str], fresh: str) -> None:
    told = partnership(fresh, *command)
    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr == "partnership: There are no tables in the database yet. Run: partnership migrate\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--workers", "0"], ["token", "create"]])
def test_a_wrong_call_is_status_2_and_plain(arguments: list[str], fresh: str) -> None:
    told = partnership(fresh, *arguments)
    assert told.returncode == 2
    assert told.stdout == ""
    assert "Traceback" not in told.stderr


def test_production_does_not_start_with_the_demos_settings(fresh: str) -> None:
    told = partnership(fresh, "migrate", PARTNERSHIP_ENVIRONMENT="production")
    assert told.returncode == 1
    assert "PARTNERSHIP_SECRET_KEY" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_setting_that_cannot_be_read_is_named(fresh: str) -> None:
    told = partnership(fresh, "migrate", PARTNERSHIP_PORT="many")
    assert told.returncode == 1
    assert told.stderr.startswith("partnership: PARTNERSHIP_PORT: ")


def test_a_database_that_is_not_there_is_a_plain_line() -> None:
    told = partnership("postgresql://nobody:hunter2@127.0.0.1:1/none", "programme", "list")
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert "hunter2" not in told.stderr


def test_migrating_again_changes_nothing(fresh: str) -> None:
    assert partnership(fresh, "migrate").returncode == 0
    assert partnership(fresh, "migrate").returncode == 0


def test_the_demo_fills_an_empty_database_and_refuses_another(filled: str) -> None:
    told = partnership(filled, "demo")
    assert told.returncode == 1
    assert "not empty" in told.stderr
    assert partnership(filled, "demo", "--if-empty").returncode == 0


def test_the_demo_stays_out_of_production(fresh: str) -> None:
    partnership(fresh, "migrate")
    told = partnership(
        fresh, "demo", PARTNERSHIP_ENVIRONMENT="production", PARTNERSHIP_BASE_URL="https://x.example",
        PARTNERSHIP_SECRET_KEY="kJ8#mQ2$vN5^zX1&wB4*tR7(yU0)iO3-", PARTNERSHIP_IDENTITY_PROVIDERS="providers.toml",
    )  # fmt: skip
    assert told.returncode == 1
    assert "production" in told.stderr


def test_a_token_stands_alone_on_standard_output(filled: str) -> None:
    told = partnership(filled, "token", "create", "--person", "public@demo.example", "--scopes", "read,write")
    assert told.returncode == 0
    assert told.stdout.startswith("pfc_pat_")
    assert len(told.stdout.split()) == 1


def test_a_token_can_be_good_in_one_programme_alone(filled: str) -> None:
    of = ["token", "create", "--person", "public@demo.example", "--programme"]
    assert partnership(filled, *of, "demo", "--scopes", "read,admin").stdout.startswith("pfc_pat_")
    nowhere = partnership(filled, *of, "nowhere")
    assert (nowhere.returncode, nowhere.stdout) == (1, "")


def test_a_machine_is_made_listed_and_ended(filled: str, tmp_path: Path) -> None:
    by = ["--by", "coordinator@demo.example"]
    make = ["client", "create", "--programme", "demo", "--name", "Register", *by]
    made = json.loads(partnership(filled, *make, "--scopes", "read,write", "--role", "participant").stdout)
    assert made["client_secret"].startswith("pfc_cs_")
    keys = tmp_path / "keys.json"
    key = ECKey.generate_key("P-256").as_dict(private=False)
    keys.write_text(json.dumps({"keys": [key]}))
    keyed = json.loads(partnership(filled, *make, "--keys", keys).stdout)
    assert "client_secret" not in keyed
    listed = json.loads(partnership(filled, "client", "list", "--json").stdout)
    assert [(each["name"], each["scopes"]) for each in listed] == [
        ("Register", "read write"),
        ("Register", "read"),
    ]
    names = [each["name"] for each in json.loads(partnership(filled, "person", "list", "--json").stdout)]
    assert "Register" not in names
    assert partnership(filled, "client", "revoke", made["id"], *by).returncode == 0
    assert json.loads(partnership(filled, "client", "list", "--json").stdout)[0]["revoked"]
    for wrong in (
        ["client", "create", "--programme", "demo", "--name", "x", "--by", "public@demo.example"],
        [*make, "--organisation", "Nobody"],
        [*make, "--scopes", "vote"],
        ["client", "revoke", 999, *by],
    ):
        refused = partnership(filled, *wrong)
        assert (refused.returncode, refused.stdout) == (1, ""), wrong
        assert refused.stderr


def test_a_token_for_nobody_or_nothing_is_refused(filled: str) -> None:
    nobody = partnership(filled, "token", "create", "--person", "nobody@demo.example")
    nothing = partnership(
        filled, "token", "create", "--person", "public@demo.example", "--scopes", "read,fly"
    )
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "scopes: " in nothing.stderr


def test_programmes_and_people_are_listed_for_readers_and_for_scripts(filled: str) -> None:
    assert "demo" in partnership(filled, "programme", "list").stdout
    [programme] = json.loads(partnership(filled, "programme", "list", "--json").stdout)
    people = json.loads(partnership(filled, "person", "list", "--programme", "demo", "--json").stdout)
    assert programme["people"] == len(people) == 120
    assert {"person_id", "name", "email", "programme", "organisation", "role", "disabled"} == set(people[0])
    assert partnership(filled, "person", "list", "--programme", "none").returncode == 1


def test_a_programme_is_created_once(fresh: str) -> None:
    partnership(fresh, "migrate")
    assert partnership(fresh, "programme", "create", "here", "--name", "Here").stdout.strip() == "1"
    again = partnership(fresh, "programme", "create", "here", "--name", "Here")
    assert again.returncode == 1
    assert "Traceback" not in again.stderr
    assert partnership(fresh, "programme", "create", "Not A Slug", "--name", "x").returncode == 1


# instance administrators and the audit log


def test_an_instance_administrator_is_named_and_withdrawn(filled: str) -> None:
    email = "coordinator@demo.example"
    assert partnership(filled, "person", "administrator", email).returncode == 0
    told = partnership(filled, "person", "administrator", email, "--withdraw")
    assert "no longer an instance administrator" in told.stderr
    assert partnership(filled, "person", "administrator", "nobody@demo.example").returncode == 1


def test_the_audit_log_is_verified_and_so_is_an_export_of_it(filled: str, tmp_path: Path) -> None:
    partnership(filled, "token", "create", "--person", "host@demo.example")
    told = json.loads(partnership(filled, "audit", "verify", "--json").stdout)
    assert (told["whole"], told["broken"]) == (True, [])
    assert told["newest"] in partnership(filled, "doctor").stdout
    export = tmp_path / "audit.jsonl"
    path = filled.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        names = ", ".join(("id", *SEALED, "previous", "hash"))
        rows = connection.execute(f"SELECT {names} FROM audit_entry ORDER BY id").fetchall()
    lines = [dict(zip(("id", *SEALED, "previous", "hash"), row, strict=True)) for row in rows]
    for line in lines:
        line |= {
            "data": json.loads(line["data"]),
            "previous": line["previous"].hex(),
            "hash": line["hash"].hex(),
        }
        line["created_at"] = line["created_at"].replace(" ", "T") + "+00:00"
    export.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert partnership(filled, "audit", "verify", export).returncode == 0
    forged = [*lines[:-1], lines[-1] | {"actor_id": 1}]
    export.write_text("".join(json.dumps(line) + "\n" for line in forged))
    told_of_forged = partnership(filled, "audit", "verify", export)
    assert (told_of_forged.returncode, "BROKEN" in told_of_forged.stdout) == (1, True)
    export.write_text("no entry")
    assert partnership(filled, "audit", "verify", export).returncode == 2


def test_the_doctor_and_the_command_notice_a_changed_entry(fresh: str) -> None:
    partnership(fresh, "migrate")
    partnership(fresh, "programme", "create", "p", "--name", "P")
    assert partnership(fresh, "audit", "verify").returncode == 0
    with closing(sqlite3.connect(fresh.removeprefix("sqlite:///"))) as connection:
        connection.execute("DROP TRIGGER audit_entry_unchanged")
        connection.execute("UPDATE audit_entry SET action = 'x.y'")
        connection.commit()
    assert partnership(fresh, "audit", "verify").returncode == 1
    findings = {each["name"]: each for each in json.loads(partnership(fresh, "doctor", "--json").stdout)}
    assert findings["audit log"]["state"] == "bad"


# doctor


def test_the_doctor_finds_a_sound_installation_sound(filled: str) -> None:
    told = partnership(filled, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(told.stdout)}
    assert told.returncode == 0, told.stdout
    assert {
        "environment",
        "database",
        "tables",
        "durability",
        "jobs",
        "disk",
        "redis",
        "identity providers",
        "audit log",
    } <= set(findings)
    assert findings["secret"]["state"] == "warning"


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("DATABASE_URL", "sqlite:////nonexistent/x.db", "database"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "database"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "redis"),
        ("SMTP_URL", "smtp://127.0.0.1:1", "mail"),
        ("TRUSTED_PROXIES", "10.0.0.0/99", "trusted proxies"),
        ("RATE_LIMIT", "many", "rate limit"),
        ("IDENTITY_PROVIDERS", "/nonexistent.toml", "identity providers"),
    ],
)
def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(
    filled: str, setting: str, value: str, name: str
) -> None:
    told = partnership(filled, "doctor", "--json", **{f"PARTNERSHIP_{setting}": value})
    findings = {finding["name"]: finding for finding in json.loads(told.stdout)}
    assert told.returncode == 1
    assert findings[name]["state"] == "bad"
    assert findings[name]["mend"]
    assert "Traceback" not in told.stderr


def test_the_doctor_notices_tables_of_another_version(fresh: str) -> None:
    partnership(fresh, "migrate")
    with sqlite3.connect(fresh.removeprefix("sqlite:///")) as found:
        found.execute("UPDATE alembic_version SET version_num = '0000'")
    told = partnership(fresh, "doctor")
    assert told.returncode == 1
    assert "Run: partnership migrate" in told.stdout


@pytest.mark.postgres
def test_the_doctor_notices_a_database_that_knows_the_letters_of_ascii_alone(postgres_server: Server) -> None:
    name = f"pfc_ascii_{uuid4().hex[:12]}"
    postgres_server.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    try:
        url = postgres_server.url(name)
        partnership(url, "migrate")
        told = partnership(url, "doctor", "--json")
    finally:
        postgres_server.drop(name)
    findings = {finding["name"]: finding for finding in json.loads(told.stdout)}
    assert findings["letters"]["state"] == "warning"
    assert "LC_CTYPE" in findings["letters"]["mend"]


@pytest.mark.postgres
def test_the_doctor_finds_letters_beyond_ascii_known(postgres_url: str) -> None:
    told = partnership(postgres_url, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(told.stdout)}
    assert findings["letters"]["state"] == "ok"


# backups


def test_a_backup_comes_back_whole(filled: str, fresh: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    assert partnership(filled, "backup", file).returncode == 0
    assert file.stat().st_mode & 0o077 == 0
    assert partnership(fresh, "restore", file).returncode == 0
    assert (
        partnership(fresh, "programme", "list", "--json").stdout
        == partnership(filled, "programme", "list", "--json").stdout
    )


def test_a_backup_overwrites_nothing(filled: str, tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("precious")
    assert partnership(filled, "backup", file).returncode == 1
    assert file.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [file]


def test_restoring_gives_up_what_is_there_only_when_told(filled: str, fresh: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    partnership(filled, "backup", file)
    partnership(fresh, "migrate")
    refused = partnership(fresh, "restore", file)
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    assert json.loads(partnership(fresh, "programme", "list", "--json").stdout or "[]") == []
    assert partnership(fresh, "restore", file, "--replace").returncode == 0
    assert len(json.loads(partnership(fresh, "programme", "list", "--json").stdout)) == 1


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + b"x" * 5000])
def test_what_is_no_backup_is_not_restored(fresh: str, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)
    assert partnership(fresh, "restore", file).returncode == 1
    assert partnership(fresh, "restore", tmp_path / "missing").returncode == 1
    assert not Path(fresh.removeprefix("sqlite:///")).exists()


@pytest.mark.postgres
def test_postgresql_is_backed_up_by_its_own_tools(postgres_url: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.pg"
    partnership(postgres_url, "migrate")
    assert partnership(postgres_url, "programme", "create", "here", "--name", "Here").returncode == 0
    saved = partnership(postgres_url, "backup", file)
    if "not installed" in saved.stderr or "version mismatch" in saved.stderr:
        pytest.skip("pg_dump: PostgreSQL's client programs are missing or of another version")
    assert saved.returncode == 0, saved.stderr
    assert partnership(postgres_url, "programme", "create", "later", "--name", "Later").returncode == 0
    assert partnership(postgres_url, "restore", file).returncode == 1
    back = partnership(postgres_url, "restore", file, "--replace")
    assert back.returncode == 0, back.stderr
    assert [
        one["slug"] for one in json.loads(partnership(postgres_url, "programme", "list", "--json").stdout)
    ] == ["here"]


# serving


@contextmanager
def served(url: str, *arguments: str, **more: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port), *arguments],
        env=environment(url, **more), cwd="/", stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        site = f"http://127.0.0.1:{port}"
        wait_until(lambda: status(f"{site}/health/ready") == 200)
        yield process, site
    finally:
        process.kill()
        process.communicate()


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            code: int = answer.status
            return code
    except URLError as error:
        return getattr(error, "code", 0)
    except OSError:
        return 0


def wait_until(seen: object, *, within_s: float = 40) -> None:
    end = time.monotonic() + within_s
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.1)


def children_of(pid: int) -> set[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return {int(line) for line in listed.stdout.split()}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_leaves_in_order_and_takes_its_worker_along(filled: str, number: int) -> None:
    with served(filled) as (process, _):
        wait_until(lambda: len(children_of(process.pid)) == 1)
        children = children_of(process.pid)
        process.send_signal(number)
        assert process.wait(25) == 0
        assert not any(is_running(pid) for pid in children)


def test_a_killed_server_leaves_nothing_behind(filled: str) -> None:
    with served(filled, "--workers", "2") as (process, _):
        wait_until(lambda: len(children_of(process.pid)) == 3)
        children = children_of(process.pid)
        process.kill()
        wait_until(lambda: not any(is_running(pid) for pid in children), within_s=15)


def test_a_process_that_falls_is_started_again(filled: str) -> None:
    with served(filled, "--workers", "2", "--no-jobs") as (process, site):
        wait_until(lambda: len(children_of(process.pid)) == 2)
        fallen = min(children_of(process.pid))
        os.kill(fallen, signal.SIGKILL)
        wait_until(lambda: len(children_of(process.pid) - {fallen}) == 2)
        assert status(f"{site}/health/live") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(25) == 0


def test_a_taken_port_is_a_plain_line(filled: str) -> None:
    with served(filled, "--no-jobs") as (_, site):
        told = partnership(filled, "serve", "--no-jobs", "--port", site.rpartition(":")[2])
    assert told.returncode == 1
    assert "Address already in use" in told.stderr
    assert "Traceback" not in told.stderr


def test_no_secret_reaches_the_log(filled: str) -> None:
    canary = "canary7d1e"
    with served(filled, PARTNERSHIP_SECRET_KEY=f"{canary}-secret-key-of-this-test") as (process, site):
        for path in (
            f"/?q={canary}",
            f"/sign-in/{canary}/callback?code={canary}&state={canary}",
            f"/{canary}",
            "/api/v1/people/me",
        ):
            asked = urllib.request.Request(
                site + path,
                headers={
                    "Authorization": f"Bearer pfc_pat_{canary}",
                    "Cookie": f"session={canary}; language={canary}",
                    "User-Agent": canary,
                    "Referer": f"https://{canary}.example/",
                    "X-Request-ID": canary * 2,
                    "X-Forwarded-For": canary,
                },
            )
            for body in (None, f"title={canary}".encode()):
                with suppress(URLError):
                    urllib.request.urlopen(asked, data=body, timeout=10).close()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=25)
    assert canary not in log


@pytest.mark.postgres
@pytest.mark.redis
def test_two_processes_serve_together_on_postgresql_and_redis(postgres_url: str) -> None:
    redis_url = os.environ.get("PARTNERSHIP_TEST_REDIS_URL")
    if not redis_url:
        pytest.skip("Redis: PARTNERSHIP_TEST_REDIS_URL is not set")
    assert partnership(postgres_url, "migrate").returncode == 0
    with served(postgres_url, "--workers", "2", PARTNERSHIP_REDIS_URL=redis_url) as (process, site):
        wait_until(lambda: len(children_of(process.pid)) == 3)
        wait_until(lambda: all(told(site)["checks"]["bus"] == "relayed" for _ in range(8)))
        process.send_signal(signal.SIGTERM)
        assert process.wait(25) == 0


def told(site: str) -> dict:
    with urllib.request.urlopen(f"{site}/health/ready", timeout=5) as answer:
        return json.load(answer)


def test_the_first_coordinator_comes_in_by_an_invitation_that_is_printed_alone(filled: str) -> None:
    listed = partnership(filled, "person", "list", "--programme", "demo", "--json")
    organisation = json.loads(listed.stdout)[0]["organisation"]
    wanted = ("person", "invite", "--programme", "demo", "--organisation", organisation)
    told = partnership(filled, *wanted, "--role", "coordinator", "--days", 3)
    assert told.returncode == 0, told.stderr
    assert re.fullmatch(r"http://[^/]+/invitations/\d+\.[\w-]{43}\n", told.stdout)
    with closing(sqlite3.connect(filled.removeprefix("sqlite:///"))) as database:
        newest = "SELECT role, created_by FROM invitation ORDER BY id DESC LIMIT 1"
        assert database.execute(newest).fetchall() == [("coordinator", None)]


@pytest.mark.parametrize(
    "changes", [{"--organisation": "Nobody"}, {"--programme": "nowhere"}, {"--role": "emperor"}]
)
def test_an_invitation_to_nothing_is_refused_in_words(filled: str, changes: dict[str, str]) -> None:
    listed = partnership(filled, "person", "list", "--programme", "demo", "--json")
    organisation = json.loads(listed.stdout)[0]["organisation"]
    wanted = {"--programme": "demo", "--organisation": organisation} | changes
    told = partnership(filled, "person", "invite", *(part for pair in wanted.items() for part in pair))
    assert told.returncode == 1
    assert told.stdout == ""
    assert "Traceback" not in told.stderr
