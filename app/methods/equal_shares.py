"""The Method of Equal Shares: the money is split among the voters, and options are bought by those who support them.

Peters, Pierczyński and Skowron, "Proportional Participatory Budgeting with Additive Utilities" (2021), with the cost of
an option as what its supporters have of it, as cities use it. In each round the supporters of an option could pay for
it by giving the same amount each, or all that they have left where that is less. Of the options that can be paid for,
the one is bought whose amount is the smallest part of its cost: where the cost is shared by the most people.

Completion ("add1u"): that leaves money over, so everybody is given one unit more, and the whole is run again, until
what is bought would cost more than there is; the last outcome within the budget stands, also if an earlier one could
not have been added to (Wieliczka 2023 was counted so). What still fits into the money is then added, the option with
the most support first.

An option that costs more than the whole budget takes no part. One that costs nothing is taken first if anybody supports
it. What nobody supports is never bought.

Sums over voters are floats, with a bound on their error. Where that leaves a decision open (two options, or a voter's
money and the amount, within 1e-9 of each other), it is made in whole numbers over a common denominator.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, inf, lcm
from operator import mul
from typing import TYPE_CHECKING, Any, Final

from app.methods import totals
from app.methods.election import Count, Profile, Settings, Tie, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAR: Final = 1e-9
"""Two numbers this close, relative to their size, are compared exactly."""
EPSILON: Final = 2.0**-52
FINE: Final = 1e-12
"""Errors larger than this, relative to the richest voter's money, are taken out when exact prices are known."""
LONGEST_PAUSE: Final = 64
FARTHEST: Final = 10**15


