"""The words that pages show for the names that the code uses: phases, roles, sectors, scopes, actions."""

from typing import Final

from app.lib.i18n import N_
from app.web.audit_words import AUDIT_ACTIONS, OUTCOMES
from app.web.hook_words import DELIVERY_STATES, HOOK_ERRORS, HOOK_STATES, HOOK_STOPS

PHASES: Final = {
    "framing": N_("Framing"),
    "ideation": N_("Ideation"),
    "shaping": N_("Shaping"),
    "voting": N_("Voting"),
    "delivery": N_("Delivery"),
    "learning": N_("Learning"),
    "closed": N_("Closed"),
}

PHASE_MEANINGS: Final = {
    "framing": N_("The question is being put into words. Ideas come next."),
    "ideation": N_("Every idea is welcome. Post yours and support what you like."),
    "shaping": N_("Ideas that belong together are brought together and worked out."),
    "voting": N_("The worked-out solutions are put to the vote."),
    "delivery": N_("A team carries out what was chosen."),
    "learning": N_("What worked, what did not, and what others can take from it."),
    "closed": N_("This challenge is finished. Everything stays here to be read."),
}

ROLES: Final = {
    "participant": N_("Participant"),
    "facilitator": N_("Facilitator"),
    "host": N_("Host"),
    "sponsor": N_("Sponsor"),
    "coordinator": N_("Coordinator"),
    "observer": N_("Observer"),
    "organisation_administrator": N_("Administrator of the organisation"),
}

MEMBER_STATES: Final = {
    "here": N_("take part now"),
    "left": N_("took part before"),
    "disabled": N_("may not sign in"),
    "nowhere": N_("have no place anywhere"),
}

SECTORS: Final = {
    "public": N_("Public administration"),
    "business": N_("Business"),
}

BALLOT_STATES: Final = {
    "scheduled": N_("Not open yet"),
    "open": N_("Open"),
    "counting": N_("Being counted"),
    "closed": N_("Closed"),
    "cancelled": N_("Taken back"),
}

METHODS: Final = {
    "approval": N_("Marks"),
    "score": N_("Scores from 0 to 5"),
    "ranked": N_("Ranking"),
    "points": N_("Points to spread"),
    "quadratic": N_("Credits, dearer by the vote"),
    "budget": N_("Choosing within a budget"),
}

METHOD_MEANINGS: Final = {
    "approval": N_("Everyone marks all the solutions that they support."),
    "score": N_("Everyone gives each solution 0 to 5."),
    "ranked": N_("Everyone puts the solutions in order, the best first."),
    "points": N_("Everyone has some points and spreads them over the solutions."),
    "quadratic": N_(
        "Everyone has some credits. One vote for a solution costs 1, two cost 4, three cost 9: "
        "whoever cares much about one can say so, at a price."
    ),
    "budget": N_("Everyone chooses what the budget should go to. Several solutions can win together."),
}

RULES: Final = {
    "least_sector": N_("What the more sceptical sector carries"),
    "both_sectors": N_("Each sector must agree"),
    "equal_weight": N_("Each sector weighs the same"),
    "bridging": N_("What bridges the sectors"),
    "one_person": N_("One person, one vote"),
    "equal_split": N_("The money split equally between the sectors"),
}

RULE_MEANINGS: Final = {
    "least_sector": N_(
        "First comes the solution with the strongest support in the sector that likes it less. "
        "What only one side wants does not win."
    ),
    "both_sectors": N_(
        "A solution must have enough support in each sector. Among those that have, all votes count the same."
    ),
    "equal_weight": N_(
        "All votes of one sector together weigh as much as those of another, whatever its size."
    ),
    "bridging": N_(
        "The sectors' shares of support are multiplied, and the largest product comes first. "
        "Much support on one side does not make up for little on the other."
    ),
    "one_person": N_("Every vote counts the same, whatever its sector."),
    "equal_split": N_("Each sector decides on an equal part of the money, whatever its size."),
}

SECRECY: Final = {
    "secret": N_("Secret"),
    "open": N_("Open, with names"),
}

SCOPES: Final = {
    "read": N_("Read what I may read"),
    "write": N_("Post and change ideas, comments and support"),
    "vote": N_("Vote in ballots"),
    "book": N_("Ask for and answer bookings"),
    "admin": N_("Administer programmes"),
}

KEPT_FIELDS: Final = {
    "name": N_("Name"),
    "scopes": N_("What it may do"),
    "days": N_("Valid for how many days"),
    "reason": N_("Why"),
    "email": N_("Mail address"),
    "role": N_("Role"),
}
"""What is told of a form that waited while its sender signed in once more, by the fields' names."""


