"""One example for each shape of identity and administration; `schemas.examples` shows them with all others."""

from typing import Any, Final

from pydantic import BaseModel

from app.schemas.administration import (
    AuditList,
    ClientDraft,
    ClientItem,
    ClientList,
    ClientMade,
    ClientTokenList,
    DirectoryList,
    GroupChange,
    GroupItem,
    KeysDraft,
    ProviderList,
    RetentionChange,
    RetentionItem,
    VerificationItem,
)
from app.schemas.admission import (
    ApprovalDraft,
    ClaimDraft,
    DomainDraft,
    InvitationDraft,
    InvitationItem,
    InvitationList,
    InvitationMade,
    JoiningChange,
    JoiningItem,
    JoinRequestItem,
    JoinRequestList,
    OrganisationChange,
    OrganisationDetail,
    OrganisationDraft,
    RefusalDraft,
    SectorList,
)
from app.schemas.members import (
    AdministratorList,
    AssignmentDraft,
    AssignmentItem,
    AssignmentList,
    DelegationDraft,
    DelegationItem,
    DelegationList,
    MoveDraft,
    NameList,
    ParticipantList,
    PersonItem,
    PlaceChange,
    PlaceItem,
    PlaceList,
)
from app.schemas.own import (
    ConsentList,
    CopyItem,
    CopyList,
    DataItem,
    LoginList,
    MeChange,
    SessionItem,
    SessionList,
    TokenDraft,
    TokenItem,
    TokenList,
    TokenMade,
)

_HERE: Final = "https://partnership.example"
_AT: Final = "2026-05-04T09:30:00.000000Z"
_LATER: Final = "2026-06-04T09:30:00.000000Z"
_DATES: Final = {"created_at": _AT, "updated_at": _AT}
_HASH: Final = "02c7172a6b650e8bf6801d8fb966d23d7237cae1ab4970bcf346f0d93e4e6902"

_PLACE: Final = {
    "id": 21,
    "url": f"{_HERE}/admin/people/12",
    "person": 12,
    "name": "Ana Kos",
    "email": "ana@ministry.example",
    "programme": 1,
    "organisation": 3,
    "sector": "public",
    "role": "participant",
    "ended_at": None,
    "disabled_at": None,
    "version": 1,
    **_DATES,
}
_NAMED: Final = {
    "id": 12,
    "url": f"{_HERE}/admin/people/12",
    "name": "Ana Kos",
    "email": "ana@ministry.example",
    "administrator_since": None,
    "disabled_at": None,
    "version": 3,
    **_DATES,
}
_ASSIGNMENT: Final = {
    "id": 5,
    "url": f"{_HERE}/admin/people/12/roles/1",
    "programme": 1,
    "person": 12,
    "name": "Ana Kos",
    "role": "facilitator",
    "organisation": None,
    "challenge": 2,
    "starts_at": _AT,
    "ends_at": None,
    "created_at": _AT,
}
_DELEGATION: Final = {
    **_ASSIGNMENT,
    "url": f"{_HERE}/me/delegations",
    "challenge": None,
    "ends_at": _LATER,
    "lender": 9,
    "lender_name": "Fay Zupan",
    "ended_at": None,
}
_INVITATION: Final = {
    "id": 4,
    "url": f"{_HERE}/admin/invitations?programme=demo",
    "programme": 1,
    "organisation": 3,
    "role": "participant",
    "provider": None,
    "name": "Mira Hren",
    "email": "mira@larch.example",
    "by": 9,
    "good": True,
    "expires_at": _LATER,
    "used_at": None,
    "revoked_at": None,
    **_DATES,
}
_REQUEST: Final = {
    "id": 6,
    "url": f"{_HERE}/admin/join-requests/6",
    "programme": 1,
    "provider": "ministry",
    "name": "Mira Hren",
    "email": "mira@larch.example",
    "organisation": 3,
    "organisation_claim": "5023912000",
    "state": "waiting",
    "reason": "",
    "decided_at": None,
    "version": 1,
    **_DATES,
}
_TOKEN: Final = {
    "id": 8,
    "url": f"{_HERE}/me/tokens",
    "name": "Monthly report",
    "ending": "x7Qa",
    "scopes": ["read"],
    "programme": 1,
    "organisation": None,
    "created_at": _AT,
    "expires_at": _LATER,
    "used_at": None,
}
_SESSION: Final = {
    "id": 31,
    "url": f"{_HERE}/me/sessions",
    "browser": "Firefox",
    "system": "Linux",
    "provider": "ministry",
    "began_at": _AT,
    "seen_at": _AT,
    "ends_at": _LATER,
}
_COPY: Final = {
    "id": 2,
    "url": f"{_HERE}/me/data/copies/2",
    "state": "ready",
    "size_bytes": 48213,
    "created_at": _AT,
    "ready_at": _AT,
    "expires_at": _LATER,
}
_CLIENT: Final = {
    "id": 7,
    "url": f"{_HERE}/admin/clients/7",
    "client_id": "pfc_4f1d02c7172a6b650e8bf680",
    "programme": 1,
    "organisation": None,
    "name": "Register of persons",
    "role": "observer",
    "scopes": ["read"],
    "method": "client_secret",
    "secret_ending": "9aZt",
    "previous_until": None,
    "expires_at": None,
    "used_at": None,
    "revoked_at": None,
    "version": 1,
    **_DATES,
}
_GROUP: Final = {
    "id": 3,
    "url": f"{_HERE}/admin/directory#group-3",
    "organisation": 3,
    "name": "Partnership hosts",
    "role": "host",
    "members": 4,
    "version": 2,
    **_DATES,
}
_KEY: Final = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "1"}


