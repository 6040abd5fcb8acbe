"""Approval: each vote names all the options that it could live with; the option most often named wins."""

from fractions import Fraction

from app.methods import totals
from app.methods.election import Count, Profile, Settings


def count(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> Count:
    """Order by approvals, each weighing what its sector's votes weigh (Brams and Fishburn 1978)."""
    return totals.count(profile, settings, weights)
