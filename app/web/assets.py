"""Style sheets, scripts and fonts: joined and compressed once, served from memory under hashed addresses."""

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import brotli
import zstandard
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parent.parent / "static"
PREFIX = "/static/"
FOREVER = b"public, max-age=31536000, immutable"

_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".woff2": b"font/woff2",
    ".png": b"image/png",
}
_PACKED_ALREADY = frozenset({".woff2", ".png"})
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LINE = re.compile(r"^\s*(//.*)?$\n?|^[ \t]+", re.MULTILINE)
_REFERENCE = re.compile(r"/static/vendor/([\w.-]+)")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it leaves: its hashed name and its bytes in each encoding (`b""` is: as it is)."""

    name: str
    content_type: bytes
    etag: bytes
    bodies: Mapping[bytes, bytes]

    def body_for(self, accepted: bytes) -> tuple[bytes, bytes]:
        """The encoding and the body that are smallest among those that `Accept-Encoding` takes."""
        taken = _accepted(accepted)
        return min(
            ((encoding, body) for encoding, body in self.bodies.items() if not encoding or encoding in taken),
            key=lambda pair: len(pair[1]),
        )


class Assets:
    """All files, by their plain name for templates and by their hashed name for browsers."""

    def __init__(self, files: Iterable[tuple[str, bytes]]) -> None:
        self._addresses: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        for name, body in files:
            self._add(name, self._with_addresses(name, body))

    def url(self, name: str) -> str:
        """The address of a file, such as `/static/app.3f2a….css` for `app.css`.

        :raises KeyError: there is no such file
        """
        return self._addresses[name]

    def sizes(self) -> dict[str, int]:
        """Bytes over the wire of each file, in the best encoding: what the budgets are held against."""
        return {name: min(map(len, self._asset(name).bodies.values())) for name in self._addresses}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- ASGI's shape
        """Answer a request for one of the files; ASGI."""
        asset = self._assets.get(scope["path"].rsplit("/", 1)[-1])
        if asset is None or scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 404 if asset is None else 405, [(b"cache-control", b"no-store")], b"")
            return
        asked = dict(scope["headers"])
        headers = [(b"cache-control", FOREVER), (b"etag", asset.etag), (b"vary", b"Accept-Encoding")]
        if asked.get(b"if-none-match") == asset.etag:
            await _answer(send, 304, headers, b"")
            return
        encoding, body = asset.body_for(asked.get(b"accept-encoding", b""))
        headers += [(b"content-type", asset.content_type), (b"content-length", str(len(body)).encode())]
        if encoding:
            headers.append((b"content-encoding", encoding))
        await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else body)

    def _asset(self, name: str) -> Asset:
        return self._assets[self._addresses[name].removeprefix(PREFIX)]

    def _add(self, name: str, body: bytes) -> None:
        path = Path(name)
        digest = hashlib.sha256(body).hexdigest()[:12]
        hashed = f"{path.stem}.{digest}{path.suffix}"
        self._addresses[name] = PREFIX + hashed
        self._assets[hashed] = Asset(
            hashed, _TYPES[path.suffix], f'"{digest}"'.encode(), _encoded(body, path.suffix)
        )

    def _with_addresses(self, name: str, body: bytes) -> bytes:
        """A style sheet names fonts by their plain name; here they get the hashed one, as in the preload."""
        if not name.endswith(".css"):
            return body
        return _REFERENCE.sub(lambda found: self.url(found[1]), body.decode()).encode()


@lru_cache
def load(directory: Path = STATIC) -> Assets:
    """The files of `directory`, joined and compressed; once in a process."""
    return Assets(_files(directory))


def _files(directory: Path) -> Iterable[tuple[str, bytes]]:
    vendor, css, js = directory / "vendor", directory / "css", directory / "js"
    for path in sorted([*vendor.glob("*.woff2"), *(directory / "images").glob("*")]):
        yield path.name, path.read_bytes()
    sheets = [css / f"{name}.css" for name in ("layers", "reset", "tokens", "base", "layout")]
    yield "app.css", _joined([*sheets, *sorted((css / "components").glob("*.css")), css / "utilities.css"])
    yield "app.js", _joined([vendor / "htmx.min.js", js / "htmx.js", *sorted((js / "page").glob("*.js"))])
    yield "board.js", _joined([vendor / "hx-sse.min.js", *sorted((js / "board").glob("*.js"))])
    yield "vote.js", _joined(sorted((js / "vote").glob("*.js")))
    yield "reference.js", _joined([js / "reference.js"])
    yield "sortable.js", (vendor / "sortable.min.js").read_bytes()


def _joined(paths: Iterable[Path]) -> bytes:
    return "\n".join(_lean(path) for path in paths).encode()


def _lean(path: Path) -> str:
    """A file of ours without comments and indentation; what comes minified is left alone."""
    text = path.read_text(encoding="utf-8")
    return text if path.name.endswith(".min.js") else _LINE.sub("", _COMMENT.sub("", text))


def _encoded(body: bytes, suffix: str) -> dict[bytes, bytes]:
    if suffix in _PACKED_ALREADY:
        return {b"": body}
    return {
        b"": body,
        b"br": brotli.compress(body, quality=11),
        b"zstd": zstandard.ZstdCompressor(level=22).compress(body),
        b"gzip": gzip.compress(body, compresslevel=9, mtime=0),
    }


def _accepted(header: bytes) -> frozenset[bytes]:
    parts = (part.replace(b" ", b"").partition(b";") for part in header.lower().split(b","))
    return frozenset(
        name for name, _, quality in parts if quality not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    )


async def _answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
