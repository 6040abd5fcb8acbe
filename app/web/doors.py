"""What each address asks of the policy: one table, from method and path to permission and what that is about.

Services ask the policy; this table says beforehand what comes of it, so that a test can call every address as everyone
and be surprised by none (tests/guards/test_matrix.py). An address that stands in neither table fails the suite.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from app.policies.permissions import Permission

P = Permission
API: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Door:
    """Who may: who has one of `permissions` about the thing `about` that the address names.

    `own`: that is one's own, and nobody else's. `or_own`: one's own too. `not_own`: nobody does it with their own.
    `somewhere`: about whatever one runs.
    """

    permissions: tuple[Permission, ...]
    about: str = ""
    own: bool = False
    or_own: bool = False
    not_own: bool = False
    somewhere: bool = False


Doors = dict[str, Door]


def _about(about: str, asked: Mapping[str, Permission | tuple[Permission, ...]]) -> Doors:
    return {
        address: Door(permission if isinstance(permission, tuple) else (permission,), about)
        for address, permission in asked.items()
    }


def _or_own(doors: Doors) -> Doors:
    return {address: replace(door, or_own=True) for address, door in doors.items()}


def _somewhere(asked: Mapping[str, Permission]) -> Doors:
    return {address: Door((permission,), somewhere=True) for address, permission in asked.items()}


def _api(doors: Doors) -> Doors:
    """The same below the API's prefix."""
    return {address.replace(" ", f" {API}", 1): door for address, door in doors.items()}


