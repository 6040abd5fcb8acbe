"""Score: each vote gives every option 0 to 5; the largest sum wins. What is left out has 0."""

from fractions import Fraction

from app.methods import totals
from app.methods.election import Count, Profile, Settings


def count(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> Count:
    """Order by the sum of scores, each weighing what its sector's votes weigh.

    Every vote says something of every option, so the order of sums is that of means (range voting, Smith 2000).
    """
    return totals.count(profile, settings, weights)
