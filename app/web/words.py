"""The words that pages show for the names that the code uses: phases, roles, sectors, scopes, actions."""

from typing import Final

from app.lib.i18n import N_

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
}

SECTORS: Final = {
    "public": N_("Public administration"),
    "business": N_("Business"),
}

SCOPES: Final = {
    "read": N_("Read what I may read"),
    "write": N_("Post and change ideas, comments and support"),
    "vote": N_("Vote in ballots"),
    "book": N_("Ask for and answer bookings"),
    "admin": N_("Administer programmes"),
}

SAID_BELOW: Final = (
    N_("Please mend what is marked below."),
    N_("The database does not answer. Nothing was saved; please try again."),
)
"""What rooms say that may not see `lib`, so that it is found to be translated."""

LANGUAGES: Final = {"en": "English", "sl": "Slovenščina"}
"""Each language by its own name, so that who needs it can read it."""

WORDS: Final = {
    "phase": PHASES,
    "phase_meaning": PHASE_MEANINGS,
    "role": ROLES,
    "scope": SCOPES,
}
