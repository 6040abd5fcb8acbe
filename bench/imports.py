"""What the web process costs before its first request: the time and the memory of its imports."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from bench.duels import Plan
from bench.figures import Figure
from bench.servers import ROOT

LIBRARIES = "fastapi, sqlmodel, jinja2, httpx2, authlib, uvicorn"
SIDES = {"here": "app.main", "floor": LIBRARIES}

MEASURE = """
import json, psutil, time
began = time.process_time()
import {names}
took = time.process_time() - began
print(json.dumps([took, psutil.Process().memory_info().rss]))
"""


def start(plan: Plan, _: Path) -> list[Figure]:
    """Processor time and memory of `import app.main` against the libraries that it stands on."""
    _run("here"), _run("floor")  # so that both are compiled and in the file cache
    rounds = [{side: _run(side) for side in SIDES} for _ in range(plan.starts)]
    against = f"import {LIBRARIES}"
    return [
        _figure("start of the web process", against, "time", 0, rounds),
        _figure("start of the web process", against, "memory", 1, rounds),
    ]


def _figure(job: str, against: str, what: str, place: int, rounds: list[dict[str, list[float]]]) -> Figure:
    ratios = [both["here"][place] / both["floor"][place] for both in rounds]
    here, floor = (_shown(what, statistics.median(both[side][place] for both in rounds)) for side in SIDES)
    return Figure(
        job, against, what, statistics.median(ratios), min(ratios), max(ratios), here, floor, ("at most", 1.4)
    )


def _shown(what: str, value: float) -> str:
    return f"{value * 1e3:,.0f} ms" if what == "time" else f"{value / 2**20:,.0f} MiB"


def _run(side: str) -> list[float]:
    code = MEASURE.format(names=SIDES[side])
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout)
    return found
