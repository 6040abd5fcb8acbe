"""How people of the demo come from what they like to a choice on a ballot."""

from collections.abc import Mapping
from random import Random
from typing import Any

from app.methods import choices
from app.methods.election import SUPPORT_FROM, TOP_SCORE, Settings

SPREAD = 0.9
"""By how much people of one leaning differ, in steps of the score."""

ABSTAIN, NONE = 0.03, 0.03
"""How likely someone abstains, or wants none of these."""


def choose(
    random: Random, settings: Settings, likes: Mapping[str, float], costs: Mapping[str, int]
) -> dict[str, Any]:
    """A choice by approval, score or budget of someone who likes the options as `likes` says: 0 to 5, by key.

    :raises KeyError: the method is another
    """
    chance = random.random()
    if chance < ABSTAIN + NONE:
        return {"abstain": True} if chance < ABSTAIN else {"none": True}
    felt = {key: random.gauss(like, SPREAD) for key, like in likes.items()}
    if settings.method == "score":
        scores = {key: min(max(round(value), 0), TOP_SCORE) for key, value in felt.items()}
        return choices.normal({"scores": scores})
    liked = sorted((key for key in felt if felt[key] >= SUPPORT_FROM), key=lambda key: (-felt[key], key))
    if settings.method == "budget":
        liked = _within(liked, costs, settings.budget)
    return choices.normal({"approved": liked} if liked else {"none": True})


def _within(liked: list[str], costs: Mapping[str, int], budget: int) -> list[str]:
    """What can be had of `liked`, the best first."""
    chosen = []
    for key in liked:
        if costs[key] <= budget:
            chosen.append(key)
            budget -= costs[key]
    return chosen
