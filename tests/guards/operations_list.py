"""`docs/api/operations.txt`, every operation by its name: `python -m tests.guards.operations_list` adds what is new.

Names that stand there already stay: programs call them. To take one away or change it is a new version of the API.
"""

from pathlib import Path

from app.routers import api
from app.web import operations

LIST = Path(__file__).parents[2] / "docs" / "api" / "operations.txt"


def published() -> dict[str, str]:
    """Every name that was published, with its method and path."""
    lines = LIST.read_text().splitlines() if LIST.exists() else []
    return {name: address for name, _, address in (line.partition(" ") for line in lines)}


def declared() -> dict[str, str]:
    """Every name that the software has now."""
    assert api.ENDPOINTS
    return {each.id: f"{each.method} {each.path}" for each in operations.declared()}


if __name__ == "__main__":
    found = declared() | published()
    LIST.write_text("".join(f"{name} {found[name]}\n" for name in sorted(found)))
