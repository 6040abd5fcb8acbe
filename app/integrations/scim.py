"""SCIM 2.0 (RFC 7643, 7644) as we speak it: the attributes that are kept, and what is offered.

`scim2-models` and `scim2-server` read and write the protocol and apply its PATCH; where people and groups live is
`services.directories`. They are told to bear what Entra ID and Okta send besides the letter of the standard.
"""

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    ExtensibleStringEnum,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_server.service import ScimService

MOST_RESULTS: Final = 200
"""How many resources one answer lists."""

MOST_MEMBERS: Final = 10_000
"""How many members a group has."""


class Name(ComplexAttribute):
    """The parts of a name that are kept."""

    family_name: Annotated[str | None, Field(max_length=120)] = None
    given_name: Annotated[str | None, Field(max_length=120)] = None


class Email(ComplexAttribute):
    """A mail address: where mail could go, and never a key."""

    class Type(ExtensibleStringEnum):
        """Directories tell of addresses at work; whatever kind is sent, it is kept as this one."""

        work = "work"

    value: Annotated[str | None, Field(max_length=254)] = None
    type: Type | None = None
    primary: bool | None = None


class Membership(ComplexAttribute):
    """A group that someone is in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    display: Annotated[str | None, Mutability.read_only] = None


class User(Resource[Any]):
    """Someone whom a directory tells of. What else it sends of them is not kept."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Field(max_length=254), Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: Annotated[str | None, Field(max_length=120)] = None
    active: bool | None = None
    emails: Annotated[list[Email] | None, Field(max_length=10)] = None
    groups: Annotated[list[Membership] | None, Mutability.read_only] = None

    Name: ClassVar[type[ComplexAttribute]] = Name
    Emails: ClassVar[type[ComplexAttribute]] = Email
    Groups: ClassVar[type[ComplexAttribute]] = Membership


class Member(ComplexAttribute):
    """Someone in a group, by their id; what else is sent of them is not kept."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[
        Reference[User] | None,
        Mutability.immutable,
        Field(serialization_alias="$ref", validation_alias="$ref"),
    ] = None


class Group(Resource[Any]):
    """A group of a directory."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Field(max_length=160), Required.true] = None
    members: Annotated[list[Member] | None, Field(max_length=MOST_MEMBERS)] = None

    Members: ClassVar[type[ComplexAttribute]] = Member


CONFIG: Final = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST_RESULTS),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="OAuth bearer token",
            description="A token of a client that belongs to one organisation and has the scope scim.",
            primary=True,
        )
    ],
)

POLICY: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)

SERVICE: Final = ScimService(ScimProvider(models=[User, Group], config=CONFIG, policy=POLICY))
