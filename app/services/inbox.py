"""What waits for someone: merges that ask for their consent, ballots to vote on, stays on which they have to act."""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import ballots, bookings, merges
from app.services.ballots import BallotView
from app.services.bookings import BookingView
from app.services.merges import MergeView


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits, each kind in the order in which it presses."""

    merges: tuple[MergeView, ...]
    ballots: tuple[BallotView, ...]
    bookings: tuple[BookingView, ...]


def of(connection: Connection, actor: Actor) -> Inbox:
    """What waits for the actor, in all programmes in which they take part. Four statements.

    :raises NotSignedIn: nobody is signed in
    """
    require(actor, Permission.MANAGE_OWN)
    asked = merges.waiting_for(connection, actor)
    return Inbox(
        tuple(each for each in asked if may(actor, Permission.READ_CHALLENGE, each)),
        tuple(ballots.waiting_for(connection, actor)),
        tuple(bookings.waiting_for(connection, actor)),
    )
