"""What is known of well-known providers: defaults for a table that names one, each of which it may override.

`docs/identity-providers.md` has an example for each, and says what of it is uncertain.
"""

from typing import Any, Final

EIDAS: Final = ("low", "substantial", "high")

_ENTRA: Final = "https://login.microsoftonline.com"

PROFILES: Final[dict[str, dict[str, Any]]] = {
    "entra": {
        "issuer": f"{_ENTRA}/{{tenantid}}/v2.0",
        "discovery": f"{_ENTRA}/organizations/v2.0/.well-known/openid-configuration",
        "organisation_claim": "tid",
        "scim_subject_claim": "oid",
        "email_verified_claim": "never",
        "groups_claim": "groups",
        "userinfo": "never",
    },
    "google": {
        "issuer": "https://accounts.google.com",
        "issuer_aliases": ["accounts.google.com"],
        "organisation_claim": "hd",
        "claims": {"id_token": {"auth_time": {"essential": True}}},
        "sign_out": False,
    },
    "okta": {"groups_claim": "groups"},
    "keycloak": {"groups_claim": "/realm_access/roles"},
    "adfs": {
        "scopes": ["openid", "profile", "email", "allatclaims"],
        "email_verified_claim": "never",
        "userinfo": "never",
    },
    "si-pass": {
        "known_people_only": True,
        "acr_levels": list(EIDAS),
        "email_verified_claim": "never",
    },
    "login-gov": {
        "issuer": "https://secure.login.gov/",
        "client_auth": "private_key_jwt",
        "scopes": ["openid", "email", "profile"],
        "acr_values": ["urn:acr.login.gov:auth-only"],
        "known_people_only": True,
        "sign_out_with": ["client_id", "post_logout_redirect_uri", "state"],
    },
    "france-connect": {
        "algorithms": ["ES256", "RS256"],
        "client_auth": "client_secret_post",
        "scopes": ["openid", "given_name", "family_name", "email"],
        "acr_values": ["eidas1"],
        "acr_levels": ["eidas1", "eidas2", "eidas3"],
        "least_acr": "eidas1",
        "userinfo": "always",
        "userinfo_signed": True,
        "known_people_only": True,
        "email_verified_claim": "never",
        "sign_out_with": ["id_token_hint", "post_logout_redirect_uri", "state"],
    },
    "pro-connect": {
        "client_auth": "client_secret_post",
        "pkce": False,
        "no_pkce_because": "ProConnect refuses a departure with a parameter that it does not know.",
        "pushed_requests": "never",
        "scopes": ["openid", "given_name", "usual_name", "email", "siret"],
        "claims": {"id_token": {"amr": {"essential": True}}},
        "userinfo": "always",
        "userinfo_signed": True,
        "organisation_claim": "siret",
        "organisation_number_claim": "siret",
        "email_verified_claim": "never",
        "sign_out_with": ["id_token_hint", "post_logout_redirect_uri", "state"],
    },
    "id-porten": {
        "client_auth": "private_key_jwt",
        "assertion_audience": "issuer",
        "scopes": ["openid", "profile"],
        "acr_values": ["idporten-loa-substantial"],
        "acr_levels": ["idporten-loa-low", "idporten-loa-substantial", "idporten-loa-high"],
        "least_acr": "idporten-loa-substantial",
        "known_people_only": True,
        "email_verified_claim": "never",
    },
    "ansattporten": {
        "client_auth": "private_key_jwt",
        "assertion_audience": "issuer",
        "scopes": ["openid", "profile"],
        "acr_values": ["substantial"],
        "acr_levels": list(EIDAS),
        "least_acr": "substantial",
        "organisation_claim": "/authorization_details/*/reportees/*/ID",
        "organisation_number_claim": "/authorization_details/*/reportees/*/ID",
        "email_verified_claim": "never",
    },
    "tara": {
        "issuer": "https://tara.ria.ee",
        "scopes": ["openid"],
        "acr_values": ["substantial"],
        "acr_levels": list(EIDAS),
        "least_acr": "substantial",
        "name_claim": ["/profile_attributes/given_name", "/profile_attributes/family_name"],
        "userinfo": "never",
        "known_people_only": True,
        "email_verified_claim": "never",
        "sign_out": False,
    },
    "spid-proxy": {
        "acr_values": ["https://www.spid.gov.it/SpidL2"],
        "acr_levels": [f"https://www.spid.gov.it/SpidL{level}" for level in (1, 2, 3)],
        "least_acr": "https://www.spid.gov.it/SpidL2",
        "known_people_only": True,
        "email_verified_claim": "never",
    },
}

_WAYS: Final = ("organisation", "organisation_claim", "known_people_only")
"""Who belongs where: whichever the table names takes the place of the profile's."""


def completed(table: dict[str, Any]) -> dict[str, Any]:
    """The table with what its profile knows; whatever the table itself says goes before.

    :raises KeyError: there is no such profile
    """
    name = table.get("profile")
    if name is None:
        return table
    known = dict(PROFILES[name])
    if any(way in table for way in _WAYS):
        known = {key: value for key, value in known.items() if key not in _WAYS}
    if table.get("issuer", known.get("issuer")) != known.get("issuer"):
        known.pop("discovery", None)
        known.pop("issuer_aliases", None)
    if table.get("pkce"):
        known.pop("no_pkce_because", None)
    return {**known, **table}
