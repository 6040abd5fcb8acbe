"""Matches: the run itself, outside any request, with its progress in the row and an ear for being cancelled."""

import time
from typing import Any, Final

import structlog

from app.errors import Unavailable
from app.jobs.workplace import Workplace
from app.methods import (
    deferred_acceptance,
    exchange_figures,
    exchange_plan,
    exchange_reasons,
    exchange_result,
)
from app.methods.exchange_demands import Impossible, input_hash
from app.methods.exchange_market import Market
from app.models.exchange import STABLE
from app.services import matches
from app.services.matches import DONE, FAILED, MatchView

TOLD_EVERY_S: Final = 1.0
"""How often a run writes down how far it is, and looks whether it was cancelled."""

log = structlog.get_logger(__name__)


def run(workplace: Workplace, *, match_id: int) -> str:
    """Run one match. Begun again after a worker's death it reads the market anew: the same one gives the same plan."""
    database = workplace.database
    taken = database.write_now(lambda tx: matches.take_up(tx, match_id))
    if taken is None:
        return "nothing to do"
    match, market = taken
    try:
        values = _planned(match, market, _Teller(workplace, match_id))
    except exchange_result.Cancelled:
        return "cancelled"
    except Impossible as impossible:
        clashes = impossible.clashes
        names = database.read_now(lambda connection: matches.names(connection, match.programme_id, match))
        found = matches.said(clashes, names, market.offer)
        database.write_now(lambda tx: matches.finish(tx, match_id, state=FAILED, problems=found))
        return "impossible"
    except Unavailable:
        raise  # the line begins it again
    except Exception:
        # Whatever it was, nobody shall wait for a plan that does not come.
        database.write_now(lambda tx: matches.finish(tx, match_id, state=FAILED))
        raise
    database.write_now(lambda tx: matches.finish(tx, match_id, state=DONE, **values))
    return "done"


def _planned(match: MatchView, market: Market, tell: "_Teller") -> dict[str, Any]:
    """The plan, its figures and everyone's reasons, as the row keeps them."""
    demands = matches.demands_of(match)
    method = deferred_acceptance.stable if match.aim == STABLE else exchange_plan.most_served
    plan = method(market, demands, seed=match.seed, tell=tell)
    explanations = exchange_reasons.explain(market, demands, plan, tell=tell)
    return {
        "input_hash": input_hash(market, demands, match.aim, match.seed),
        "plan": exchange_result.to_json(plan) | {"reasons": exchange_reasons.to_json(explanations)},
        "figures": exchange_figures.to_json(exchange_figures.figures(market, plan)),
    }


class _Teller:
    """Writes a run's progress to its row now and then, and says whether it shall go on."""

    def __init__(self, workplace: Workplace, match_id: int) -> None:
        self._workplace = workplace
        self._match_id = match_id
        self._told_at = float("-inf")
        self._step = ""

    def __call__(self, step: str, share: float) -> bool:
        """How far the run is; False ends it."""
        if step == self._step and time.monotonic() - self._told_at < TOLD_EVERY_S:
            return True
        self._step, self._told_at = step, time.monotonic()
        goes_on = self._workplace.database.write_now(
            lambda tx: matches.goes_on(tx, self._match_id, step, min(99, round(share * 100)))
        )
        return bool(goes_on)
