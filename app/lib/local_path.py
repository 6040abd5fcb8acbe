"""Where to go next: paths of this site and nothing else, in every spelling."""

import re
from typing import Final
from urllib.parse import unquote

HOME: Final = "/"
_MOST: Final = 2000
_DECODINGS: Final = 4
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff\ufeff]")
_LOOPS: Final = ("/sign-in", "/sign-out", "/demo-identity")


def local_path(value: str | None) -> str:
    r"""`value` if it is a path of this site, query and fragment included; else the home page.

    Browsers read `/\host`, `//host`, a tab inside `//` and some of their encoded forms as another host, so
    all of these are refused, decoded again and again; so are the pages of signing in themselves.
    """
    if not value or len(value) > _MOST or not value.startswith("/") or _FORBIDDEN.search(value):
        return HOME
    path = re.split(r"[?#]", value, maxsplit=1)[0]
    for _ in range(_DECODINGS):
        if _is_suspicious(path):
            return HOME
        decoded = unquote(path, errors="strict") if _decodes(path) else ""
        if decoded == path:
            return HOME if path.startswith(_LOOPS) else value
        path = decoded
    return HOME


def _is_suspicious(path: str) -> bool:
    if not path.startswith("/") or "//" in path or _FORBIDDEN.search(path):
        return True
    return any(segment in (".", "..") for segment in path.split("/"))


def _decodes(path: str) -> bool:
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return True
