"""Doors for people: pages and fragments, one file per noun."""

from fastapi import FastAPI
from starlette.routing import Match, Route
from starlette.types import Scope

from app.routers import (
    about,
    admin,
    ballots,
    challenges,
    clusters,
    comments,
    home,
    ideas,
    me,
    merges,
    moderation,
    programmes,
    receipts,
    results,
    sign_in,
    solutions,
    streams,
    support,
    votes,
)

HOT = (
    ("POST", "/ideas/{id:key}/support", support.give),
    ("POST", "/ideas/{id:key}/support/withdrawal", support.withdraw),
    ("GET", "/challenges/{id:key}", challenges.show),
)
"""What is called most: plain routes, and the first, since addresses are compared one after another."""

ROOMS = (
    challenges,
    ideas,
    comments,
    merges,
    moderation,
    clusters,
    solutions,
    ballots,
    votes,
    receipts,
    results,
    home,
    programmes,
    me,
    admin,
    about,
    sign_in,
)


class _Hot(Route):
    """A plain route that tells its name to the measurements, as the framework's own do."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is not Match.NONE:
            child["route"] = self
        return match, child


def register_hot(app: FastAPI) -> None:
    """Add what is called most; before everything else."""
    app.router.routes.extend(_Hot(path, endpoint, methods=[method]) for method, path, endpoint in HOT)


def register(app: FastAPI) -> None:
    """Add the other pages to the application itself: a router that is included would cost each a detour."""
    app.router.routes.extend(streams.routes)
    for room in ROOMS:
        app.router.routes.extend(room.router.routes)
