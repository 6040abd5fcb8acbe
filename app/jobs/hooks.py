"""Webhooks: events become deliveries each second, and a job for each webhook sends what it has to send.

A job is a coroutine, so that a slow receiver holds nothing but its own few connections. What is due stands in the
database: a job that a killed worker had in hand looks again, and sends again what it does not know to be taken.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

import structlog

from app.database import Transaction
from app.integrations import hooks
from app.jobs.workplace import Workplace
from app.lib import clock
from app.services import webhook_clock, webhook_log
from app.services.webhook_clock import Parcel
from app.web import hook_bodies

IN_HAND: Final = 4
"""Messages that are on their way to one webhook at the same time."""

LINGERS_S: Final = 10.0
"""How long a job waits for more: what comes then goes out within a second."""

ENDS_AFTER_S: Final = 240.0
"""Then another job goes on, long before this one could be taken for lost."""

PATIENT_AFTER: Final = 20
"""After so many failures in a row a receiver is called by one at a time, and rests between."""

REST_S: Final = 1.0
RESTS_AFTER_FAILURE_S: Final = 10.0

TICK_S: Final = 0.5
"""So long a look at the log may take when there is much: other clocks tick in the same thread."""

log = structlog.get_logger(__name__)


def wake(workplace: Workplace) -> None:
    """Make deliveries of what has happened, and put the jobs in line of those webhooks that have something to send."""
    database = workplace.database
    ends = time.monotonic() + TICK_S
    for webhook_id in database.read_now(webhook_log.behind):
        _some(workplace, partial(webhook_log.fan_out, webhook_id=webhook_id), ends)
    for replay_id in database.read_now(webhook_log.replaying):
        _some(workplace, partial(webhook_log.replay, replay_id=replay_id), ends)
    for webhook_id, round in database.read_now(webhook_clock.due):
        database.write_now(partial(webhook_clock.take_turn, webhook_id=webhook_id, round=round))


def prune(workplace: Workplace) -> None:
    """Delete some of the deliveries that are kept no longer."""
    _some(workplace, partial(webhook_log.prune, days=workplace.webhook_days), time.monotonic() + TICK_S)


async def deliver(workplace: Workplace, *, webhook_id: int) -> str:
    """Send what a webhook has to send, and for some seconds what comes then."""
    if workplace.caller is None:
        return "nobody calls here"
    try:
        return await _Round(workplace, workplace.caller, webhook_id).run()
    except Exception:
        # Another job follows at once: what fails for ever shall fail seldom.
        await asyncio.sleep(RESTS_AFTER_FAILURE_S)
        raise


class _Round:
    """One job at work for one webhook."""

    def __init__(self, workplace: Workplace, caller: hooks.Caller, webhook_id: int) -> None:
        self._workplace = workplace
        self._caller = caller
        self._webhook_id = webhook_id
        self._ends = time.monotonic() + ENDS_AFTER_S
        self._failures = 0
        self._goes_on = True

    async def run(self) -> str:
        read = self._workplace.database.read_unbounded
        self._failures = await read(partial(webhook_clock.failures, webhook_id=self._webhook_id))
        last = time.monotonic()
        while not self._is_over():
            found = await read(partial(webhook_clock.waiting, webhook_id=self._webhook_id))
            if found:
                await self._send_all(found)
                last = time.monotonic()
            elif time.monotonic() - last > LINGERS_S:
                return "sent"
            else:
                await asyncio.sleep(1.0)
        return "goes on later"

    def _is_over(self) -> bool:
        return not self._goes_on or self._workplace.stopping.is_set() or time.monotonic() > self._ends

    async def _send_all(self, found: Iterable[int]) -> None:
        left = iter(found)
        async with asyncio.TaskGroup() as group:
            for number in range(IN_HAND):
                group.create_task(self._send_some(left, number))

    async def _send_some(self, left: Iterator[int], number: int) -> None:
        """Send one after another of what is left; of a receiver that only fails, the first of us alone does."""
        while not self._is_over() and (number == 0 or self._failures < PATIENT_AFTER):
            delivery_id = next(left, None)
            if delivery_id is None:
                return
            await self._send(delivery_id)
            if self._failures >= PATIENT_AFTER:
                await asyncio.sleep(REST_S)
                return  # and look again: a test call goes before what waits

    async def _send(self, delivery_id: int) -> None:
        database = self._workplace.database
        parcel = await database.read_unbounded(partial(webhook_clock.parcel, delivery_id=delivery_id))
        if isinstance(parcel, str):
            await database.write(partial(webhook_clock.stop, webhook_id=self._webhook_id, why=parcel))
            self._goes_on = False
        elif parcel is not None:
            call = _addressed(self._workplace.base_url, parcel)
            outcome = await self._called(call)
            if outcome is None:
                await asyncio.sleep(REST_S)
                return  # it is due as before
            told = await database.write(_noted(self._workplace, delivery_id, call, outcome))
            self._failures = told.failures
            self._goes_on = self._goes_on and told.goes_on

    async def _called(self, call: hooks.Call) -> hooks.Outcome | None:
        try:
            return await self._caller.call(call)
        except Exception as error:  # noqa: BLE001 -- one message that cannot be sent does not hold up the others
            log.error("webhook_call_failed", webhook_id=self._webhook_id, error=type(error).__name__)  # noqa: TRY400
            return hooks.Outcome(0, hooks.BROKEN)


def _addressed(base_url: str, parcel: Parcel) -> hooks.Call:
    return hooks.Call(
        address=parcel.address,
        id=parcel.message,
        at=clock.now(),
        body=hook_bodies.body(base_url, parcel),
        secrets=parcel.secrets,
    )


def _noted(
    workplace: Workplace, delivery_id: int, call: hooks.Call, outcome: hooks.Outcome
) -> Callable[[Transaction], webhook_clock.Told]:
    waits_s = workplace.webhook_waits_s
    return lambda tx: webhook_clock.note(tx, delivery_id, outcome, call=call, waits_s=waits_s)


def _some(workplace: Workplace, work: Callable[[Transaction], bool], ends: float) -> None:
    """Some hundreds of rows a transaction, the rest at the next tick; one that fails holds up no other."""
    try:
        while workplace.database.write_now(work) and time.monotonic() < ends:
            pass
    except Exception as error:  # noqa: BLE001 -- tried again at the next tick
        log.error("webhooks_held_up", error=type(error).__name__)  # noqa: TRY400
