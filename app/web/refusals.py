"""Credentials of programs that do not hold: counted for each address, and written down now and then."""

from typing import Any

import structlog
from starlette.requests import Request

from app.database import Database
from app.errors import Unavailable
from app.services import tokens
from app.web.limits import REFUSED, Limiter

log = structlog.get_logger(__name__)


async def token(request: Request) -> None:
    """Count a token that does not hold, and write it down if it is the first of its address in this minute.

    :raises TooMany: this address has sent too many
    """
    _, _, sent = request.headers.get("authorization", "").partition(" ")
    await note(request, tokens.refuse, sent.strip())


async def note(request: Request, verb: Any, *arguments: Any, **named: Any) -> None:
    """Count what was refused, and do the service's `verb`, which writes it down, once a minute for an address.

    :raises TooMany: this address has sent too many
    """
    limiter: Limiter = request.app.state.context.limiter
    database: Database = request.app.state.context.database
    if await limiter.is_to_be_noted(request):
        try:
            await database.write(lambda tx: verb(tx, *arguments, **named))
        except Unavailable:
            log.warning("refusal_not_noted")
    await limiter.hold_address(request, REFUSED)
