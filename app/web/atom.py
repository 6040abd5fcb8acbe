"""Feeds in the Atom format (RFC 4287), in pages (RFC 5005), for programs that follow what is new."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from starlette.requests import Request
from starlette.responses import Response

from app.lib import clock
from app.web import etags, paging

MEDIA_TYPE: Final = "application/atom+xml"

ON_A_PAGE: Final = 50

_ATOM: Final = "http://www.w3.org/2005/Atom"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something new. `key` names it for ever; without an `author` it is the feed's."""

    key: str
    page: str
    title: str
    language: str
    published: datetime
    updated: datetime
    summary: str = ""
    html: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """What is new in one place, the newest first; `begun` is when that place came to be."""

    key: str
    page: str
    title: str
    author: str
    language: str
    begun: datetime
    updated: datetime
    entries: Sequence[Entry]


def answer(request: Request, feed: Feed, following: tuple[int, ...] | None) -> Response:
    """The feed, or the word that it is still the same; `following`: where its next page begins."""
    context = request.app.state.context
    base_url: str = context.settings.base_url
    query = f"?{request.url.query}" if request.url.query else ""
    more = paging.following_address(request, following)
    links = {"self": f"{base_url}{request.url.path}{query}", "alternate": feed.page}
    if more is not None:
        links["next"] = base_url + more
    if request.query_params.get("cursor"):
        links["first"] = f"{base_url}{request.url.path}"
    body = written(feed, links, urlsplit(base_url).hostname or "")
    headers = {"ETag": etags.tag(body, 1), "Cache-Control": etags.CACHING, "Vary": "Cookie, Authorization"}
    if etags.matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=f"{MEDIA_TYPE}; charset=utf-8")


def written(feed: Feed, links: dict[str, str], host: str) -> bytes:
    """The feed as XML. Things are named by tags (RFC 4151) of `host` and the day on which they came to be."""
    root = ET.Element("feed", {"xmlns": _ATOM, _LANGUAGE: feed.language})
    _add(root, "id", f"tag:{host},{feed.begun:%Y-%m-%d}:{feed.key}")
    _add(root, "title", feed.title)
    _add(root, "updated", clock.rfc3339(max((entry.updated for entry in feed.entries), default=feed.updated)))
    _add(_add(root, "author"), "name", feed.author)
    for relation, address in links.items():
        media_type = "text/html" if relation == "alternate" else MEDIA_TYPE
        _add(root, "link", rel=relation, type=media_type, href=address)
    for entry in feed.entries:
        _add_entry(root, entry, host)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _add_entry(root: ET.Element, entry: Entry, host: str) -> None:
    node = ET.SubElement(root, "entry", {_LANGUAGE: entry.language})
    _add(node, "id", f"tag:{host},{entry.published:%Y-%m-%d}:{entry.key}")
    _add(node, "title", entry.title)
    _add(node, "link", rel="alternate", type="text/html", href=entry.page)
    _add(node, "published", clock.rfc3339(entry.published))
    _add(node, "updated", clock.rfc3339(entry.updated))
    if entry.author:
        _add(_add(node, "author"), "name", entry.author)
    if entry.summary:
        _add(node, "summary", entry.summary)
    if entry.html:
        _add(node, "content", entry.html, type="html")


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    node = ET.SubElement(parent, name, {key: _clean(value) for key, value in attributes.items()})
    if text:
        node.text = _clean(text)
    return node


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
