"""What a door does once a ballot has been closed early: count it at once, if that is soon done."""

import asyncio
from typing import Final

import structlog

from app.database import Database
from app.services import ballots, counting

log = structlog.get_logger(__name__)

AT_ONCE: Final = 2000
"""A ballot with so many votes at most is counted before the answer; a larger one by the worker's clock."""


async def count(database: Database, ballot_id: int, base_url: str) -> None:
    """Count a ballot that has closed, in a thread; what is large or fails here is left to the worker's clock."""
    votes = await database.read(lambda connection: ballots.roll_size(connection, ballot_id))
    if votes > AT_ONCE:
        return
    try:
        await asyncio.to_thread(counting.finish, database, ballot_id, base_url)
    except Exception as error:  # noqa: BLE001 -- the ballot is closed, which was asked; its text may hold votes
        log.error("ballot_not_counted_at_once", ballot_id=ballot_id, error=type(error).__name__)  # noqa: TRY400
