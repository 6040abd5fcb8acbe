"""Figures: what was measured on both sides, as ratios, beside what they should be."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from bench.load import Sample

Aim = tuple[Literal["at least", "at most"], float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one side."""

    rate: float
    cpu_us: float
    p50_ms: float
    errors: int = 0
    complaint: str = ""

    @classmethod
    def of(cls, sample: Sample, cpu_s: float) -> "Measured":
        """What a sample says, with the processor time that the server used for it."""
        answers = max(sample.answers, 1)
        return cls(sample.rate, cpu_s / answers * 1e6, sample.p50_s * 1e3, sample.errors, sample.complaint)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: the median of the rounds' ratios, and between which they lay."""

    job: str
    against: str
    what: str
    ratio: float
    low: float
    high: float
    here: str
    floor: str
    aim: Aim | None = None
    errors: int = 0
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is reached, if there is one."""
        if self.aim is None:
            return None
        kind, bound = self.aim
        return self.ratio >= bound if kind == "at least" else self.ratio <= bound

    def noting(self, note: str) -> "Figure":
        """The same with a note, if there is one."""
        return replace(self, note=note) if note else self

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "is_met": self.is_met}


@dataclass(frozen=True, slots=True)
class Duel:
    """Both sides of several rounds, each round one after the other."""

    here: tuple[Measured, ...]
    floor: tuple[Measured, ...]

    def figure(
        self, job: str, against: str, what: Literal["rate", "CPU", "p50"], aim: Aim | None = None
    ) -> Figure:
        """The ratio of what is compared, ours over the floor's."""
        value, unit = _VALUES[what]
        ours, theirs = [value(one) for one in self.here], [value(one) for one in self.floor]
        ratios = [one / other if other else float("inf") for one, other in zip(ours, theirs, strict=True)]
        wrong = [one for one in (*self.here, *self.floor) if one.errors]
        return Figure(
            job,
            against,
            what,
            statistics.median(ratios),
            min(ratios),
            max(ratios),
            unit(statistics.median(ours)),
            unit(statistics.median(theirs)),
            aim,
            sum(one.errors for one in wrong),
            wrong[0].complaint.splitlines()[0] if wrong and wrong[0].complaint else "",
        )


_VALUES: dict[str, tuple[Callable[[Measured], float], Callable[[float], str]]] = {
    "rate": (lambda one: one.rate, lambda value: f"{value:,.0f}/s"),
    "CPU": (lambda one: one.cpu_us, lambda value: f"{value:,.0f} µs"),
    "p50": (lambda one: one.p50_ms, lambda value: f"{value:,.2f} ms"),
}


def table(figures: Sequence[Figure]) -> str:
    """All figures as text, aligned."""
    head = ("job", "against", "what", "here", "floor", "ratio", "spread", "aim", "")
    lines = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rows = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    rows.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(rows)


def _cells(figure: Figure) -> tuple[str, ...]:
    aim = f"{'≥' if figure.aim[0] == 'at least' else '≤'} {figure.aim[1]:g}" if figure.aim else ""
    verdict = {True: "reached", False: "MISSED", None: ""}[figure.is_met]
    if figure.errors:
        verdict = f"{verdict} ({figure.errors} errors: {figure.note})"
    elif figure.note:
        verdict = f"{verdict} ({figure.note})" if verdict else figure.note
    spread = f"{figure.low:.2f} … {figure.high:.2f}"
    return (
        figure.job,
        figure.against,
        figure.what,
        figure.here,
        figure.floor,
        f"{figure.ratio:.2f}",
        spread,
        aim,
        verdict,
    )
