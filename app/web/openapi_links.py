"""Links of the API's document: what a call has made, found or read leads on to the calls about it."""

from collections.abc import Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel

from app.web.operations import Operation

Json = dict[str, Any]

_MADE: Final = "$response.body#/id"
_FOUND: Final = "$response.body#/items/0/id"
_TAG: Final = "$response.header.ETag"


def of(operation: Operation, declared: Sequence[Operation]) -> Json:
    """The calls that take the id of what `operation` answers with.

    What was made, and the first of a list, lead to all of them; what was read leads to those that want its tag.
    """
    shape, id = _answered(operation)
    address = _address_of(shape, declared)
    if address is None:
        return {}
    about = [other for other in declared if _is_about(other, address)]
    if operation.tagged:
        about = [other for other in about if other.conditional]
    return {other.id: _link(operation, other, id) for other in about}


def _answered(operation: Operation) -> tuple[type[BaseModel] | None, str]:
    """The shape of the things that it answers with, and where the id of one stands."""
    if operation.gives is None:
        return None, ""
    if operation.paged:
        return get_args(operation.gives.model_fields["items"].annotation)[0], _FOUND
    return (operation.gives, _MADE) if operation.status == 201 or operation.tagged else (None, "")


def _address_of(shape: type[BaseModel] | None, declared: Sequence[Operation]) -> str | None:
    """The address of one thing of this shape, if its id alone stands in it."""
    if shape is None or "id" not in shape.model_fields:
        return None
    shown = (other.path for other in declared if other.method == "GET" and other.gives is shape)
    return next((path for path in shown if path.endswith("}") and path.count("{") == 1), None)


def _is_about(operation: Operation, address: str) -> bool:
    below = operation.path.startswith(f"{address}/") and operation.path.count("{") == 1
    return operation.path == address or below


def _link(operation: Operation, other: Operation, id: str) -> Json:
    parameters = {f"path.{other.path.partition('{')[2].partition('}')[0]}": id}
    if other.conditional and not operation.paged:
        parameters["header.If-Match"] = _TAG
    return {"operationId": other.id, "parameters": parameters}
