"""What a machine cannot run is named at the end, and in CI counts as failed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SUITE = """
import pytest

def test_runs(): pass

@pytest.mark.parametrize("number", range(3))
def test_wants_more(number): pytest.skip("PostgreSQL: none here")
"""


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_what_could_not_be_run_is_listed_and_fails_in_ci(tmp_path: Path, ci: str, status: int) -> None:
    (tmp_path / "test_some.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.plugins.unavailable", "-c", os.devnull, str(tmp_path)],
        env=os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "PostgreSQL: 3 tests" in done.stdout
    assert "1 passed, 3 skipped" in done.stdout
    assert done.returncode == status