def _list_of(item: Any) -> dict[str, Any]:
    return {"items": [item], "next": None}


OF_IDENTITY: Final[dict[type[BaseModel], dict[str, Any]]] = {
    ParticipantList: _list_of(
        {
            "id": 12,
            "url": f"{_HERE}/programmes/demo/people",
            "programme": 1,
            "name": "Ana Kos",
            "role": "participant",
            "organisation": 3,
            "sector": "public",
            "since": _AT,
        }
    ),
    PlaceItem: _PLACE,
    PlaceList: _list_of(_PLACE),
    PlaceChange: {"role": "facilitator"},
    MoveDraft: {"organisation": 3},
    PersonItem: {**_NAMED, "places": [21], "sessions": 1, "tokens": 2, "seen_at": _AT},
    NameList: _list_of(_NAMED),
    AdministratorList: _list_of(
        {"id": 9, "url": f"{_HERE}/admin/people/9", "name": "Fay Zupan", "since": _AT}
    ),
    AssignmentDraft: {"role": "facilitator", "challenge": 2, "last_day": "2126-05-04"},
    AssignmentItem: _ASSIGNMENT,
    AssignmentList: _list_of(_ASSIGNMENT),
    DelegationDraft: {"person": 14, "last_day": "2126-05-15"},
    DelegationItem: _DELEGATION,
    DelegationList: _list_of(_DELEGATION),
    InvitationDraft: {"organisation": 3, "role": "participant", "name": "Mira Hren", "days": 14},
    InvitationItem: _INVITATION,
    InvitationList: _list_of(_INVITATION),
    InvitationMade: {**_INVITATION, "address": f"{_HERE}/invitations/4.HKGNV0DDHNR69PYYWDE46ARYA"},
    JoinRequestItem: _REQUEST,
    JoinRequestList: _list_of(_REQUEST),
    ApprovalDraft: {"organisation": None},
    RefusalDraft: {"reason": "Please ask your ministry first."},
    JoiningChange: {"joining": "approve"},
    JoiningItem: {
        "programme": 1,
        "url": f"{_HERE}/admin/join-requests?programme=demo",
        "joining": "approve",
        "version": 2,
    },
    SectorList: _list_of({"id": 1, "programme": 1, "key": "public", "name": "Public administration"}),
    OrganisationDraft: {"name": "Ministry of Rivers", "sector": "public", "number": "5023912000"},
    OrganisationChange: {"name": "Ministry of Meadows and Rivers"},
    OrganisationDetail: {
        "id": 3,
        "url": f"{_HERE}/programmes/demo/people#organisation-3",
        "programme": 1,
        "name": "Ministry of Meadows",
        "number": "5023912000",
        "sector": "public",
        "version": 1,
        "people": 12,
        "known_by": {
            "claims": [{"id": 1, "issuer": "https://login.ministry.example", "value": "5023912000"}],
            "domains": [{"id": 2, "domain": "ministry.example", "verified_at": None}],
        },
        **_DATES,
    },
    ClaimDraft: {"issuer": "https://login.ministry.example", "value": "5023912000"},
    DomainDraft: {"domain": "meadows.ministry.example"},
    MeChange: {"name": "Ana Kos", "language": "sl"},
    TokenDraft: {"name": "Monthly report", "scopes": ["read"], "days": 30},
    TokenItem: _TOKEN,
    TokenList: _list_of(_TOKEN),
    TokenMade: {**_TOKEN, "token": "pfc_pat_…"},
    SessionItem: _SESSION,
    SessionList: _list_of(_SESSION),
    LoginList: _list_of(
        {
            "id": 12,
            "url": f"{_HERE}/me/logins",
            "provider": "ministry",
            "issuer": "https://login.ministry.example",
            "created_at": _AT,
            "used_at": _AT,
        }
    ),
    ConsentList: _list_of(
        {
            "programme": 1,
            "url": f"{_HERE}/me/data#consents",
            "purpose": "later_contact",
            "version": 1,
            "title": "Hearing of later programmes",
            "text": "Those who coordinate this programme may write to me when a later one begins.",
            "given_at": None,
        }
    ),
    DataItem: {
        "url": f"{_HERE}/me/data",
        "kinds": [
            {
                "key": "account",
                "title": "Who you are",
                "holds": "Name, mail address, language.",
                "why": "So that others know with whom they work.",
                "kept": "Until you are erased.",
                "ground": "A task in the public interest.",
                "erased": "Goes.",
                "count": 1,
            }
        ],
    },
    CopyItem: _COPY,
    CopyList: _list_of(_COPY),
    ClientDraft: {"name": "Register of persons", "role": "observer", "scopes": ["read"]},
    ClientItem: _CLIENT,
    ClientList: _list_of(_CLIENT),
    ClientMade: {**_CLIENT, "client_secret": "pfc_cs_…"},
    ClientTokenList: _list_of(
        {"id": 9, "ending": "Kq2b", "created_at": _AT, "expires_at": _LATER, "used_at": None}
    ),
    KeysDraft: {"keys": {"keys": [_KEY]}},
    GroupItem: _GROUP,
    GroupChange: {"role": "host"},
    DirectoryList: _list_of(
        {
            "organisation": 3,
            "url": f"{_HERE}/admin/directory",
            "programme": 1,
            "users": 14,
            "active": 12,
            "linked": 9,
            "groups": [_GROUP],
        }
    ),
    AuditList: _list_of(
        {
            "id": 812,
            "created_at": "2026-05-04T09:30:00.000000+00:00",
            "programme_id": 1,
            "organisation_id": 3,
            "actor_id": 9,
            "client_id": None,
            "action": "role.changed",
            "outcome": "done",
            "subject": "role",
            "subject_id": 12,
            "data": {"person_id": 12, "from": "participant", "to": "facilitator"},
            "previous": _HASH,
            "hash": _HASH[::-1],
        }
    ),
    VerificationItem: {
        "entries": 812,
        "first_id": 1,
        "last_id": 812,
        "newest": _HASH,
        "whole": True,
        "broken": [],
    },
    RetentionChange: {"months_unused": 24},
    RetentionItem: {
        "programme": 1,
        "url": f"{_HERE}/admin/retention?programme=demo",
        "months_after_leaving": 24,
        "months_unused": 24,
        "days_of_requests": 90,
        "months_of_audit": 60,
        "warned": 2,
        "consents": [{"title": "Research", "people": 31}],
        "version": 1,
    },
    ProviderList: _list_of(
        {
            "id": "ministry",
            "url": f"{_HERE}/admin/providers",
            "name": "Ministry of Meadows",
            "issuer": "https://login.ministry.example",
            "programme": "demo",
            "checks": [
                {"name": "discovery", "state": "ok", "says": "Its metadata was read and fits.", "mend": ""}
            ],
            "failures": [{"action": "sign_in.refused", "reason": "expired", "count": 2, "last_at": _AT}],
        }
    ),
}
