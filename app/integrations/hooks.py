"""Calls of webhooks, by the Standard Webhooks specification: one signed request, and what came of it.

A call goes to public addresses over https alone, follows no redirect, and takes `timeout_s` at the most, from the
look-up of the name to the end of the answer.
"""

import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2
from standardwebhooks import Webhook

from app.integrations.http import Guarded, Refused
from app.integrations.names import Crowded

KEPT_BYTES: Final = 1000
"""So much of an answer is kept for people to look at."""

READ_BYTES: Final = 16 * 1024
"""So much of an answer is read; the rest is left where it is, for its status has said all."""

SHOWN: Final = ("content-type", "date", "location", "retry-after", "server")
"""Headers of an answer that are kept; others may carry cookies and what else is nobody's business here."""

CHECK_S: Final = 5.0
"""How long it may take to look where the name in an address leads, while somebody waits for it."""

AGENT: Final = "Partnership-for-Change-Webhooks/1"

TIMED_OUT, REFUSED, UNREACHED, UNTRUSTED, BROKEN = "timeout", "address", "unreachable", "tls", "broken"
REDIRECTED, GONE, NOT_TAKEN = "redirect", "gone", "status"
ERRORS: Final = (TIMED_OUT, REFUSED, UNREACHED, UNTRUSTED, BROKEN, REDIRECTED, GONE, NOT_TAKEN)
"""What can go wrong with a call, in a word of ours."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent. `secrets` sign it, the newest first; `at` is now, so that a receiver can refuse what is old."""

    address: str
    id: str
    at: datetime
    body: bytes
    secrets: Sequence[str] = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that may be shown: without the signatures."""
        return {
            "content-type": "application/json",
            "user-agent": AGENT,
            "webhook-id": self.id,
            "webhook-timestamp": str(int(self.at.timestamp())),
        }

    @property
    def signature(self) -> str:
        """The value of `webhook-signature`: one for each secret that holds."""
        text = self.body.decode()
        return " ".join(Webhook(secret).sign(self.id, self.at, text) for secret in self.secrets)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: an answer, or none and why. `error` is None where it was taken."""

    took_ms: int
    error: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def retry_after_s(self, now: datetime) -> int | None:
        """For how many seconds the receiver asks for patience, where its status is one that may ask."""
        text = self.headers.get("retry-after", "").strip() if self.status in (429, 503) else ""
        if text.isascii() and text.isdecimal():
            return int(text[:9])
        try:
            return max(0, int((parsedate_to_datetime(text) - now).total_seconds()))
        except (ValueError, TypeError, OverflowError):
            return None


class Caller:
    """Makes calls, and looks whether an address may be called. One for a process."""

    def __init__(self, *, allow_loopback: bool, timeout_s: float) -> None:
        self._transport = Guarded(
            allow_loopback=allow_loopback,
            timeout_s=timeout_s,
            cut_at=READ_BYTES,
        )
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)

    async def check(self, address: str) -> str | None:
        """Why `address` may not be called, in a word of `ERRORS`; None where it may."""
        try:
            await self._transport.check(address)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            return _named(error)
        return None

    async def call(self, call: Call) -> Outcome | None:
        """Make one call. Whatever goes wrong with it is its outcome; it raises nothing.

        None where it could not begin for other receivers' sake: nothing was sent, and nothing is known of this one.
        """
        begun = time.monotonic()
        try:
            request = httpx2.Request(
                "POST",
                call.address,
                headers=call.headers | {"webhook-signature": call.signature},
                content=call.body,
                extensions={"timeout": self._timeouts},
            )
            answer = await self._transport.handle_async_request(request)
        except Crowded:
            return None
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            return Outcome(_since(begun), _named(error))
        return Outcome(
            _since(begun),
            _judged(answer.status_code),
            answer.status_code,
            {name: _kept(answer.headers[name].encode()) for name in SHOWN if name in answer.headers},
            _kept(answer.content),
        )


def _judged(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if status == 410:
        return GONE
    return REDIRECTED if 300 <= status < 400 else NOT_TAKEN


def _named(error: Exception) -> str:
    if isinstance(error, Refused | httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return REFUSED
    if isinstance(error, httpx2.TimeoutException | Crowded):
        return TIMED_OUT
    if any(isinstance(one, ssl.SSLError) for one in _chain(error)):
        return UNTRUSTED
    return UNREACHED if isinstance(error, httpx2.ConnectError) else BROKEN


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _kept(answer: bytes) -> str:
    """The beginning of what a receiver said, as text that every database can keep."""
    return answer[:KEPT_BYTES].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
