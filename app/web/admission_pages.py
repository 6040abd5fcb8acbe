"""What the pages of those who let people in share: the programme that they are about, and its providers."""

from typing import Any

from starlette.requests import Request

from app.errors import NotFound
from app.integrations.identity_providers import ProviderSettings
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.services import joining
from app.web import languages, pages


async def programmes_of(request: Request, actor: Actor) -> tuple[Any, list[Any]]:
    """The programme that the address names (`?programme=slug`) or the first one, of those that the actor sees to; all.

    :raises NotFound: they see to none of that name, or to none at all
    """
    found = list(await pages.read(request, joining.programmes_of, actor))
    slug = request.query_params.get("programme", "")
    chosen = next((each for each in found if slug in ("", each.slug)), None)
    if chosen is None:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    return chosen, found


def providers_of(request: Request, slug: str) -> list[ProviderSettings]:
    """The identity providers of a programme."""
    sides = pages.context_of(request).providers.by_side()
    return [provider for _, side in sides for provider in side if provider.programme == slug]


def issuers_of(request: Request, actor: Actor, slug: str, *, claiming: bool = False) -> list[tuple[str, str]]:
    """The issuers of a programme's providers, each tenant's its own, with names; `claiming`: only who tell a claim."""
    names = provider_names(request, actor)
    found = []
    for provider in providers_of(request, slug):
        if claiming and provider.organisation_claim is None:
            continue
        name = names[provider.id]
        if provider.is_multi_tenant:
            found += [(provider.issuer_of(tenant), f"{name} ({tenant})") for tenant in provider.tenants]
        else:
            found.append((provider.issuer, name))
    return found


def issuer_names(request: Request, actor: Actor) -> dict[str, str]:
    """The identity providers by their issuers: for logins of before we noted by which provider they came."""
    names = provider_names(request, actor)
    sides = pages.context_of(request).providers.by_side()
    return {
        issuer: names[provider.id] for _, side in sides for provider in side for issuer in provider.issuers()
    }


def provider_names(request: Request, actor: Actor) -> dict[str, str]:
    """The identity providers by their ids, each by its name in the reader's language."""
    language = languages.of(request, actor)
    sides = pages.context_of(request).providers.by_side()
    return {provider.id: provider.label_in(language) for _, side in sides for provider in side}
