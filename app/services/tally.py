"""The work behind `partnership tally`: an election from a file is read and counted, without a database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from app.methods import count, interchange, pabulib
from app.methods.election import Reason, Result, Standing, Tie
from app.methods.interchange import Given, wrong
from app.methods.sector_rule import suiting

MOST_BYTES: Final = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Report:
    """An election from a file, and what it counts to."""

    given: Given
    result: Result


def tally(file: Path, *, method: str = "", rule: str = "", seats: int = 0) -> Report:
    """Read and count the election in `file`: JSON, or a Pabulib `.pb` file if it does not start with a brace.

    `rule` and `seats` take the place of what a JSON file says (empty, 0: nothing does); `method` is for `.pb` files
    alone, since a JSON file's votes say what they are.

    :raises Invalid: the file is too large, not UTF-8, cut off or ill-formed, or the votes do not fit what is asked for
    :raises OSError: it cannot be read
    """
    text = _read(file)
    if text.removeprefix("\ufeff").lstrip()[:1] in {"{", "["}:
        given = _asked(interchange.read(text.removeprefix("\ufeff")), method, rule, seats)
    else:
        given = pabulib.read(text, method=method, rule=rule or "one_person", seats=seats or 1)
    return Report(given, count.count(given.election))


def told(report: Report) -> Iterator[str]:
    """The report for people, line by line; what a file holds cannot steer the terminal."""
    for line in _lines(report):
        yield "".join(sign if sign.isprintable() else "\ufffd" for sign in line)


def as_json(report: Report) -> dict[str, Any]:
    """The result as JSON data, with the names of the options, and what the file itself says who has won."""
    return {
        "names": dict(report.given.names),
        "unit": report.given.unit,
        "published": list(report.given.published),
        "result": count.to_json(report.result),
    }


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        held = opened.read(MOST_BYTES + 1)
    if len(held) > MOST_BYTES:
        raise wrong("file", f"It is larger than {MOST_BYTES // 2**20} MiB, which is the most.")
    if not held.strip():
        raise wrong("file", "It is empty.")
    try:
        return held.decode()
    except UnicodeDecodeError as error:
        raise wrong("file", f"It is not UTF-8 from byte {error.start + 1} on.") from None


def _asked(given: Given, method: str, rule: str, seats: int) -> Given:
    """The election under the rule and the seats that were asked for."""
    settings = given.election.settings
    if method and method != settings.method:
        raise wrong(
            "method", f"The votes in this file are for {settings.method} and cannot be read otherwise."
        )
    if rule and rule not in suiting(settings.method):
        raise wrong(
            "rule", f"For {settings.method} choose one of these: {', '.join(suiting(settings.method))}."
        )
    if seats > len(given.election.options):
        raise wrong("seats", f"There are only {len(given.election.options)} options.")
    settings = replace(settings, rule=rule or settings.rule, seats=seats or settings.seats)
    return replace(given, election=replace(given.election, settings=settings))


# For people


def _lines(report: Report) -> Iterator[str]:
    result = report.result
    election = report.given.election
    yield f"Counted: {result.method}, {result.rule}; {len(election.votes):,} votes, {len(election.options)} options"
    for row in result.turnout:
        yield f"  {row.sector or 'everyone'}: {row.voted:,} of {row.eligible:,} voted, {row.counted:,} votes count"
    for reason in result.reasons:
        yield _reason_told(reason)
    yield ""
    places = {key: place for place, key in enumerate(result.winners, start=1)}
    for standing in result.standings:
        yield _standing_told(standing, places.get(standing.key), report)
    yield ""
    yield from _money_told(report)
    for tie in result.ties:
        yield _tie_told(tie)
    yield from _published_told(report)
    yield f"Input: {result.input_hash}"


def _standing_told(standing: Standing, place: int | None, report: Report) -> str:
    given, result = report.given, report.result
    chosen = "" if place is None else f"{place}."
    pairs = zip(result.sectors, standing.support, strict=True)
    support = ", ".join(f"{sector or 'everyone'} {yes:,}/{votes:,}" for sector, (yes, votes) in pairs)
    cost = next(option.cost for option in given.election.options if option.key == standing.key)
    price = f", costs {_money(cost, given.unit)}" if result.method == "budget" else ""
    failings = "" if standing.passed else f" ({' '.join(map(_reason_told, standing.reasons))})"
    name = given.names.get(standing.key, standing.key)
    return f"{chosen:>5} {name} [{standing.key}]{price}: {support}{failings}"


def _money_told(report: Report) -> Iterator[str]:
    if report.result.method != "budget":
        return
    given = report.given
    costs = {option.key: option.cost for option in given.election.options}
    spent = sum(costs[key] for key in report.result.winners)
    budget = given.election.settings.budget
    yield f"Spent: {_money(spent, given.unit)} of {_money(budget, given.unit)}"
    for line in report.result.rounds:
        if line["round"] in _MONEY:
            yield from _MONEY[line["round"]](line, report)


def _shares_told(line: Mapping[str, Any], report: Report) -> Iterator[str]:
    for sector, first, last in zip(line["sectors"], line["share"], line["raised_share"], strict=True):
        shares = [_money(Fraction(each), report.given.unit) for each in (first, last)]
        whose = f" of {sector}" if sector else ""
        yield f"Equal shares: {shares[0]} for each voter{whose}, raised to {shares[1]}"


def _limit_told(line: Mapping[str, Any], report: Report) -> Iterator[str]:
    yield f"  One raise more would have cost {_money(line['cost'], report.given.unit)}."


def _greedy_told(line: Mapping[str, Any], report: Report) -> Iterator[str]:
    """What would have won by support alone, as a difference where there is one."""
    others = set(line["winners"])
    won = set(report.result.winners)
    cost = _money(line["cost"], report.given.unit)
    if others == won:
        yield "By support alone (greedy): the same options."
        return
    yield f"By support alone (greedy): {len(others)} options for {cost}"
    yield f"  not these: {', '.join(key for key in report.result.order if key in won - others) or 'none'}"
    yield f"  but these: {', '.join(key for key in line['winners'] if key not in won) or 'none'}"


_MONEY: Final = {"shares": _shares_told, "limit": _limit_told, "greedy": _greedy_told}


def _published_told(report: Report) -> Iterator[str]:
    published = report.given.published
    if not published:
        return
    if set(published) == set(report.result.winners):
        yield "The file names the same winners."
    else:
        yield f"The file names other winners: {', '.join(published)}"


def _reason_told(reason: Reason) -> str:
    values = {
        name: ", ".join(value) if isinstance(value, list | tuple) else value
        for name, value in reason.values.items()
    }
    return count.WORDS[reason.code] % values


def _tie_told(tie: Tie) -> str:
    return f"Tied ({tie.over}): {', '.join(tie.between)}. By the tie order {tie.first} came first."


def _money(amount: Fraction | int, unit: int) -> str:
    """An amount in the file's own unit, with two decimals if it is not whole."""
    value = Fraction(amount) / unit
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):,.2f}"
