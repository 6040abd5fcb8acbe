"""The house stays as it is drawn: who commits, who records, who asks, how each room begins."""

import ast
import inspect
import re
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
    "answers.rename": "bookkeeping of repeated requests",
    "answers.forget": "bookkeeping of repeated requests",
    "ballots.take_turns": "it locks, and changes nothing",
    "roles.hold": "it locks, and changes nothing",
    "booking_steps.held": "it locks, and changes nothing",
    "booking_steps.hold": "it locks, and changes nothing",
    "booking_steps.revoke_links": "the step or the link that ends them is recorded",
    "booking_steps.take_turn": "it locks, and changes nothing",
    "decision_links.use": "the decision by it is recorded",
    "exchange_people.tell": "the step that led to it is recorded",
    "home_managers.checked": "it looks, and changes nothing",
    "stays.is_conflicted": "it looks, and changes nothing",
    "stays.now": "it looks, and changes nothing",
    "counting.settle": "it locks and looks, and changes nothing",
    "counting.write": "`publish` records it, and so does the demo",
    "directories.write": "each of its verbs writes to the audit log",
    "directory_places.take_turn": "it locks, and changes nothing",
    "join_requests.settle": "that they came in is recorded",
    "logins.hold": "it locks, and changes nothing",
    "logins.make_person": "the place that they get is recorded",
    "logins.session_of": "it looks, and changes nothing",
    "logins.use": "a time of last use",
    "data_exports.expire": "`data.exported` told until when; what goes is the copy",
    "erasure_of_traces.remove": "`person.erased` tells it as a whole",
    "import_kinds.hold": "it locks, and changes nothing",
    "import_kinds.make": "the verb for one alone records what it makes",
    "import_runs.take_up": "it locks, and notes that the run began",
    "import_runs.count": "progress, of which `import.ended` tells the end",
    "imports.forget": "what has long ended",
    "imports.forget_file": "the event that led to it is recorded, or its time is over",
    "imports.forget_of": "`person.erased` tells it as a whole",
    "imports.held": "it locks, and changes nothing",
    "imports.set_values": "its callers record what they note",
    "matches.goes_on": "progress, of which `match.ended` tells the end",
    "matches.take_up": "it looks, and notes that the run began",
    "matches.hold": "it locks, and changes nothing",
    "memberships.hold": "it locks, and changes nothing",
    "people.hold": "it locks, and changes nothing",
    "memberships.require_other_coordinator": "it looks, and changes nothing",
    "open_data.keep": "files made of what is recorded where it happens",
    "notices.post": "the event that led to the mail is recorded",
    "person_merging.prove": "a proof of fifteen minutes",
    "people.move_logins": "the demo's issuers follow the address at which it runs",
    "audit.write_down": "it is what records",
    "held.hold": "it locks, and changes nothing",
    "notices.tell": "the event that led to it is recorded",
    "memberships.tell_of_machines": "the end of the place or role that led to it is recorded",
    "retention.forget_ended": "what has long ended",
    "retention.forget_requests": "what has long ended",
    "retention.prune_audit": "`audit_log.prune` writes the checkpoint, as an entry of the log itself",
    "sessions.forget_old": "what has long ended",
    "kept_forms.keep": "a form of ten minutes",
    "sessions.rotate": "the change of a cookie, of which what led to it is recorded",
    "sessions.rotate_later": "the change of a cookie that is due",
    "sessions.touch": "a time of last use",
    "sign_in.complete": "each purpose records what it comes to",
    "sign_in.come_back": "a ticket of ten minutes",
    "sign_in.depart": "a ticket of ten minutes",
    "sign_in.forget_old": "a ticket of ten minutes",
    "support.add": "counts of what its callers record",
    "support.count_for": "the place that they get is recorded",
    "support.take_turns_on": "it locks, and changes nothing",
    "tokens.of_client": "its callers note it: who asked for it, and for what",
    "tokens.touch": "a time of last use",
    "webhooks.hold": "it locks, and changes nothing",
    "webhook_clock.take_turn": "the number of a job",
    "webhook_log.fan_out": "messages about what the log has told",
    "webhook_log.replay": "`webhook.replayed` told it when it was asked for",
    "webhook_log.prune": "what has long ended",
    "votes.carry_over": "that two accounts became one is recorded",
}
"""Verbs that record no event, each with its reason."""

STEPS = {"take", "write", "note", "promote", "promote_in", "open_decisions", "end", "send"}
"""What other modules call to let a booking take a step, which records it."""

RECORDING = {
    "end_at_provider",
    "end_by_directory",
    "put_back",
    "record",
    "record_on",
    "_append",
    "meet",
    "hide",
    "enter",
    "open_for",
    "revoke",
    "write_down",
    "refused",
} | STEPS


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
    recorded = bool(calls & RECORDING)
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
    "show_keys",
    "end_by_frame",
    "end_by_notice",
    "token",
    "revoke",
    "metadata",
    "resource",
}
"""Endpoints that ask for nobody, or in a way of their own: health, documents, the stream, signing in, OAuth."""


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


def test_every_event_is_appended_at_the_end_of_its_batch():
    """Ids of events grow in the order of commits only where each is written by `Transaction.append`, in one place.

    The demo fills an empty database before anyone reads it.
    """
    appending, otherwise = set(), set()
    for path in MODULES:
        source = path.read_text()
        if re.search(r"\.append\(\s*EVENT\b", source):
            appending.add(name(path))
        written = (
            r"\b(?:EVENT|event)\.(?:insert|update|delete)\(|\b(?:insert|update|delete)\((?:EVENT|Event)\b"
        )
        if re.search(written, source) or (re.search(r"\bEvent\(", source) and "app.models" in source):
            otherwise.add(name(path))
    assert appending == {"services/events.py"}
    assert otherwise <= {"demo/fill.py", "demo/stage.py", "models/event.py", "integrations/bus.py"}


def test_what_a_copy_is_told_to_do_names_types_that_there_are():
    text = (APP.parent / "docs" / "api" / "synchronising.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("| `")]
    named = {named for line in table for named in re.findall(r"`([a-z_]+\.[a-z_*]+)`", line)}
    nouns = {type.partition(".")[0] for type in events.TYPES}
    assert {type for type in named if type.endswith(".*") and type[:-2] not in nouns} == set()
    assert {
        type
        for type in named - events.TYPES
        if not type.startswith(("data.", "tally.")) | type.endswith(".*")
    } == set()
    assert len(named) > 30
