"""One example for each shape that the API's document shows; a test holds them against the shapes."""

from typing import Any, Final

from pydantic import BaseModel

from app.schemas.ballots import (
    BallotChange,
    BallotDraft,
    BallotItem,
    BallotList,
    ClosureDraft,
    ExtensionDraft,
    InterestDraft,
    InterestItem,
    InterestList,
)
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
from app.schemas.solutions import SolutionChange, SolutionDraft, SolutionItem, SolutionList
from app.schemas.votes import LogItem, MyVoteItem, ReceiptItem, ResultItem, VoteChoice

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
_LINK: Final = {"title": "The plan", "url": "https://ministry.example/plan.pdf"}
_SOLUTION: Final = {
    "id": 3,
    "url": f"{_HERE}/solutions/3",
    "programme": 1,
    "challenge": 2,
    "title": "One form for moving house",
    "summary": "One form, *six* offices.",
    "summary_html": "<p>One form, <em>six</em> offices.</p>\n",
    "language": "en",
    "cost": 30,
    "carrier": "Ministry of Meadows and Larch Software",
    "links": [_LINK],
    "ideas": [7],
    "frozen": True,
    "withdrawn": False,
    "version": 1,
    **_DATES,
}
_SETTINGS: Final = {
    "seats": 1,
    "least": 0,
    "most": 0,
    "points": 10,
    "budget": 0,
    "threshold": 50,
    "quorum": 20,
    "sector_quorum": 10,
}
_BALLOT: Final = {
    "id": 6,
    "url": f"{_HERE}/ballots/6",
    "programme": 1,
    "challenge": 2,
    "title": "Which one first?",
    "explanation": "The first one starts **in June**.",
    "explanation_html": "<p>The first one starts <strong>in June</strong>.</p>\n",
    "language": "en",
    "method": "approval",
    "rule": "least_sector",
    "mode": "secret",
    "unit": "days",
    "settings": _SETTINGS,
    "eligibility": {
        "roles": [],
        "sectors": [],
        "organisations": [],
        "member_since": "2026-05-04T09:30:00.000000Z",
    },
    "tallies_live": False,
    "opens_at": "2026-05-04T09:30:00.000000Z",
    "closes_at": "2026-05-13T16:00:00.000000Z",
    "reminder_hours": 24,
    "state": "open",
    "tie_order": [5, 3],
    "solutions": [3, 5],
    "changes": [
        {
            "kind": "extension",
            "reason": "Half of us were away last week.",
            "by": "Cora Golob",
            "changed_at": "2026-05-10T08:00:00.000000Z",
            "closed_at": "2026-05-11T16:00:00.000000Z",
            "closes_at": "2026-05-13T16:00:00.000000Z",
        }
    ],
    "may_vote": True,
    "why_not": None,
    "voted": False,
    "tally": None,
    "version": 2,
    **_DATES,
}
_INTEREST: Final = {
    "solution": 3,
    "name": "Bor Zupan",
    "organisation": "Larch Software",
    "statement": "My company would build it.",
}
_CHOICE: Final = {"approved": ["3"]}
_RECEIPT: Final = "HKGNV-0DDHN-R69PY-YWDE4-6ARYA-HGJXZ"
_COUNTED: Final = {
    "method": "approval",
    "rule": "least_sector",
    "passed": True,
    "reasons": [{"code": "carried", "values": {}}],
    "winners": ["3"],
    "order": ["3", "5"],
    "sectors": ["public", "business"],
    "turnout": [
        {"sector": "public", "eligible": 20, "voted": 12, "counted": 12},
        {"sector": "business", "eligible": 16, "voted": 9, "counted": 8},
    ],
    "standings": [
        {
            "key": "3",
            "support": [
                {"sector": "public", "yes": 9, "votes": 12},
                {"sector": "business", "yes": 6, "votes": 8},
            ],
            "measure": "7/10",
            "percent": 70.0,
            "score": None,
            "passed": True,
            "winner": True,
            "reasons": [],
        }
    ],
    "ties": [],
    "rounds": [],
    "input_hash": "c6a41eb78b59eb1f8877bc666c3b7f10c22e12143439ad4c537338f94193bf43",
}
_ROOT: Final = "02c7172a6b650e8bf6801d8fb966d23d7237cae1ab4970bcf346f0d93e4e6902"
_PUBLIC_KEY: Final = "e4b3c3708c6df34a60c5d6d76a3c83028a455bf3cb768b0d2247119842eb4ca4"
_SIGNATURE: Final = _PUBLIC_KEY + _ROOT
_RESULT: Final = {
    "id": 6,
    "url": f"{_HERE}/ballots/6/result",
    "ballot": 6,
    "log": f"{_HERE}/api/v1/ballots/6/log",
    **_COUNTED,
    "beside": {
        "rules": {"one_person": {"winners": ["3"], "order": ["3", "5"], "passed": True}},
        "methods": {"approval": ["3"]},
        "map": {"reason": "too_few_votes", "needed": 20, "votes": 7, "there": 0},
        "turnout": [{"hour": "2026-05-04T09:00:00.000000Z", "sector": "public", "voters": 5}],
    },
    "seal": {"size": 21, "root": _ROOT, "algorithm": "Ed25519", "key": _PUBLIC_KEY, "signature": _SIGNATURE},
    "version": 3,
    **_DATES,
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
        "scopes": ["read", "write", "vote"],
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
    SolutionDraft: {
        "title": "One form for moving house",
        "summary": "One form, *six* offices.",
        "cost": 30,
        "carrier": "Ministry of Meadows and Larch Software",
        "links": [_LINK],
        "ideas": [7],
    },
    SolutionChange: {"cost": 40},
    SolutionItem: _SOLUTION,
    SolutionList: _list_of(_SOLUTION),
    BallotDraft: {
        "title": "Which one first?",
        "method": "approval",
        "solutions": [3, 5],
        "settings": {"quorum": 20, "sector_quorum": 10},
        "closes_at": "2026-05-11T16:00:00Z",
    },
    BallotChange: {"closes_at": "2026-05-12T16:00:00Z", "settings": {"quorum": 25}},
    BallotItem: _BALLOT,
    BallotList: _list_of(_BALLOT),
    ExtensionDraft: {"closes_at": "2026-05-13T16:00:00Z", "reason": "Half of us were away last week."},
    ClosureDraft: {"reason": "Everyone has voted."},
    InterestDraft: {"statement": "My company would build it."},
    InterestItem: _INTEREST,
    InterestList: _list_of(_INTEREST),
    VoteChoice: _CHOICE,
    ReceiptItem: {"receipt": _RECEIPT, "signature": _SIGNATURE, "choice": _CHOICE, "replaced": False},
    MyVoteItem: {"receipt": _RECEIPT, "choice": _CHOICE},
    ResultItem: _RESULT,
    LogItem: {
        "format": "partnership-ballot-log/1",
        "head": {"ballot": 6, "title": "Which one first?"},
        "votes": [{"receipt": _RECEIPT, "sector": "public", "choice": _CHOICE}],
        "tree": {"size": 1, "root": _ROOT},
        "signature": {"algorithm": "Ed25519", "key": _PUBLIC_KEY, "value": _SIGNATURE},
        "result": _COUNTED,
    },
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
