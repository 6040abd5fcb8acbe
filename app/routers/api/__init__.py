"""Doors for programs: JSON, the same nouns as the pages."""

from fastapi import FastAPI

from app.routers.api import (
    challenges,
    clusters,
    comments,
    documents,
    events,
    ideas,
    merges,
    moderation,
    organisations,
    people,
    programmes,
    support,
)
from app.web import operations

ENDPOINTS = (
    support.give,
    ideas.index,
    ideas.show,
    support.withdraw,
    ideas.post,
    ideas.change,
    ideas.withdraw,
    comments.index,
    comments.post,
    comments.show,
    comments.withdraw,
    challenges.show,
    challenges.index,
    challenges.create,
    challenges.change,
    challenges.delete,
    challenges.change_phases,
    clusters.index,
    clusters.create,
    clusters.show,
    clusters.rename,
    clusters.remove,
    merges.index,
    merges.propose,
    merges.show,
    merges.accept,
    merges.decline,
    merges.object_to,
    merges.undo,
    moderation.pin,
    moderation.unpin,
    moderation.show,
    moderation.hide,
    moderation.restore,
    moderation.answer,
    programmes.index,
    programmes.show,
    organisations.index,
    people.me,
    events.index,
    documents.openapi,
    documents.problems,
    documents.problem,
    documents.page,
)
"""In the order in which addresses are compared: what is called most stands first."""


def register(app: FastAPI) -> None:
    """Add the API to the application itself: a router that is included would cost every call a detour."""
    operations.mount(app, ENDPOINTS)
