"""Doors for people: pages and fragments, one file per noun."""

from fastapi import FastAPI

from app.routers import (
    about,
    admin,
    challenges,
    clusters,
    comments,
    home,
    ideas,
    me,
    merges,
    moderation,
    programmes,
    sign_in,
    streams,
    support,
)

HOT = (
    ("POST", "/ideas/{id:key}/support", support.give),
    ("POST", "/ideas/{id:key}/support/withdrawal", support.withdraw),
)
"""What is called most stands first: addresses are compared one after another."""

ROOMS = (
    challenges,
    ideas,
    comments,
    merges,
    moderation,
    clusters,
    home,
    programmes,
    me,
    admin,
    about,
    sign_in,
)


def register(app: FastAPI) -> None:
    """Add the pages to the application itself: a router that is included would cost every page a detour."""
    for method, path, endpoint in HOT:
        app.router.add_route(path, endpoint, methods=[method], include_in_schema=False)
    app.router.routes.extend(streams.routes)
    for room in ROOMS:
        app.router.routes.extend(room.router.routes)
