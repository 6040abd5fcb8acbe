"""One example for each shape that the API's document shows; a test holds them against the shapes."""

from typing import Any, Final

from pydantic import BaseModel

from app.schemas import examples_of_boards, examples_of_exchanges
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
from app.schemas.bookings import (
    AcceptanceDraft,
    AgreementDraft,
    BookingChange,
    BookingDraft,
    BookingItem,
    BookingList,
    DecisionDraft,
    PassingDraft,
    StepList,
)
from app.schemas.challenges import ChallengeChange, ChallengeDraft, ChallengeItem, ChallengeList, PhasesDraft
from app.schemas.clusters import ClusterChange, ClusterDraft, ClusterItem, ClusterList
from app.schemas.comments import CommentDraft, CommentItem, CommentList
from app.schemas.events import EventItem, EventList
from app.schemas.exchanges import LedgerItem, RulesChange, RulesItem
from app.schemas.ideas import IdeaChange, IdeaDraft, IdeaItem, IdeaList, SupportItem
from app.schemas.identity_examples import OF_IDENTITY
from app.schemas.imports import (
    IdeaRow,
    ImportItem,
    ImportList,
    ImportRowItem,
    ImportRowList,
    OrganisationRow,
    PersonRow,
    PlacementRow,
)
from app.schemas.matches import MatchDraft, MatchItem, MatchList
from app.schemas.moderation import (
    HidingAnswer,
    HidingDraft,
    HidingItem,
    MergeDraft,
    MergeItem,
    MergeList,
    ObjectionDraft,
)
from app.schemas.open_data import OpenDataDraft, OpenDataItem
from app.schemas.people import Me
from app.schemas.placements import (
    PlacementChange,
    PlacementDraft,
    PlacementItem,
    PlacementList,
    ReturnDraft,
)
from app.schemas.problem import Problem, ProblemKind, ProblemKindList
from app.schemas.programmes import OrganisationItem, OrganisationList, ProgrammeItem, ProgrammeList
from app.schemas.solutions import SolutionChange, SolutionDraft, SolutionItem, SolutionList
from app.schemas.votes import LogItem, MyVoteItem, ReceiptItem, ResultItem, VoteChoice
from app.schemas.webhooks import (
    DeliveryItem,
    DeliveryList,
    ReplayDraft,
    ReplayItem,
    ReplayList,
    WebhookChange,
    WebhookDraft,
    WebhookItem,
    WebhookList,
)
from app.schemas.wishes import WishesDraft, WishesItem

ERRORS: Final = [{"in": "body", "pointer": "/title", "reason": "Please write something here."}]

_HERE: Final = "https://partnership.example"
_DATES: Final = {"created_at": "2026-05-04T09:30:00.000000Z", "updated_at": "2026-05-04T09:30:00.000000Z"}

_TALLY: Final = {"total": 7, "sectors": {"public": 4, "business": 3}, "bridging": 0.25}
_AUTHOR: Final = {"name": "Ana Kos", "organisation": "Ministry of Meadows"}

_PHASES: Final = [
    {"kind": "ideation", "starts_at": "2026-05-04T07:00:00Z"},
    {"kind": "shaping", "starts_at": "2026-06-01T07:00:00Z", "commenting": True},
]

_ORGANISATIONS: Final = (
    {"name": "Ministry of Meadows", "sector": "public", "number": "5005000"},
    {"name": "Larch Software", "sector": "business"},
)

FILES: Final = {
    "text/csv": "name,sector,number\nMinistry of Meadows,public,5005000\nLarch Software,business,\n",
    "application/json": list(_ORGANISATIONS),
    **dict.fromkeys(
        ("application/x-ndjson", "application/jsonl"),
        '{"name": "Ministry of Meadows", "sector": "public"}\n{"name": "Larch Software", "sector": "business"}\n',
    ),
}
"""A file of two organisations in each media type."""

