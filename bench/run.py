"""`make bench`: the application against bare programs, as ratios, in one table.

Both sides are real servers on loopback and take turns in one run; each ratio is the median of the rounds, beside
the least and the greatest. `--quick` takes a minute or two, `--only NAME` does a part, `--json` is for programs.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import api, ballots, boards, broadcast, exports, imports, matches, opinion_map, servers, support
from bench.duels import FULL, QUICK, Plan
from bench.figures import Figure, table

Job = Callable[[Plan, Path], list[Figure]]


def live(plan: Plan, _: Path) -> list[Figure]:
    """One change to very many open boards, against a raw broadcast of the same bytes."""
    with servers.unpinned():
        found = broadcast.measure(readers=plan.readers, rounds=plan.changes)
    ratio, memory = found["last_receipt"], found["memory_kib"]
    job, against = f"one change to {plan.readers:,} readers", "raw ASGI broadcast"
    here, floor = (f"{found[side]['last_receipt_ms']:,.0f} ms" for side in ("here", "floor"))
    return [
        Figure(job, against, "last receipt", ratio, ratio, ratio, here, floor, ("at most", 2.5)),
        Figure(job, "itself", "KiB each", memory, memory, memory, f"{memory:.1f} KiB", "", ("at most", 20.0)),
    ]


JOBS: dict[str, Job] = {
    "support-sqlite": support.on_sqlite,
    "support-postgres": support.on_postgres,
    "page": boards.page,
    "list": boards.listing,
    "api": api.reading,
    "cursors": api.cursors,
    "broadcast": live,
    "watching": support.while_watched,
    "supports": support.with_many,
    "ideas": boards.growth,
    "start": imports.start,
    "opinion-map": opinion_map.draw,
    "tallies": ballots.tallies,
    "equal-shares": ballots.equal_shares,
    "counting": ballots.whole_counting,
    "votes-sqlite": ballots.votes_on_sqlite,
    "votes-postgres": ballots.votes_on_postgres,
    "matches": matches.match,
    "exports": exports.take_along,
}


def main() -> None:
    """Measure, and print the table."""
    arguments = _arguments()
    plan = QUICK if arguments.quick else FULL
    figures = measure(plan, [name for name in JOBS if arguments.only in name])
    print(json.dumps([figure.plain() for figure in figures], indent=2) if arguments.json else table(figures))
    if any(figure.errors for figure in figures):
        raise SystemExit("Some answers were not what they should be.")


def measure(plan: Plan, names: list[str]) -> list[Figure]:
    """The figures of these jobs, each on data of its own."""
    figures = []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            figures += JOBS[name](plan, Path(directory))
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="shorter rounds on less data")
    parser.add_argument(
        "--only", default="", metavar="NAME", help=f"of {', '.join(JOBS)}: those with this in their name"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    servers.pin()
    main()
