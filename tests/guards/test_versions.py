"""Whether a version is still the newest is found out about what nobody else can change until the commit.

At several processes two who have read the same version may both be told that it is, and one loses what they wrote.
"""

import ast
from functools import cache
from itertools import chain

import pytest

from tests.guards.test_house import APP, SERVICES, name

DOORS = sorted(chain((APP / "routers").rglob("*.py"), (APP / "web").rglob("*.py")))

OF_THE_PROGRAM = {"consents.give": "the words of a purpose are in the program, and no row"}
"""What compares a version without holding anything, and why it may."""


class Module:
    """A module by its functions, and by where the names that it imports from services lead."""

    def __init__(self, source):
        tree = ast.parse(source)
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.services")
            for alias in node.names
        }

    def led_to(self, call):
        """The module and the function that a call leads to, as far as it is one of the services'."""
        function = call.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            return service(self.imported.get(function.value.id, ("", ""))[1]), function.attr
        if isinstance(function, ast.Name) and function.id in self.imported:
            package, imported = self.imported[function.id]
            return service(package.rpartition(".")[2]), imported
        return self, getattr(function, "id", "")

    def holds(self, node, seen=frozenset()):
        """Whether something is locked in this piece of code, itself or by what it calls."""
        for call in calls_in(node):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "with_for_update":
                return True
            if "_TURN" in names_in(*call.args):
                return True
            module, function = self.led_to(call)
            found = module.functions.get(function) if module else None
            if found is not None and found not in seen and module.holds(found, seen | {found}):
                return True
        return False

    def is_held(self, function, subject, line):
        """Whether what a name stands for at a line of a function was read while it was held."""
        parameters = [each.arg for each in function.args.args]
        if subject in parameters:
            place = parameters.index(subject)
            uses = [
                (caller, call)
                for caller in self.functions.values()
                for call in calls_in(caller)
                if getattr(call.func, "id", "") == function.name
            ]
            return bool(uses) and all(
                self.is_held(caller, call.args[place].id, call.lineno) for caller, call in uses
            )
        read = max(
            (
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and node.lineno < line and subject in names_in(*node.targets)
            ),
            key=lambda node: node.lineno,
        )
        return any(call.lineno <= read.end_lineno and self.holds(call) for call in calls_in(function))

    def careless(self):
        """The functions that refuse a version of what they do not hold."""
        for function in self.functions.values():
            for branch in ast.walk(function):
                if isinstance(branch, ast.If) and refuses(branch):
                    (subject,) = names_in(branch.test) - {"version", "version_of"}
                    if not self.is_held(function, subject, branch.lineno):
                        yield function.name


@cache
def service(called):
    path = APP / "services" / f"{called}.py"
    return Module(path.read_text()) if path in SERVICES else None


def calls_in(node):
    return [each for each in ast.walk(node) if isinstance(each, ast.Call)]


def names_in(*nodes):
    return {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}


def refuses(branch):
    raised = [each.exc for each in branch.body if isinstance(each, ast.Raise)]
    return any(getattr(getattr(each, "func", None), "id", "") == "Moved" for each in raised)


@pytest.mark.parametrize("path", SERVICES, ids=name)
def test_a_service_compares_the_version_of_what_it_holds(path):
    careless = {f"{path.stem}.{function}" for function in service(path.stem).careless()}
    assert careless == {each for each in OF_THE_PROGRAM if each.startswith(f"{path.stem}.")}


def unused(source):
    """The lines at which a door decides about versions by itself, and tells no service which one is meant."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        passed = {
            argument.id
            for call in calls_in(function)
            for argument in (*call.args, *(each.value for each in call.keywords))
            if isinstance(argument, ast.Name)
        }
        for statement in ast.walk(function):
            if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign) and decides(statement.value):
                targets = getattr(statement, "targets", [getattr(statement, "target", ast.Pass())])
                if not names_in(*targets) & passed:
                    yield statement.lineno


def decides(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"etags.meant", "etags.chosen"}


@pytest.mark.parametrize("path", DOORS, ids=name)
def test_a_door_leaves_it_to_the_service_which_version_is_the_newest(path):
    assert list(unused(path.read_text())) == []


@pytest.mark.parametrize(
    "read",
    [
        "    row = find(tx)",
        "    row = find(tx)\n    tx.execute(select(ROW).with_for_update())",
        "    row = find(tx)\n    booking_steps.take_turn(tx)",
    ],
)
def test_what_is_not_held_would_be_seen(read):
    compared = "    if version is not None and version != row.version:\n        raise Moved('x')\n"
    before = "from app.services import booking_steps\n\ndef change(tx, version):\n"
    assert list(Module(f"{before}{read}\n{compared}").careless()) == ["change"]
    again = "    row = find(tx)\n"
    assert list(Module(f"{before}{read}\n{again}{compared}").careless()) == (
        [] if "\n" in read else ["change"]
    )


def test_what_a_door_decides_would_be_seen():
    assert list(unused("def work(tx):\n    etags.chosen(versions, 1)\n    rename(tx)")) == [2]
    assert list(unused("def work(tx):\n    version = etags.meant(versions, now)\n    rename(tx)")) == [2]