_IMPORT: Final = {
    "id": 7,
    "url": f"{_HERE}/admin/imports/7",
    "programme": 1,
    "kind": "organisations",
    "challenge": None,
    "format": "csv",
    "name": "organisations.csv",
    "size_bytes": 81,
    "dry_run": True,
    "state": "done",
    "reason": None,
    "rows_total": 2,
    "rows_read": 2,
    "rows_made": 0,
    "rows_fine": 1,
    "rows_skipped": 0,
    "rows_refused": 1,
    "resumable": True,
    "started_at": "2026-05-04T09:30:01.000000Z",
    "ended_at": "2026-05-04T09:30:02.000000Z",
    "version": 4,
    **_DATES,
}

_IMPORT_ROW: Final = {
    "number": 2,
    "line": 3,
    "state": "refused",
    "made": None,
    "errors": [
        {
            "pointer": "/sector",
            "column": "sector",
            "reason": "Please choose one of the sectors in the list.",
        }
    ],
}

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
    **_DATES,
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
_WEEK: Final = {"first_day": "2026-05-04", "last_day": "2026-05-08", "is_window": False, "places": 2}
_OFFER: Final = {
    "title": "A week in the permits office",
    "description": "Sit with those who decide on permits.",
    "language": "en",
    "competencies": ["Public procurement"],
    "spoken": ["sl", "en"],
    "place": "Ljubljana",
    "accessibility": "A lift and a ramp.",
    "confidentiality": "Names of applicants stay here.",
    "open_to": "other",
    "least_days": 1,
    "most_days": 5,
}
_PLACEMENT: Final = {
    "id": 4,
    "url": f"{_HERE}/placements/4",
    "programme": 1,
    "organisation": 3,
    "host": "Ministry of Meadows",
    "sector": "public",
    **_OFFER,
    "description_html": "<p>Sit with those who decide on permits.</p>\n",
    "contact": {"person": 12, "name": "Ana Kos"},
    "periods": [{"id": 9, **_WEEK, "free": 1, "waiting": 0}],
    "state": "published",
    "note": None,
    "published_at": "2026-03-02T09:30:00.000000Z",
    "version": 2,
    **_DATES,
}
_STAY: Final = {"first_day": "2026-05-04", "last_day": "2026-05-08"}
_MANAGER: Final = {"name": "Mira Hren", "email": "mira@larch.example"}
_INSURANCE: Final = {
    "item": "insurance",
    "party": "guest",
    "text": "My employer has told me that I am insured at work at the host's as well.",
}
_MARK: Final = "0d1f8a2c4b6e7d905a3c1e2f4b6d8091"
_BOOKING: Final = {
    "id": 21,
    "url": f"{_HERE}/bookings/21",
    "programme": 1,
    "placement": 4,
    "title": "A week in the permits office",
    "period": 9,
    **_STAY,
    "state": "held",
    "guest": {
        "person": 14,
        "name": "Bor Zupan",
        "organisation": 5,
        "organisation_name": "Larch Software",
        "sector": "business",
    },
    "host": {"organisation": 3, "name": "Ministry of Meadows", "sector": "public", "contact": "Ana Kos"},
    "manager": {"person": None, **_MANAGER},
    "message": "I build forms and have never seen one arrive.",
    "awaited": ["host"],
    "asked": ["host"],
    "place_in_line": None,
    "expires_at": "2026-04-01T09:30:00.000000Z",
    "decisions": [
        {
            "role": "manager",
            "approved": True,
            "reason": "",
            "by": "Mira Hren",
            "decided_at": "2026-03-20T09:30:00.000000Z",
        }
    ],
    "open_items": [{**_INSURANCE, "mark": _MARK}],
    "agreements": [],
    "reflected": [],
    "match": None,
    "confirmed_at": None,
    "version": 2,
    **_DATES,
}
_STEP: Final = {
    "id": 40,
    "action": "hold",
    "state": "held",
    "role": "guest",
    "by": "Bor Zupan",
    "reason": "",
    **_STAY,
    "taken_at": "2026-03-18T09:30:00.000000Z",
}
_DECIDED: Final = {
    "way": "both",
    "approvals": ["manager", "host", "coordinator"],
    "in_order": True,
    "checklist": [_INSURANCE],
    "hold_days": 14,
    "offer_days": 3,
    "link_days": 7,
    "remind_days": 3,
    "country": "SI",
    "region": "",
    "zone": "Europe/Ljubljana",
    "aim": "most",
}
_DEMANDS: Final = {"pins": [{"person": 14, "offer": "9:2026-05-04:2026-05-08"}], "forbids": []}
_MAY: Final = {"name": "May, first try", "first_day": "2026-05-04", "last_day": "2026-05-29"}
_MATCH: Final[dict[str, Any]] = {
    "id": 2,
    "url": f"{_HERE}/matches/2",
    "programme": 1,
    **_MAY,
    "aim": "most",
    "seed": 7,
    "demands": _DEMANDS,
    "state": "running",
    "step": "served",
    "progress": 40,
    "plan": None,
    "figures": None,
    "problems": [],
    "published_at": None,
    "version": 3,
    **_DATES,
}
_HOOK_DRAFT: Final = {
    "name": "Intranet",
    "address": "https://intranet.example/partnership",
    "types": ["ballot.closed", "idea"],
}
_HOOK: Final = {
    "id": 4,
    "url": f"{_HERE}/admin/webhooks/4",
    "programme": 1,
    **_HOOK_DRAFT,
    "owner": 6,
    "active": True,
    "state": "active",
    "stopped_at": None,
    "stopped_why": None,
    "failures": 0,
    "failing_since": None,
    "paused_until": None,
    "delivered_at": "2026-05-04T09:30:00.000000Z",
    "waiting": 0,
    "dead": 0,
    "secret": None,
    "previous_secret_until": None,
    "version": 1,
    **_DATES,
}
_DELIVERY: Final = {
    "id": 12,
    "url": f"{_HERE}/admin/webhooks/4/deliveries/12",
    "programme": 1,
    "webhook": 4,
    "event": 91,
    "message": "msg_4_91_1777887000",
    "type": "idea.posted",
    "state": "waiting",
    "tries": 1,
    "next_try_at": "2026-05-04T09:30:05.000000Z",
    "tried_at": "2026-05-04T09:30:00.000000Z",
    "took_ms": 41,
    "error": "status",
    "reason": "The receiver answered, but did not take the message: that takes a status from 200 to 299.",
    "request": {
        "headers": {
            "content-type": "application/json",
            "user-agent": "Partnership-for-Change-Webhooks/1",
            "webhook-id": "msg_4_91_1777887000",
            "webhook-timestamp": "1777887000",
        },
        "body": '{"type":"idea.posted","timestamp":"2026-05-04T09:30:00.000000Z","data":{"id":91}}',
    },
    "answer": {"status": 500, "headers": {"content-type": "text/plain"}, "body": "out of order"},
    "history": [{"at": "2026-05-04T09:30:00.000000Z", "status": 500, "error": "status", "took_ms": 41}],
    **_DATES,
}
_STRETCH: Final = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-04T00:00:00Z"}
_REPLAY: Final = {
    "id": 2,
    "url": f"{_HERE}/admin/webhooks/4#replays",
    "webhook": 4,
    **_STRETCH,
    "state": "running",
    "deliveries": 40,
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
_STREAM: Final = """\
retry: 1000
id: 40
event: position
data: {"position": 40}

id: 41
data: {"id":41,"type":"idea.posted","programme":1,"challenge":2,"idea":7,"subject":7,"actor":12,"data":{}}

"""
_ATOM: Final = """\
<?xml version='1.0' encoding='utf-8'?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">"""
_CHALLENGES_FEED: Final = f"""\
{_ATOM}
<id>tag:partnership.example,2026-05-04:programme-1</id>
<title>Partnership for Change: Challenges</title>
<updated>2026-05-04T09:30:00.000000Z</updated>
<author><name>Partnership for Change</name></author>
<link rel="self" type="application/atom+xml" href="{_HERE}/api/v1/programmes/1/challenges.atom" />
<link rel="alternate" type="text/html" href="{_HERE}/programmes/demo" />
<entry xml:lang="en">
<id>tag:partnership.example,2026-05-04:challenge-2</id>
<title>Forms that ask once</title>
<link rel="alternate" type="text/html" href="{_HERE}/challenges/2" />
<published>2026-05-04T09:30:00.000000Z</published>
<updated>2026-05-04T09:30:00.000000Z</updated>
<summary>People type the same into every form. How do we end that?</summary>
</entry>
</feed>
"""
_IDEAS_FEED: Final = f"""\
{_ATOM}
<id>tag:partnership.example,2026-05-04:challenge-2</id>
<title>Forms that ask once</title>
<updated>2026-05-04T09:30:00.000000Z</updated>
<author><name>Partnership for Change</name></author>
<link rel="self" type="application/atom+xml" href="{_HERE}/api/v1/challenges/2/ideas.atom" />
<link rel="alternate" type="text/html" href="{_HERE}/challenges/2" />
<entry xml:lang="en">
<id>tag:partnership.example,2026-05-04:idea-7</id>
<title>One form, once</title>
<link rel="alternate" type="text/html" href="{_HERE}/ideas/7" />
<published>2026-05-04T09:30:00.000000Z</published>
<updated>2026-05-04T09:30:00.000000Z</updated>
<author><name>Ana Kos</name></author>
<content type="html">&lt;p&gt;Offices ask each other, and not you.&lt;/p&gt;</content>
</entry>
</feed>
"""
ANSWERS: Final = {
    "text/event-stream": _STREAM,
    "get_challenges_atom": _CHALLENGES_FEED,
    "get_challenge_ideas_atom": _IDEAS_FEED,
    "text/csv": "month,home,home_sector,host,host_sector,stays\r\n"
    "2026-05,Larch Software,business,Ministry of Meadows,public,6\r\n",
    "application/jsonl": '{"month":"2026-05","home":"Larch Software","home_sector":"business",'
    '"host":"Ministry of Meadows","host_sector":"public","stays":6}\n',
}
"""What is answered as text, in each media type; by the operation's name where that alone tells."""
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
    PlacementDraft: {**_OFFER, "periods": [_WEEK]},
    PlacementChange: {"periods": [{"id": 9, **_WEEK, "places": 3}]},
    PlacementItem: _PLACEMENT,
    PlacementList: _list_of(_PLACEMENT),
    ReturnDraft: {"note": "Please say what a guest will do on Friday."},
    BookingDraft: {
        "period": 9,
        "message": "I build forms and have never seen one arrive.",
        "manager": _MANAGER,
    },
    BookingChange: {"period": 10},
    BookingItem: _BOOKING,
    BookingList: _list_of(_BOOKING),
    AcceptanceDraft: {"manager": _MANAGER},
    PassingDraft: {"reason": "I am on leave in these days."},
    DecisionDraft: {"approved": False, "reason": "We move house in that week."},
    AgreementDraft: {"mark": _MARK, "answer": "Ana Kos, +386 1 555 01 01"},
    StepList: _list_of(_STEP),
    RulesChange: {"approvals": ["host", "coordinator"], "in_order": False},
    RulesItem: {"programme": 1, "url": f"{_HERE}/exchanges/rules?programme=demo", **_DECIDED, "version": 1},
    OpenDataDraft: {"publisher": "Ministry of Public Administration", "contact": "data@example.org"},
    OpenDataItem: {
        "programme": 1,
        "url": f"{_HERE}/programmes/demo/open-data",
        "is_open": True,
        "licence": "CC-BY-4.0",
        "publisher": "Ministry of Public Administration",
        "contact": "data@example.org",
        "description": "What the programme works on, and what came of it.",
        "with_texts": False,
        "opened_at": "2026-05-04T09:30:00.000000Z",
        "made_at": "2026-05-04T09:31:00.000000Z",
        "files": [
            {
                "name": "ideas.csv",
                "url": f"{_HERE}/programmes/demo/open-data/ideas.csv",
                "size_bytes": 412,
                "rows": 12,
                "changed_at": "2026-05-04T09:31:00.000000Z",
            }
        ],
        "version": 1,
    },
    WishesDraft: {
        "wishes": [{"placement": 4}, {"competency": "Public procurement", "first_day": "2026-05-04"}],
        "unavailable": [_STAY],
    },
    WishesItem: {
        "programme": 1,
        "url": f"{_HERE}/exchanges/wishes?programme=demo",
        "wishes": [
            {
                "placement": 4,
                "period": None,
                "organisation": None,
                "competency": None,
                "first_day": None,
                "last_day": None,
            }
        ],
        "unavailable": [_STAY],
        "offers_desk": False,
        "version": 1,
    },
    MatchDraft: {**_MAY, "demands": _DEMANDS},
    MatchItem: _MATCH,
    MatchList: _list_of(_MATCH),
    LedgerItem: {
        "programme": 1,
        "url": f"{_HERE}/exchanges/ledger?programme=demo",
        "stays": 4,
        "organisations": [
            {"id": 3, "name": "Ministry of Meadows", "sector": "public", "went": 1, "came": 3},
            {"id": 5, "name": "Larch Software", "sector": "business", "went": 3, "came": 1},
        ],
        "flows": [{"home": 3, "host": 5, "stays": 1}, {"home": 5, "host": 3, "stays": 3}],
        "directions": [
            {"home": "public", "host": "business", "stays": 1},
            {"home": "business", "host": "public", "stays": 3},
        ],
    },
    OrganisationRow: _ORGANISATIONS[0],
    PersonRow: {
        "email": "maja@ministry.example",
        "name": "Maja Novak",
        "organisation_name": "Ministry of Meadows",
    },
    IdeaRow: {"title": "One form for moving house", "reference": "survey-2025-17"},
    PlacementRow: {
        "title": "A week in the permits office",
        "description": "You sit with us.",
        "organisation_number": "5005000",
        "contact_email": "ana@ministry.example",
        "periods": [{"first_day": "2027-05-03", "last_day": "2027-05-07", "places": 2}],
        "reference": "permits-1",
    },
    ImportItem: _IMPORT,
    ImportList: _list_of(_IMPORT),
    ImportRowItem: _IMPORT_ROW,
    ImportRowList: _list_of(_IMPORT_ROW),
    EventItem: _EVENT,
    EventList: _list_of(_EVENT),
    WebhookDraft: _HOOK_DRAFT,
    WebhookChange: {"active": False},
    WebhookItem: _HOOK,
    WebhookList: _list_of(_HOOK),
    DeliveryItem: _DELIVERY,
    DeliveryList: _list_of(_DELIVERY),
    ReplayDraft: _STRETCH,
    ReplayItem: _REPLAY,
    ReplayList: _list_of(_REPLAY),
    Problem: {
        "type": f"{_HERE}/api/v1/problems/invalid",
        "title": "Something needs mending",
        "status": 422,
        "detail": "Please mend what is marked below.",
        "request_id": "5f0c2a9d11e3-1a",
        "errors": ERRORS,
    },
    ProblemKind: _KIND,
    ProblemKindList: _list_of(_KIND),
    **examples_of_boards.OF,
    **examples_of_exchanges.OF,
    **OF_IDENTITY,
}
