"""What a run of matching gives: a plan, how far it is proved to be the best, and the plan as plain data."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from app.lib.days import Span
from app.lib.i18n import N_
from app.methods.exchange_demands import Swap

MOST: Final = "most"
STABLE: Final = "stable"

OPTIMAL: Final = "optimal"
BOUNDED: Final = "bounded"
"""The plan is proved to be the best by all aims; or a limit was met, and `Plan.proofs` says what is proved."""

SERVED, BALANCE, WISHES, FAIRNESS, HOSTS, LOT = "served", "balance", "wishes", "fairness", "hosts", "lot"
AIMS: Final = (SERVED, BALANCE, WISHES, FAIRNESS, HOSTS, LOT)
"""What a plan that serves most people is judged by, in this order: the next only where all before are equal."""

STEPS: Final[Mapping[str, str]] = {
    "reading": N_("Reading wishes and offers"),
    "swaps": N_("Looking for swaps"),
    SERVED: N_("Serving as many people as possible"),
    BALANCE: N_("Balancing the directions"),
    WISHES: N_("Meeting the best wishes"),
    FAIRNESS: N_("Being fair between organisations"),
    HOSTS: N_("Heeding what hosts prefer"),
    LOT: N_("Drawing lots where all is equal"),
    "proposing": N_("Letting people ask and hosts answer"),
    "reasons": N_("Writing down the reasons"),
}
"""Words for the steps of a run."""

Tell = Callable[[str, float], bool]
"""Is told a step (a key of `STEPS`) and the share of the whole run that is done, 0 to 1. False ends the run."""


def quietly(_step: str, _share: float) -> bool:
    """Hears of every step and lets the run go on."""
    return True


class Cancelled(Exception):
    """The run was told to end; there is no plan."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One person's stay in a plan: at an offer, or at the desk of `desk_of` in a swap; exactly one is not None.

    `organisation`, `sector`: the host's. `rank`: which of the person's wishes it meets, the first is 1; None if it
    meets none, which only a demand can bring about. `demanded`: it is as the coordinator demanded.
    """

    person: int
    organisation: int
    sector: str
    span: Span
    rank: int | None
    offer: str | None = None
    placement: int | None = None
    desk_of: int | None = None
    demanded: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What a plan reaches by one aim, and the best that any plan could that is as good by the aims before.

    Of `served` and `fairness` more is better, of the others less. Both are whole numbers: people served; by how many
    people the directions differ; the sum of the ranks of wishes; for the others see `docs/methods/exchange-match.md`.
    `same_swaps`: the bound is one of plans with the swaps of this plan only.
    """

    aim: str
    value: int
    bound: int
    same_swaps: bool = False

    @property
    def gap(self) -> int:
        """How much better it might be; 0 if it is proved to be the best."""
        return abs(self.value - self.bound)


@dataclass(frozen=True)
class Plan:
    """Who goes where. `stays` and `unmatched` are by person; a swap is also a stay of each of its people.

    `proofs`: one for each aim, in order (none in a stable plan). `cycles`: how many ways to swap were looked at, and
    `all_cycles` whether those are all there are. `against`: for a person and an offer (or organisation and week, for a
    desk) that they would rather have had: an aim such that every plan with it is proved to be worse by this aim, or by
    one before it.
    """

    aim: str
    seed: int
    stays: tuple[Stay, ...]
    unmatched: tuple[int, ...]
    swaps: tuple[Swap, ...] = ()
    state: str = OPTIMAL
    proofs: tuple[Proof, ...] = ()
    cycles: int = 0
    all_cycles: bool = True
    against: Mapping[tuple[int, str | tuple[int, Span]], str] = field(default_factory=dict)

    def stay_of(self, person: int) -> Stay | None:
        """The person's stay, if they have one."""
        return next((stay for stay in self.stays if stay.person == person), None)


def to_json(plan: Plan) -> dict[str, Any]:
    """A plan as plain data: the same bytes for the same plan. `against` stays out: `exchange_reasons` has used it."""
    return {
        "aim": plan.aim,
        "seed": plan.seed,
        "state": plan.state,
        "stays": [{**asdict(stay), "span": _days(stay.span)} for stay in plan.stays],
        "unmatched": list(plan.unmatched),
        "swaps": [{"people": list(swap.people), "span": _days(swap.span)} for swap in plan.swaps],
        "proofs": [asdict(proof) for proof in plan.proofs],
        "cycles": plan.cycles,
        "all_cycles": plan.all_cycles,
    }


def from_json(plain: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` wrote."""
    return Plan(
        aim=plain["aim"],
        seed=plain["seed"],
        stays=tuple(Stay(**{**stay, "span": _span(stay["span"])}) for stay in plain["stays"]),
        unmatched=tuple(plain["unmatched"]),
        swaps=tuple(Swap(tuple(swap["people"]), _span(swap["span"])) for swap in plain["swaps"]),
        state=plain["state"],
        proofs=tuple(Proof(**proof) for proof in plain["proofs"]),
        cycles=plain["cycles"],
        all_cycles=plain["all_cycles"],
    )


def _days(span: Span) -> list[str]:
    return [span.first_day.isoformat(), span.last_day.isoformat()]


def _span(days: list[str]) -> Span:
    first_day, last_day = days
    return Span(date.fromisoformat(first_day), date.fromisoformat(last_day))
