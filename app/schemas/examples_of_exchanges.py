"""Examples of what surrounds stays, for the API's document."""

from typing import Any, Final

from pydantic import BaseModel

from app.schemas.calendar_feeds import FeedDraft, FeedList, NewFeedItem
from app.schemas.conflicts import ConflictDraft, ConflictItem, ConflictList
from app.schemas.inbox import InboxItem, NoticeList, OwnIdeaList
from app.schemas.overviews import CalendarItem, ClosingDayList, OverviewItem
from app.schemas.plans import ComparisonItem, ExplanationItem
from app.schemas.preferences import PreferencesDraft, PreferencesItem
from app.schemas.reflections import (
    PublishedStoryList,
    ReflectionDraft,
    ReflectionItem,
    ReflectionList,
    StoryDraft,
    StoryItem,
)

_HERE: Final = "https://partnership.example"
_WHEN: Final = "2026-05-04T09:30:00.000000Z"
_DATES: Final = {"created_at": _WHEN, "updated_at": _WHEN}
_STAY: Final = {"first_day": "2026-05-04", "last_day": "2026-05-08"}
_WEEK: Final = {"first_day": "2026-04-27", "last_day": "2026-05-03"}
_CONFLICT: Final = {
    "organisation": 3,
    "name": "Ministry of Meadows",
    "statement": "I audit them.",
    "declared_at": _WHEN,
}
_TAKEN: Final = {
    "learned": "How a permit is decided.",
    "surprised": "How much is said by telephone.",
    "next": "We mend the form together.",
    "language": "en",
}
_REFLECTION: Final = {
    "booking": 21,
    "url": f"{_HERE}/bookings/21#after",
    "party": "guest",
    "by": "Bor Zupan",
    **_TAKEN,
    "written_at": _WHEN,
}
_STORY: Final = {
    "title": "A week among permits",
    "body": "We sat at *one* table.",
    "language": "en",
}
_HTML: Final = {"body_html": "<p>We sat at <em>one</em> table.</p>\n"}
_FEED: Final = {
    "id": 5,
    "url": f"{_HERE}/exchanges/feeds?programme=demo",
    "programme": 1,
    "organisation": None,
    "created_at": _WHEN,
}
_HOLIDAY: Final = {"day": "2026-05-01", "name": "Labour Day"}
_STUCK: Final = {
    "id": 21,
    "url": f"{_HERE}/bookings/21",
    "placement": 4,
    "title": "A week in the permits office",
    "guest": "Bor Zupan",
    **_STAY,
    "state": "held",
    "awaited": ["host"],
    "updated_at": _WHEN,
}


def _list_of(item: Any) -> dict[str, Any]:
    return {"items": [item], "next": None}


