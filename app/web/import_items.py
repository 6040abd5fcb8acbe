"""Imports as the API and the pages show them."""

from typing import Any, Final

from app.errors import FieldError
from app.lib import clock
from app.lib.rows import CSV
from app.services.imports import ImportView
from app.web.problems import said

Json = dict[str, Any]

_INSTEAD: Final = {
    "cluster_id": "cluster",
    "organisation_id": "organisation",
    "contact_id": "contact",
}
"""Fields that services call by another name than a row."""


def item(base_url: str, view: ImportView, language: str) -> Json:
    """An import, and how far it is."""
    return {
        "id": view.id,
        "url": f"{base_url}/admin/imports/{view.id}",
        "programme": view.programme_id,
        "kind": view.kind,
        "challenge": view.challenge_id,
        "format": view.format,
        "name": view.name,
        "size_bytes": view.size_bytes,
        "dry_run": view.dry_run,
        "state": view.state,
        "reason": reason(view, language),
        "rows_total": view.rows_total,
        "rows_read": view.rows_read,
        "rows_made": view.rows_made,
        "rows_fine": view.rows_fine,
        "rows_skipped": view.rows_skipped,
        "rows_refused": view.rows_refused,
        "resumable": view.is_resumable,
        "started_at": None if view.started_at is None else clock.rfc3339(view.started_at),
        "ended_at": None if view.ended_at is None else clock.rfc3339(view.ended_at),
        "version": view.version,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def reason(view: ImportView, language: str) -> str | None:
    """Why an import stopped or failed."""
    return None if not view.reason else said(language, view.reason["message"], view.reason["values"])


def told(language: str, error: FieldError) -> str:
    """What is wrong with a file as a whole."""
    return said(language, error.message, dict(error.values))


def row(view: ImportView, row: Any, language: str) -> Json:
    """What became of a row."""
    return {
        "number": row.number,
        "line": row.line,
        "state": row.state,
        "made": row.made_id,
        "errors": [_error(view, error, language) for error in row.errors],
    }


def _error(view: ImportView, error: Json, language: str) -> Json:
    first, *rest = error["field"].split("/")
    steps = [_INSTEAD.get(first, first), *rest]
    column = steps[-1] if view.format == CSV and steps[0] == "periods" else steps[0]
    return {
        "pointer": "/" + "/".join(steps) if steps[0] else "",
        "column": column if view.format == CSV and column else None,
        "reason": said(language, error["message"], error["values"]),
    }
