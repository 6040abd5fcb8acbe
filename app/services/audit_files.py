"""Exports of the audit log, checked away from its database."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.services import audit_log
from app.services.audit_log import Walk


def walk(file: Path) -> Walk:
    """Walk along an export, JSON Lines or CSV by its ending; parts may be left out of it.

    :raises ValueError: a line is no entry; the message says which
    :raises OSError: the file cannot be read
    """
    with file.open(encoding="utf-8", newline="") as opened:
        if file.suffix.lower() == ".csv":
            return audit_log.walk(audit_log.of_table(csv.DictReader(opened)), is_part=True)
        return audit_log.walk(audit_log.of_lines(opened), is_part=True)


def is_well(found: Walk, *, is_part: bool) -> bool:
    """Whether every entry is as it was sealed; of the database also that none is missing."""
    return not found.broken if is_part else found.is_whole


def told(found: Walk) -> Iterator[str]:
    """What a walk has found, in words."""
    yield f"{found.entries:,} entries, from {found.first_id or '-'} to {found.last_id or '-'}."
    if found.gaps:
        yield f"{found.gaps:,} gaps: entries are left out, as in an export of one programme."
    if found.broken:
        yield f"BROKEN at: {', '.join(map(str, found.broken))}. These are not as they were sealed."
    elif not found.is_whole:
        yield "It does not begin with the first entry."
    else:
        yield "Each is as it was sealed."
    yield f"Newest hash: {found.newest.hex()}"


def as_json(found: Walk) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "entries": found.entries,
        "first_id": found.first_id,
        "last_id": found.last_id,
        "gaps": found.gaps,
        "broken": list(found.broken),
        "whole": found.is_whole,
        "newest": found.newest.hex(),
    }
