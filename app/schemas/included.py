"""What comes along with an answer when it is asked for: the neighbours of its items, each once."""

from pydantic import Field

from app.schemas.base import Given
from app.schemas.challenges import ChallengeItem
from app.schemas.clusters import ClusterItem
from app.schemas.comments import CommentItem
from app.schemas.ideas import IdeaItem
from app.schemas.placements import PlacementItem
from app.schemas.programmes import OrganisationItem, ProgrammeItem
from app.schemas.solutions import SolutionItem


class Included(Given):
    """The neighbours of an item or of a page of items, by noun: each once, as its own address gives it to you.

    What you may not see is left out. A noun is there if `include` named a neighbour of its kind.
    """

    programmes: list[ProgrammeItem] = Field(
        default=[], description="By `programme`, `memberships.programme`."
    )
    organisations: list[OrganisationItem] = Field(
        default=[], description="By `sponsor`, `host`, `guest.organisation`, `memberships.organisation`."
    )
    challenges: list[ChallengeItem] = Field(default=[], description="By `challenge`.")
    clusters: list[ClusterItem] = Field(default=[], description="By `cluster`.")
    ideas: list[IdeaItem] = Field(default=[], description="By `idea`, `ideas`, `source`, `target`.")
    comments: list[CommentItem] = Field(
        default=[],
        description="By `comments`: the first 20 of each idea, by id; the others are at its own list.",
    )
    placements: list[PlacementItem] = Field(default=[], description="By `placement`.")
    solutions: list[SolutionItem] = Field(default=[], description="By `solutions`.")
