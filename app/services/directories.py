"""The door of directories within: one request of SCIM 2.0 served on the tables, in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scim2_models import (
    InvalidFilterException,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    SearchRequest,
)
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import DomainError
from app.integrations.scim import MOST_RESULTS, SERVICE
from app.policies.actor import Actor
from app.services import directory_places, scim_filters, scim_groups, scim_users
from app.services.directory_places import Directory
from app.services.scim_filters import Columns


class Failed(DomainError):
    """A request that SCIM has an error for; nothing of it was done."""

    status = 400
    code = "bad-request"

    def __init__(self, error: SCIMException) -> None:
        super().__init__("The request could not be done.")
        self.error = error


def read(connection: Connection, actor: Actor, request: ScimRequest) -> ScimResponse:
    """Answer a request that changes nothing.

    :raises Failed: SCIM has an error for it
    :raises NotAllowed: the actor speaks for no directory
    """
    return _served(_Tables(connection, directory_places.of(connection, actor)), request)


def write(tx: Transaction, actor: Actor, request: ScimRequest) -> ScimResponse:
    """Answer a request that changes something; those of one directory follow one another.

    :raises Failed: SCIM has an error for it
    :raises NotAllowed: the actor speaks for no directory
    """
    directory = directory_places.of(tx.connection, actor)
    directory_places.take_turn(tx, directory)
    return _served(_Tables(tx.connection, directory, tx), request)


def _served(tables: "_Tables", request: ScimRequest) -> ScimResponse:
    try:
        return ScimHandler(SERVICE, tables).handle(request)
    except SCIMException as error:
        raise Failed(error) from error


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of resources is kept."""

    columns: Columns
    listed: Callable[..., tuple[int, list[Resource[Any]]]]
    found: Callable[[Connection, Directory, int], Resource[Any] | None]
    create: Callable[[Transaction, Directory, Any], int]
    change: Callable[[Transaction, Directory, int, Any], None]
    remove: Callable[[Transaction, Directory, int], None]


_KINDS: Final[Mapping[str, _Kind]] = {
    "User": _Kind(
        scim_users.COLUMNS,
        scim_users.listed,
        scim_users.found,
        scim_users.create,
        scim_users.change,
        scim_users.remove,
    ),
    "Group": _Kind(
        scim_groups.COLUMNS,
        scim_groups.listed,
        scim_groups.found,
        scim_groups.create,
        scim_groups.change,
        scim_groups.remove,
    ),
}


class _Tables(ScimStorage):
    """Our tables as `scim2-server` asks them: of one directory, within one transaction."""

    def __init__(self, connection: Connection, directory: Directory, tx: Transaction | None = None) -> None:
        self._connection = connection
        self._directory = directory
        self._tx = tx

    @property
    def tx(self) -> Transaction:
        """The transaction of a request that changes something."""
        if self._tx is None:
            raise RuntimeError("a reading request wants to write")
        return self._tx

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,  # noqa: ARG002 -- the library applies them
    ) -> Resource[Any]:
        """One resource of the directory; one of another is not there."""
        id = int(resource_id) if _is_number(resource_id) else 0
        found = _kind(resource_type).found(self._connection, self._directory, id)
        if found is None:
            raise NotFoundException(detail=f"There is no such {resource_type.name}")
        return found

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,  # noqa: ARG002 -- pages are by index
    ) -> SearchPage:
        """One page of what fits; of several kinds at once there is no search."""
        if len(resource_types) != 1:
            raise InvalidFilterException(detail="Search users, or search groups")
        kind = _kind(resource_types[0])
        total, found = kind.listed(
            self._connection,
            self._directory,
            scim_filters.condition(search_request.filter, kind.columns),
            scim_filters.order(search_request, kind.columns),
            first=search_request.start_index_0 or 0,
            limit=MOST_RESULTS if search_request.count is None else search_request.count,
        )
        return SearchPage(total, found)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Keep a new resource."""
        id = _kind(resource_type).create(self.tx, self._directory, resource)
        return self.get(resource_type, str(id))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Keep a resource as it is now."""
        id = str(resource.id)
        self._require_version(resource_type, id, expected_version)
        _kind(resource_type).change(self.tx, self._directory, int(id), resource)
        return self.get(resource_type, id)

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Forget a resource."""
        self._require_version(resource_type, resource_id, expected_version)
        _kind(resource_type).remove(self.tx, self._directory, int(resource_id))

    def _require_version(self, resource_type: ResourceType, id: str, expected: str | None) -> None:
        current = self.get(resource_type, id)
        if expected is not None and (current.meta is None or current.meta.version != expected):
            raise PreconditionFailedException


def _kind(resource_type: ResourceType) -> _Kind:
    return _KINDS[str(resource_type.name)]


def _is_number(id: str) -> bool:
    return id.isascii() and id.isdecimal() and len(id) <= 15
