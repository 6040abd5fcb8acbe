"""People, places, roles and what is one's own, as the API shows them: rows and views to the names of the schemas."""

from types import SimpleNamespace
from typing import Any

from app.lib import clock
from app.services.invitations import InvitationView
from app.services.join_requests import RequestView
from app.services.members import MemberView
from app.services.organisations import OrganisationView
from app.services.own_sessions import SessionView
from app.services.programmes import ProgrammeView
from app.web import items
from app.web.items import Json


def participant(base_url: str, programme: ProgrammeView, row: Any) -> Json:
    """Someone who takes part, as everyone in the programme sees them."""
    return {
        "id": row.person_id,
        "url": f"{base_url}/programmes/{programme.slug}/people",
        "programme": programme.id,
        "name": row.name,
        "role": row.role,
        "organisation": row.organisation_id,
        "sector": row.sector_key,
        "since": clock.rfc3339(row.since),
    }


def place(base_url: str, row: Any) -> Json:
    """A place, for those who run its programme or administer its organisation."""
    return {
        "id": row.id,
        "url": f"{base_url}/admin/people/{row.person_id}",
        "person": row.person_id,
        "name": row.name,
        "email": row.email,
        "programme": row.programme_id,
        "organisation": row.organisation_id,
        "sector": row.sector_key,
        "role": row.role,
        "ended_at": instant(row.ended_at),
        "disabled_at": instant(row.disabled_at),
        **_dated(row),
    }


def person(base_url: str, view: MemberView) -> Json:
    """A person, for those who run what they take part in."""
    return {
        "id": view.id,
        "url": f"{base_url}/admin/people/{view.id}",
        "name": view.name,
        "email": view.email,
        "administrator_since": instant(view.administrator_since),
        "disabled_at": instant(view.disabled_at),
        "places": [each.id for each in view.places],
        "sessions": view.sessions,
        "tokens": view.tokens,
        "seen_at": instant(view.seen_at),
        **_dated(view),
    }


def named(base_url: str, row: Any) -> Json:
    """A person who has a place nowhere."""
    return {
        "id": row.person_id,
        "url": f"{base_url}/admin/people/{row.person_id}",
        "name": row.name,
        "email": row.email,
        "administrator_since": instant(row.administrator_since),
        "disabled_at": instant(row.disabled_at),
        **_dated(row),
    }


def administrator(base_url: str, row: Any) -> Json:
    """An instance administrator."""
    return {
        "id": row.id,
        "url": f"{base_url}/admin/people/{row.id}",
        "name": row.name,
        "since": clock.rfc3339(row.administrator_since),
    }


def assignment(base_url: str, row: Any) -> Json:
    """A role besides that of a place."""
    return {
        "id": row.id,
        "url": f"{base_url}/admin/people/{row.person_id}/roles/{row.programme_id}",
        "programme": row.programme_id,
        "person": row.person_id,
        "name": row.name,
        "role": row.role,
        "organisation": row.organisation_id,
        "challenge": row.challenge_id,
        "starts_at": clock.rfc3339(row.starts_at),
        "ends_at": instant(row.ends_at),
        "created_at": clock.rfc3339(row.created_at),
    }


def delegation(base_url: str, row: Any) -> Json:
    """A role that someone holds in another's absence."""
    return {
        **assignment(base_url, row),
        "url": f"{base_url}/me/delegations",
        "lender": row.delegated_by,
        "lender_name": row.lender,
        "ended_at": instant(row.ended_at),
    }


def invitation(base_url: str, view: InvitationView) -> Json:
    """An invitation, for those who could have made it."""
    return {
        "id": view.id,
        "url": f"{base_url}/admin/invitations?programme={view.programme_slug}",
        "programme": view.programme_id,
        "organisation": view.organisation_id,
        "role": view.role,
        "provider": view.provider,
        "name": view.name,
        "email": view.email,
        "by": view.created_by,
        "good": view.problem is None,
        "expires_at": clock.rfc3339(view.expires_at),
        "used_at": instant(view.used_at),
        "revoked_at": instant(view.revoked_at),
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.used_at or view.revoked_at or view.created_at),
    }


