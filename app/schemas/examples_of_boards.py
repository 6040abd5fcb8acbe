"""Examples of what lies beside boards and ballots, for the API's document."""

from typing import Any, Final

from pydantic import BaseModel

from app.schemas.moderation import HiddenList, ObjectionList
from app.schemas.receipts import BallotPreview, ReceiptCheck, ReceiptDraft
from app.schemas.versions import CoAuthorDraft, CoAuthorItem, CoAuthorList, SimilarList, VersionList

_HERE: Final = "https://partnership.example"
_WHEN: Final = "2026-05-04T09:30:00.000000Z"
_RECEIPT: Final = "HKGNV-0DDHN-R69PY-YWDE4-6ARYA-HGJXZ"
_CO_AUTHOR: Final = {"idea": 7, "person": 14, "name": "Bor Zupan"}


def _list_of(item: Any) -> dict[str, Any]:
    return {"items": [item], "next": None}


OF: Final[dict[type[BaseModel], dict[str, Any]]] = {
    VersionList: _list_of(
        {
            "number": 1,
            "title": "One form for moving house",
            "body": "Tell *one* office.",
            "written_at": _WHEN,
            "editor": "Ana Kos",
        }
    ),
    SimilarList: _list_of(
        {"id": 7, "url": f"{_HERE}/ideas/7", "title": "One form for moving house", "language": "en"}
    ),
    CoAuthorDraft: {"person": 14},
    CoAuthorItem: _CO_AUTHOR,
    CoAuthorList: _list_of(_CO_AUTHOR),
    HiddenList: _list_of(
        {
            "idea": 7,
            "url": f"{_HERE}/ideas/7",
            "title": "One form for moving house",
            "language": "en",
            "reason": "This names a person.",
            "hidden_at": _WHEN,
            "answer": "The name is taken out.",
            "answered_at": _WHEN,
        }
    ),
    ObjectionList: _list_of(
        {"name": "Bor Zupan", "reason": "The other idea is about something else.", "objected_at": _WHEN}
    ),
    ReceiptDraft: {"receipt": _RECEIPT},
    ReceiptCheck: {
        "receipt": _RECEIPT,
        "found": True,
        "index": 1,
        "size": 2,
        "sector": "public",
        "choice": {"approved": ["3"]},
        "leaf_hash": "5f" * 32,
        "path": ["0b" * 32],
        "root": "c4" * 32,
    },
    BallotPreview: {
        "challenge": 2,
        "title": "Which one first?",
        "explanation_html": "<p>The first one starts <strong>in June</strong>.</p>\n",
        "language": "en",
        "method": "approval",
        "rule": "least_sector",
        "mode": "secret",
        "settings": {
            "seats": 1,
            "least": 0,
            "most": 0,
            "points": 10,
            "budget": 0,
            "threshold": 50,
            "quorum": 20,
            "sector_quorum": 10,
        },
        "solutions": [3, 5],
        "opens_at": _WHEN,
        "closes_at": "2026-05-11T16:00:00.000000Z",
        "eligible": {"public": 40, "business": 35},
    },
}
