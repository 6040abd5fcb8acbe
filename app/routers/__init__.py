"""Doors for people: pages and fragments, one file per noun."""

from fastapi import FastAPI
from starlette.routing import Match, Route
from starlette.types import Scope

from app.routers import (
    about,
    admin,
    agreements,
    audit,
    ballots,
    bookings,
    calendars,
    challenges,
    clients,
    clusters,
    comments,
    decisions,
    delegations,
    directory,
    exchange_console,
    exchanges,
    exports,
    feeds,
    fresh_sign_ins,
    home,
    ideas,
    imports,
    invitations,
    join_requests,
    ledger,
    logins,
    logouts,
    matches,
    me,
    members,
    merges,
    moderation,
    oauth,
    open_data,
    organisations,
    own_data,
    people_data,
    placements,
    programmes,
    providers,
    receipts,
    reflections,
    results,
    roles,
    scim,
    sessions,
    sign_in,
    solutions,
    streams,
    support,
    tokens,
    votes,
    webhooks,
    wishes,
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
    exchanges,
    placements,
    bookings,
    agreements,
    reflections,
    decisions,
    ledger,
    wishes,
    matches,
    exchange_console,
    calendars,
    programmes,
    exports,
    open_data,
    feeds,
    me,
    logins,
    tokens,
    delegations,
    own_data,
    admin,
    providers,
    members,
    people_data,
    roles,
    invitations,
    join_requests,
    organisations,
    imports,
    audit,
    about,
    sign_in,
    logouts,
    sessions,
    fresh_sign_ins,
    oauth,
    clients,
    webhooks,
    directory,
    scim,
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
