"""One example for each shape that the API's document shows; a test holds them against the shapes."""

from typing import Any, Final

from pydantic import BaseModel

from app.schemas.challenges import ChallengeChange, ChallengeDraft, ChallengeItem, ChallengeList, PhasesDraft
from app.schemas.clusters import ClusterChange, ClusterDraft, ClusterItem, ClusterList
from app.schemas.comments import CommentDraft, CommentItem, CommentList
from app.schemas.events import EventItem, EventList
from app.schemas.ideas import IdeaChange, IdeaDraft, IdeaItem, IdeaList, SupportItem
from app.schemas.moderation import (
    HidingAnswer,
    HidingDraft,
    HidingItem,
    MergeDraft,
    MergeItem,
    MergeList,
    ObjectionDraft,
)
from app.schemas.people import Me
from app.schemas.problem import Problem, ProblemKind, ProblemKindList
from app.schemas.programmes import OrganisationItem, OrganisationList, ProgrammeItem, ProgrammeList

_HERE: Final = "https://partnership.example"
_DATES: Final = {"created_at": "2026-05-04T09:30:00.000000Z", "updated_at": "2026-05-04T09:30:00.000000Z"}

_TALLY: Final = {"total": 7, "sectors": {"public": 4, "business": 3}, "bridging": 0.25}
_AUTHOR: Final = {"name": "Ana Kos", "organisation": "Ministry of Meadows"}

_PHASES: Final = [
    {"kind": "ideation", "starts_at": "2026-05-04T07:00:00Z"},
    {"kind": "shaping", "starts_at": "2026-06-01T07:00:00Z", "commenting": True},
]

_PROGRAMME: Final = {
    "id": 1,
    "url": f"{_HERE}/programmes/demo",
    "slug": "demo",
    "name": "Partnership for Change",
    "description": "Ministries and companies work on the same questions.",
    "language": "en",
    "visibility": "public",
    "version": 1,
    **_DATES,
}
_ORGANISATION: Final = {
    "id": 3,
    "url": f"{_HERE}/programmes/demo/people#organisation-3",
    "programme": 1,
    "name": "Ministry of Meadows",
    "number": None,
    "sector": "public",
    "version": 1,
    **_DATES,
}
_CHALLENGE: Final = {
    "id": 2,
    "url": f"{_HERE}/challenges/2",
    "programme": 1,
    "title": "User-friendly complex e-services",
    "summary": "How can several offices act as one?",
    "brief": "Moving house takes **six** forms.",
    "brief_html": "<p>Moving house takes <strong>six</strong> forms.</p>\n",
    "language": "en",
    "anonymous_allowed": False,
    "sponsor": 3,
    "phase": "ideation",
    "phases": [
        {
            "kind": "ideation",
            "starts_at": "2026-05-04T07:00:00.000000Z",
            "ends_at": None,
            "posting": True,
            "commenting": True,
            "supporting": True,
            "tallies": True,
        }
    ],
    "version": 1,
    **_DATES,
}
_IDEA: Final = {
    "id": 7,
    "url": f"{_HERE}/ideas/7",
    "programme": 1,
    "challenge": 2,
    "title": "One form for moving house",
    "body": "Tell *one* office; it tells the others.",
    "body_html": "<p>Tell <em>one</em> office; it tells the others.</p>\n",
    "language": "en",
    "author": _AUTHOR,
    "sector": "public",
    "anonymous": False,
    "cluster": None,
    "phase": "ideation",
    "state": "open",
    "pinned": False,
    "comments": 1,
    "version": 1,
    **_DATES,
    "tally": _TALLY,
    "supported": True,
}
_COMMENT: Final = {
    "id": 5,
    "url": f"{_HERE}/ideas/7#comment-5",
    "idea": 7,
    "body": "We do this in our company.",
    "body_html": "<p>We do this in our company.</p>\n",
    "language": "en",
    "author": {"name": "Bor Zupan", "organisation": "Larch Software"},
    "sector": "business",
    "state": "open",
    "version": 1,
    **_DATES,
}
_CLUSTER: Final = {
    "id": 4,
    "url": f"{_HERE}/challenges/2?cluster=4",
    "challenge": 2,
    "title": "Quick wins",
    "language": "en",
    "position": 1,
}
_MERGE: Final = {
    "id": 3,
    "url": f"{_HERE}/merges/3",
    "programme": 1,
    "challenge": 2,
    "source": 7,
    "target": 9,
    "state": "proposed",
    "asked": False,
    "objections": 0,
    "created_at": "2026-05-04T09:30:00.000000Z",
}
_EVENT: Final = {
    "id": 41,
    "url": f"{_HERE}/ideas/7",
    "type": "idea.posted",
    **_DATES,
    "programme": 1,
    "challenge": 2,
    "idea": 7,
    "subject": 7,
    "actor": 12,
    "data": {},
}
_KIND: Final = {
    "type": f"{_HERE}/api/v1/problems/invalid",
    "title": "Something needs mending",
    "status": 422,
    "meaning": "The input cannot be taken; the list of errors says which part and why.",
}


