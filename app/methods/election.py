"""An election: what every method takes and gives, as plain data.

An election is its options, its settings and its votes. `read` turns votes as people sent them (and as the
published log and the API show them) into a `Profile` of numbers, which the methods count.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Choice = Mapping[str, Any]
"""What one person chose, as JSON. One key says what it is:

- `{"abstain": true}`: counted as present, not as a vote
- `{"none": true}`: none of these; a vote that supports nothing
- approval, budget: `{"approved": ["3", "5"]}`
- score: `{"scores": {"3": 5, "7": 0}}`, each 0 to 5; what is left out has 0
- ranked: `{"ranking": [["3"], ["5", "7"], ["none"], ["9"]]}`: the best first, ties in one group; what is left
  out stands after everything else. `none` may stand in a group: what is tied with it or below is not supported
- points, quadratic: `{"points": {"3": 4, "5": 1}}`; quadratic: n votes cost n² credits
"""

METHODS: Final = ("approval", "score", "ranked", "points", "quadratic", "budget")
RULES: Final = ("least_sector", "both_sectors", "equal_weight", "bridging", "one_person", "equal_split")
"""How sectors decide together. `equal_split` is for budgets alone."""

TOP_SCORE: Final = 5
SUPPORT_FROM: Final = 3
"""The score from which on a vote counts as support."""

NONE: Final = "none"
SMALLEST_SECTOR: Final = 5
"""In a secret ballot a sector with fewer votes is not counted apart, since that would tell how its people voted."""


@dataclass(frozen=True, slots=True)
class Option:
    """A solution on the ballot: `key` is its id as text, `cost` is in the ballot's unit."""

    key: str
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """How votes are taken and counted.

    `seats`: how many can win (not for budgets). `least`, `most`: how many may be approved (0: no limit). `points`: dots
    or credits of each voter. `budget`: the total that can be spent. `threshold`: percent of a rule's support that an
    option needs (50: more than half; other: at least; 0: no bar). `quorum`, `sector_quorum`: percent of those who
    may vote who must take part, in all and in each sector. `tie_order`: keys of all options, published before the vote.
    `secret`: sectors with fewer than `SMALLEST_SECTOR` votes are not counted apart.
    """

    method: str
    rule: str = "least_sector"
    seats: int = 1
    least: int = 0
    most: int = 0
    points: int = 10
    budget: int = 0
    threshold: int = 50
    quorum: int = 0
    sector_quorum: int = 0
    tie_order: tuple[str, ...] = ()
    secret: bool = True


class Vote(NamedTuple):
    """One person's choice; `sector` is the key of theirs (empty where small sectors are counted together).

    `written` is the choice as `canonical` writes it, where that is at hand: it saves writing it for the input's hash.
    """

    sector: str
    choice: Choice
    written: str = ""