_PAGES: Final[Doors] = {
    **_about(
        "programme",
        {
            "GET /programmes/{slug}": P.READ_PROGRAMME,
            "GET /programmes/{slug}/people": P.READ_PEOPLE,
            "GET /programmes/{slug}/challenges.atom": P.READ_PROGRAMME,
            "GET /programmes/{slug}/exports": P.READ_CHALLENGE,
            "GET /programmes/{slug}/exports/{kind}.{form}": P.READ_CHALLENGE,
            "GET /programmes/{slug}/placements/new": P.OFFER_PLACEMENT,
            "POST /programmes/{slug}/placements": P.OFFER_PLACEMENT,
            "GET /exchanges": P.READ_EXCHANGES,
            "GET /exchanges/calendar": P.READ_EXCHANGES,
            "GET /exchanges/offers": P.READ_EXCHANGES,
            "GET /exchanges/mine": P.READ_EXCHANGES,
            "GET /exchanges/inbox": P.READ_EXCHANGES,
            "GET /exchanges/stories": P.READ_EXCHANGES,
            "GET /exchanges/ledger": P.READ_EXCHANGES,
            "GET /exchanges/ledger.csv": P.READ_EXCHANGES,
            "GET /exchanges/feeds": P.READ_EXCHANGES,
            "POST /exchanges/feeds": P.READ_EXCHANGES,
            "GET /exchanges/wishes": P.STATE_WISHES,
            "POST /exchanges/wishes": P.STATE_WISHES,
            "POST /exchanges/wishes/withdrawal": P.STATE_WISHES,
            "POST /exchanges/conflicts": P.STATE_WISHES,
            "POST /exchanges/conflicts/{id:key}/withdrawal": P.STATE_WISHES,
            "GET /exchanges/matches": P.RUN_EXCHANGES,
            "POST /exchanges/matches": P.RUN_EXCHANGES,
            "GET /exchanges/console": P.RUN_EXCHANGES,
            "GET /exchanges/rules": P.RUN_EXCHANGES,
            "POST /exchanges/rules": P.RUN_EXCHANGES,
        },
    ),
    **_about(
        "challenge",
        {
            "GET /challenges/{id:key}": P.READ_CHALLENGE,
            "GET /challenges/{id:key}/stream": P.READ_CHALLENGE,
            "GET /challenges/{id:key}/similar": P.READ_CHALLENGE,
            "GET /challenges/{id:key}/ideas.atom": P.READ_CHALLENGE,
            "GET /challenges/{id:key}/moderation": P.MODERATE,
            "GET /challenges/{id:key}/phases": P.CHANGE_PHASES,
            "POST /challenges/{id:key}/phases": P.CHANGE_PHASES,
            "GET /challenges/{id:key}/ideas/new": P.POST_IDEA,
            "POST /challenges/{id:key}/ideas": P.POST_IDEA,
            "GET /challenges/{id:key}/clusters": P.ARRANGE_CLUSTERS,
            "POST /challenges/{id:key}/clusters": P.ARRANGE_CLUSTERS,
            "GET /challenges/{id:key}/solutions": P.READ_CHALLENGE,
            "GET /challenges/{id:key}/solutions/new": P.PROMOTE_SOLUTION,
            "POST /challenges/{id:key}/solutions": P.PROMOTE_SOLUTION,
            "GET /challenges/{id:key}/ballots/new": P.MAKE_BALLOT,
            "POST /challenges/{id:key}/ballots": P.MAKE_BALLOT,
        },
    ),
    **_about(
        "cluster",
        dict.fromkeys(("POST /clusters/{id:key}", "POST /clusters/{id:key}/removal"), P.ARRANGE_CLUSTERS),
    ),
    **_about(
        "idea",
        {
            "GET /ideas/{id:key}": P.READ_IDEA,
            "GET /ideas/{id:key}/versions": P.READ_IDEA,
            "GET /ideas/{id:key}/edit": P.EDIT_IDEA,
            "POST /ideas/{id:key}": P.EDIT_IDEA,
            "POST /ideas/{id:key}/withdrawal": P.WITHDRAW_IDEA,
            "GET /ideas/{id:key}/cluster": P.MOVE_IDEA,
            "POST /ideas/{id:key}/cluster": P.MOVE_IDEA,
            "POST /ideas/{id:key}/co-authors": P.ADD_CO_AUTHOR,
            "POST /ideas/{id:key}/comments": P.COMMENT,
            "GET /ideas/{id:key}/merges": P.PROPOSE_MERGE,
            "POST /ideas/{id:key}/merges": P.PROPOSE_MERGE,
            "POST /ideas/{id:key}/support": P.SUPPORT_IDEA,
            "POST /ideas/{id:key}/support/withdrawal": P.SUPPORT_IDEA,
            "POST /ideas/{id:key}/pin": P.MODERATE,
            "POST /ideas/{id:key}/pin/removal": P.MODERATE,
            "GET /ideas/{id:key}/hiding": P.MODERATE,
            "POST /ideas/{id:key}/hiding": P.MODERATE,
        },
    ),
    **_about(
        "hidden idea",
        {
            "POST /ideas/{id:key}/hiding/removal": P.MODERATE,
            "POST /ideas/{id:key}/hiding/answer": P.ANSWER_HIDING,
        },
    ),
    **_about(
        "comment",
        {
            "POST /comments/{id:key}/withdrawal": P.WITHDRAW_COMMENT,
            "POST /comments/{id:key}/hiding": P.MODERATE,
        },
    ),
    **_about(
        "merge",
        {
            "GET /merges/{id:key}": P.READ_CHALLENGE,
            "POST /merges/{id:key}/acceptance": P.DECIDE_MERGE,
            "POST /merges/{id:key}/refusal": P.DECIDE_MERGE,
            "POST /merges/{id:key}/objection": P.OBJECT_TO_MERGE,
            "POST /merges/{id:key}/undoing": P.UNDO_MERGE,
        },
    ),
    **_about(
        "solution",
        {
            "GET /solutions/{id:key}": P.READ_SOLUTION,
            "GET /solutions/{id:key}/edit": P.PROMOTE_SOLUTION,
            "POST /solutions/{id:key}/edit": P.PROMOTE_SOLUTION,
            "POST /solutions/{id:key}/withdrawal": P.PROMOTE_SOLUTION,
        },
    ),
    **_about(
        "ballot",
        {
            "GET /ballots/{id:key}": P.READ_BALLOT,
            "GET /ballots/{id:key}/extension": P.CLOSE_BALLOT,
            "POST /ballots/{id:key}/extension": P.CLOSE_BALLOT,
            "GET /ballots/{id:key}/closure": P.CLOSE_BALLOT,
            "POST /ballots/{id:key}/closure": P.CLOSE_BALLOT,
            "POST /ballots/{id:key}/reminder": P.REMIND_VOTERS,
            "POST /ballots/{id:key}/interests": P.DECLARE_INTEREST,
            "GET /ballots/{id:key}/vote": P.READ_BALLOT,
            "POST /ballots/{id:key}/vote/review": P.VOTE,
            "POST /ballots/{id:key}/vote": P.VOTE,
            "POST /ballots/{id:key}/vote/withdrawal": P.VOTE,
        },
    ),
    **_about(
        "scheduled ballot",
        {
            "GET /ballots/{id:key}/edit": P.CHANGE_BALLOT,
            "POST /ballots/{id:key}/edit": P.CHANGE_BALLOT,
            "POST /ballots/{id:key}/cancellation": P.CHANGE_BALLOT,
        },
    ),
    **_about(
        "counted ballot",
        {
            "GET /ballots/{id:key}/receipt": P.READ_BALLOT,
            "POST /ballots/{id:key}/receipt": P.READ_BALLOT,
            "POST /ballots/{id:key}/receipt/file": P.READ_BALLOT,
            "GET /ballots/{id:key}/result": P.READ_BALLOT,
            "GET /ballots/{id:key}/result/sheet": P.READ_BALLOT,
            "GET /ballots/{id:key}/result.csv": P.READ_BALLOT,
            "GET /ballots/{id:key}/log": P.READ_BALLOT,
        },
    ),
    **_about(
        "placement",
        {
            "GET /placements/{id:key}": P.READ_PLACEMENT,
            "GET /placements/{id:key}/edit": P.CHANGE_PLACEMENT,
            "POST /placements/{id:key}/edit": P.CHANGE_PLACEMENT,
            "POST /placements/{id:key}/publication": P.REVIEW_PLACEMENT,
            "POST /placements/{id:key}/return": P.REVIEW_PLACEMENT,
            "POST /placements/{id:key}/withdrawal": P.CHANGE_PLACEMENT,
            "GET /placements/{id:key}/bookings/new": P.BOOK_PLACEMENT,
            "POST /placements/{id:key}/bookings": P.BOOK_PLACEMENT,
            "GET /placements/{id:key}/preferences": P.PREFER_GUESTS,
            "POST /placements/{id:key}/preferences": P.PREFER_GUESTS,
        },
    ),
    **_about(
        "booking",
        {
            "GET /bookings/{id:key}": P.READ_BOOKING,
            "POST /bookings/{id:key}/acceptance": P.ANSWER_OFFER,
            "POST /bookings/{id:key}/passing": P.ANSWER_OFFER,
            "POST /bookings/{id:key}/decisions": (
                P.DECIDE_AS_MANAGER,
                P.DECIDE_AS_HOST,
                P.DECIDE_AS_COORDINATOR,
            ),
            "POST /bookings/{id:key}/withdrawal": (P.WITHDRAW_BOOKING, P.CANCEL_BOOKING),
            "POST /bookings/{id:key}/manager": P.MOVE_BOOKING,
            "GET /bookings/{id:key}/move": P.MOVE_BOOKING,
            "POST /bookings/{id:key}/move": P.MOVE_BOOKING,
            "POST /bookings/{id:key}/agreements": P.AGREE_AS_GUEST,
            "GET /bookings/{id:key}/reflection": (P.AGREE_AS_GUEST, P.AGREE_AS_HOST),
            "POST /bookings/{id:key}/reflection": (P.AGREE_AS_GUEST, P.AGREE_AS_HOST),
            "GET /bookings/{id:key}/story": P.WRITE_STORY,
            "POST /bookings/{id:key}/story": P.WRITE_STORY,
            "POST /bookings/{id:key}/story/consent": P.WRITE_STORY,
            "POST /bookings/{id:key}/story/withdrawal": P.WRITE_STORY,
        },
    ),
    **_about(
        "match",
        {
            "GET /matches/{id:key}": P.RUN_EXCHANGES,
            "POST /matches/{id:key}/cancellation": P.RUN_EXCHANGES,
            "POST /matches/{id:key}/publication": P.RUN_EXCHANGES,
            "GET /matches/{id:key}/compare/{other:key}": P.RUN_EXCHANGES,
        },
    ),
    **_about("published match", {"GET /matches/{id:key}/mine": P.READ_EXCHANGES}),
    "POST /exchanges/feeds/{id:key}/revocation": Door((P.READ_EXCHANGES,), "feed", own=True),
    "POST /me/tokens/{id:key}/revocation": Door((P.MANAGE_OWN,), "token", own=True),
    "POST /me/sessions/{id:key}/ending": Door((P.MANAGE_OWN,), "session", own=True),
    **_about(
        "",
        {
            "GET /me": P.MANAGE_OWN,
            "GET /me/logins": P.MANAGE_OWN,
            "GET /me/sessions": P.MANAGE_OWN,
            "GET /me/delegations": P.MANAGE_OWN,
            "GET /me/tokens": P.MANAGE_OWN,
            "POST /me/sessions/ending": P.MANAGE_OWN,
            "POST /me/notices/reading": P.MANAGE_OWN,
            "POST /me/tokens": P.MANAGE_OWN,
            "GET /delegations/new": P.MANAGE_OWN,
            "GET /admin": P.ADMINISTER,
            "GET /admin/people": P.ADMINISTER,
            "POST /admin/people/{id:key}/deactivation": P.DEACTIVATE_PERSON,
            "POST /admin/people/{id:key}/deactivation/ending": P.DEACTIVATE_PERSON,
            "POST /admin/people/{id:key}/administrator": P.NAME_ADMINISTRATORS,
            "POST /admin/people/{id:key}/administrator/withdrawal": P.NAME_ADMINISTRATORS,
        },
    ),
    **_about("", {"GET /admin/providers": P.MANAGE_PROVIDERS}),
    "POST /me/logins/{id:key}/removal": Door((P.MANAGE_OWN,), "login", own=True),
    **_somewhere({"GET /admin/invitations": P.INVITE}),
    **_about("house", {"POST /admin/invitations": P.INVITE}),
    **_about("invitation", {"POST /admin/invitations/{id:key}/revocation": P.INVITE}),
    **_about(
        "programme",
        {
            "GET /admin/join-requests": P.DECIDE_JOIN_REQUEST,
            "POST /admin/joining": P.DECIDE_JOIN_REQUEST,
            "GET /admin/organisations": P.DECIDE_JOIN_REQUEST,
            "POST /admin/organisations": P.DECIDE_JOIN_REQUEST,
        },
    ),
    **_about("programme", {"GET /admin/imports": P.RUN_IMPORTS, "POST /admin/imports": P.RUN_IMPORTS}),
    **_somewhere({"GET /admin/imports/templates/{kind}.csv": P.RUN_IMPORTS}),
    **_about(
        "import",
        {
            "GET /admin/imports/{id:key}": P.RUN_IMPORTS,
            "POST /admin/imports/{id:key}/cancellation": P.RUN_IMPORTS,
            "POST /admin/imports/{id:key}/resumption": P.RUN_IMPORTS,
        },
    ),
    **_about(
        "join request",
        {
            "GET /admin/join-requests/{id:key}": P.DECIDE_JOIN_REQUEST,
            "POST /admin/join-requests/{id:key}/approval": P.DECIDE_JOIN_REQUEST,
            "POST /admin/join-requests/{id:key}/refusal": P.DECIDE_JOIN_REQUEST,
        },
    ),
    **_about(
        "house",
        {
            "GET /admin/organisations/{id:key}": P.DECIDE_JOIN_REQUEST,
            "POST /admin/organisations/{id:key}": P.DECIDE_JOIN_REQUEST,
            "POST /admin/organisations/{id:key}/claims": P.DECIDE_JOIN_REQUEST,
            "POST /admin/organisations/{id:key}/domains": P.DECIDE_JOIN_REQUEST,
            "POST /admin/organisations/{id:key}/domains/{domain:key}/verification": P.DECIDE_JOIN_REQUEST,
            "POST /admin/organisations/{id:key}/domains/{domain:key}/removal": P.DECIDE_JOIN_REQUEST,
            "POST /admin/organisations/{id:key}/claims/{claim:key}/removal": P.DECIDE_JOIN_REQUEST,
        },
    ),
    **_about("delegable programme", {"POST /delegations": P.DELEGATE}),
    **_or_own(_about("delegation", {"POST /delegations/{id:key}/ending": P.MANAGE_ROLES})),
    **_or_own(_about("assignment", {"POST /admin/assignments/{id:key}/ending": P.MANAGE_ROLES})),
    **_somewhere({"GET /admin/roles": P.MANAGE_ROLES}),
    **_somewhere(
        dict.fromkeys(("GET /admin/audit", "GET /admin/audit.csv", "GET /admin/audit.jsonl"), P.READ_AUDIT)
    ),
    **_about("member", {"GET /admin/people/{id:key}": P.MANAGE_PEOPLE}),
    **_or_own(
        _about(
            "member",
            {
                "GET /admin/people/{id:key}/erasure": P.ERASE_PERSON,
                "POST /admin/people/{id:key}/erasure": P.ERASE_PERSON,
            },
        )
    ),
    **_about(
        "",
        dict.fromkeys(
            (
                "GET /me/data",
                "GET /me/data/erasure",
                "POST /me/data/corrections",
                "POST /me/data/erasure",
            ),
            P.MANAGE_OWN,
        ),
    ),
    **_about(
        "consent",
        {"POST /me/data/consents": P.READ_PEOPLE, "POST /me/data/consents/withdrawal": P.READ_PEOPLE},
    ),
    "GET /me/data/copies/{id:key}": Door((P.MANAGE_OWN,), "copy", own=True),
    **_about(
        "programme",
        {
            "GET /admin/people.csv": P.EXPORT_PEOPLE,
            "GET /admin/open-data": P.OPEN_DATA,
            "POST /admin/open-data": P.OPEN_DATA,
            "POST /admin/open-data/closure": P.OPEN_DATA,
            "GET /admin/retention": P.MANAGE_RETENTION,
            "POST /admin/retention": P.MANAGE_RETENTION,
        },
    ),
    **_somewhere({"GET /admin/clients": P.MANAGE_CLIENTS, "GET /admin/directory": P.MANAGE_DIRECTORY}),
    **_about("house", {"POST /admin/clients": P.MANAGE_CLIENTS}),
    **_about(
        "client",
        dict.fromkeys(
            (
                "GET /admin/clients/{id:key}",
                "POST /admin/clients/{id:key}/keys",
                "POST /admin/clients/{id:key}/revocation",
                "POST /admin/clients/{id:key}/secret",
                "POST /admin/clients/{id:key}/tokens",
                "POST /admin/clients/{id:key}/tokens/{token_id:key}/revocation",
            ),
            P.MANAGE_CLIENTS,
        ),
    ),
    **_about(
        "programme",
        {"GET /admin/webhooks": P.MANAGE_WEBHOOKS, "POST /admin/webhooks": P.MANAGE_WEBHOOKS},
    ),
    **_about(
        "webhook",
        dict.fromkeys(
            (
                "GET /admin/webhooks/{id:key}",
                "POST /admin/webhooks/{id:key}",
                "POST /admin/webhooks/{id:key}/deletion",
                "POST /admin/webhooks/{id:key}/replays",
                "POST /admin/webhooks/{id:key}/secret",
                "POST /admin/webhooks/{id:key}/start",
                "POST /admin/webhooks/{id:key}/stop",
                "POST /admin/webhooks/{id:key}/tests",
                "GET /admin/webhooks/{id:key}/deliveries/{delivery:key}",
                "POST /admin/webhooks/{id:key}/deliveries/{delivery:key}/replay",
            ),
            P.MANAGE_WEBHOOKS,
        ),
    ),
    **_about("group", {"POST /admin/directory/groups/{id:key}/role": P.MANAGE_ROLES}),
    **_about(
        "place",
        {
            "GET /admin/people/{id:key}/roles/{programme:key}": P.MANAGE_ROLES,
            "POST /admin/people/{id:key}/roles/{programme:key}/place": P.MANAGE_ROLES,
        },
    ),
    **_about("membership", {"POST /admin/memberships/{id:key}/ending": P.END_MEMBERSHIP}),
    "POST /admin/people/{id:key}/roles/{programme:key}/assignments": Door(
        (P.MANAGE_ROLES,), "place", not_own=True
    ),
}

