"""Choices and settings as people send them: what is wrong with them, and the one form in which they are kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from app.errors import FieldError
from app.lib.i18n import N_
from app.methods.election import METHODS, NONE, TOP_SCORE, Choice, Option, Settings
from app.methods.sector_rule import suiting

PART: Final[Mapping[str, str]] = {
    "approval": "approved",
    "budget": "approved",
    "score": "scores",
    "ranked": "ranking",
    "points": "points",
    "quadratic": "points",
}
"""Under which name a choice for each method holds what was chosen."""

MOST_NUMBER: Final = 10**12
"""The largest number that settings may hold."""

MOST_POINTS: Final = 1000


def check(settings: Settings, options: Sequence[Option], choice: Any) -> list[FieldError]:
    """What is wrong with a choice, empty if it can be counted.

    `choice` is anything that JSON can hold; fields are named `choice`, `approved`, `scores/3`, `ranking`, `points/3`.
    A part with far more entries than there are options gets one error and is read no further.
    """
    name = PART[settings.method]
    allowed = (name, NONE, "abstain")
    if not isinstance(choice, Mapping) or len(choice) != 1 or next(iter(choice)) not in allowed:
        message = N_("Send an object with exactly one of these names: %(names)s.")
        return [FieldError("choice", message, (("names", ", ".join(allowed)),))]
    kind, given = next(iter(choice.items()))
    if kind != name:
        return (
            [] if given is True else [FieldError(kind, N_("This can only be true. Otherwise leave it out."))]
        )
    return _CHECKS[settings.method](settings, options, given)


def normal(choice: Choice) -> dict[str, Any]:
    """The form in which a choice is kept, hashed and signed; `check` must have passed it. Idempotent.

    Choices that differ only in the order of what has no order become equal: options are sorted by key, and zeros,
    which say the same as nothing, are dropped. All zeros, and a ranking that starts and ends with none of these, become
    `{"none": true}`; a group that only says none of these is dropped from the end of a ranking.
    """
    kind, given = next(iter(choice.items()))
    if kind == "approved":
        return {kind: sorted(given)}
    if kind == "ranking":
        groups = [sorted(group) for group in given]
        if groups[-1] == [NONE]:
            groups.pop()
        return {kind: groups} if groups else {NONE: True}
    if kind in {"scores", "points"}:
        numbers = {key: given[key] for key in sorted(given) if given[key]}
        return {kind: numbers} if numbers else {NONE: True}
    return {kind: True}


def check_settings(settings: Settings, options: Sequence[Option]) -> list[FieldError]:
    """What is wrong with the making of a ballot, empty if it can be opened; fields are named as in `Settings`.

    What is wrong with the solutions has the field `options`. Numbers that the method does not use are only bounded.
    """
    if settings.method not in METHODS:
        message = N_("Choose one of these methods: %(names)s.")
        return [FieldError("method", message, (("names", ", ".join(METHODS)),))]
    if not options:
        return [_error("options", N_("Choose at least one solution to decide on."))]
    errors = [
        *_check_rule(settings),
        *_check_options(settings, options),
        *_check_limits(settings, options),
        *_check_percent(settings),
        *_check_tie_order(settings, options),
    ]
    return errors + _check_unused(settings, {error.field for error in errors})


def _check_approval(settings: Settings, options: Sequence[Option], given: Any) -> list[FieldError]:
    errors = _check_names("approved", options, given)
    if errors:
        return errors
    if len(given) < settings.least:
        return [_error("approved", N_("Choose at least %(least)s, or none of these."), least=settings.least)]
    if settings.most and len(given) > settings.most:
        message = N_("You have chosen %(chosen)s; choose at most %(most)s.")
        return [_error("approved", message, chosen=len(given), most=settings.most)]
    return []


def _check_budget(settings: Settings, options: Sequence[Option], given: Any) -> list[FieldError]:
    errors = _check_names("approved", options, given)
    if errors:
        return errors
    costs = {option.key: option.cost for option in options}
    total = sum(costs[key] for key in given)
    if total <= settings.budget:
        return []
    message = N_("What you have chosen costs %(total)s, but there is only %(budget)s. Leave something out.")
    return [_error("approved", message, total=total, budget=settings.budget)]


def _check_names(field: str, options: Sequence[Option], given: Any) -> list[FieldError]:
    """A list of options, each there and named once, at least one."""
    if not isinstance(given, list | tuple):
        return [_error(field, N_("Send a list of solutions."))]
    if not given:
        return [_error(field, N_("Choose at least one solution, or say none of these."))]
    if len(given) > _most_entries(options):
        return [_too_many(field, len(given), options)]
    return _check_each(field, {option.key for option in options}, given)


def _check_each(field: str, keys: set[str], names: Iterable[Any]) -> list[FieldError]:
    errors = []
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or name not in keys:
            errors.append(_unknown(field, name))
        elif name in seen:
            errors.append(_error(field, N_("%(option)s is named twice; name it once."), option=name))
        else:
            seen.add(name)
    return errors


def _check_ranking(_settings: Settings, options: Sequence[Option], given: Any) -> list[FieldError]:
    if not isinstance(given, list | tuple) or not all(isinstance(group, list | tuple) for group in given):
        return [_error("ranking", N_("Send a list of places, the best first, each a list of solutions."))]
    if not given:
        return [_error("ranking", N_("Rank at least one solution, or say none of these."))]
    entries = max(len(given), sum(map(len, given)))
    if entries > _most_entries(options):
        return [_too_many("ranking", entries, options)]
    errors = [
        _error("ranking", N_("Place %(place)s is empty; leave it out."), place=place)
        for place, group in enumerate(given, start=1)
        if not group
    ]
    keys = {option.key for option in options} | {NONE}
    return errors + _check_each("ranking", keys, [name for group in given for name in group])


def _check_scores(_settings: Settings, options: Sequence[Option], given: Any) -> list[FieldError]:
    def fits(value: Any) -> bool:
        return type(value) is int and 0 <= value <= TOP_SCORE

    message = N_("Give a whole number from 0 to %(top)s.")
    return _check_numbers("scores", options, given, fits, (message, {"top": TOP_SCORE}))


def _check_points(settings: Settings, options: Sequence[Option], given: Any) -> list[FieldError]:
    errors = _check_gifts(options, given)
    total = 0 if errors else sum(given.values())
    if total > settings.points:
        message = N_("You have given %(total)s points, but there are %(points)s. Take some away.")
        errors = [_error("points", message, total=_short(total), points=settings.points)]
    return errors


def _check_quadratic(settings: Settings, options: Sequence[Option], given: Any) -> list[FieldError]:
    errors = _check_gifts(options, given)
    total = 0 if errors else sum(votes * votes for votes in given.values())
    if total > settings.points:
        message = N_("Your votes cost %(total)s credits, but there are %(points)s. Take some votes away.")
        errors = [_error("points", message, total=_short(total), points=settings.points)]
    return errors


def _check_gifts(options: Sequence[Option], given: Any) -> list[FieldError]:
    def fits(value: Any) -> bool:
        return type(value) is int and value >= 0

    return _check_numbers("points", options, given, fits, (N_("Give a whole number, 0 or more."), {}))


def _check_numbers(
    field: str,
    options: Sequence[Option],
    given: Any,
    fits: Callable[[Any], bool],
    mend: tuple[str, Mapping[str, Any]],
) -> list[FieldError]:
    """A number for each of some options, at least one of them; each must fit."""
    if not isinstance(given, Mapping):
        return [_error(field, N_("Send an object with a number for each solution."))]
    if not given:
        return [_error(field, N_("Give a number to at least one solution, or say none of these."))]
    if len(given) > _most_entries(options):
        return [_too_many(field, len(given), options)]
    keys = {option.key for option in options}
    errors = [_unknown(f"{field}/{_short(key)}", key) for key in given if key not in keys]
    message, values = mend
    wrong = [key for key, value in given.items() if key in keys and not fits(value)]
    return errors + [_error(f"{field}/{key}", message, **values) for key in wrong]


_CHECKS: Final[Mapping[str, Callable[[Settings, Sequence[Option], Any], list[FieldError]]]] = {
    "approval": _check_approval,
    "budget": _check_budget,
    "score": _check_scores,
    "ranked": _check_ranking,
    "points": _check_points,
    "quadratic": _check_quadratic,
}


def _check_rule(settings: Settings) -> list[FieldError]:
    rules = suiting(settings.method)
    if settings.rule in rules:
        return []
    return [
        _error("rule", N_("For this method choose one of these rules: %(names)s."), names=", ".join(rules))
    ]


def _check_options(settings: Settings, options: Sequence[Option]) -> list[FieldError]:
    keys = [option.key for option in options]
    if len(set(keys)) < len(keys):
        return [_error("options", N_("A solution stands here twice; keep it once."))]
    if NONE in keys or "" in keys:
        return [_error("options", N_("A solution's key may not be empty, nor the word none."))]
    if settings.method == "budget" and not all(_whole(option.cost, 0) for option in options):
        return [_error("options", N_("Each solution needs a cost: a whole number, 0 or more."))]
    return []


def _check_limits(settings: Settings, options: Sequence[Option]) -> list[FieldError]:
    """What the method limits: the seats of all but budgets, and what is its own."""
    if settings.method == "budget":
        return _check_money(settings, options)
    errors = []
    if not _whole(settings.seats, 1, len(options)):
        message = N_("Choose a number of winners from 1 to %(most)s, the number of solutions.")
        errors.append(_error("seats", message, most=len(options)))
    if settings.method == "approval":
        errors += _check_least_most(settings, len(options))
    if settings.method in {"points", "quadratic"} and not _whole(settings.points, 1, MOST_POINTS):
        message = N_("Give each voter a whole number of points from 1 to %(most)s.")
        errors.append(_error("points", message, most=MOST_POINTS))
    return errors


def _check_money(settings: Settings, options: Sequence[Option]) -> list[FieldError]:
    if not _whole(settings.budget, 1):
        return [_error("budget", N_("Give a budget: a whole number, 1 or more."))]
    cheapest = min((option.cost for option in options if _whole(option.cost, 0)), default=0)
    if cheapest <= settings.budget:
        return []
    message = N_(
        "Every solution costs more than the budget. The cheapest costs %(cheapest)s; give at least that."
    )
    return [_error("budget", message, cheapest=cheapest)]


def _check_least_most(settings: Settings, options: int) -> list[FieldError]:
    errors = [
        _error(
            name,
            N_("Give a whole number from 0 (no limit) to %(most)s, the number of solutions."),
            most=options,
        )
        for name in ("least", "most")
        if not _whole(getattr(settings, name), 0, options)
    ]
    if not errors and 0 < settings.most < settings.least:
        errors.append(
            _error("most", N_("The most must not be less than the least, %(least)s."), least=settings.least)
        )
    return errors


def _check_percent(settings: Settings) -> list[FieldError]:
    return [
        _error(name, N_("Give a whole number of per cent from 0 to 100."))
        for name in ("threshold", "quorum", "sector_quorum")
        if not _whole(getattr(settings, name), 0, 100)
    ]


def _check_unused(settings: Settings, told: set[str]) -> list[FieldError]:
    """What no log could hold, in fields of which nothing is told yet."""
    return [
        _error(name, N_("Give a whole number from 0 to %(most)s."), most=MOST_NUMBER)
        for name in ("seats", "least", "most", "points", "budget")
        if name not in told and not _whole(getattr(settings, name), 0, MOST_NUMBER)
    ]


def _check_tie_order(settings: Settings, options: Sequence[Option]) -> list[FieldError]:
    if sorted(settings.tie_order) == sorted(option.key for option in options):
        return []
    return [_error("tie_order", N_("The tie order must name every solution, each once."))]


def _whole(value: Any, least: int, most: int | None = None) -> bool:
    # What comes from a file may be of any type, and True is an int in Python.
    return type(value) is int and least <= value and (most is None or value <= most)


def _most_entries(options: Sequence[Option]) -> int:
    return 2 * len(options) + 8


def _too_many(field: str, entries: int, options: Sequence[Option]) -> FieldError:
    message = N_("There are %(entries)s entries, but only %(options)s solutions. Name each at most once.")
    return _error(field, message, entries=entries, options=len(options))


def _unknown(field: str, name: Any) -> FieldError:
    return _error(field, N_("%(option)s is not a solution on this ballot."), option=_short(name))


def _short(value: Any) -> str:
    """What was sent, as text that is short enough for a message."""
    if isinstance(value, int) and abs(value) >= 10**18:
        return ">10^18" if value > 0 else "<-10^18"  # more digits than Python turns into text at all
    text = str(value) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) <= 40 else text[:39] + "…"


def _error(field: str, message: str, **values: Any) -> FieldError:
    return FieldError(field, message, tuple(values.items()))
