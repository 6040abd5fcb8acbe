"""Comments on an idea: posting, taking back, hiding."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.services import comments, ideas
from app.web import languages, pages

router = APIRouter(include_in_schema=False)


@router.post("/ideas/{id:key}/comments")
async def post(request: Request, id: int) -> Response:
    """Reply to an idea; to htmx the comment is the answer."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    language = languages.of(request, actor)
    try:
        comment_id = await pages.write(
            request, comments.post, actor, id, body=fields.get("body", ""), language=language
        )
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, fields)
        view = await pages.read(request, ideas.find, actor, id)
        name = "comments/_form.html" if pages.is_fragment(request) else "comments/new.html"
        return pages.show(request, actor, name, status=422, subject=view, idea=view, idea_id=id, form=form)
    if pages.is_fragment(request):
        comment = await pages.read(request, comments.find, comment_id)
        return pages.show(request, actor, "comments/_comment.html", status=201, comment=comment)
    return pages.back_to(f"/ideas/{id}#comment-{comment_id}")


@router.post("/comments/{id:key}/withdrawal")
async def withdraw(request: Request, id: int) -> Response:
    """Take one's own comment back."""
    actor = await pages.member(request)
    idea_id = await pages.write(request, comments.withdraw, actor, id)
    return pages.back_to(f"/ideas/{idea_id}#comment-{id}")


@router.post("/comments/{id:key}/hiding")
async def hide(request: Request, id: int) -> Response:
    """Hide a comment, with a reason that its author is told."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    idea_id = await pages.write(request, comments.hide, actor, id, reason=fields.get("reason", ""))
    return pages.back_to(f"/ideas/{idea_id}#comment-{id}")
