"""What the process measures of itself, in the form that Prometheus reads."""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Key = tuple[str, str, int]


class _Cell:
    """How often, how long, and how that was spread."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        self.seconds = 0.0


class Measures(Collector):
    """Counts kept by the event loop alone, so without locks; rendered only when somebody asks.

    Several processes serve on one port where an operator wants that: each tells its own figures, under its own
    `process` label, whichever happens to be asked.
    """

    def __init__(self) -> None:
        self.inside = 0
        self.waiting = 0
        self.streams = 0
        self.shed = 0
        self.looked_up: Mapping[str, float] = {}
        self._cells: dict[Key, _Cell] = {}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._totals: dict[str, tuple[str, Callable[[], float]]] = {
            "requests_shed": ("Requests sent away because too many were inside.", lambda: self.shed)
        }
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (self, ProcessCollector(registry=None), PlatformCollector(registry=None)):
            self._registry.register(collector)

    def note(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is the template, such as `/ideas/{id}`, never the address."""
        key = (route, method, status)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell()
        cell.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        cell.seconds += seconds

    def gauge(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Also tell `value()`, asked for anew each time, as `partnership_<name>`."""
        self._gauges[name] = (help_text, value)

    def total(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Also tell `value()`, which only grows, as `partnership_<name>_total`."""
        self._totals[name] = (help_text, value)

    def figure(self, name: str) -> float:
        """A figure that was last looked up in the database; 0 before it was."""
        return self.looked_up.get(name, 0)

    def collect(self) -> Iterable[Metric]:
        """Everything as Prometheus' families."""
        yield from self._requests()
        process = str(os.getpid())
        for name, (help_text, value) in {**self._own(), **self._gauges}.items():
            gauge = GaugeMetricFamily(f"partnership_{name}", help_text, labels=["process"])
            gauge.add_metric([process], value())
            yield gauge
        for name, (help_text, value) in self._totals.items():
            counter = CounterMetricFamily(f"partnership_{name}", help_text, labels=["process"])
            counter.add_metric([process], value())
            yield counter

    def text(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self._registry)

    def _own(self) -> Mapping[str, tuple[str, Callable[[], float]]]:
        return {
            "requests_inside": ("Requests being answered now.", lambda: self.inside),
            "requests_waiting": ("Requests that wait to be let in.", lambda: self.waiting),
            "streams_open": ("Live event streams.", lambda: self.streams),
        }

    def _requests(self) -> Iterable[Metric]:
        process = str(os.getpid())
        requests = HistogramMetricFamily(
            "partnership_request_seconds",
            "How long requests took, and by their count how many there were.",
            labels=["route", "method", "status", "process"],
        )
        for (route, method, status), cell in sorted(self._cells.items()):
            requests.add_metric(
                [route, method, str(status), process], list(_cumulated(cell.buckets)), cell.seconds
            )
        yield requests


def route_of(scope: Mapping[str, Any]) -> str:
    """The template of the route that a request was led to; one word for all that lead nowhere."""
    path = getattr(scope.get("route"), "path", None)
    if isinstance(path, str) and path:
        return path
    return "/static" if scope["path"].startswith("/static/") else "none"


def _cumulated(buckets: Iterable[int]) -> Iterable[tuple[str, float]]:
    total = 0
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], buckets, strict=True):
        total += count
        yield bound, total