_CALLS: Final[Doors] = {
    **_about("", {"GET /people/me": P.MANAGE_OWN, "GET /programmes": P.MANAGE_OWN}),
    **_about(
        "",
        {
            "GET /people/me/inbox": P.MANAGE_OWN,
            "GET /people/me/bookings": P.MANAGE_OWN,
            "GET /people/me/ideas": P.MANAGE_OWN,
            "GET /people/me/notices": P.MANAGE_OWN,
            "PUT /people/me/notices/reading": P.MANAGE_OWN,
            "PATCH /people/me": P.MANAGE_OWN,
            "GET /people/me/tokens": P.MANAGE_OWN,
            "POST /people/me/tokens": P.MAKE_TOKENS,
            "GET /people/me/sessions": P.MANAGE_OWN,
            "DELETE /people/me/sessions": P.MANAGE_OWN,
            "GET /people/me/logins": P.MANAGE_OWN,
            "GET /people/me/consents": P.MANAGE_OWN,
            "GET /people/me/data": P.MANAGE_OWN,
            "GET /people/me/data/copies": P.MANAGE_OWN,
            "GET /people/me/assignments": P.MANAGE_OWN,
            "GET /people/me/delegations": P.MANAGE_OWN,
            "GET /memberships": P.ADMINISTER,
            "GET /people": P.NAME_ADMINISTRATORS,
            "GET /administrators": P.NAME_ADMINISTRATORS,
            "GET /audit/verification": P.READ_AUDIT,
            "GET /providers": P.MANAGE_PROVIDERS,
        },
    ),
    **{
        address: Door((P.MANAGE_OWN,), about, own=True)
        for address, about in {
            "GET /people/me/tokens/{token_id}": "token",
            "DELETE /people/me/tokens/{token_id}": "token",
            "GET /people/me/sessions/{session_id}": "session",
            "DELETE /people/me/sessions/{session_id}": "session",
            "GET /people/me/data/copies/{copy_id}": "copy",
        }.items()
    },
    **_about("consent", {"DELETE /people/me/consents/{programme_id}/{purpose}": P.READ_PEOPLE}),
    **_somewhere(
        {
            "GET /invitations": P.INVITE,
            "GET /clients": P.MANAGE_CLIENTS,
            "GET /directories": P.MANAGE_DIRECTORY,
            "GET /audit": P.READ_AUDIT,
        }
    ),
    **_about(
        "member",
        {
            "GET /people/{person_id}": P.MANAGE_PEOPLE,
            "PUT /people/{person_id}/deactivation": P.DEACTIVATE_PERSON,
            "DELETE /people/{person_id}/deactivation": P.DEACTIVATE_PERSON,
        },
    ),
    **_about(
        "membership",
        {
            "GET /memberships/{membership_id}": P.MANAGE_PEOPLE,
            "DELETE /memberships/{membership_id}": P.END_MEMBERSHIP,
            "POST /memberships/{membership_id}/move": P.END_MEMBERSHIP,
        },
    ),
    **_about("organisation", {"GET /organisations/{organisation_id}": P.READ_PROGRAMME}),
    **_about("place", {"PATCH /memberships/{membership_id}": P.MANAGE_ROLES}),
    "POST /memberships/{membership_id}/assignments": Door((P.MANAGE_ROLES,), "place", not_own=True),
    **_or_own(
        _about(
            "assignment",
            {
                "GET /assignments/{assignment_id}": P.MANAGE_ROLES,
                "DELETE /assignments/{assignment_id}": P.MANAGE_ROLES,
            },
        )
    ),
    **_or_own(
        _about(
            "delegation",
            {
                "GET /delegations/{delegation_id}": P.MANAGE_ROLES,
                "DELETE /delegations/{delegation_id}": P.MANAGE_ROLES,
            },
        )
    ),
    **_about("delegable programme", {"POST /programmes/{programme_id}/delegations": P.DELEGATE}),
    **_about(
        "invitation",
        {"GET /invitations/{invitation_id}": P.INVITE, "DELETE /invitations/{invitation_id}": P.INVITE},
    ),
    **_about(
        "join request",
        {
            "GET /join-requests/{request_id}": P.DECIDE_JOIN_REQUEST,
            "POST /join-requests/{request_id}/approval": P.DECIDE_JOIN_REQUEST,
            "POST /join-requests/{request_id}/refusal": P.DECIDE_JOIN_REQUEST,
        },
    ),
    **_about(
        "house",
        {
            "POST /programmes/{programme_id}/invitations": P.INVITE,
            "POST /programmes/{programme_id}/clients": P.MANAGE_CLIENTS,
            "PATCH /organisations/{organisation_id}": P.DECIDE_JOIN_REQUEST,
            "POST /organisations/{organisation_id}/claims": P.DECIDE_JOIN_REQUEST,
            "DELETE /organisations/{organisation_id}/claims/{claim_id}": P.DECIDE_JOIN_REQUEST,
            "POST /organisations/{organisation_id}/domains": P.DECIDE_JOIN_REQUEST,
            "PUT /organisations/{organisation_id}/domains/{domain_id}/verification": P.DECIDE_JOIN_REQUEST,
            "DELETE /organisations/{organisation_id}/domains/{domain_id}": P.DECIDE_JOIN_REQUEST,
        },
    ),
    **_about(
        "client",
        dict.fromkeys(
            (
                "GET /clients/{client_id}",
                "DELETE /clients/{client_id}",
                "GET /clients/{client_id}/tokens",
                "DELETE /clients/{client_id}/tokens/{token_id}",
            ),
            P.MANAGE_CLIENTS,
        ),
    ),
    **_about(
        "harmless client",
        dict.fromkeys(
            ("POST /clients/{client_id}/secret", "PUT /clients/{client_id}/keys"), P.MANAGE_CLIENTS
        ),
    ),
    **_about(
        "group",
        {
            "GET /directory-groups/{group_id}": P.MANAGE_DIRECTORY,
            "PATCH /directory-groups/{group_id}": P.MANAGE_ROLES,
        },
    ),
    **_about(
        "programme",
        {
            "GET /programmes/{programme_id}/conflicts": P.READ_EXCHANGES,
            "PUT /programmes/{programme_id}/conflicts/{organisation_id}": P.STATE_WISHES,
            "DELETE /programmes/{programme_id}/conflicts/{organisation_id}": P.STATE_WISHES,
            "GET /programmes/{programme_id}/stories": P.READ_EXCHANGES,
            "GET /programmes/{programme_id}/feeds": P.READ_EXCHANGES,
            "POST /programmes/{programme_id}/feeds": P.READ_EXCHANGES,
            "GET /programmes/{programme_id}/exchange-calendar": P.READ_EXCHANGES,
            "GET /programmes/{programme_id}/closing-days": P.READ_EXCHANGES,
            "GET /programmes/{programme_id}/exchange-overview": P.RUN_EXCHANGES,
        },
    ),
    **_about(
        "challenge",
        {
            "GET /challenges/{challenge_id}/similar-ideas": P.READ_CHALLENGE,
            "GET /challenges/{challenge_id}/hidings": P.MODERATE,
            "POST /challenges/{challenge_id}/ballot-previews": P.MAKE_BALLOT,
        },
    ),
    **_about(
        "idea",
        {
            "GET /ideas/{idea_id}/versions": P.READ_IDEA,
            "GET /ideas/{idea_id}/co-authors": P.READ_IDEA,
            "POST /ideas/{idea_id}/co-authors": P.ADD_CO_AUTHOR,
            "DELETE /ideas/{idea_id}/co-authors/{person_id}": P.ADD_CO_AUTHOR,
        },
    ),
    **_about("comment", {"POST /comments/{comment_id}/hiding": P.MODERATE}),
    **_about("merge", {"GET /merges/{merge_id}/objections": P.MODERATE}),
    **_about("counted ballot", {"POST /ballots/{ballot_id}/receipt-checks": P.READ_BALLOT}),
    **_about(
        "placement",
        dict.fromkeys(
            ("GET /placements/{placement_id}/preferences", "PUT /placements/{placement_id}/preferences"),
            P.PREFER_GUESTS,
        ),
    ),
    **_about(
        "booking",
        {
            "GET /bookings/{booking_id}/reflections": P.READ_REFLECTIONS,
            "GET /bookings/{booking_id}/reflection": (P.AGREE_AS_GUEST, P.AGREE_AS_HOST),
            "PUT /bookings/{booking_id}/reflection": (P.AGREE_AS_GUEST, P.AGREE_AS_HOST),
            "GET /bookings/{booking_id}/story": P.READ_REFLECTIONS,
            "PUT /bookings/{booking_id}/story": P.WRITE_STORY,
            "PUT /bookings/{booking_id}/story/consent": P.WRITE_STORY,
            "DELETE /bookings/{booking_id}/story/consent": P.WRITE_STORY,
        },
    ),
    **_about("match", {"GET /matches/{match_id}/comparisons/{other_id}": P.RUN_EXCHANGES}),
    **_about("published match", {"GET /matches/{match_id}/explanation": P.READ_EXCHANGES}),
    "DELETE /feeds/{feed_id}": Door((P.READ_EXCHANGES,), "feed", own=True),
    **_about(
        "programme",
        {
            "GET /programmes/{programme_id}/people": P.READ_PEOPLE,
            "GET /programmes/{programme_id}/sectors": P.READ_PROGRAMME,
            "POST /programmes/{programme_id}/organisations": P.DECIDE_JOIN_REQUEST,
            "GET /programmes/{programme_id}/assignments": P.MANAGE_ROLES,
            "GET /programmes/{programme_id}/delegations": P.MANAGE_ROLES,
            "GET /programmes/{programme_id}/join-requests": P.DECIDE_JOIN_REQUEST,
            "GET /programmes/{programme_id}/joining": P.DECIDE_JOIN_REQUEST,
            "PATCH /programmes/{programme_id}/joining": P.DECIDE_JOIN_REQUEST,
            "GET /programmes/{programme_id}/retention": P.MANAGE_RETENTION,
            "PATCH /programmes/{programme_id}/retention": P.MANAGE_RETENTION,
        },
    ),
    **_about(
        "programme",
        {
            "GET /programmes/{programme_id}": P.READ_PROGRAMME,
            "GET /programmes/{programme_id}/organisations": P.READ_PROGRAMME,
            "GET /programmes/{programme_id}/challenges": P.READ_PROGRAMME,
            "GET /programmes/{programme_id}/challenges.atom": P.READ_PROGRAMME,
            "POST /programmes/{programme_id}/challenges": P.CREATE_CHALLENGE,
            "GET /programmes/{programme_id}/events": P.READ_EVENTS,
            "GET /programmes/{programme_id}/events/stream": P.READ_EVENTS,
            "GET /programmes/{programme_id}/placements": P.READ_EXCHANGES,
            "POST /programmes/{programme_id}/placements": P.OFFER_PLACEMENT,
            "GET /programmes/{programme_id}/bookings": P.READ_EXCHANGES,
            "GET /programmes/{programme_id}/wishes": P.READ_EXCHANGES,
            "PUT /programmes/{programme_id}/wishes": P.STATE_WISHES,
            "DELETE /programmes/{programme_id}/wishes": P.STATE_WISHES,
            "GET /programmes/{programme_id}/matches": P.RUN_EXCHANGES,
            "POST /programmes/{programme_id}/matches": P.RUN_EXCHANGES,
            "GET /programmes/{programme_id}/exchange-rules": P.READ_EXCHANGES,
            "PATCH /programmes/{programme_id}/exchange-rules": P.RUN_EXCHANGES,
            "GET /programmes/{programme_id}/ledger": P.READ_EXCHANGES,
            "GET /programmes/{programme_id}/exports/{kind}": P.READ_CHALLENGE,
            "GET /programmes/{programme_id}/open-data": P.READ_PROGRAMME,
            "PUT /programmes/{programme_id}/open-data": P.OPEN_DATA,
            "DELETE /programmes/{programme_id}/open-data": P.OPEN_DATA,
            **dict.fromkeys(
                ("GET /programmes/{programme_id}/imports", "POST /programmes/{programme_id}/imports"),
                P.RUN_IMPORTS,
            ),
            "GET /programmes/{programme_id}/webhooks": P.MANAGE_WEBHOOKS,
            "POST /programmes/{programme_id}/webhooks": P.MANAGE_WEBHOOKS,
        },
    ),
    **_about(
        "webhook",
        dict.fromkeys(
            (
                "GET /webhooks/{webhook_id}",
                "PATCH /webhooks/{webhook_id}",
                "DELETE /webhooks/{webhook_id}",
                "POST /webhooks/{webhook_id}/secret",
                "GET /webhooks/{webhook_id}/deliveries",
                "POST /webhooks/{webhook_id}/tests",
                "GET /webhooks/{webhook_id}/replays",
                "POST /webhooks/{webhook_id}/replays",
                "GET /deliveries/{delivery_id}",
                "POST /deliveries/{delivery_id}/replay",
            ),
            P.MANAGE_WEBHOOKS,
        ),
    ),
    **_about(
        "challenge",
        {
            "GET /challenges/{challenge_id}": P.READ_CHALLENGE,
            "PATCH /challenges/{challenge_id}": P.CHANGE_CHALLENGE,
            "DELETE /challenges/{challenge_id}": P.DELETE_CHALLENGE,
            "PUT /challenges/{challenge_id}/phases": P.CHANGE_PHASES,
            "GET /challenges/{challenge_id}/ideas": P.READ_CHALLENGE,
            "GET /challenges/{challenge_id}/ideas.atom": P.READ_CHALLENGE,
            "POST /challenges/{challenge_id}/ideas": P.POST_IDEA,
            "GET /challenges/{challenge_id}/ballots": P.READ_CHALLENGE,
            "POST /challenges/{challenge_id}/ballots": P.MAKE_BALLOT,
            "GET /challenges/{challenge_id}/solutions": P.READ_CHALLENGE,
            "POST /challenges/{challenge_id}/solutions": P.PROMOTE_SOLUTION,
            "GET /challenges/{challenge_id}/clusters": P.READ_CHALLENGE,
            "POST /challenges/{challenge_id}/clusters": P.ARRANGE_CLUSTERS,
        },
    ),
    **_about(
        "cluster",
        {
            "GET /clusters/{cluster_id}": P.READ_CHALLENGE,
            "PATCH /clusters/{cluster_id}": P.ARRANGE_CLUSTERS,
            "DELETE /clusters/{cluster_id}": P.ARRANGE_CLUSTERS,
        },
    ),
    **_about(
        "idea",
        {
            "GET /ideas/{idea_id}": P.READ_IDEA,
            "PATCH /ideas/{idea_id}": P.EDIT_IDEA,
            "DELETE /ideas/{idea_id}": P.WITHDRAW_IDEA,
            "GET /ideas/{idea_id}/comments": P.READ_IDEA,
            "POST /ideas/{idea_id}/comments": P.COMMENT,
            "PUT /ideas/{idea_id}/support": P.SUPPORT_IDEA,
            "DELETE /ideas/{idea_id}/support": P.SUPPORT_IDEA,
            "GET /ideas/{idea_id}/merges": P.READ_IDEA,
            "POST /ideas/{idea_id}/merges": P.PROPOSE_MERGE,
            "PUT /ideas/{idea_id}/pin": P.MODERATE,
            "DELETE /ideas/{idea_id}/pin": P.MODERATE,
            "POST /ideas/{idea_id}/hiding": P.MODERATE,
        },
    ),
    **_about(
        "hidden idea",
        {
            "GET /ideas/{idea_id}/hiding": P.READ_IDEA,
            "DELETE /ideas/{idea_id}/hiding": P.MODERATE,
            "POST /ideas/{idea_id}/hiding/answer": P.ANSWER_HIDING,
        },
    ),
    **_about(
        "comment",
        {"GET /comments/{comment_id}": P.READ_CHALLENGE, "DELETE /comments/{comment_id}": P.WITHDRAW_COMMENT},
    ),
    **_about(
        "merge",
        {
            "GET /merges/{merge_id}": P.READ_CHALLENGE,
            "POST /merges/{merge_id}/acceptance": P.DECIDE_MERGE,
            "POST /merges/{merge_id}/refusal": P.DECIDE_MERGE,
            "POST /merges/{merge_id}/objection": P.OBJECT_TO_MERGE,
            "POST /merges/{merge_id}/undoing": P.UNDO_MERGE,
        },
    ),
    **_about(
        "solution",
        {
            "GET /solutions/{solution_id}": P.READ_SOLUTION,
            "PATCH /solutions/{solution_id}": P.PROMOTE_SOLUTION,
            "DELETE /solutions/{solution_id}": P.PROMOTE_SOLUTION,
        },
    ),
    **_about(
        "ballot",
        {
            "GET /ballots/{ballot_id}": P.READ_BALLOT,
            "PUT /ballots/{ballot_id}/vote": P.VOTE,
            "DELETE /ballots/{ballot_id}/vote": P.VOTE,
            "POST /ballots/{ballot_id}/extension": P.CLOSE_BALLOT,
            "POST /ballots/{ballot_id}/closure": P.CLOSE_BALLOT,
            "POST /ballots/{ballot_id}/reminder": P.REMIND_VOTERS,
            "GET /ballots/{ballot_id}/interests": P.READ_BALLOT,
            "PUT /ballots/{ballot_id}/interests/{solution_id}": P.DECLARE_INTEREST,
            "DELETE /ballots/{ballot_id}/interests/{solution_id}": P.DECLARE_INTEREST,
        },
    ),
    **_about("voted ballot", {"GET /ballots/{ballot_id}/vote": P.READ_BALLOT}),
    **_about(
        "scheduled ballot",
        {"PATCH /ballots/{ballot_id}": P.CHANGE_BALLOT, "DELETE /ballots/{ballot_id}": P.CHANGE_BALLOT},
    ),
    **_about(
        "counted ballot",
        {"GET /ballots/{ballot_id}/result": P.READ_BALLOT, "GET /ballots/{ballot_id}/log": P.READ_BALLOT},
    ),
    **_about(
        "placement",
        {
            "GET /placements/{placement_id}": P.READ_PLACEMENT,
            "PATCH /placements/{placement_id}": P.CHANGE_PLACEMENT,
            "DELETE /placements/{placement_id}": P.CHANGE_PLACEMENT,
            "PUT /placements/{placement_id}/publication": P.REVIEW_PLACEMENT,
            "POST /placements/{placement_id}/return": P.REVIEW_PLACEMENT,
            "POST /placements/{placement_id}/bookings": P.BOOK_PLACEMENT,
            "GET /placements/{placement_id}/bookings": P.READ_PLACEMENT,
        },
    ),
    **_about(
        "booking",
        {
            "GET /bookings/{booking_id}": P.READ_BOOKING,
            "GET /bookings/{booking_id}/steps": P.READ_BOOKING,
            "PATCH /bookings/{booking_id}": P.MOVE_BOOKING,
            "DELETE /bookings/{booking_id}": (P.WITHDRAW_BOOKING, P.CANCEL_BOOKING),
            "POST /bookings/{booking_id}/decisions": (
                P.DECIDE_AS_MANAGER,
                P.DECIDE_AS_HOST,
                P.DECIDE_AS_COORDINATOR,
            ),
            "PUT /bookings/{booking_id}/acceptance": P.ANSWER_OFFER,
            "POST /bookings/{booking_id}/passing": P.ANSWER_OFFER,
            "PUT /bookings/{booking_id}/agreements/{item}": P.AGREE_AS_GUEST,
        },
    ),
    **_about(
        "import",
        dict.fromkeys(
            (
                "GET /imports/{import_id}",
                "GET /imports/{import_id}/rows",
                "DELETE /imports/{import_id}",
                "POST /imports/{import_id}/resumption",
            ),
            P.RUN_IMPORTS,
        ),
    ),
    **_about(
        "match",
        {
            "GET /matches/{match_id}": P.RUN_EXCHANGES,
            "DELETE /matches/{match_id}": P.RUN_EXCHANGES,
            "POST /matches/{match_id}/publication": P.RUN_EXCHANGES,
        },
    ),
}

DOORS: Final[Mapping[str, Door]] = {**_PAGES, **_api(_CALLS)}
"""Every address that is not open to all."""

OPEN: Final[Mapping[str, str]] = {
    "GET /": "the first page says what this is; what is on it depends on its reader",
    "GET /programmes/{slug}/open-data": "for everyone, where a coordinator has opened it",
    "GET /programmes/{slug}/open-data/catalogue.{form}": "for everyone, where a coordinator has opened it",
    "GET /programmes/{slug}/open-data/{table}.{form}": "for everyone, where a coordinator has opened it",
    "GET /accessibility": "a statement for everyone",
    "GET /privacy": "a statement for everyone",
    "POST /me/language": "passers-by choose their language too",
    "POST /me/fresh-sign-in": "whoever is signed in may prove anew who they are; the provider's answer decides",
    "GET /me/fresh-sign-in/{id:key}": "a form opens in the browser in which it was filled in, and in no other",
    "GET /sign-in": "the way in",
    "POST /sign-in/{provider}": "the way in",
    "GET /sign-in/{provider}/callback": "the way in: the provider's answer and the browser's secret are asked for",
    "POST /sign-out": "the way out; without a session nothing happens",
    "GET /sign-out/done": "the way out",
    "GET /sign-in/waiting": "the way in: says that a request waits, and whose it does not say",
    "GET /sign-in/{provider}/keys.json": "public keys, for providers to fetch",
    "GET /sign-in/{provider}/front-channel-logout": "the provider's own page shows it; it ends what its session names",
    "POST /sign-in/{provider}/back-channel-logout": "the provider's signature is asked for",
    "GET /invitations/{token}": "whoever has the secret address is invited; opening it changes nothing",
    "POST /invitations/{token}": "whoever has the secret address is invited; it asks for a sign-in",
    "GET /ballots/{id:key}/vote/review": "a reload leads back to the form, whatever the number; nothing is looked up",
    "GET /decisions/{token}": "whoever has the secret address of the mail is the one who is asked",
    "POST /decisions/{token}": "whoever has the secret address of the mail is the one who is asked",
    "GET /calendars/{token}.ics": "a calendar program has the secret address and nothing else",
    "GET /.well-known/oauth-authorization-server": "documentation, for programs",
    "GET /.well-known/oauth-protected-resource/api/v1": "documentation, for programs",
    "POST /oauth/token": "the client's own proof is asked for",
    "POST /oauth/revoke": "the client's own proof is asked for",
    f"GET {API}/openapi.json": "documentation",
    f"GET {API}/docs": "documentation",
    f"GET {API}/problems": "documentation",
    f"GET {API}/problems/{{code}}": "documentation",
    "GET /health/live": "for whoever watches the server",
    "GET /health/ready": "for whoever watches the server",
    "GET /metrics": "for whoever watches the server; it answers to its own token or from this machine",
}
"""Every address that is open to all, or asks for a secret of its own instead of a role; each with its reason."""

