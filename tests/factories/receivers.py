"""A receiver of webhooks on loopback, that behaves as badly as it is told to and notes all that came.

What it checks, it checks by itself: the signature is made anew here with `hmac` alone.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether one of the signatures is that of `secret`, by the text of the Standard Webhooks specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(expected, one) for one in headers["webhook-signature"].split(" "))


@dataclass
class Received:
    """One request; `nth` of those with its `webhook-id`, the first is 1."""

    path: str
    headers: dict[str, str]
    body: bytes
    nth: int
    at: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What to do with a request: answer after `delay_s`, or hang up without a word (`status` None)."""

    status: int | None = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    delay_s: float = 0.0


class Receiver:
    """Listens on 127.0.0.1; `behave` says what it does with each request."""

    def __init__(self, behave: Callable[[Received], Reply] = lambda _: Reply()) -> None:
        self.behave = behave
        self.received: list[Received] = []
        self.taken: list[Received] = []
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._leaving = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def _note(self, path: str, headers: dict[str, str], body: bytes) -> Received:
        with self._lock:
            name = headers.get("webhook-id", "")
            self._counts[name] = self._counts.get(name, 0) + 1
            received = Received(path, headers, body, self._counts[name])
            self.received.append(received)
        return received

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                if not length or len(body) < length:
                    self.close_connection = True  # whoever called was killed while they spoke
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = receiver._note(self.path, headers, body)
                reply = receiver.behave(received)
                receiver._leaving.wait(reply.delay_s)
                if reply.status is None:
                    self.close_connection = True
                    return
                if 200 <= reply.status < 300:
                    with receiver._lock:
                        receiver.taken.append(received)
                try:
                    self.send_response(reply.status)
                    for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(reply.body)
                except OSError:
                    pass  # the caller has lost its patience

            do_GET = do_POST  # noqa: N815 -- the name that the server calls

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
