"""The schedule: every job there is, and every clock, on one page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.integrations import queue
from app.jobs import answers, ballots, mail
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
    }


def clocks(workplace: Workplace, executor: str) -> tuple[Clock, ...]:
    """What happens by itself: jobs of lost workers go back in line, and what is long done is forgotten."""
    return (
        Clock("count_ballots", 1.0, partial(ballots.count, workplace)),
        Clock("tell_of_ballots", 10.0, partial(ballots.tell, workplace)),
        Clock("tally_ballots", 10.0, partial(ballots.tally, workplace)),
        Clock("reap", 60.0, partial(queue.reap, executor)),
        Clock("forget", HOUR_S, queue.forget),
        Clock("forget_answers", HOUR_S, partial(answers.forget, workplace)),
    )