CLIENT_SCOPES: Final = {
    "read": N_("Read what its role may read"),
    "write": N_("Write what its role may write"),
    "admin": N_("Do what coordinators do"),
    "scim": N_("Keep an organisation's people up to date (SCIM)"),
}

ACTING_ROLES: Final = {
    "guest": N_("the guest"),
    "manager": N_("the home manager"),
    "host": N_("the host"),
    "coordinator": N_("the coordinator"),
    "clock": N_("the clock"),
}

BOOKING_STATES: Final = {
    "waiting": N_("waiting in line"),
    "offered": N_("offered"),
    "held": N_("asked, place held"),
    "approved": N_("approved"),
    "confirmed": N_("confirmed"),
    "under_way": N_("under way"),
    "completed": N_("completed"),
    "reflected": N_("completed and reflected"),
    "declined": N_("declined"),
    "withdrawn": N_("withdrawn"),
    "cancelled": N_("cancelled"),
    "expired": N_("expired"),
    "passed_on": N_("passed on"),
}

BOOKING_STEPS: Final = {
    "hold": N_("Asked for; a place is held"),
    "queue": N_("Asked for; waits in line"),
    "propose": N_("Proposed by a match"),
    "offer": N_("A place became free and was offered"),
    "accept": N_("The offer was accepted"),
    "pass": N_("The place was passed on"),
    "approve": N_("Approved"),
    "clear": N_("Nobody has to approve it"),
    "decline": N_("Declined"),
    "confirm": N_("Confirmed"),
    "move": N_("Moved to other days"),
    "withdraw": N_("Withdrawn"),
    "cancel": N_("Cancelled"),
    "leave": N_("Cancelled, since the guest left the organisation"),
    "part": N_("Cancelled, since the other side of the swap stays at home"),
    "expire": N_("Expired"),
    "start": N_("The stay began"),
    "complete": N_("The stay ended"),
    "reflect": N_("Both sides have reflected"),
}

MATCH_STATES: Final = {
    "queued": N_("in line"),
    "running": N_("running"),
    "done": N_("done"),
    "failed": N_("ended without a plan"),
    "cancelled": N_("cancelled"),
}

IMPORT_KINDS: Final = {
    "organisations": N_("Organisations"),
    "people": N_("People"),
    "ideas": N_("Ideas"),
    "placements": N_("Placements"),
}

IMPORT_STATES: Final = {
    "queued": N_("in line"),
    "running": N_("running"),
    "done": N_("done"),
    "stopped": N_("stopped"),
    "failed": N_("cannot be read"),
    "cancelled": N_("cancelled"),
}

MATCH_AIMS: Final = {
    "served": N_("people served"),
    "balance": N_("both directions"),
    "wishes": N_("wishes"),
    "fairness": N_("fairness between organisations"),
    "hosts": N_("hosts' preferences"),
}

PLACEMENT_STATES: Final = {
    "proposed": N_("waits for review"),
    "published": N_("published"),
    "returned": N_("returned"),
    "withdrawn": N_("taken back"),
}

SAID_BELOW: Final = (
    N_("Please mend what is marked below."),
    N_("The database does not answer. Nothing was saved; please try again."),
)
"""What rooms say that may not see `lib`, so that it is found to be translated."""

LANGUAGES: Final = {"en": "English", "sl": "Slovenščina"}
"""Each language by its own name, so that who needs it can read it."""

WORDS: Final = {
    "acting_role": ACTING_ROLES,
    "audit_action": AUDIT_ACTIONS,
    "audit_outcome": OUTCOMES,
    "member_state": MEMBER_STATES,
    "booking_state": BOOKING_STATES,
    "booking_step": BOOKING_STEPS,
    "placement_state": PLACEMENT_STATES,
    "ballot_state": BALLOT_STATES,
    "import_kind": IMPORT_KINDS,
    "import_state": IMPORT_STATES,
    "match_aim": MATCH_AIMS,
    "match_state": MATCH_STATES,
    "delivery_state": DELIVERY_STATES,
    "hook_error": HOOK_ERRORS,
    "hook_state": HOOK_STATES,
    "hook_stop": HOOK_STOPS,
    "method": METHODS,
    "method_meaning": METHOD_MEANINGS,
    "phase": PHASES,
    "phase_meaning": PHASE_MEANINGS,
    "role": ROLES,
    "rule": RULES,
    "rule_meaning": RULE_MEANINGS,
    "scope": SCOPES,
    "client_scope": CLIENT_SCOPES,
    "secrecy": SECRECY,
}