def join_request(base_url: str, view: RequestView) -> Json:
    """A request to join, for those who decide on it."""
    return {
        "id": view.id,
        "url": f"{base_url}/admin/join-requests/{view.id}",
        "programme": view.programme_id,
        "provider": view.provider,
        "name": view.name,
        "email": view.email,
        "organisation": view.organisation_id,
        "organisation_claim": view.organisation_claim,
        "state": view.state,
        "reason": view.reason,
        "decided_at": instant(view.decided_at),
        **_dated(view),
    }


def joining(base_url: str, row: Any) -> Json:
    """What becomes of people who are not known in a programme."""
    return {
        "programme": row.id,
        "url": f"{base_url}/admin/join-requests?programme={row.slug}",
        "joining": row.joining,
        "version": row.version,
    }


def organisation(base_url: str, row: Any, known: OrganisationView | None) -> Json:
    """One organisation (`organisations.seen`); by what it is known from outside if that is given."""
    known_by = None
    if known is not None:
        known_by = {
            "claims": [{"id": each.id, "issuer": each.issuer, "value": each.value} for each in known.claims],
            "domains": [
                {"id": each.id, "domain": each.domain, "verified_at": instant(each.verified_at)}
                for each in known.domains
            ],
        }
    people = None if known is None else known.people
    programme = SimpleNamespace(id=row.programme_id, slug=row.programme_slug)
    return {**items.organisation(base_url, programme, row), "people": people, "known_by": known_by}


def token(base_url: str, row: Any) -> Json:
    """One of someone's own tokens."""
    return {
        "id": row.id,
        "url": f"{base_url}/me/tokens",
        "name": row.name,
        "ending": row.ending,
        "scopes": row.scopes.split(),
        "programme": row.programme_id,
        "organisation": row.organisation_id,
        "created_at": clock.rfc3339(row.created_at),
        "expires_at": instant(row.expires_at),
        "used_at": instant(row.used_at),
    }


def session(base_url: str, view: SessionView) -> Json:
    """A browser in which someone is signed in."""
    return {
        "id": view.id,
        "url": f"{base_url}/me/sessions",
        "browser": view.browser,
        "system": view.system,
        "provider": view.provider,
        "began_at": clock.rfc3339(view.began_at),
        "seen_at": clock.rfc3339(view.seen_at),
        "ends_at": clock.rfc3339(view.ends_at),
    }


def login(base_url: str, view: Any) -> Json:
    """A login by which someone is known."""
    return {
        "id": view.id,
        "url": f"{base_url}/me/logins",
        "provider": view.provider or "",
        "issuer": view.issuer,
        "created_at": clock.rfc3339(view.created_at),
        "used_at": clock.rfc3339(view.used_at),
    }


def data_copy(base_url: str, row: Any) -> Json:
    """A copy of someone's data; it is fetched in a browser."""
    return {
        "id": row.id,
        "url": f"{base_url}/me/data/copies/{row.id}",
        "state": row.state,
        "size_bytes": row.size_bytes,
        "created_at": clock.rfc3339(row.created_at),
        "ready_at": instant(row.ready_at),
        "expires_at": instant(row.expires_at),
    }


def client(base_url: str, row: Any) -> Json:
    """A machine."""
    return {
        "id": row.id,
        "url": f"{base_url}/admin/clients/{row.id}",
        "client_id": row.client_id,
        "programme": row.programme_id,
        "organisation": row.organisation_id,
        "name": row.name,
        "role": row.role,
        "scopes": row.scopes.split(),
        "method": row.auth_method,
        "secret_ending": row.secret_ending,
        "previous_until": instant(row.previous_until),
        "expires_at": instant(row.expires_at),
        "used_at": instant(row.used_at),
        "revoked_at": instant(row.revoked_at),
        **_dated(row),
    }


def client_token(row: Any) -> Json:
    """A token of a machine for a directory."""
    return {
        "id": row.id,
        "ending": row.ending,
        "created_at": clock.rfc3339(row.created_at),
        "expires_at": clock.rfc3339(row.expires_at),
        "used_at": instant(row.used_at),
    }


def group(base_url: str, row: Any) -> Json:
    """A group of a directory."""
    return {
        "id": row.id,
        "url": f"{base_url}/admin/directory#group-{row.id}",
        "organisation": row.organisation_id,
        "name": row.display_name,
        "role": row.role,
        "members": row.members,
        **_dated(row),
    }


def instant(found: Any) -> str | None:
    """An instant as text, if there is one."""
    return None if found is None else clock.rfc3339(found)


def _dated(view: Any) -> Json:
    return {
        "version": view.version,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }
