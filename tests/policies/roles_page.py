"""The table of `docs/roles.md`, made from the policy: `python -m tests.policies.roles_page` writes it anew."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.policies.actor import ANONYMOUS, Actor, Assignment, Membership
from app.policies.permissions import Permission
from app.policies.rules import may

PAGE = Path(__file__).parents[2] / "docs" / "roles.md"
BEGIN, END = "<!-- made from the policy: begin -->", "<!-- made from the policy: end -->"

ME, ANOTHER = 1, 2
PROGRAMME, MINE, OTHERS = 1, 1, 2
"""The programme; my organisation, and another one."""

CHALLENGE = 7
ROLES = ("participant", "facilitator", "host", "sponsor", "coordinator", "observer")
COLUMNS = (
    *ROLES,
    "facilitator of the challenge",
    "stand-in for a coordinator",
    "administrator of the organisation",
    "instance administrator",
    "nobody known",
)


def actors() -> dict[str, Actor]:
    """One of each column."""

    def placed(role: str, *assignments: Assignment) -> Actor:
        place = Membership(1, PROGRAMME, role, MINE, 1, "public")
        return Actor(person_id=ME, memberships={PROGRAMME: place}, assignments=assignments)

    of_challenge = Assignment(1, PROGRAMME, "facilitator", challenge_id=CHALLENGE)
    of_organisation = Assignment(1, PROGRAMME, "organisation_administrator", organisation_id=MINE)
    lent = Assignment(1, PROGRAMME, "coordinator", delegated_by=ANOTHER)
    found = [
        *(placed(role) for role in ROLES),
        placed("participant", of_challenge),
        placed("participant", lent),
        placed("participant", of_organisation),
        Actor(person_id=ME, is_administrator=True),
        ANONYMOUS,
    ]
    return dict(zip(COLUMNS, found, strict=True))


def subject(person: int, organisation: int, *, is_public: bool) -> Any:
    """A thing with all that any rule looks at: everyone in it is `person`, and it is of `organisation`."""
    names = ("author_id", "asked_id", "made_by", "contact_id", "manager_id", "person_id")
    return SimpleNamespace(
        programme_id=PROGRAMME,
        challenge_id=CHALLENGE,
        visibility="public" if is_public else "members",
        state="open",
        is_published=is_public,
        is_desk=False,
        co_author_ids=(),
        id=organisation,
        organisation_id=organisation,
        host_id=organisation,
        **dict.fromkeys(names, person),
    )


def manageable(organisation: int) -> Any:
    """My own stay would be my own affair: what I am named in, or my house receives, is another's stay."""
    found = subject(ME, organisation, is_public=True)
    found.person_id = ANOTHER
    return found


def cell(actor: Actor, permission: Permission) -> str:
    """`yes`, `own` (what is one's own, of one's house, or names one), or nothing."""
    if may(actor, permission, subject(ANOTHER, OTHERS, is_public=True)):
        return "yes"
    own = (subject(ME, MINE, is_public=True), manageable(MINE), subject(ANOTHER, MINE, is_public=True))
    return "own" if any(may(actor, permission, each) for each in own) else ""


def table() -> str:
    """The table, in Markdown."""
    people = actors()
    lines = ["| may | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for permission in Permission:
        cells = [cell(actor, permission) for actor in people.values()]
        lines.append(f"| `{permission.value}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def written(page: str) -> str:
    """The page with the table as the policy has it now."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
