"""What guest and host take from a stay, and the story of it."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.actor import Actor
from app.services import bookings, reflections, stories
from app.web import exchange_pages, languages, pages

router = APIRouter(include_in_schema=False)


@router.get("/bookings/{id:key}/reflection")
async def edit(request: Request, id: int) -> Response:
    """The three questions, with what one has written already."""
    actor = await pages.member(request)
    booking = await pages.read(request, bookings.find, actor, id)
    _, own = await pages.read(request, reflections.own, actor, booking)
    values: dict[str, Any] = {"language": languages.of(request, actor)}
    if own is not None:
        values = {name: getattr(own, name) for name in (*reflections.ANSWERS, "language")}
    return _show(request, actor, "reflections/edit.html", booking, pages.Form(values))


@router.post("/bookings/{id:key}/reflection")
async def write(request: Request, id: int) -> Response:
    """Keep what one takes from the stay."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    answers = {name: values.get(name, "") for name in reflections.ANSWERS}
    try:
        await pages.write(
            request, reflections.write, actor, id, language=values.get("language", ""), **answers
        )
    except pages.MENDABLE as error:
        booking = await pages.read(request, bookings.find, actor, id)
        form = pages.refused(request, actor, error, values)
        return _show(request, actor, "reflections/edit.html", booking, form, status=error.status)
    return pages.back_to(f"/bookings/{id}#after")


@router.get("/bookings/{id:key}/story")
async def edit_story(request: Request, id: int) -> Response:
    """The form of a story."""
    actor = await pages.member(request)
    booking = await pages.read(request, bookings.find, actor, id)
    reflections.require_side(actor, booking)
    story = await pages.read(request, stories.of_booking, actor, booking)
    values: dict[str, Any] = {"language": languages.of(request, actor), "version": 0}
    if story is not None:
        values = {
            "title": story.title,
            "body": story.text,
            "language": story.language,
            "version": story.version,
        }
    return _show(request, actor, "stories/edit.html", booking, pages.Form(values))


@router.post("/bookings/{id:key}/story")
async def write_story(request: Request, id: int) -> Response:
    """Keep a story; the other side is asked for consent."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    told = {name: values.get(name, "") for name in ("title", "body", "language")}
    version = pages.number(values.get("version", ""))
    try:
        await pages.write(request, stories.write, actor, id, version=version, **told)
    except pages.MENDABLE as error:
        booking = await pages.read(request, bookings.find, actor, id)
        form = pages.refused(request, actor, error, values)
        return _show(request, actor, "stories/edit.html", booking, form, status=error.status)
    return pages.back_to(f"/bookings/{id}#after")


@router.post("/bookings/{id:key}/story/consent")
async def consent(request: Request, id: int) -> Response:
    """Consent to the story as it was read."""
    actor = await pages.member(request)
    version = pages.number((await pages.fields(request)).get("version", ""))
    await pages.write(request, stories.consent, actor, id, version=version)
    return pages.back_to(f"/bookings/{id}#after")


@router.post("/bookings/{id:key}/story/withdrawal")
async def withdraw(request: Request, id: int) -> Response:
    """Take one's consent back."""
    actor = await pages.member(request)
    await pages.write(request, stories.withdraw, actor, id)
    return pages.back_to(f"/bookings/{id}#after")


@router.get("/exchanges/stories")
async def index(request: Request) -> Response:
    """The stories that may be told."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    found = await pages.read(request, stories.published, actor, programme)
    return pages.show(
        request, actor, "stories/index.html", subject=programme, programme=programme, stories=found
    )


def _show(
    request: Request, actor: Actor, name: str, booking: Any, form: pages.Form, *, status: int = 200
) -> Response:
    return pages.show(request, actor, name, status=status, subject=booking, booking=booking, form=form)
