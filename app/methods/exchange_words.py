"""The words for what matching says to people: by code, to be translated and filled with the values of a `Reason`.

`offers` (keys) is to be replaced by what people call them; `rank`, `wishes`, `number`, `places` and `higher` are
numbers, which stand where no word has to be inflected for them.
"""

from collections.abc import Mapping
from typing import Final

from app.lib.i18n import N_

STANDING: Final[Mapping[str, str]] = {
    "wish": N_("This meets your wish number %(rank)s, of %(wishes)s."),
    "swap": N_("You swap desks: this meets your wish number %(rank)s, of %(wishes)s."),
    "demanded": N_("The coordinator has placed you here."),
    "no_wishes": N_("You have no wish in this match."),
    "nothing_possible": N_("None of your wishes could be met, whoever else takes part."),
    "went_to_others": N_("What you wished for and could have had went to others."),
}
"""`Explanation.reason`."""

MISSED: Final[Mapping[str, str]] = {
    "not_offered": N_("It is not offered for the time of this match."),
    "not_taught": N_("Nothing on offer teaches it."),
    "nothing_offered": N_("The organisation offers no placement for the time of this match."),
    "own_organisation": N_("It is at your own organisation."),
    "sector": N_("It is for guests of other sectors only."),
    "conflict": N_("You have declared a conflict of interest with the organisation."),
    "unavailable": N_("You are not available then: %(offers)s."),
    "outside": N_("It is not within the days of your wish: %(offers)s."),
    "forbidden": N_("The coordinator has ruled it out."),
    "no_places": N_("All places had been taken before this match: %(offers)s."),
    "full": N_(
        "All places went to others: %(offers)s (places: %(places)s; put higher than by you: %(higher)s)."
    ),
    "kept_free": N_("It was left free: %(offers)s (places: %(places)s)."),
    "no_swaps": N_("A stable plan swaps no desks."),
    "desk_not_offered": N_("No desk there by a swap, since you do not offer yours."),
    "no_desk_there": N_("No desk there by a swap, since nobody there offers theirs."),
    "no_week": N_("No desk there by a swap, since there is no week of the programme in which you could go."),
    "no_partner": N_(
        "No desk there by a swap: no circle of up to four people in one week leads there and back."
    ),
    "swapped_otherwise": N_("No desk there by a swap, though one would have been possible."),
}
"""`Missed.reasons`."""

SAID: Final[Mapping[str, str]] = {**STANDING, **MISSED}
"""Both, by `Reason.code`."""

BECAUSE: Final[Mapping[str, str]] = {
    "demanded": N_("The coordinator had placed them there."),
    "served": N_("With you there, fewer people could have gone in all."),
    "balance": N_("With you there, fewer could have gone in all, or more one way than the other."),
    "wishes": N_(
        "With you there, the wishes of all taken together would have been met less well, "
        "or an aim that comes before that would have suffered."
    ),
    "fairness": N_(
        "With you there, stays would have been shared less evenly between organisations, "
        "or an aim that comes before that would have suffered."
    ),
    "hosts": N_(
        "With you there, hosts would less often have had the people whom they named, "
        "or an aim that comes before that would have suffered."
    ),
    "lot": N_("Where plans are equally good for all taken together, the lot decides between them."),
    "preferred": N_("The host would rather have them."),
    "drawn": N_("The host likes some of them as much as you, and the lot decided."),
}
"""`Reason.values["because"]`, after the words of `full`, `kept_free` and `swapped_otherwise`."""
