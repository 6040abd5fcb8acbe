"""The same request twice has one effect: its first answer is kept with the effect, and given again."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from pydantic_core import from_json, to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.errors import Conflict, FieldError, NotSignedIn
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
    """What a write answers, in plain values that can be kept. `kept`: the same without the secret that it tells."""

    status: int
    body: bytes
    etag: str | None = None
    location: str | None = None
    again: bool = False
    kept: bytes | None = None

    def telling(self, **secret: str | None) -> "Answer":
        """The same with these fields told, which are null in the body so far and stay so in what is kept."""
        return replace(self, body=to_json({**from_json(self.body), **secret}), kept=self.body)

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


async def once(
    request: Request, actor: Actor, work: Callable[[Transaction], Answer], *, secret: bool = False
) -> Response:
    """Do `work` and answer; where the request carries an `Idempotency-Key`, once, however often it comes.

    Only what succeeded is kept: a request that was refused may come again with its key. An answer that tells a
    `secret` is never kept: the same request again is given what its `Answer` says to keep in place of it, or else
    told that it has had its effect.

    :raises KeyReused: the key came with another request before
    :raises Conflict: the request was done already, and its answer was a secret
    :raises InvalidParameter: the key is no key, or there are several
    """
    key = _key(request)
    if key is not None:
        asked = _Asked(actor, key, await _fingerprint(request, actor), is_secret=secret)
        work = partial(_once, asked=asked, work=work)
    answer: Answer = await request.app.state.context.database.write(work)
    return answer.response()


async def is_known(request: Request, actor: Actor) -> bool:
    """Whether the request carries a key that the caller has used before, so that `once` has the answer already.

    What has to be looked at before `once`, and may look otherwise by then, is not looked at again.

    :raises InvalidParameter: the key is no key, or there are several
    """
    key, person_id = _key(request), actor.person_id
    if key is None or person_id is None:
        return False
    found: bool = await request.app.state.context.database.read(
        lambda connection: answers.is_known(connection, person_id, key)
    )
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that came with a key."""

    actor: Actor
    key: str
    fingerprint: bytes
    is_secret: bool


def _once(tx: Transaction, *, asked: _Asked, work: Callable[[Transaction], Answer]) -> Answer:
    if asked.actor.person_id is None:  # a token is someone's, a machine's too: each has keys of their own
        raise NotSignedIn(N_("Please sign in first."))
    kept = answers.claim(tx, asked.actor.person_id, asked.key, asked.fingerprint)
    if kept is not None:
        return _again(kept, asked)
    answer = work(tx)
    whole = b"" if asked.is_secret else answer.body
    answers.keep(
        tx,
        asked.actor.person_id,
        asked.key,
        status=answer.status,
        body=whole if answer.kept is None else answer.kept,
        location=answer.location,
        etag=answer.etag,
    )
    return answer


def _again(kept: Any, asked: _Asked) -> Answer:
    if kept.request_hash != asked.fingerprint:
        raise KeyReused(N_("This Idempotency-Key came with another request before. Please take a new one."))
    if asked.is_secret and not kept.body:
        raise Conflict(
            N_("This was done already. Its answer told a secret, which is not kept: please begin anew.")
        )
    return Answer(kept.status, kept.body.encode(), kept.etag, kept.location, again=True)


def _key(request: Request) -> str | None:
    keys = set(request.headers.getlist(HEADER))
    if len(keys) > 1:
        raise InvalidParameter("header", FieldError(HEADER, N_("Please give one key, not several.")))
    if not all(map(_KEY.fullmatch, keys)):
        wrong = FieldError(HEADER, N_("Please give 1 to 200 visible ASCII characters."))
        raise InvalidParameter("header", wrong)
    return next(iter(keys), None)


async def _fingerprint(request: Request, actor: Actor) -> bytes:
    """What was asked, and within which place: a token of another one must not be given what this one made."""
    query = f"?{request.url.query}" if request.url.query else ""
    within = sorted(actor.memberships) if actor.is_bound else ""
    asked = f"{request.method} {request.url.path}{query}\n{within}".encode()
    return hashlib.sha256(asked + await bodies.raw(request)).digest()
