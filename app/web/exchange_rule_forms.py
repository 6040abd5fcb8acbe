"""The form of a programme's rules for exchanges: what it holds, and what it says to the service."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from app.errors import DomainError, FieldError, Invalid
from app.services.exchange_rules import LIMITS, MOST_ITEMS, USUAL_CHECKLIST, Item, Rules
from app.web import pages
from app.web.templating import translations

SPARE: Final = 2
"""How many more items of the checklist a form has room for than there are."""


def values_of(rules: Rules, language: str) -> dict[str, Any]:
    """What the form holds of the rules; the usual items of the checklist in the reader's language."""
    say = translations(language).gettext
    items: dict[str, str] = {}
    for place, item in enumerate(rules.checklist):
        items |= {f"item_key_{place}": item.key, f"item_party_{place}": item.party}
        items[f"item_text_{place}"] = say(item.text)
    return {
        **{
            name: getattr(rules, name)
            for name in (*LIMITS, "way", "aim", "country", "region", "zone", "version")
        },
        "approvals": list(rules.approvals),
        "in_order": "1" if rules.in_order else "",
        **items,
    }


def room(values: Mapping[str, Any]) -> range:
    """The numbers of the items of the checklist for which the form has room."""
    filled = sum(bool(values.get(f"item_text_{place}")) for place in range(MOST_ITEMS))
    return range(min(MOST_ITEMS, filled + SPARE))


def changes_of(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What a form says of the rules, as `exchange_rules.set_rules` takes it. An item without text is left out."""
    return {
        **{name: str(values.get(name, "")).strip() for name in ("way", "aim", "country", "region", "zone")},
        **{name: _whole(values.get(name, "")) for name in LIMITS},
        "approvals": tuple(values["approvals"]),
        "in_order": bool(values.get("in_order")),
        "checklist": tuple(_items(values, language)),
    }


def by_fields(error: DomainError) -> DomainError:
    """The same error by the names of the form's fields: `checklist/0/text` is `item_text_0`."""
    if not isinstance(error, Invalid):
        return error
    return Invalid(*(FieldError(_field(wrong.field), wrong.message, wrong.values) for wrong in error.errors))


def _field(name: str) -> str:
    parts = name.split("/")
    return f"item_{parts[2]}_{parts[1]}" if parts[0] == "checklist" and len(parts) == 3 else name


def _items(values: Mapping[str, Any], language: str) -> list[Item]:
    """The items that have a text; one that says what is usual stays translated for everyone."""
    say = translations(language).gettext
    usual = {say(item.text): item.text for item in USUAL_CHECKLIST}
    found: list[Item] = []
    for place in range(MOST_ITEMS):
        text = str(values.get(f"item_text_{place}", "")).strip()
        if text:
            # Never that of an item which is gone: who had agreed to that one would have agreed to this.
            key = str(values.get(f"item_key_{place}", "")).strip() or f"item-{secrets.token_hex(6)}"
            party = str(values.get(f"item_party_{place}", ""))
            found.append(Item(key, party, usual.get(text, text)))
    return found


def _whole(text: Any) -> int:
    """The number, or one that cannot be taken, so that the service says what would be right."""
    number = pages.number(str(text).strip())
    return -1 if number is None else number
