"""What is one's own and told in words, as the API shows it: each in the reader's language."""

from collections.abc import Mapping

from app.services import personal_data
from app.services.consents import Asked
from app.web.identity_items import instant
from app.web.items import Json
from app.web.problems import said


def consent(base_url: str, language: str, asked: Asked) -> Json:
    """A purpose for which someone is asked for consent."""
    return {
        "programme": asked.programme_id,
        "url": f"{base_url}/me/data#consents",
        "purpose": asked.purpose,
        "version": asked.version,
        "title": said(language, asked.title),
        "text": said(language, asked.text),
        "given_at": instant(asked.given_at),
    }


def data(base_url: str, language: str, counts: Mapping[str, int]) -> Json:
    """What is kept about someone, kind by kind."""
    words = ("title", "holds", "why", "kept", "ground", "erased")
    return {
        "url": f"{base_url}/me/data",
        "kinds": [
            {
                "key": kind.key,
                **{name: said(language, getattr(kind, name)) for name in words},
                "count": counts[kind.key],
            }
            for kind in personal_data.KINDS
        ],
    }
