"""Nouns: a table each, and what one row knows of itself."""

from app.models.ballot import Ballot, BallotChange, BallotOption, BallotResult, PublishedVote
from app.models.base import metadata
from app.models.challenge import Challenge, Cluster, Phase
from app.models.comment import Comment
from app.models.event import Event
from app.models.idea import CoAuthor, Hiding, Idea, IdeaVersion, Pin
from app.models.idempotency import KeptAnswer
from app.models.membership import Membership
from app.models.merge import Merge, Objection
from app.models.notice import Notice
from app.models.organisation import Organisation, OrganisationDomain, OrganisationIdentity
from app.models.person import Login, Person
from app.models.programme import Programme
from app.models.sector import Sector
from app.models.session import BrowserSession, SignIn
from app.models.solution import Solution, SolutionIdea
from app.models.support import Support, Tally
from app.models.token import AccessToken
from app.models.vote import BallotKey, Interest, RollEntry, Turnout, Vote

__all__ = [
    "AccessToken",
    "Ballot",
    "BallotChange",
    "BallotKey",
    "BallotOption",
    "BallotResult",
    "BrowserSession",
    "Challenge",
    "Cluster",
    "CoAuthor",
    "Comment",
    "Event",
    "Hiding",
    "Idea",
    "IdeaVersion",
    "Interest",
    "KeptAnswer",
    "Login",
    "Membership",
    "Merge",
    "Notice",
    "Objection",
    "Organisation",
    "OrganisationDomain",
    "OrganisationIdentity",
    "Person",
    "Phase",
    "Pin",
    "Programme",
    "PublishedVote",
    "RollEntry",
    "Sector",
    "SignIn",
    "Solution",
    "SolutionIdea",
    "Support",
    "Tally",
    "Turnout",
    "Vote",
    "metadata",
]