@dataclass(frozen=True, slots=True)
class Election:
    """All that decides the result. `eligible`: how many people may vote in each sector, in the programme's order.

    `too_small`: the sectors that a secret ballot may not count apart. Whoever closes the ballot fills it by
    `sector_rule.pooled` before counting and publishing; where it names any, all votes are counted as of one sector.
    `withheld`: how many votes a secret ballot does not publish, since there are too few; `votes` is empty then.
    """

    options: tuple[Option, ...]
    settings: Settings
    votes: Sequence[Vote]
    eligible: Mapping[str, int]
    too_small: tuple[str, ...] = ()
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """The votes that count (without abstentions) as numbers: n votes, m options, s sectors.

    `values` [n, m] int64: approval and budget 0 or 1; score 0 to 5; points and quadratic the votes given; ranked: the
    place of each option, 0 the best, equal for ties, and for what is left out the number of the voter's groups.
    `supports` [n, m] bool: whom each vote supports. `sector` [n] int64: index into `sectors`.
    """

    options: tuple[Option, ...]
    sectors: tuple[str, ...]
    values: "NDArray[np.int64]"
    supports: "NDArray[np.bool_]"
    sector: "NDArray[np.int64]"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the options, in the order of the columns."""
        return tuple(option.key for option in self.options)

    def only(self, columns: Sequence[int]) -> "Profile":
        """The same votes over some of the options."""
        if list(columns) == list(range(len(self.options))):
            return self
        return Profile(
            tuple(self.options[column] for column in columns),
            self.sectors,
            self.values[:, list(columns)],
            self.supports[:, list(columns)],
            self.sector,
        )


@dataclass(frozen=True, slots=True)
class Tie:
    """A tie that the tie order decided: between whom, over what (`order`, `seat`, `elimination`, …), who came first."""

    over: str
    between: tuple[str, ...]
    first: str


@dataclass(frozen=True, slots=True)
class Count:
    """What a method says of a profile.

    `winners` in the order of winning; `order` all the options, the best first; `scores` the number that the order
    follows, where there is one for each option; `rounds` the explanation, as plain JSON data with fractions as text.
    """

    winners: tuple[str, ...]
    order: tuple[str, ...]
    scores: Mapping[str, Fraction] = field(default_factory=dict)
    rounds: tuple[Mapping[str, Any], ...] = ()
    ties: tuple[Tie, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something passed or did not, for people: `code` chooses the words, `values` fill them."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SectorTurnout:
    """A sector in a ballot: who may vote, who took part (with abstentions), whose vote counts."""

    sector: str
    eligible: int
    voted: int
    counted: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How one option did: support by sector as (yes, votes), in the order of the sectors counted."""

    key: str
    support: tuple[tuple[int, int], ...]
    measure: Fraction
    passed: bool
    winner: bool
    score: Fraction | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of an election. `sectors`: those counted apart; one called `` where they are counted together."""

    method: str
    rule: str
    winners: tuple[str, ...]
    order: tuple[str, ...]
    standings: tuple[Standing, ...]
    sectors: tuple[str, ...]
    turnout: tuple[SectorTurnout, ...]
    passed: bool
    reasons: tuple[Reason, ...]
    rounds: tuple[Mapping[str, Any], ...]
    ties: tuple[Tie, ...]
    input_hash: str


def read(election: Election) -> Profile:
    """The votes that count, as numbers; sectors in the order of `eligible`, then those that only votes name.

    Every choice must be one that `choices.check` has passed: nothing is checked again here.
    """
    import numpy as np

    keys = {option.key: column for column, option in enumerate(election.options)}
    names = list(election.eligible)
    names += sorted({vote.sector for vote in election.votes} - set(names))
    places = {name: place for place, name in enumerate(names)}
    counting = [vote for vote in election.votes if "abstain" not in vote.choice]
    shape = (len(counting), len(keys))
    values = np.zeros(shape, dtype=np.int64)
    supports = np.zeros(shape, dtype=np.bool_)
    _FILL[election.settings.method](counting, keys, values, supports)
    sector = _whole_numbers(places[vote.sector] for vote in counting)
    return Profile(election.options, tuple(names), values, supports, sector)


def _fill_approved(votes: Sequence[Vote], keys: Mapping[str, int], values: Any, supports: Any) -> None:
    named = [vote.choice.get("approved", ()) for vote in votes]
    cells = _cells(named, keys)
    values[cells] = 1
    supports[cells] = True


def _fill_numbers(name: str, least: int) -> Any:
    def fill(votes: Sequence[Vote], keys: Mapping[str, int], values: Any, supports: Any) -> None:
        given = [vote.choice.get(name, {}) for vote in votes]
        values[_cells(given, keys)] = _whole_numbers(
            chain.from_iterable(numbers.values() for numbers in given)
        )
        supports[:] = values >= least

    return fill


def _fill_ranked(votes: Sequence[Vote], keys: Mapping[str, int], values: Any, supports: Any) -> None:
    import numpy as np

    rankings = [vote.choice.get("ranking", ()) for vote in votes]
    lengths = _whole_numbers(map(len, rankings))
    groups = list(chain.from_iterable(rankings))
    sizes = _whole_numbers(map(len, groups))
    first = np.repeat(lengths.cumsum() - lengths, lengths)
    # `none` has a column of its own while filling: whoever stands before it in a row is supported.
    width = len(keys)
    places = np.column_stack([np.repeat(lengths[:, None], width, axis=1), np.full(len(votes), width + 1)])
    rows = np.repeat(np.repeat(np.arange(len(votes)), lengths), sizes)
    columns = _whole_numbers(map({**keys, NONE: width}.__getitem__, chain.from_iterable(groups)))
    places[rows, columns] = np.repeat(np.arange(len(groups)) - first, sizes)
    ranked = np.zeros(places.shape, dtype=np.bool_)
    ranked[rows, columns] = True
    values[:] = places[:, :width]
    supports[:] = ranked[:, :width] & (values < places[:, width:])


def _cells(named: Sequence[Collection[str]], keys: Mapping[str, int]) -> tuple[Any, Any]:
    """Rows and columns of the options that each vote names."""
    import numpy as np

    columns = _whole_numbers(map(keys.__getitem__, chain.from_iterable(named)))
    return np.repeat(np.arange(len(named)), _whole_numbers(map(len, named))), columns


def _whole_numbers(numbers: Iterable[int]) -> Any:
    import numpy as np

    return np.fromiter(numbers, dtype=np.int64)


_FILL: Final[Mapping[str, Any]] = {
    "approval": _fill_approved,
    "budget": _fill_approved,
    "score": _fill_numbers("scores", SUPPORT_FROM),
    "points": _fill_numbers("points", 1),
    "quadratic": _fill_numbers("points", 1),
    "ranked": _fill_ranked,
}


def number(value: Fraction | int) -> int | str:
    """An exact number as JSON has it: a whole one as it is, any other as text such as `7/3`."""
    fraction = Fraction(value)
    return int(fraction) if fraction.denominator == 1 else f"{fraction.numerator}/{fraction.denominator}"


def canonical(value: Any) -> bytes:
    """JSON in one form only: names sorted, no spaces, UTF-8. What is hashed and signed is written so."""
    return "".join(_CHUNKS(value, 0)).encode()


_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _chunks() -> Callable[[Any, int], Iterable[str]]:
    """What `_ENCODER.encode` makes anew for each value, which takes as long as a vote; no value holds itself."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # a Python without its C parts
        return lambda value, _: (_ENCODER.encode(value),)
    written: Callable[[Any, int], Iterable[str]] = make(
        None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", True, False, True
    )
    return written


_CHUNKS: Final = _chunks()


def input_hash(election: Election) -> str:
    """SHA-256, in hexadecimal, of all that decides the result; the order of votes plays no part."""
    settings = election.settings
    head = {
        "options": [[option.key, option.cost] for option in election.options],
        "settings": {name: _plain(getattr(settings, name)) for name in Settings.__slots__},
        "eligible": dict(election.eligible),
        "too_small": list(election.too_small),
        "withheld": election.withheld,
    }
    sectors = {sector: _text(sector) for sector in {vote.sector for vote in election.votes}}
    votes = sorted(
        f"[{sectors[sector]},{written or _text(choice)}]" for sector, choice, written in election.votes
    )
    digest = hashlib.sha256(canonical(head))
    digest.update("".join(f"\n{vote}" for vote in votes).encode())
    return digest.hexdigest()


def _text(value: Any) -> str:
    return _ENCODER.encode(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
