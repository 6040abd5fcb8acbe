"""Which language a request is answered in: the person's, the one chosen in this browser, the browser's own."""

from typing import Final

from starlette.requests import HTTPConnection

from app.lib import i18n
from app.policies.actor import ANONYMOUS, Actor

_COOKIE: Final = "language"


def cookie_name(request: HTTPConnection) -> str:
    """The name of the cookie that keeps the language chosen in a browser: on https pinned to this host."""
    return f"__Host-{_COOKIE}" if request.app.state.context.settings.secure else _COOKIE


def of(request: HTTPConnection, actor: Actor = ANONYMOUS) -> str:
    """The language of the answer; found once a request, once it is known who asks."""
    state = request.scope.setdefault("state", {})
    chosen = i18n.known(actor.language) or state.get("language")
    if chosen is None:
        chosen = i18n.known(request.cookies.get(cookie_name(request))) or i18n.negotiated(
            request.headers.get("accept-language", "")
        )
    state["language"] = chosen
    return str(chosen)
