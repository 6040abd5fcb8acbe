"""Matches as the API takes and shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.lib import clock, i18n
from app.methods.exchange_words import BECAUSE, SAID
from app.schemas.matches import DemandDraft, MatchDraft
from app.services.match_market import offer_of
from app.services.matches import Comparison, MatchView
from app.web.problems import said

Json = dict[str, Any]


def match(base_url: str, view: MatchView, language: str) -> Json:
    """A run of the optimiser, as far as it has come."""
    return {
        "id": view.id,
        "url": f"{base_url}/matches/{view.id}",
        "programme": view.programme_id,
        "name": view.name,
        "aim": view.aim,
        "seed": view.seed,
        "first_day": view.first_day.isoformat(),
        "last_day": view.last_day.isoformat(),
        "demands": {kind: _demands(view.demands.get(kind, ())) for kind in ("pins", "forbids")},
        "state": view.state,
        "step": view.step,
        "progress": view.progress,
        "plan": view.plan,
        "figures": view.figures,
        "problems": [said(language, each["message"], each["values"]) for each in view.problems],
        "published_at": None if view.published_at is None else clock.rfc3339(view.published_at),
        "version": view.version,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def comparison(base_url: str, found: Comparison) -> Json:
    """Two plans side by side."""
    return {
        "url": f"{base_url}/matches/{found.one.id}/compare/{found.two.id}",
        "match": found.one.id,
        "other": found.two.id,
        "figures": [found.one.figures, found.two.figures],
        "changed": [{"person": person, "one": one, "other": other} for person, one, other in found.changed],
    }


def explanation(
    base_url: str,
    view: MatchView,
    person_id: int | None,
    *,
    told: Mapping[str, Any],
    offers: Mapping[str, Any],
    language: str,
) -> Json:
    """Why a person got what they got. `offers`: rows of placement_id and title by the keys that are named."""
    return {
        "match": view.id,
        "programme": view.programme_id,
        "url": f"{base_url}/matches/{view.id}/mine",
        "reason": _reason(told["reason"], offers, language),
        "missed": [
            {"rank": each["rank"], "reasons": [_reason(why, offers, language) for why in each["reasons"]]}
            for each in told["missed"]
        ],
        "free": [_free(key, offers[key]) for key in told["free"] if key in offers],
        "lost": person_id in (view.plan or {}).get("lost", ()),
    }


def _reason(told: Mapping[str, Any], offers: Mapping[str, Any], language: str) -> Json:
    """A reason with its words, in which offers are called as people call them."""
    values = told["values"]
    called = [
        f"“{offers[key].title}”, {_days(key, language)}" for key in values.get("offers", ()) if key in offers
    ]
    names = ("places", "higher", "rank", "wishes")
    filled = {name: values.get(name, "") for name in names} | {"offers": "; ".join(called)}
    words = said(language, SAID[told["code"]], filled)
    because = said(language, BECAUSE[values["because"]]) if "because" in values else ""
    return {"code": told["code"], "values": values, "said": f"{words} {because}".strip()}


def _free(key: str, row: Any) -> Json:
    _, span = offer_of(key)
    return {
        "offer": key,
        "placement": row.placement_id,
        "title": row.title,
        "first_day": span.first_day.isoformat(),
        "last_day": span.last_day.isoformat(),
    }


def _days(key: str, language: str) -> str:
    _, span = offer_of(key)
    return i18n.days(span.first_day, span.last_day, language)


def asked(draft: MatchDraft) -> Json:
    """A run to start, as `matches.start` takes it."""
    given = draft.given()
    demands = given.pop("demands", None)
    if demands is None:
        return given
    return {**given, "pins": _pairs(demands.pins), "forbids": _pairs(demands.forbids)}


def _pairs(drafts: Sequence[DemandDraft]) -> list[tuple[int, str]]:
    return [(each.person, each.offer) for each in drafts]


def _demands(stored: Sequence[Any]) -> list[Json]:
    return [{"person": person, "offer": offer} for person, offer in stored]
