"""The schedule: every job there is, and every clock, on one page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.integrations import queue
from app.jobs import (
    answers,
    ballots,
    bookings,
    data_exports,
    hooks,
    imports,
    mail,
    matches,
    open_data,
    retention,
)
from app.jobs.workplace import Workplace

HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Something that the worker does again and again, first when it starts; missed or doubled, no harm is done."""

    name: str
    every_s: float
    work: Callable[[], object]


def jobs(workplace: Workplace) -> Mapping[str, queue.Job]:
    """What the line may ask for, by the name that it is asked by. A name, once used, keeps its meaning."""
    return {
        "mail.send": partial(mail.send, workplace),
        "mail.spread": partial(mail.spread, workplace),
        "match.run": partial(matches.run, workplace),
        "mail.link": partial(mail.send_link, workplace),
        "mail.invitation": partial(mail.send_invitation, workplace),
        "mail.warning": partial(mail.send_warning, workplace),
        "data.export": partial(data_exports.make, workplace),
        "import.run": partial(imports.run, workplace),
        "hook.deliver": partial(hooks.deliver, workplace),
    }


def clocks(workplace: Workplace, executor: str) -> tuple[Clock, ...]:
    """What happens by itself: jobs of lost workers go back in line, and what is long done is forgotten."""
    return (
        Clock("count_ballots", 1.0, partial(ballots.count, workplace)),
        Clock("tell_of_ballots", 10.0, partial(ballots.tell, workplace)),
        Clock("tally_ballots", 10.0, partial(ballots.tally, workplace)),
        Clock("settle_bookings", 10.0, partial(bookings.settle, workplace)),
        Clock("make_open_data", 10.0, partial(open_data.keep, workplace)),
        Clock("wake_webhooks", 1.0, partial(hooks.wake, workplace)),
        Clock("reap", 60.0, partial(queue.reap, executor)),
        Clock("forget", 60.0, queue.forget),
        Clock("forget_answers", HOUR_S, partial(answers.forget, workplace)),
        Clock("prune_deliveries", 60.0, partial(hooks.prune, workplace)),
        Clock("expire_data_exports", HOUR_S, partial(data_exports.expire, workplace)),
        Clock("forget_imports", HOUR_S, partial(imports.forget, workplace)),
        Clock("keep_retention", 6 * HOUR_S, partial(retention.keep, workplace)),
    )
