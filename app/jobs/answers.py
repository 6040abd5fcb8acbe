"""Forgets the answers that were kept for repeated requests, once nobody will repeat them any more."""

from datetime import timedelta
from typing import Final

from app.jobs.workplace import Workplace
from app.lib import clock
from app.services import answers

KEPT_FOR: Final = timedelta(hours=24)
"""How long the same request is answered the same again; what is older goes with the next hour."""


def forget(workplace: Workplace) -> int:
    """Forget what was kept longer than `KEPT_FOR`; how many answers that were."""
    before = clock.now() - KEPT_FOR
    return workplace.database.write_now(lambda tx: answers.forget(tx, before))
