"""The ways among the pages of the administration: those that are there, and open to the reader."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from app.lib.i18n import N_
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, somewhere

ROOT: Final = "/admin"


PEOPLE: Final = N_("Who takes part")
WAYS_IN: Final = N_("Ways in")
RECORDS: Final = N_("Records")
GROUPS: Final = (PEOPLE, WAYS_IN, RECORDS)


@dataclass(frozen=True, slots=True)
class Section:
    """One page of the administration; `label`, `about` (what it is for) and `group` are msgids."""

    path: str
    label: str
    permission: Permission
    group: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Sections that belong together; `name` is a msgid."""

    name: str
    sections: list[Section]


SECTIONS: Final = (
    Section(ROOT, N_("Overview"), Permission.ADMINISTER),
    Section(
        "/admin/people",
        N_("People"),
        Permission.MANAGE_PEOPLE,
        PEOPLE,
        N_("Who takes part, where, and in which role."),
    ),
    Section(
        "/admin/roles",
        N_("Roles"),
        Permission.MANAGE_ROLES,
        PEOPLE,
        N_("Who has a role besides, and who stands in for whom."),
    ),
    Section(
        "/admin/organisations",
        N_("Organisations"),
        Permission.DECIDE_JOIN_REQUEST,
        PEOPLE,
        N_("Which take part, and by what identity providers call them."),
    ),
    Section(
        "/admin/imports",
        N_("Imports"),
        Permission.RUN_IMPORTS,
        PEOPLE,
        N_("Many organisations, people, ideas or placements at once."),
    ),
    Section(
        "/admin/invitations",
        N_("Invitations"),
        Permission.INVITE,
        WAYS_IN,
        N_("Ask someone in, and take it back."),
    ),
    Section(
        "/admin/join-requests",
        N_("Requests to join"),
        Permission.DECIDE_JOIN_REQUEST,
        WAYS_IN,
        N_("Who waits to be let in."),
    ),
    Section(
        "/admin/providers",
        N_("Identity providers"),
        Permission.MANAGE_PROVIDERS,
        WAYS_IN,
        N_("Where people sign in, and whether it works."),
    ),
    Section(
        "/admin/directory",
        N_("Directory"),
        Permission.MANAGE_DIRECTORY,
        WAYS_IN,
        N_("What organisations tell of who has come and gone."),
    ),
    Section(
        "/admin/clients",
        N_("Machines"),
        Permission.MANAGE_CLIENTS,
        WAYS_IN,
        N_("Programs with an account of their own."),
    ),
    Section(
        "/admin/webhooks",
        N_("Webhooks"),
        Permission.MANAGE_WEBHOOKS,
        RECORDS,
        N_("Programs elsewhere that are told what happens here."),
    ),
    Section(
        "/admin/retention",
        N_("How long data is kept"),
        Permission.MANAGE_RETENTION,
        RECORDS,
        N_("When people who have left are erased."),
    ),
    Section(
        "/admin/open-data",
        N_("Open data"),
        Permission.OPEN_DATA,
        RECORDS,
        N_("What of a programme everyone may have."),
    ),
    Section(
        "/admin/audit",
        N_("Audit log"),
        Permission.READ_AUDIT,
        RECORDS,
        N_("Who did what to whom."),
    ),
)

_OF_ALL: Final = (Permission.ADMINISTER, Permission.MANAGE_PROVIDERS)
"""Permissions that are about no programme."""


def open_to(request: Request, actor: Actor) -> list[Section]:
    """The sections that the application serves and the reader may use."""
    served = {getattr(route, "path", "") for route in request.app.routes}
    return [section for section in SECTIONS if section.path in served and _is_open(actor, section.permission)]


def grouped(request: Request, actor: Actor) -> list[Group]:
    """The same in their groups, without the first page."""
    found = open_to(request, actor)
    groups = [Group(name, [one for one in found if one.group == name]) for name in GROUPS]
    return [group for group in groups if group.sections]


def current(path: str) -> str:
    """The section that the page at `path` belongs to, by its path: the longest that leads there."""
    found = [one.path for one in SECTIONS if path == one.path or path.startswith(one.path + "/")]
    return max(found, key=len, default=ROOT)


def _is_open(actor: Actor, permission: Permission) -> bool:
    return may(actor, permission) if permission in _OF_ALL else somewhere(actor, permission)