def count(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> Count:
    """Buy options by equal shares, complete by raising everybody's money, then by support (add1u).

    A voter starts with budget * weight / all voters' weights; `weights` are those of a vote in each sector, as
    `profile.sectors` has them, so 1/votes of the sector splits the money equally between sectors. A raise of one unit
    is one for a voter with the mean weight, and in proportion for the others. Winners in the order of purchase. Ties go
    by `settings.tie_order`: `purchase` where options were equally good to buy, `money` where not all of them fitted.

    `rounds`: `shares` (who had how much), a `purchase` for each winner (phase `free`, `equal_shares`, `completion` for
    what took more than the first shares, or `support` for what was added at the end; what a supporter paid at most and
    as part of the cost, and by sector: supporters, paid, left), `limit` (what one more raise would have cost; not there
    if all that is supported is bought), and `greedy` (what would have won by support alone).
    """
    voters = _electorate(profile, settings, weights)
    first, last, over = _raise(voters)
    bought = last.option_order
    added, money_ties = _by_support(voters, voters.budget - last.spent, set(bought))
    winners = [*bought, *added]
    phases = dict.fromkeys(added, "support") | dict.fromkeys(bought, "completion")
    phases |= dict.fromkeys(set(bought) & set(first.option_order), "equal_shares")
    greedy_winners, _ = _by_support(voters, voters.budget, set())
    keys = profile.keys
    return Count(
        winners=tuple(keys[option] for option in winners),
        order=tuple(keys[option] for option in _ordered(voters, winners)),
        rounds=(
            _shares(voters, last),
            *_purchases(voters, last, added, phases),
            *([] if over is None else [_limit(over)]),
            _greedy_round(voters, greedy_winners),
        ),
        ties=(*last.ties, *money_ties),
    )


def greedy(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> Count:
    """Take options in the order of their weighted support, ties by the tie order, as long as the money lasts.

    Whatever no longer fits is passed over. This is how most cities count; it is shown beside equal shares.
    """
    voters = _electorate(profile, settings, weights)
    winners, ties = _by_support(voters, voters.budget, set())
    keys = profile.keys
    return Count(
        winners=tuple(keys[option] for option in winners),
        order=tuple(keys[option] for option in _ordered(voters, winners)),
        scores=dict(zip(keys, voters.support, strict=True)),
        rounds=(_greedy_round(voters, winners),),
        ties=ties,
    )


# Who votes


@dataclass(frozen=True, slots=True)
class _Electorate:
    """The voters, those of one sector with the same choice as one group, and what they can buy.

    `chosen` [groups, options] bool, `people` and `sector` [groups] int64; for each option `members` (its supporters'
    groups) and `crowd` (people in them, as floats). A voter of sector s starts with `budget * share[s] / whole` and has
    `voters * share[s] / whole` more after each raise. `place` is each option's in the tie order. `open` can be bought.
    """

    keys: tuple[str, ...]
    costs: tuple[int, ...]
    place: tuple[int, ...]
    sectors: tuple[str, ...]
    budget: int
    voters: int
    chosen: "NDArray[np.bool_]"
    people: "NDArray[np.int64]"
    sector: "NDArray[np.int64]"
    members: tuple["NDArray[np.int64]", ...]
    crowd: tuple["NDArray[np.float64]", ...]
    share: tuple[int, ...]
    whole: int
    support: tuple[Fraction, ...]
    open: tuple[int, ...]


def _electorate(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> _Electorate:
    import numpy as np

    chosen, sector, people = _grouped(profile.values > 0, profile.sector)
    in_sector = np.bincount(profile.sector, minlength=len(profile.sectors)).tolist()
    weight = sum((each * heads for each, heads in zip(weights, in_sector, strict=True)), Fraction(0))
    parts = [each / weight for each in weights] if weight else [Fraction(0)] * len(weights)
    whole = lcm(*(part.denominator for part in parts))
    members = tuple(np.flatnonzero(column) for column in chosen.T)
    sums = totals.by_sector(profile.values > 0, profile.sector, len(profile.sectors))
    support = tuple(
        sum((each * yes for each, yes in zip(weights, column, strict=True)), Fraction(0))
        for column in zip(*sums, strict=True)
    )
    costs = tuple(option.cost for option in profile.options)
    places = {key: place for place, key in enumerate(settings.tie_order)}
    return _Electorate(
        keys=profile.keys,
        costs=costs,
        place=tuple(places[key] for key in profile.keys),
        sectors=profile.sectors,
        budget=settings.budget,
        voters=len(profile.sector),
        chosen=chosen,
        people=people,
        sector=sector,
        members=members,
        crowd=tuple(people[who].astype(np.float64) for who in members),
        share=tuple(int(part * whole) for part in parts),
        whole=whole,
        support=support,
        open=tuple(
            option for option, yes in enumerate(support) if yes > 0 and costs[option] <= settings.budget
        ),
    )


def _grouped(
    chosen: "NDArray[np.bool_]", sector: "NDArray[np.int64]"
) -> "tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]":
    """The different rows with their sector, and how many there are of each."""
    import numpy as np

    packed = np.packbits(chosen, axis=1)
    rows = np.ascontiguousarray(np.column_stack([packed, sector.astype("<u4").view(np.uint8).reshape(-1, 4)]))
    flat = rows.view(np.dtype((np.void, rows.shape[1]))).ravel()
    _, first, people = np.unique(flat, return_index=True, return_counts=True)
    return chosen[first], sector[first], people.astype(np.int64)


# Buying


def _raise(voters: _Electorate) -> "tuple[_Run, _Run, _Run | None]":
    """The run with the first shares, the last one within the budget, and the next one, which is over it, if any.

    Levels at which all is certain to go as at the last one are not run. Looking out for them takes time, and is left
    off for a while where it did not help.
    """
    first = last = _Run(voters, 0, watched=True)
    level, pause, resume = 0, 1, 0
    while len(last.option_order) < len(voters.open):
        level = last.raised + last.steady()
        following = _Run(voters, level + 1, watched=level + 1 >= resume)
        if following.spent > voters.budget:
            return first, last if level == last.raised else _Run(voters, level), following
        last = following
        if last.watch is not None:
            pause = 1 if last.steady() else min(2 * pause, LONGEST_PAUSE)
            resume = last.raised + last.steady() + pause
    return first, last, None


@dataclass(frozen=True, slots=True)
class _Offer:
    """What an option would cost each of those who can pay the full amount: `amount`, give or take `error`.

    `least` and `most`: as a part of the cost, with the margin within which it is compared exactly.
    """

    option: int
    amount: float
    error: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class _Sale:
    """An option bought: which groups gave all that they had left, and how many people paid the full amount."""

    option: int
    poor: "NDArray[np.int64]"
    rich: int


class _Run:
    """Equal shares from one level of money, `raised` units over the first; stops when the budget is exceeded.

    `money` [groups] floats differ by at most `slack` from the true amounts. Those are `(units[sector] - the prices of
    the options bought that the group supports) / whole`, or nothing for a group that is not `solvent`: it once gave all
    it had. Prices are worked out exactly only where they are asked for.
    """

    def __init__(self, voters: _Electorate, raised: int, *, watched: bool = False) -> None:
        import numpy as np

        self.voters = voters
        self.raised = raised
        self.spent = 0
        self.option_order: list[int] = []
        self.sales: list[_Sale] = []
        self.ties: list[Tie] = []
        self.units = [(voters.budget + raised * voters.voters) * share for share in voters.share]
        self.whole = voters.whole
        self.prices: list[int] = []
        start = np.array([units / self.whole for units in self.units])
        self.richest = float(start.max(initial=0.0))
        self.slack = EPSILON * self.richest
        self.money: NDArray[np.float64] = start[voters.sector]
        self.solvent: NDArray[np.bool_] = np.ones(len(voters.sector), dtype=np.bool_)
        self.least = self._take_free()
        self.watch = _Watch(voters, self.least) if watched else None
        self._buy()

    def steady(self) -> int:
        """How many more raises are certain to leave all purchases as they are; 0 if nobody watched."""
        return 0 if self.watch is None else int(self.watch.limit * (1 - NEAR))

    def _take_free(self) -> dict[int, float]:
        """Take what costs nothing; for all else, the least part of the cost that a supporter can have to pay."""
        voters = self.voters
        free = [option for option in voters.open if not voters.costs[option]]
        self.option_order += sorted(free, key=lambda option: (-voters.support[option], voters.place[option]))
        return {
            option: (1 - NEAR) / float(voters.crowd[option].sum())
            for option in voters.open
            if voters.costs[option]
        }

    def _buy(self) -> None:
        while self.spent <= self.voters.budget:
            offer = self._best()
            if offer is None:
                return
            self._pay(offer)

    def _best(self) -> _Offer | None:
        """The best offer of this round, None if nothing can be paid for.

        The part of its cost that an option asks for never falls from one round to the next. So options are looked at in
        the order of what they asked for last, until no more can be better.
        """
        seen: list[_Offer] = []
        best = inf
        for option in sorted(self.least, key=self.least.__getitem__):
            if self.least[option] > best:
                break
            offer = self._offer(option)
            if offer is None:
                del self.least[option]
                continue
            self.least[option] = offer.least
            best = min(best, offer.most)
            seen.append(offer)
        close = [offer for offer in seen if offer.least <= best]
        return self._first_of(close) if len(close) > 1 else next(iter(close), None)

    def _first_of(self, offers: Sequence[_Offer]) -> _Offer:
        """The best of offers that floats cannot tell apart; equal ones by the tie order."""
        voters = self.voters
        parts = {}
        for offer in offers:
            need, rich, _ = self._exact(offer)
            parts[offer.option] = Fraction(need, rich * voters.costs[offer.option])
        least = min(parts.values())
        best = sorted(
            (option for option, part in parts.items() if part == least), key=voters.place.__getitem__
        )
        if len(best) > 1:
            keys = tuple(voters.keys[option] for option in best)
            self.ties.append(Tie("purchase", keys, keys[0]))
        return next(offer for offer in offers if offer.option == best[0])

    def _offer(self, option: int) -> _Offer | None:
        """What an option would cost its supporters each; None if together they have too little."""
        voters = self.voters
        cost = voters.costs[option]
        crowd = voters.crowd[option]
        money = self.money[voters.members[option]]
        heads = float(crowd.sum())
        held = crowd * money
        rounding = EPSILON * (len(crowd) + 10) * (heads * self.richest + cost)
        short = cost - float(held.sum())
        doubt = heads * self.slack + rounding + NEAR * cost
        if short > doubt or (short > -doubt and not self._affordable(option)):
            if self.watch is not None:
                self.watch.refuse(option, short - doubt)
            return None
        amount, rich, below = _amount(cost, crowd, money, held, self.least[option] * cost)
        error = (heads * self.slack + rounding) / rich
        margin = error + NEAR * amount
        offer = _Offer(option, amount, error, (amount - margin) / cost, (amount + margin) / cost)
        if self.watch is not None:
            self.watch.look(offer, self.solvent, below, rich)
        return offer

    def _pay(self, offer: _Offer) -> None:
        """Take the money for an option from its supporters."""
        import numpy as np

        voters = self.voters
        who = voters.members[offer.option]
        money = self.money[who]
        if bool((np.abs(money - offer.amount) <= self._doubt(offer)).any()):
            need, rich, poor = self._exact(offer)
            amount, error = need / (self.whole * rich), EPSILON * offer.amount
            self.money[who] -= amount
        else:
            below = money < offer.amount
            poor = who[below & self.solvent[who]]
            rich = int(voters.people[who[~below]].sum())
            amount, error = offer.amount, offer.error
            self.money[who] -= amount
        if self.watch is not None:
            self.watch.buy(offer, money, self.slack, self.solvent, poor)
        self.money[who] = np.maximum(self.money[who], 0.0)
        self.money[poor] = 0.0
        self.solvent[poor] = False
        self.slack += error + EPSILON * self.richest
        self.sales.append(_Sale(offer.option, poor, rich))
        self.option_order.append(offer.option)
        self.spent += voters.costs[offer.option]
        del self.least[offer.option]

    def _doubt(self, offer: _Offer) -> float:
        """How far a voter's money and the amount must lie apart to be told apart."""
        return offer.error + self.slack + NEAR * offer.amount

    # Exactly

    def _affordable(self, option: int) -> bool:
        self.work_out()
        who = self.voters.members[option]
        held = self.held_by(who[self.solvent[who]], len(self.prices))
        return sum(held) >= self.voters.costs[option] * self.whole

    def _exact(self, offer: _Offer) -> "tuple[int, int, NDArray[np.int64]]":
        """What those must pay together who pay the full amount (times `whole`), how many they are, and who is poor."""
        self.work_out()
        voters = self.voters
        who = voters.members[offer.option]
        who = who[self.solvent[who]]
        gap = self.money[who] - offer.amount
        doubt = self._doubt(offer)
        poor = who[gap < -doubt]
        need = voters.costs[offer.option] * self.whole - sum(self.held_by(poor, len(self.prices)))
        rich = int(voters.people[who[gap >= -doubt]].sum())
        more = []
        for money, groups, heads in self._sorted_by_money(who[(gap >= -doubt) & (gap <= doubt)]):
            if money * rich >= need:
                break
            more.append(groups)
            need -= money * heads
            rich -= heads
        return need, rich, _joined([poor, *more])

    def _sorted_by_money(self, who: "NDArray[np.int64]") -> "list[tuple[int, NDArray[np.int64], int]]":
        """Groups by their exact money (times `whole`), the least first, with how many people they are."""
        import numpy as np

        bought = np.array([sale.option for sale in self.sales], dtype=np.int64)
        found: dict[int, list[int]] = {}
        paid = self.voters.chosen[np.ix_(who, bought)].tolist()
        for group, sector, row in zip(who.tolist(), self.voters.sector[who].tolist(), paid, strict=True):
            spent = sum(price for price, took in zip(self.prices, row, strict=True) if took)
            found.setdefault(self.units[sector] - spent, []).append(group)
        return [
            (money, np.array(groups, dtype=np.int64), int(self.voters.people[groups].sum()))
            for money, groups in sorted(found.items())
        ]

    def held_by(self, who: "NDArray[np.int64]", sales: int) -> list[int]:
        """The exact money (times `whole`) of solvent groups together, by sector, after so many sales."""
        import numpy as np

        voters = self.voters
        heads = np.zeros((len(self.units), len(who)))
        heads[voters.sector[who], np.arange(len(who))] = voters.people[who]
        bought = [sale.option for sale in self.sales[:sales]]
        payers = (heads @ voters.chosen[who][:, bought]).astype(np.int64).tolist()
        return [
            units * int(each.sum()) - sum(map(mul, row, self.prices))
            for units, each, row in zip(self.units, heads, payers, strict=True)
        ]

    def work_out(self) -> None:
        """Work out the prices of all sales in whole numbers."""
        if len(self.prices) == len(self.sales):
            return
        for done in range(len(self.prices), len(self.sales)):
            sale = self.sales[done]
            poor = sum(self.held_by(sale.poor, done)) if len(sale.poor) else 0
            need = self.voters.costs[sale.option] * self.whole - poor
            self._finer(sale.rich)
            self.prices.append(need)
        self._coarser()
        if self.slack > FINE * self.richest:
            self._refresh()

    def _finer(self, times: int) -> None:
        """A larger common denominator, so that what is shared by so many is whole."""
        self.whole *= times
        self.units = [units * times for units in self.units]
        self.prices = [price * times for price in self.prices]

    def _coarser(self) -> None:
        common = gcd(self.whole, *self.units, *self.prices)
        self.whole //= common
        self.units = [units // common for units in self.units]
        self.prices = [price // common for price in self.prices]

    def _refresh(self) -> None:
        """Work out everybody's money anew, from exact prices."""
        import numpy as np

        money = np.array([units / self.whole for units in self.units])[self.voters.sector]
        for sale, price in zip(self.sales, self.prices, strict=True):
            money[self.voters.members[sale.option]] -= price / self.whole
        self.money = np.where(self.solvent, np.maximum(money, 0.0), 0.0)
        self.slack = EPSILON * self.richest * (2 + len(self.sales))


def _amount(
    cost: int,
    crowd: "NDArray[np.float64]",
    money: "NDArray[np.float64]",
    held: "NDArray[np.float64]",
    least: float,
) -> "tuple[float, float, NDArray[np.bool_]]":
    """The amount a with sum of min(money, a) = cost, how many people can pay it in full, and which groups cannot.

    By Newton's method from below, where it takes a few steps.
    """
    amount = least
    while True:
        below = money < amount
        rich = float(crowd[~below].sum())
        if not rich:  # all give all they have, but for the last bit
            most = float(money.max())
            return most, float(crowd[money >= most].sum()), money < most
        better = (cost - float(held[below].sum())) / rich
        if better <= amount:
            return better, rich, below
        amount = better


class _Watch:
    """Over how many more raises a run certainly stays the same: `limit`.

    As long as the same options are bought in the same order with the same groups giving all they have, all money and
    all prices are straight lines over the number of raises. `drift` [groups] is the slope of a group's money, which
    differs by at most `slack` from the true one. `lines` holds for each option a line under the part of its cost that
    it asks for: whoever is counted as poor, what the others then have to pay is never more than the true amount.
    """

    def __init__(self, voters: _Electorate, least: Mapping[int, float]) -> None:
        import numpy as np

        self.voters = voters
        self.limit = float(FARTHEST)
        start = np.array([voters.voters * share / voters.whole for share in voters.share])
        self.drift: NDArray[np.float64] = start[voters.sector]
        self.steepest = float(start.max(initial=0.0))
        self.slack = EPSILON * self.steepest
        self.lines = {option: (part, 0.0) for option, part in least.items()}
        self.rates: dict[int, tuple[float, float, NDArray[np.int64]]] = {}

    def refuse(self, option: int, short: float) -> None:
        """Its supporters have too little, by more than `short`: until that has come together."""
        crowd = self.voters.crowd[option]
        heads = float(crowd.sum())
        growth = float((crowd * self.drift[self.voters.members[option]]).sum())
        self._until(short, growth + heads * self.slack + self._rounding(len(crowd), heads))
        del self.lines[option]

    def look(
        self, offer: _Offer, solvent: "NDArray[np.bool_]", below: "NDArray[np.bool_]", rich: float
    ) -> None:
        """What an option asks for now, and how that changes."""
        who = self.voters.members[offer.option]
        poor = below & solvent[who]
        rate = error = 0.0
        if poor.any():
            crowd = self.voters.crowd[offer.option][poor]
            heads = float(crowd.sum())
            rate = -float((crowd * self.drift[who[poor]]).sum()) / rich
            error = (heads * self.slack + self._rounding(len(crowd), heads)) / rich + EPSILON * abs(rate)
        cost = self.voters.costs[offer.option]
        self.lines[offer.option] = (offer.least, (rate - error) / cost)
        self.rates[offer.option] = (rate, error, who[poor])

    def buy(
        self,
        offer: _Offer,
        money: "NDArray[np.float64]",
        slack: float,
        solvent: "NDArray[np.bool_]",
        poor: "NDArray[np.int64]",
    ) -> None:
        """An option is bought: until another would be better, or another group would be poor."""
        import numpy as np

        rate, error, expected = self.rates[offer.option]
        if not np.array_equal(
            np.sort(poor), expected
        ):  # too close for floats: then there is no line to follow
            self.limit = 0.0
        cost = self.voters.costs[offer.option]
        del self.lines[offer.option]
        for part, slope in self.lines.values():
            self._until(part - offer.most, (rate + error) / cost - slope)
        who = self.voters.members[offer.option]
        side = np.where(np.isin(who, poor), -1.0, 1.0)[solvent[who]]
        gaps = side * (money[solvent[who]] - offer.amount) - offer.error - slack
        closing = side * (rate - self.drift[who[solvent[who]]]) + error + self.slack
        nearing = closing > 0
        if nearing.any():
            self.limit = min(self.limit, float((np.maximum(gaps[nearing], 0.0) / closing[nearing]).min()))
        self.drift[who] -= rate
        self.drift[poor] = 0.0
        self.drift[who[~solvent[who]]] = 0.0
        self.steepest = max(self.steepest, float(np.abs(self.drift[who]).max()))
        self.slack += error + EPSILON * self.steepest

    def _until(self, gap: float, closing: float) -> None:
        if closing > 0:
            self.limit = min(self.limit, max(gap, 0.0) / closing)

    def _rounding(self, terms: int, heads: float) -> float:
        return EPSILON * (terms + 10) * heads * self.steepest


def _joined(parts: "Sequence[NDArray[np.int64]]") -> "NDArray[np.int64]":
    import numpy as np

    return np.concatenate(parts)


# What is left, and what it was


def _by_support(
    voters: _Electorate, money: int, bought: Collection[int]
) -> tuple[list[int], tuple[Tie, ...]]:
    """What fits into the money, in the order of weighted support; ties where some of a tied group no longer fitted."""
    waiting = sorted(
        (option for option in voters.open if option not in bought),
        key=lambda option: (-voters.support[option], voters.place[option]),
    )
    taken = []
    for option in waiting:
        if voters.costs[option] <= money:
            money -= voters.costs[option]
            taken.append(option)
    support = dict(zip(voters.keys, voters.support, strict=True))
    names = [voters.keys[option] for option in waiting]
    ties = totals.ties_in(names, support.__getitem__, [voters.keys[option] for option in taken], "money")
    return taken, tuple(tie for tie in ties if tie.over == "money")


def _ordered(voters: _Electorate, winners: Iterable[int]) -> list[int]:
    """All options: the winners as they won, then the others by support."""
    first = list(winners)
    others = set(range(len(voters.keys))) - set(first)
    return first + sorted(others, key=lambda option: (-voters.support[option], voters.place[option]))


def _shares(voters: _Electorate, run: _Run) -> dict[str, Any]:
    """How much each voter had, by sector, and all voters of the sector together."""
    import numpy as np

    heads = (
        np.bincount(voters.sector, weights=voters.people, minlength=len(voters.sectors)).astype(int).tolist()
    )
    plain = [Fraction(voters.budget * share, voters.whole) for share in voters.share]
    raised = [Fraction(run.voters.voters * run.raised * share, voters.whole) for share in voters.share]
    return {
        "round": "shares",
        "budget": voters.budget,
        "sectors": list(voters.sectors),
        "voters": heads,
        "share": [number(each) for each in plain],
        "raised": run.raised,
        "raised_share": [number(each + more) for each, more in zip(plain, raised, strict=True)],
        "together": [
            number((each + more) * count) for each, more, count in zip(plain, raised, heads, strict=True)
        ],
    }


def _purchases(
    voters: _Electorate, run: _Run, added: Sequence[int], phases: Mapping[int, str]
) -> list[dict[str, Any]]:
    """A line for each winner: what it cost, and what its supporters paid and had left."""
    free = len(run.option_order) - len(run.sales)
    left = voters.budget - run.spent
    lines = [_plain_line(voters, option, "free", voters.budget) for option in run.option_order[:free]]
    lines += [line | {"phase": phases[line["option"]]} for line in _sales(voters, run)]
    for option in added:
        left -= voters.costs[option]
        lines.append(_plain_line(voters, option, "support", left))
    return [line | {"option": voters.keys[line["option"]]} for line in lines]


def _plain_line(voters: _Electorate, option: int, phase: str, left: int) -> dict[str, Any]:
    return {
        "round": "purchase",
        "phase": phase,
        "option": option,
        "cost": voters.costs[option],
        "support": number(voters.support[option]),
        "budget_left": left,
    }


def _sales(voters: _Electorate, run: _Run) -> list[dict[str, Any]]:
    """Every sale of the run with its exact amounts."""
    run.work_out()
    lines = []
    left_over = voters.budget
    everybody = run.held_by(_all(voters), 0)
    for place, (sale, price) in enumerate(zip(run.sales, run.prices, strict=True)):
        paid = _paid(voters, run, place)
        everybody = [held - each for held, each in zip(everybody, paid, strict=True)]
        cost = voters.costs[sale.option]
        left_over -= cost
        amount = Fraction(price, run.whole)
        lines.append(
            _plain_line(voters, sale.option, "", left_over)
            | {
                "amount": number(amount),
                "about": totals.about(amount),
                "part": number(amount / cost),
                "paid": [number(Fraction(each, run.whole)) for each in paid],
                "left": [number(Fraction(held, run.whole)) for held in everybody],
            }
        )
    return lines


def _paid(voters: _Electorate, run: _Run, place: int) -> list[int]:
    """What the supporters of a sale paid, by sector (times `whole`)."""
    import numpy as np

    sale, price = run.sales[place], run.prices[place]
    gone = _joined([earlier.poor for earlier in run.sales[: place + 1]])
    rich = np.setdiff1d(voters.members[sale.option], gone)
    heads = np.bincount(voters.sector[rich], weights=voters.people[rich], minlength=len(voters.sectors))
    poor = run.held_by(sale.poor, place)
    return [price * int(count) + held for count, held in zip(heads, poor, strict=True)]


def _all(voters: _Electorate) -> "NDArray[np.int64]":
    import numpy as np

    return np.arange(len(voters.sector))


def _limit(over: _Run) -> dict[str, Any]:
    """Why everybody's money was not raised once more."""
    return {"round": "limit", "raised": over.raised, "cost": over.spent, "budget": over.voters.budget}


def _greedy_round(voters: _Electorate, winners: Iterable[int]) -> dict[str, Any]:
    won = list(winners)
    return {
        "round": "greedy",
        "winners": [voters.keys[option] for option in won],
        "cost": sum(voters.costs[option] for option in won),
        "support": {key: number(support) for key, support in zip(voters.keys, voters.support, strict=True)},
    }
