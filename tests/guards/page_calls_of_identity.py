"""What programs call for each address of identity and administration at which a page writes, or why they do not."""

BROWSER = "no: it takes a fresh sign-in in a browser, which no token stands for"

PAGES_OF_IDENTITY = {
    # one's own
    "POST /me/language": "PATCH /api/v1/people/me",
    "POST /me/tokens": "POST /api/v1/people/me/tokens",
    "POST /me/tokens/{id:key}/revocation": "DELETE /api/v1/people/me/tokens/{token_id}",
    "POST /me/sessions/ending": "DELETE /api/v1/people/me/sessions",
    "POST /me/sessions/{id:key}/ending": "DELETE /api/v1/people/me/sessions/{session_id}",
    "POST /me/logins/{provider}": BROWSER,
    "POST /me/logins/{id:key}/removal": BROWSER,
    "POST /me/merging/{provider}": BROWSER,
    "POST /me/merging": BROWSER,
    "POST /me/fresh-sign-in": "no: a program has no session that could be made fresh",
    "POST /me/data/corrections": "PATCH /api/v1/people/me",
    "POST /me/data/copies": "POST /api/v1/people/me/data/copies",
    "POST /me/data/consents": "no: consent is the act of a person who has read the words; a program takes it back",
    "POST /me/data/consents/withdrawal": "DELETE /api/v1/people/me/consents/{programme_id}/{purpose}",
    "POST /me/data/erasure": BROWSER,
    "POST /delegations": "POST /api/v1/programmes/{programme_id}/delegations",
    "POST /delegations/{id:key}/ending": "DELETE /api/v1/delegations/{delegation_id}",
    # coming in and going out
    "POST /sign-in/{provider}": "no: a provider asks a person who they are",
    "POST /sign-in/{provider}/back-channel-logout": "no: it is a call already, of the provider",
    "POST /sign-out": "no: a program has no session; DELETE /api/v1/people/me/sessions ends those of browsers",
    "POST /invitations/{token}": "no: whoever is invited signs in at a provider",
    "POST /admin/invitations": "POST /api/v1/programmes/{programme_id}/invitations",
    "POST /admin/invitations/{id:key}/revocation": "DELETE /api/v1/invitations/{invitation_id}",
    "POST /admin/joining": "PATCH /api/v1/programmes/{programme_id}/joining",
    "POST /admin/join-requests/{id:key}/approval": "POST /api/v1/join-requests/{request_id}/approval",
    "POST /admin/join-requests/{id:key}/refusal": "POST /api/v1/join-requests/{request_id}/refusal",
    # organisations
    "POST /admin/organisations": "POST /api/v1/programmes/{programme_id}/organisations",
    "POST /admin/organisations/{id:key}": "PATCH /api/v1/organisations/{organisation_id}",
    "POST /admin/organisations/{id:key}/claims": "POST /api/v1/organisations/{organisation_id}/claims",
    "POST /admin/organisations/{id:key}/claims/{claim:key}/removal": (
        "DELETE /api/v1/organisations/{organisation_id}/claims/{claim_id}"
    ),
    "POST /admin/organisations/{id:key}/domains": "POST /api/v1/organisations/{organisation_id}/domains",
    "POST /admin/organisations/{id:key}/domains/{domain:key}/verification": (
        "PUT /api/v1/organisations/{organisation_id}/domains/{domain_id}/verification"
    ),
    "POST /admin/organisations/{id:key}/domains/{domain:key}/removal": (
        "DELETE /api/v1/organisations/{organisation_id}/domains/{domain_id}"
    ),
    # people and roles
    "POST /admin/memberships/{id:key}/ending": "DELETE /api/v1/memberships/{membership_id}",
    "POST /admin/people/{id:key}/roles/{programme:key}/place": "PATCH /api/v1/memberships/{membership_id}",
    "POST /admin/people/{id:key}/roles/{programme:key}/assignments": (
        "POST /api/v1/memberships/{membership_id}/assignments"
    ),
    "POST /admin/assignments/{id:key}/ending": "DELETE /api/v1/assignments/{assignment_id}",
    "POST /admin/people/{id:key}/deactivation": "PUT /api/v1/people/{person_id}/deactivation",
    "POST /admin/people/{id:key}/deactivation/ending": "DELETE /api/v1/people/{person_id}/deactivation",
    "POST /admin/people/{id:key}/administrator": BROWSER,
    "POST /admin/people/{id:key}/administrator/withdrawal": BROWSER,
    "POST /admin/people/{id:key}/erasure": BROWSER,
    # machines and directories
    "POST /admin/clients": "POST /api/v1/programmes/{programme_id}/clients",
    "POST /admin/clients/{id:key}/secret": "POST /api/v1/clients/{client_id}/secret",
    "POST /admin/clients/{id:key}/keys": "PUT /api/v1/clients/{client_id}/keys",
    "POST /admin/clients/{id:key}/revocation": "DELETE /api/v1/clients/{client_id}",
    "POST /admin/clients/{id:key}/tokens": BROWSER,
    "POST /admin/clients/{id:key}/tokens/{token_id:key}/revocation": (
        "DELETE /api/v1/clients/{client_id}/tokens/{token_id}"
    ),
    "POST /admin/directory/groups/{id:key}/role": "PATCH /api/v1/directory-groups/{group_id}",
    "POST /oauth/token": "no: it is a call already, of a machine",
    "POST /oauth/revoke": "no: it is a call already, of a machine",
    # the rest of the administration
    "POST /admin/retention": "PATCH /api/v1/programmes/{programme_id}/retention",
    "POST /admin/providers/{id}/trial": "no: a provider asks a person who they are",
}
