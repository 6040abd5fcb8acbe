"""The same request twice has one effect: its first answer is kept with the effect, and given again."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.errors import FieldError
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.services import answers
from app.web import bodies
from app.web.problems import KeyReused
from app.web.validation import InvalidParameter

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answers, in plain values that can be kept."""

    status: int
    body: bytes
    etag: str | None = None
    location: str | None = None
    again: bool = False

    def response(self) -> Response:
        """The same as a response."""
        given = {
            "ETag": self.etag,
            "Location": self.location,
            REPLAYED: "true" if self.again else None,
        }
        headers = {name: value for name, value in given.items() if value is not None}
        headers["Cache-Control"] = "no-store, no-transform"
        return Response(self.body, self.status, headers, "application/json")


async def once(request: Request, actor: Actor, work: Callable[[Transaction], Answer]) -> Response:
    """Do `work` and answer; where the request carries an `Idempotency-Key`, once, however often it comes.

    Only what succeeded is kept: a request that was refused may come again with its key.

    :raises KeyReused: the key came with another request before
    :raises InvalidParameter: the key is no key
    """
    key = _key(request)
    if key is not None:
        work = partial(_once, actor=actor, key=key, fingerprint=await _fingerprint(request), work=work)
    answer: Answer = await request.app.state.context.database.write(work)
    return answer.response()


def _once(
    tx: Transaction, *, actor: Actor, key: str, fingerprint: bytes, work: Callable[[Transaction], Answer]
) -> Answer:
    person_id = actor.person_id or 0
    kept = answers.claim(tx, person_id, key, fingerprint)
    if kept is not None:
        return _again(kept, fingerprint)
    answer = work(tx)
    answers.keep(
        tx, person_id, key, status=answer.status, body=answer.body, location=answer.location, etag=answer.etag
    )
    return answer


def _again(kept: Any, fingerprint: bytes) -> Answer:
    if kept.request_hash != fingerprint:
        raise KeyReused(N_("This Idempotency-Key came with another request before. Please take a new one."))
    return Answer(kept.status, kept.body.encode(), kept.etag, kept.location, again=True)


def _key(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        wrong = FieldError(HEADER, N_("Please give 1 to 200 visible ASCII characters."))
        raise InvalidParameter("header", wrong)
    return key


async def _fingerprint(request: Request) -> bytes:
    asked = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(asked + await bodies.raw(request)).digest()