LEAVING: Final[Mapping[str, str]] = {
    "POST /me/logins/{provider}": "for whoever is signed in",
    "POST /me/merging/{provider}": "for whoever is signed in",
    "GET /me/merging": "for whoever has just proved a second login there",
    "POST /me/merging": "for whoever has just proved a second login there",
    "POST /admin/providers/{id}/trial": "for whoever looks after providers",
    "POST /me/data/copies": "for whoever is signed in; it puts a job in line",
    f"POST {API}/people/me/data/copies": "for whoever has a token of their own; it puts a job in line",
}
"""Addresses that lead to an identity provider, come from one or put a job in line: tests that have those call them."""

FOR_DIRECTORIES: Final = tuple(
    f"{method} /scim/v2/{path}"
    for methods, paths in (
        (
            ("GET",),
            ("ServiceProviderConfig", "ResourceTypes", "ResourceTypes/{name}", "Schemas", "Schemas/{urn}"),
        ),
        (("GET", "POST"), ("Users", "Groups")),
        (("GET", "PUT", "PATCH", "DELETE"), ("Users/{id}", "Groups/{id}")),
        (("POST",), (".search", "Users/.search", "Groups/.search", "Bulk")),
    )
    for path in paths
    for method in methods
)
"""Addresses for the token of an organisation's directory alone: no person's cookie or token opens them."""