OF: Final[dict[type[BaseModel], dict[str, Any]]] = {
    ConflictDraft: {"statement": "I audit them."},
    ConflictItem: _CONFLICT,
    ConflictList: _list_of(_CONFLICT),
    PreferencesDraft: {"people": [14, 15]},
    PreferencesItem: {
        "placement": 4,
        "url": f"{_HERE}/placements/4/preferences",
        "people": [{"person": 14, "name": "Bor Zupan", "organisation": "Larch Software", "rank": 1}],
    },
    ComparisonItem: {
        "url": f"{_HERE}/matches/2/compare/3",
        "match": 2,
        "other": 3,
        "figures": [{"served": 30}, {"served": 28}],
        "changed": [{"person": 14, "one": {"offer": "9:2026-05-04:2026-05-08", "rank": 1}, "other": None}],
    },
    ExplanationItem: {
        "match": 2,
        "programme": 1,
        "url": f"{_HERE}/matches/2/mine",
        "reason": {
            "code": "wish",
            "values": {"rank": 2, "wishes": 3},
            "said": "This meets your wish number 2, of 3.",
        },
        "missed": [
            {
                "rank": 1,
                "reasons": [
                    {
                        "code": "forbidden",
                        "values": {},
                        "said": "The coordinator has ruled it out.",
                    }
                ],
            }
        ],
        "free": [
            {
                "offer": "9:2026-05-04:2026-05-08",
                "placement": 4,
                "title": "A week in the permits office",
                **_STAY,
            }
        ],
        "lost": False,
    },
    ReflectionDraft: _TAKEN,
    ReflectionItem: _REFLECTION,
    ReflectionList: _list_of(_REFLECTION),
    StoryDraft: _STORY,
    StoryItem: {
        "booking": 21,
        "url": f"{_HERE}/bookings/21#after",
        **_STORY,
        **_HTML,
        "guest_consent_at": _WHEN,
        "host_consent_at": None,
        "published_at": None,
        "version": 1,
    },
    PublishedStoryList: _list_of(
        {
            "id": 2,
            "url": f"{_HERE}/exchanges/stories?programme=demo",
            "programme": 1,
            **_STORY,
            **_HTML,
            "organisation": "Larch Software",
            "host": "Ministry of Meadows",
            "published_at": _WHEN,
            **_DATES,
        }
    ),
    FeedDraft: {"organisation": None},
    FeedList: _list_of(_FEED),
    NewFeedItem: {**_FEED, "address": f"{_HERE}/calendars/AN-EXAMPLE-AND-NO-SECRET.ics"},
    CalendarItem: {
        "programme": 1,
        "url": f"{_HERE}/exchanges/calendar?programme=demo",
        "weeks": [{**_WEEK, "closing_days": [_HOLIDAY]}],
        "hosts": [
            {
                "organisation": 3,
                "name": "Ministry of Meadows",
                "sector": "public",
                "offers": [
                    {
                        "week": 0,
                        "placement": 4,
                        "title": "A week in the permits office",
                        "period": 8,
                        "first_day": "2026-04-27",
                        "last_day": "2026-05-01",
                        "is_window": False,
                        "places": 2,
                        "free": 1,
                        "waiting": 0,
                    }
                ],
            }
        ],
    },
    ClosingDayList: _list_of(_HOLIDAY),
    OverviewItem: {
        "programme": 1,
        "url": f"{_HERE}/exchanges/console?programme=demo",
        "weeks": [{**_WEEK, "places": 4, "taken": 3, "waiting": 1}],
        "stuck": [_STUCK],
        "waiting": [],
        "to_review": [
            {
                "id": 6,
                "url": f"{_HERE}/placements/6",
                "title": "Two days at the depot",
                "host": "Larch Software",
            }
        ],
        "directions": [{"home": "business", "host": "public", "asked": 2, "settled": 3}],
        "imbalance": 2,
    },
    InboxItem: {
        "url": f"{_HERE}/me",
        "merges": [],
        "ballots": [
            {
                "id": 6,
                "url": f"{_HERE}/ballots/6",
                "programme": 1,
                "challenge": 2,
                "title": "Which one first?",
                "closes_at": "2026-05-13T16:00:00.000000Z",
            }
        ],
        "bookings": [
            {
                "id": 21,
                "url": f"{_HERE}/bookings/21",
                "programme": 1,
                "placement": 4,
                "title": "A week in the permits office",
                **_STAY,
                "state": "held",
                "guest": "Bor Zupan",
                "roles": ["host"],
                "expires_at": _WHEN,
            }
        ],
    },
    OwnIdeaList: _list_of(
        {
            "id": 7,
            "url": f"{_HERE}/ideas/7",
            "programme": 1,
            "challenge": 2,
            "title": "One form for moving house",
            "language": "en",
            "anonymous": False,
            "state": "open",
            "version": 1,
            **_DATES,
        }
    ),
    NoticeList: _list_of(
        {
            "id": 90,
            "url": f"{_HERE}/ideas/7#comment-12",
            "programme": 1,
            "kind": "comment_posted",
            "subject": "A comment on your idea",
            "message": "There is a comment on “One form for moving house”.",
            "created_at": _WHEN,
        }
    ),
}
