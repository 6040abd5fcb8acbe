"""The search for the best plan with HiGHS: one aim after the other, each among the plans that are best by all before.

An aim is first relaxed to a linear programme, which bounds it. Without swaps (and with swaps of two alone, where
sectors are opposite) this is a flow through a network, and its solution is whole: it is the best. Longer swaps can
leave fractions. Then the search dives, raising fractions until all is whole; if that stays short of the bound, it
branches. After that the plans that are as good are kept and all others cut away: a column whose reduced cost is more
than the gap is the same in all of them, and so is the slack of a row (Dantzig, Fulkerson and Johnson 1954). Where a gap
is left, the aim's sum is held as a row as well.

Branching on every aim would take too long where there are many people. There, only the first aim is branched on. Where
the first three leave fractions, they settle which swaps there are, and all aims are then searched with these swaps: a
network again. What is proved for the later aims is proved among plans with these swaps.

Bounds are rounded up, since values are whole numbers. Limits count nodes, never seconds; there is one thread; no order
plays a part but that of the columns. A plan that the solver gives is added up again before it is believed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from app.methods.exchange_model import Problem
from app.methods.exchange_result import BALANCE, LOT, SERVED, WISHES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SWAP_AIMS: Final = (SERVED, BALANCE, WISHES)
"""The aims that settle which swaps there are."""
MOST_COLUMNS: Final = 6_000
"""With so many goings at most every aim is branched on: that is some three hundred people."""
MOST_NODES: Final = 500
FEW_NODES: Final = 20
"""So many nodes are looked at where there are more."""
MOST_DIVES: Final = 60
SHARES_RAISED: Final = (4, 10, 25)
"""A dive raises a quarter of the fractions at a time, the next tries a tenth, the last a twenty-fifth."""
NOTHING: Final = 1e-6
"""What the solver may leave of a whole number."""
NO_COST: Final = 1e-5
"""What it may leave of a reduced cost: these are whole numbers, or fractions of small ones."""
NO_BOUND: Final = 10**15
TOLD_EVERY: Final = 2_000

Hears = Callable[[str, int], bool]
"""Is told the aim and how many iterations it has taken so far. False ends the search."""


class Ended(Exception):
    """The search was told to end."""


@dataclass(frozen=True)
class Found:
    """The best plan found: how often each column is taken.

    `totals`: what it costs by each aim. `bounds`: what no plan can cost less than, that is as good by the aims before;
    among plans with the same swaps for aims in `same_swaps`. `against`: for each going that was cut away, the aim that
    did so.
    """

    columns: "Floats"
    totals: dict[str, int]
    bounds: dict[str, int]
    against: dict[int, str]
    same_swaps: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Relaxed:
    """An optimum of the linear programme."""

    columns: "Floats"
    reduced: "Floats"
    sums: "Floats"
    prices: "Floats"
    total: float


def search(problem: Problem, aims: tuple[str, ...], seed: int, hears: Hears) -> Found:
    """The best plan by `aims`, in order; they begin with `SWAP_AIMS`.

    :raises Ended: `hears` answered False
    """
    import numpy as np

    if not problem.goings:  # which the solver has no answer to
        none = dict.fromkeys(aims, 0)
        return Found(np.zeros(len(problem.upper)), none, dict(none), {})
    # That nobody goes is always a plan.
    first = _Search(problem, seed, hears, problem.completed(problem.lower))
    first.improve(SWAP_AIMS)
    later = aims[len(SWAP_AIMS) :]
    if first.is_small or not first.summed:
        first.improve(later)
        return Found(first.best, first.totals, first.bounds, first.against)

    def hears_again(aim: str, iterations: int) -> bool:
        # The aims that have been told already are no step of their own any more.
        return hears(aim if aim in later else later[0], iterations)

    again = _Search(problem.holding(first.best), seed, hears_again, first.best)
    again.improve(aims)
    bounds = {**again.bounds, **first.bounds}
    return Found(again.best, again.totals, bounds, first.against, frozenset(later))


def bound(problem: Problem, aim: str, seed: int, hears: Hears) -> int:
    """A value that no plan of the problem is better than by this aim.

    :raises Ended: `hears` answered False
    """
    return _Search(problem, seed, hears, problem.lower).bound(aim)


class _Search:
    """One search: the solver, what it may still choose from, and the best plan so far."""

    def __init__(self, problem: Problem, seed: int, hears: Hears, best: "Floats") -> None:
        import numpy as np

        self.problem = problem
        self.hears = hears
        self.lower, self.upper = problem.lower.copy(), problem.upper.copy()
        self.row_lower, self.row_upper = problem.row_lower.copy(), problem.row_upper.copy()
        for rows in problem.begins.values():
            self.row_lower[rows], self.row_upper[rows] = -np.inf, np.inf
        self.best = best
        self.totals: dict[str, int] = {}
        self.bounds: dict[str, int] = {}
        self.against: dict[int, str] = {}
        self.summed: set[str] = set()
        self.aim = ""
        self.heard = 0
        self.ended = False
        self.solver = self._opened(seed)

    @property
    def is_small(self) -> bool:
        """Whether every aim is branched on."""
        return len(self.problem.goings) <= MOST_COLUMNS

    def improve(self, aims: tuple[str, ...]) -> None:
        """Find the best plan by these aims, in order, among those that are best by the aims before.

        :raises Ended: `hears` answered False
        """
        for aim in aims:
            self.aim, self.heard = aim, 0
            if not self.hears(aim, 0):
                raise Ended
            self._begin(aim)
            self._improve(self.problem.costs[aim])

    def bound(self, aim: str) -> int:
        """A bound of this aim, if it is the first."""
        self.aim = aim
        return _rounded_up(self._relaxed(self.problem.costs[aim]).total)

    def _begin(self, aim: str) -> None:
        """Let those rows count that were free until this aim."""
        rows = self.problem.begins.get(aim)
        if rows is not None:
            self.row_lower[rows] = self.problem.row_lower[rows]
            self.row_upper[rows] = self.problem.row_upper[rows]
            self._rule()

    def _improve(self, cost: "Floats") -> None:
        relaxed = self._relaxed(cost)
        bound = _rounded_up(relaxed.total)
        for share in SHARES_RAISED:
            self._take(cost, self._dived(relaxed, share))
            if self._total(cost) <= bound:
                break
        # The lot is no aim: where it cannot be drawn to the end, what is there is as good.
        if self._total(cost) > bound and (self.aim == SERVED or (self.is_small and self.aim != LOT)):
            bound = max(bound, self._branched(cost, relaxed))
        self.totals[self.aim] = self._total(cost)
        self.bounds[self.aim] = bound
        self._cut_away(cost, relaxed)

    def _total(self, cost: "Floats") -> int:
        return round(float(cost @ self.best))

    def _take(self, cost: "Floats", found: "Floats | None") -> None:
        """`found` is the best from now on, if it is a plan and better by this aim."""
        if found is None:
            return
        found = self.problem.completed(found)
        if self._is_plan(found) and cost @ found < cost @ self.best:
            self.best = found

    def _is_plan(self, columns: "Floats") -> bool:
        """Whether whole columns keep every rule, and are as good by the aims before: exact, without the solver."""
        import numpy as np

        problem = self.problem
        taken = problem.value * columns[problem.column]
        sums = np.bincount(problem.row, weights=taken, minlength=len(problem.row_lower))
        keeps_rows = (sums >= problem.row_lower).all() and (sums <= problem.row_upper).all()
        keeps_columns = (columns >= problem.lower).all() and (columns <= problem.upper).all()
        as_good = all(problem.costs[aim] @ columns <= total for aim, total in self.totals.items())
        return bool(keeps_rows and keeps_columns and as_good)

    # one aim

    def _relaxed(self, cost: "Floats") -> Relaxed:
        import numpy as np

        self.solver.changeColsCost(len(cost), _numbers(len(cost)), cost)
        if not self._run():
            self.solver.clearSolver()
            if not self._run():
                raise RuntimeError("the solver found no optimum of a problem that has one")
        solution = self.solver.getSolution()
        return Relaxed(
            np.array(solution.col_value),
            np.array(solution.col_dual),
            np.array(solution.row_value),
            np.array(solution.row_dual),
            self.solver.getObjectiveValue(),
        )

    def _dived(self, relaxed: Relaxed, share: int) -> "Floats | None":
        """Whole columns near the optimum, found by raising a share of the fractions; None if that leads nowhere."""
        import numpy as np

        columns, lower = relaxed.columns, self.lower
        for _ in range(MOST_DIVES):
            broken = self._broken(columns)
            if not len(broken):
                break
            raised = broken[: max(1, len(broken) // share)]
            lower = lower.copy()
            lower[raised] = np.ceil(columns[raised])
            self._bounded(lower, self.upper)
            if not self._run():
                break
            columns = np.array(self.solver.getSolution().col_value)
        if lower is not self.lower:
            self._bounded(self.lower, self.upper)
        return None if len(self._broken(columns)) else np.rint(columns)

    def _broken(self, columns: "Floats") -> Any:
        """The columns that are not whole, the largest fraction first: cycles as long as any is broken, then goings."""
        import numpy as np

        chosen = columns[: self.problem.chosen]
        parts = chosen - np.floor(chosen + NOTHING)
        broken = np.flatnonzero(parts > NOTHING)
        cycles = broken[broken >= len(self.problem.goings)]
        broken = cycles if len(cycles) else broken
        return broken[np.argsort(-parts[broken], kind="stable")]

    def _branched(self, cost: "Floats", relaxed: Relaxed) -> int:
        """Let the solver branch in search of anything better than the best; the bound that it has proved.

        The solver is not told the best plan: with one to start from, HiGHS 1.16 can lose what its presolve has taken
        out of the total, and call that plan optimal. A small problem it may not presolve at all.
        """
        import highspy
        import numpy as np

        for aim in self.totals:
            self._sum_up(aim)
        better = self._total(cost) - 1
        same = np.abs(relaxed.reduced) > better - relaxed.total + NO_COST
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[same] = upper[same] = np.rint(relaxed.columns[same])
        self._bounded(lower, upper)
        many = len(cost)
        self.solver.changeColsIntegrality(many, _numbers(many), np.full(many, highspy.HighsVarType.kInteger))
        self.solver.setOptionValue("presolve", "off" if self.is_small else "choose")
        self.solver.setOptionValue("mip_max_nodes", MOST_NODES if self.is_small else FEW_NODES)
        self._run()
        bound = self._read_branched(cost)
        self.solver.setOptionValue("presolve", "choose")
        self.solver.changeColsIntegrality(
            many, _numbers(many), np.full(many, highspy.HighsVarType.kContinuous)
        )
        self._bounded(self.lower, self.upper)
        return bound

    def _read_branched(self, cost: "Floats") -> int:
        """What branching has found becomes the best; what it has proved is returned, as far as the two agree."""
        import highspy
        import numpy as np

        least = self._total(cost)
        if self.solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            return least
        info = self.solver.getInfo()
        columns = np.array(self.solver.getSolution().col_value)
        if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
            if abs(cost @ columns - info.objective_function_value) > 0.5:
                return -NO_BOUND
            self._take(cost, np.rint(columns))
        return min(least, _rounded_up(max(info.mip_dual_bound, -NO_BOUND)))

    def _cut_away(self, cost: "Floats", relaxed: Relaxed) -> None:
        """Keep the plans that are as good by this aim."""
        import numpy as np

        gap = max(0.0, float(cost @ self.best) - relaxed.total)
        if gap > NOTHING:
            self._sum_up(self.aim)
        columns = np.flatnonzero(np.abs(relaxed.reduced) > gap + NO_COST)
        self.lower[columns] = self.upper[columns] = np.rint(relaxed.columns[columns])
        goings = np.arange(len(self.problem.goings))
        cut = (self.upper[goings] == 0) | (self.upper[self.problem.group] == 0)
        for column in goings[cut].tolist():
            self.against.setdefault(column, self.aim)
        rows = np.flatnonzero(np.abs(relaxed.prices[: len(self.row_lower)]) > gap + NO_COST)
        self.row_lower[rows] = self.row_upper[rows] = np.rint(relaxed.sums[rows])
        self._bounded(self.lower, self.upper)
        self._rule()

    def _sum_up(self, aim: str) -> None:
        """Hold what is reached by an aim as a row of its own."""
        import numpy as np

        if aim not in self.summed:
            self.summed.add(aim)
            cost = self.problem.costs[aim]
            used = np.flatnonzero(cost).astype(np.int32)
            self.solver.addRow(-np.inf, self.totals[aim], len(used), used, cost[used])

    # the solver

    def _opened(self, seed: int) -> Any:
        """The solver with the problem in it."""
        import highspy
        import numpy as np

        problem = self.problem
        order = np.argsort(problem.column, kind="stable")
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = len(problem.upper), len(problem.row_lower)
        programme.col_cost_ = np.zeros(len(problem.upper))
        programme.col_lower_, programme.col_upper_ = self.lower, self.upper
        programme.row_lower_, programme.row_upper_ = self.row_lower, self.row_upper
        programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        columns = np.arange(len(problem.upper) + 1)
        programme.a_matrix_.start_ = np.searchsorted(problem.column[order], columns).astype(np.int32)
        programme.a_matrix_.index_ = problem.row[order]
        programme.a_matrix_.value_ = problem.value[order]
        solver = _quiet_solver()
        options: dict[str, Any] = {"threads": 1, "parallel": "off", "random_seed": seed % 2**31}
        options |= {"mip_rel_gap": 0.0, "mip_abs_gap": 0.999}
        for name, value in options.items():
            solver.setOptionValue(name, value)
        solver.passModel(programme)
        solver.cbSimplexInterrupt.subscribe(lambda event: self._hear(event, TOLD_EVERY))
        solver.cbMipInterrupt.subscribe(lambda event: self._hear(event, 1))
        return solver

    def _hear(self, event: Any, every: int) -> None:
        """Pass on how far the solver is, and its end if that is wished for."""
        self.heard += 1
        if self.heard % every == 0 and not self.hears(self.aim, self.heard):
            self.ended = True
        if self.ended:
            event.interrupt()

    def _run(self) -> bool:
        """Whether the solver found an optimum of what it holds."""
        import highspy

        self.solver.run()
        if self.ended:
            raise Ended
        return bool(self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def _bounded(self, lower: "Floats", upper: "Floats") -> None:
        self.solver.changeColsBounds(len(lower), _numbers(len(lower)), lower, upper)

    def _rule(self) -> None:
        many = len(self.row_lower)
        self.solver.changeRowsBounds(many, _numbers(many), self.row_lower, self.row_upper)


def _numbers(many: int) -> Any:
    """The numbers of all columns or rows."""
    import numpy as np

    return np.arange(many, dtype=np.int32)


def _quiet_solver() -> Any:
    """HiGHS, which writes a line to the terminal as soon as it is made unless its output is off before that."""
    import highspy

    class Quiet(highspy.Highs):
        def enableCallbacks(self) -> Any:  # noqa: N802 -- what is called while it is made
            self.setOptionValue("output_flag", False)
            return super().enableCallbacks()  # type: ignore[no-untyped-call]

    return Quiet()  # type: ignore[no-untyped-call]


def _rounded_up(total: float) -> int:
    """The least whole number that a whole total can be; what the solver may leave is allowed for."""
    return ceil(total - NOTHING - 1e-10 * abs(total))
