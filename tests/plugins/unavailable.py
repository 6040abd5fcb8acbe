"""Lists at the end, by name, what could not be run on this machine; with CI=true that is a failure."""

import os
from collections import Counter

import pytest

NAMES = {
    "postgres": "PostgreSQL",
    "redis": "Redis",
    "chromium": "Chromium",
    "browser": "Chromium",
    "node": "Node",
    "power": "a file system that can be cut off",
}
"""How a reason to skip begins, to what it is that is missing."""


def missing(reason: str) -> str:
    """What a reason such as `PostgreSQL: PARTNERSHIP_TEST_POSTGRES_URL is not set` says is missing."""
    first = reason.removeprefix("Skipped: ").partition(":")[0].strip()
    return NAMES.get(first.lower(), first)


def reasons_by_name(reports: list[pytest.TestReport]) -> dict[str, Counter[str]]:
    """Per missing thing, how many tests each reason has cost."""
    found: dict[str, Counter[str]] = {}
    for report in reports:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found.setdefault(missing(reason), Counter())[reason.removeprefix("Skipped: ")] += 1
    return found


def is_failure(reports: list[pytest.TestReport]) -> bool:
    """Whether something that was not run counts as failed: it does in CI."""
    return bool(reports) and os.environ.get("CI") == "true"


class Unavailable:
    """Collects what was skipped. A skipped test says `skip("Thing: why")`; there is no other reason to skip."""

    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.reports.append(report)

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if is_failure(self.reports) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.reports:
            return
        terminalreporter.section("could not be run here")
        for name, reasons in sorted(reasons_by_name(self.reports).items()):
            terminalreporter.line(f"{name}: {sum(reasons.values())} tests")
            for reason, count in reasons.most_common(5):
                terminalreporter.line(f"    {count:4} x {reason}")
        if is_failure(self.reports):
            terminalreporter.line("CI=true: what is not run counts as failed.", red=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Unavailable(), "unavailable")