def _list_of(item: Any) -> dict[str, Any]:
    return {"items": [item], "next": None}


OF: Final[dict[type[BaseModel], dict[str, Any]]] = {
    ProgrammeItem: _PROGRAMME,
    ProgrammeList: _list_of(_PROGRAMME),
    OrganisationItem: _ORGANISATION,
    OrganisationList: _list_of(_ORGANISATION),
    Me: {
        "id": 12,
        "url": f"{_HERE}/me",
        "name": "Ana Kos",
        "email": "ana@ministry.example",
        "language": "sl",
        "memberships": [{"programme": 1, "role": "participant", "organisation": 3, "sector": "public"}],
        "scopes": ["read", "write"],
        **_DATES,
    },
    ChallengeDraft: {
        "title": "User-friendly complex e-services",
        "summary": "How can several offices act as one?",
        "brief": "Moving house takes **six** forms.",
        "phases": _PHASES,
    },
    ChallengeChange: {"summary": "How can several offices act as one, also on a phone?"},
    PhasesDraft: {"phases": _PHASES},
    ChallengeItem: _CHALLENGE,
    ChallengeList: _list_of(_CHALLENGE),
    IdeaDraft: {"title": "One form for moving house", "body": "Tell *one* office; it tells the others."},
    IdeaChange: {"title": "One form for moving house, in two languages"},
    IdeaItem: _IDEA,
    IdeaList: _list_of(_IDEA),
    ClusterDraft: {"title": "Quick wins"},
    ClusterChange: {"title": "What we can do this year"},
    ClusterItem: _CLUSTER,
    ClusterList: _list_of(_CLUSTER),
    HidingDraft: {"reason": "This names a person."},
    HidingAnswer: {"answer": "The name is taken out."},
    HidingItem: {
        "idea": 7,
        "reason": "This names a person.",
        "hidden_at": "2026-05-04T09:30:00.000000Z",
        "answer": None,
        "answered_at": None,
    },
    MergeDraft: {"target": 9},
    ObjectionDraft: {"reason": "The other idea is about something else."},
    MergeItem: _MERGE,
    MergeList: _list_of(_MERGE),
    SupportItem: {"idea": 7, "supported": True, "tally": _TALLY},
    CommentDraft: {"body": "We do this in our company."},
    CommentItem: _COMMENT,
    CommentList: _list_of(_COMMENT),
    EventItem: _EVENT,
    EventList: _list_of(_EVENT),
    Problem: {
        "type": f"{_HERE}/api/v1/problems/invalid",
        "title": "Something needs mending",
        "status": 422,
        "detail": "Please mend what is marked below.",
        "request_id": "5f0c2a9d11e3-1a",
        "errors": [{"in": "body", "pointer": "/title", "reason": "Please write something here."}],
    },
    ProblemKind: _KIND,
    ProblemKindList: _list_of(_KIND),
}
