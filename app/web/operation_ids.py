"""Names of operations, by which generated clients call them: `list_challenges`, `get_idea`, `set_booking_acceptance`.

A name is made of method and path alone, so that it stays as long as the address does. Where that reads badly, or two
addresses would have one name, the operation declares its own.
"""

import re
from typing import Final

_WHOLE: Final = {"people": "person", "series": "series", "status": "status", "progress": "progress"}
_VERBS: Final = {"POST": "create", "PUT": "set", "PATCH": "update", "DELETE": "delete"}
_UNSAID: Final = "programmes"
"""Everything belongs to a programme: no name says so."""
_OWN: Final = ("people", "me")
"""What is one's own is `my`."""


def derived(method: str, path: str, *, listed: bool) -> str:
    """The name of the operation at `path`; `listed`: it gives a list."""
    steps = [step for step in path.split("/") if step]
    names = [step for step in steps if not step.startswith("{")]
    noun, is_item = names[-1], steps[-1].startswith("{")
    verb = _VERBS.get(method, "list" if listed else "get")
    if tuple(names[:2]) == _OWN:
        verb, names = f"{verb}_my" if names[2:] else verb, names[2:]
    parent = "" if len(names) < 2 or names[-2] == _UNSAID else f"{singular(names[-2])}_"
    if is_item or (method == "POST" and singular(noun) != noun):
        return _plain(f"{verb}_{singular(noun)}")
    return _plain(f"{verb}_{noun}" if listed else f"{verb}_{parent}{noun}")


def singular(noun: str) -> str:
    """One of several: `matches`, `match`; what is one already stays as it is."""
    if noun in _WHOLE:
        return _WHOLE[noun]
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if re.search(r"(ch|sh|ss|x)es$", noun):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us")) else noun


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name)
