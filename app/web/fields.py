"""Sparse answers: `?fields=` names what is wanted of an item, or of each item of a list; the rest is left out.

Both this and `?include=` are read here for any operation whose answer is an item or a list, so that no endpoint has to.
An answer without them costs one look at the address.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic_core import from_json, to_json
from starlette.requests import Request

from app.errors import FieldError
from app.lib.i18n import N_
from app.web import operations
from app.web.operations import FIELDS, INCLUDE
from app.web.validation import InvalidParameter, pointer

__all__ = ["FIELDS", "INCLUDE", "INCLUDED", "item_of", "named", "of", "of_item", "of_items"]

INCLUDED: Final = "included"
"""Where an answer holds its neighbours; never left out, since it comes only when asked for."""


def of_item(request: Request, body: bytes) -> bytes:
    """An item as JSON, with the fields that the address asks for.

    :raises InvalidParameter: it has no field of that name
    """
    wanted = _asked(request)
    return body if wanted is None else to_json(_part(from_json(body), wanted))


def of_items(request: Request, items: bytes) -> bytes:
    """Items as JSON with commas between, each with the fields that the address asks for.

    :raises InvalidParameter: they have no field of that name
    """
    wanted = _asked(request)
    if wanted is None:
        return items
    return to_json([_part(item, wanted) for item in from_json(b"[%s]" % items)])[1:-1]


def named(request: Request, parameter: str, known: Collection[str]) -> tuple[str, ...]:
    """The names that a parameter of the address lists, with commas or by being repeated; none where it is absent.

    :raises InvalidParameter: one is not among the `known`, or it lists none
    """
    given = request.query_params.getlist(parameter)
    names = tuple(dict.fromkeys(name.strip() for text in given for name in text.split(",")))
    wrong = [name for name in names if name not in known]
    if wrong:
        place = pointer((parameter, wrong[0]), unknown=True)
        message = N_("There is nothing of this name here. Please choose from: %(names)s.")
        raise InvalidParameter("query", FieldError(place, message, (("names", tuple(sorted(known))),)))
    return names


@lru_cache
def of(shape: type[BaseModel]) -> tuple[str, ...]:
    """The names of the fields of an item, or of the items of a list, as its JSON has them."""
    item = item_of(shape) or shape
    return tuple(field.alias or name for name, field in item.model_fields.items())


def item_of(shape: type[BaseModel]) -> type[BaseModel] | None:
    """What a list is of; None for what is no list."""
    if not {"items", "next"} <= shape.model_fields.keys():
        return None
    found: type[BaseModel] = get_args(shape.model_fields["items"].annotation)[0]
    return found


def _asked(request: Request) -> tuple[str, ...] | None:
    if not request.scope["query_string"] or request.method != "GET":
        return None
    operation = operations.at(request)
    if operation is None or not operation.is_sparse or operation.gives is None:
        return None
    return named(request, FIELDS, of(operation.gives)) or None


def _part(item: dict[str, Any], wanted: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in wanted or name == INCLUDED}
