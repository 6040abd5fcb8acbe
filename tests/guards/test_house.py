"""The house stays as it is drawn: who commits, who records, who asks, how each room begins."""

import ast
import inspect
from pathlib import Path

import pytest

from app.main import create_app
from app.services import events
from app.settings import Settings

APP = Path(__file__).parent.parent.parent / "app"
MODULES = sorted(path for path in APP.rglob("*.py"))
SERVICES = sorted(path for path in (APP / "services").glob("*.py") if path.stem != "__init__")

SILENT = {
    "answers.claim": "bookkeeping of repeated requests",
    "answers.keep": "bookkeeping of repeated requests",
    "answers.forget": "bookkeeping of repeated requests",
    "ballots.take_turns": "it locks, and changes nothing",
    "counting.settle": "it locks and looks, and changes nothing",
    "counting.write": "`publish` records it, and so does the demo",
    "notices.post": "the event that led to the mail is recorded",
    "people.move_logins": "the demo's issuers follow the address at which it runs",
    "events.record": "it is what records",
    "held.hold": "it locks, and changes nothing",
    "notices.tell": "the event that led to it is recorded",
    "sessions.forget_old": "what has long ended",
    "sessions.touch": "a time of last use",
    "sign_in.come_back": "a ticket of ten minutes",
    "sign_in.depart": "a ticket of ten minutes",
    "sign_in.forget_old": "a ticket of ten minutes",
    "support.add": "counts of what its callers record",
    "tokens.touch": "a time of last use",
}
"""Verbs that record no event, each with its reason."""


def name(path):
    return str(path.relative_to(APP))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_each_room_says_what_it_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", "?", "!", ":")) or docstring.splitlines()[0]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_the_database_commits(path):
    if path in (APP / "database.py", APP / "services" / "backups.py", APP / "services" / "schema.py"):
        return
    calls = [
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    assert not {"commit", "begin"} & set(calls)


def verbs():
    """Public functions of services whose first argument is a transaction, with all that they call in their module."""
    for path in SERVICES:
        functions = {
            node.name: node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
        }
        for function in functions.values():
            arguments = function.args.args
            if function.name.startswith("_") or not arguments or arguments[0].arg != "tx":
                continue
            yield f"{path.stem}.{function.name}", called(function, functions, set())


def called(function, functions, seen):
    """The names that a function calls, itself or through others of its module."""
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            callee = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            names.add(callee)
            if callee in functions and callee not in seen:
                seen.add(callee)
                names |= called(functions[callee], functions, seen)
    return names


@pytest.mark.parametrize(
    ("verb", "calls"), list(verbs()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_write_of_a_service_records_an_event(verb, calls):
    recorded = bool(calls & {"record", "record_on", "meet", "hide", "enter", "open_for"})
    assert recorded != (verb in SILENT), SILENT.get(verb, "records nothing")


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    path = tmp_path_factory.mktemp("routes") / "p.db"
    app = create_app(Settings(_env_file=None, database_url=f"sqlite:///{path}")).app
    return [route for route in app.routes if getattr(route, "endpoint", None)]


OPEN = {
    "live",
    "ready",
    "measurements",
    "openapi",
    "problems",
    "problem",
    "page",
    "Stream",
    "finish",
    "end",
    "start",
}
"""Endpoints that ask for nobody, or ask in a way of their own: health, documents, the stream, signing in and out."""


def test_every_page_asks_who_reads_it(routes):
    silent = set()
    for route in routes:
        endpoint = inspect.unwrap(route.endpoint)
        module = inspect.getmodule(endpoint)
        if getattr(endpoint, "__name__", type(endpoint).__name__) in OPEN:
            continue
        source = inspect.getsource(module)
        if not any(
            word in inspect.getsource(endpoint) + source
            for word in ("pages.member", "pages.reader", "operations.caller", "caller(")
        ):
            silent.add(f"{module.__name__}.{endpoint.__name__}")
    assert silent == set()


def test_what_is_called_most_stands_first(routes):
    """Addresses are compared one after another: behind 80 others a route costs several times as much."""
    paths = [route.path for route in routes]
    for path, place in (
        ("/ideas/{id:key}/support", 4),
        ("/challenges/{id:key}", 4),
        ("/api/v1/ideas/{idea_id}/support", 5),
        ("/api/v1/challenges/{challenge_id}/ideas", 5),
        ("/api/v1/ballots/{ballot_id}/vote", 7),
    ):
        assert paths.index(path) < place, paths.index(path)


def test_every_event_type_is_documented():
    text = (APP.parent / "docs" / "events.md").read_text()
    assert {type for type in events.TYPES if f"`{type}`" not in text} == set()
