"""What the web process costs before its first request: the time and the memory of its imports."""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.duels import Plan
from bench.figures import Aim, Figure
from bench.servers import ROOT

LIBRARIES = "fastapi, sqlmodel, jinja2, httpx2, authlib, uvicorn"
USED = f"{LIBRARIES}, authlib.integrations.starlette_client, sqlalchemy.dialects.postgresql"
"""The same with the parts that are there to be used: `import authlib` alone loads no more than its version."""

Cost = dict[str, float]

MEASURE = """
import json, psutil, time
began = time.process_time()
import {names}
took = time.process_time() - began
print(json.dumps({{"time": took, "memory": psutil.Process().memory_info().rss}}))
"""


def start(plan: Plan, _: Path) -> list[Figure]:
    """Processor time and memory of `import app.main` against the libraries that it stands on."""
    sides = ("app.main", LIBRARIES, USED)
    for names in sides:
        _run(names)  # so that all is compiled, and in the file cache
    rounds = [[_run(names) for names in sides] for _ in range(plan.starts)]
    here, bare, used = zip(*rounds, strict=True)
    job, against = "import of the web process", "import of its libraries"
    return [
        _figure(job, against, "time", here, bare, aim=("at most", 1.4)),
        _figure(job, against, "memory", here, bare, aim=("at most", 1.4)),
        _figure(job, f"{against}, Authlib's client too", "time", here, used),
        _figure(job, f"{against}, Authlib's client too", "memory", here, used),
    ]


def _figure(
    job: str, against: str, what: str, here: Sequence[Cost], floor: Sequence[Cost], *, aim: Aim | None = None
) -> Figure:
    ours, theirs = [one[what] for one in here], [one[what] for one in floor]
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Figure(
        job,
        against,
        what,
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        _shown(what, statistics.median(ours)),
        _shown(what, statistics.median(theirs)),
        aim,
    )


def _shown(what: str, value: float) -> str:
    return f"{value * 1e3:,.0f} ms" if what == "time" else f"{value / 2**20:,.0f} MiB"


def _run(names: str) -> Cost:
    code = MEASURE.format(names=names)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    found: Cost = json.loads(done.stdout)
    return found
