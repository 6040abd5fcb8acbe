"""Nouns: a table each, and what one row knows of itself."""

from app.models.audit import AuditEntry
from app.models.ballot import Ballot, BallotChange, BallotOption, BallotResult, PublishedVote
from app.models.base import metadata
from app.models.booking import (
    Agreement,
    Booking,
    BookingStep,
    Decision,
    DecisionLink,
    Reflection,
    Story,
)
from app.models.challenge import Challenge, Cluster, Phase
from app.models.comment import Comment
from app.models.event import Event
from app.models.exchange import CalendarFeed, ConflictOfInterest, ExchangeRules
from app.models.idea import CoAuthor, Hiding, Idea, IdeaVersion, Pin
from app.models.idempotency import KeptAnswer
from app.models.imports import Import, ImportChunk, ImportReference, ImportRow
from app.models.invitation import Invitation, JoinRequest
from app.models.match import Match, Preference, Wish, WishList
from app.models.membership import Assignment, Membership
from app.models.merge import Merge, Objection
from app.models.notice import Notice
from app.models.open_data import OpenData, OpenFile
from app.models.organisation import Organisation, OrganisationDomain, OrganisationIdentity
from app.models.own_data import Consent, DataExport, Erasure, RetentionRules
from app.models.person import Login, Person
from app.models.placement import Period, Placement
from app.models.programme import Programme
from app.models.scim import ScimGroup, ScimMember, ScimUser
from app.models.sector import Sector
from app.models.session import BrowserSession, KeptForm, SignIn, UsedLogoutToken
from app.models.solution import Solution, SolutionIdea
from app.models.support import Support, Tally
from app.models.token import AccessToken, Client, UsedAssertion
from app.models.vote import BallotKey, Interest, RollEntry, Turnout, Vote
from app.models.webhook import Delivery, Webhook, WebhookReplay

__all__ = [
    "AccessToken",
    "Agreement",
    "Assignment",
    "AuditEntry",
    "Ballot",
    "BallotChange",
    "BallotKey",
    "BallotOption",
    "BallotResult",
    "Booking",
    "BookingStep",
    "BrowserSession",
    "CalendarFeed",
    "Challenge",
    "Client",
    "Cluster",
    "CoAuthor",
    "Comment",
    "ConflictOfInterest",
    "Consent",
    "DataExport",
    "Decision",
    "DecisionLink",
    "Delivery",
    "Erasure",
    "Event",
    "ExchangeRules",
    "Hiding",
    "Idea",
    "IdeaVersion",
    "Import",
    "ImportChunk",
    "ImportReference",
    "ImportRow",
    "Interest",
    "Invitation",
    "JoinRequest",
    "KeptAnswer",
    "KeptForm",
    "Login",
    "Match",
    "Membership",
    "Merge",
    "Notice",
    "Objection",
    "OpenData",
    "OpenFile",
    "Organisation",
    "OrganisationDomain",
    "OrganisationIdentity",
    "Period",
    "Person",
    "Phase",
    "Pin",
    "Placement",
    "Preference",
    "Programme",
    "PublishedVote",
    "Reflection",
    "RetentionRules",
    "RollEntry",
    "ScimGroup",
    "ScimMember",
    "ScimUser",
    "Sector",
    "SignIn",
    "Solution",
    "SolutionIdea",
    "Story",
    "Support",
    "Tally",
    "Turnout",
    "UsedAssertion",
    "UsedLogoutToken",
    "Vote",
    "Webhook",
    "WebhookReplay",
    "Wish",
    "WishList",
    "metadata",
]
