"""Allocation: each vote spreads dots (points), or credits of which n votes cost n² (quadratic), over the options.

What a vote may give is checked in `choices`; what was given is added up in the same way for both.
"""

from fractions import Fraction

from app.methods import totals
from app.methods.election import Count, Profile, Settings


def count(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> Count:
    """Order by the sum of points or votes, each weighing what its sector's votes weigh.

    Points: cumulative voting. Quadratic: Posner and Weyl, Voting Squared (2015), with credits instead of money.
    """
    return totals.count(profile, settings, weights)
