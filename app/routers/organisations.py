"""Organisations of a programme: which take part, and by what they are known from outside."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.actor import Actor
from app.services import organisations
from app.web import admission_pages, pages

router = APIRouter(include_in_schema=False)


@router.get("/admin/organisations")
async def index(request: Request) -> Response:
    """All of a programme, and the form for another one."""
    return await _index(request, await pages.member(request))


@router.post("/admin/organisations")
async def create(request: Request) -> Response:
    """Let an organisation take part."""
    actor = await pages.member(request)
    programme, _ = await admission_pages.programmes_of(request, actor)
    values = await pages.fields(request)
    given = {"name": values.get("name", ""), "number": values.get("number", "")}
    try:
        made = await pages.write(
            request, organisations.add, actor, programme, sector_key=values.get("sector", ""), **given
        )
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _index(request, actor, form=form, status=error.status)
    return pages.back_to(f"/admin/organisations/{made}")


@router.get("/admin/organisations/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One organisation, with all by which it is known."""
    return await _show(request, await pages.member(request), id)


@router.post("/admin/organisations/{id:key}")
async def change(request: Request, id: int) -> Response:
    """Give it another name or number."""
    return await _done(request, id, organisations.change, "name", "number", keeps_version=True)


@router.post("/admin/organisations/{id:key}/claims")
async def know_by(request: Request, id: int) -> Response:
    """Let what a provider calls it mean it."""
    actor = await pages.member(request)
    found = await pages.read(request, organisations.find, actor, id)
    issuers = [
        issuer
        for issuer, _ in admission_pages.issuers_of(request, actor, found.programme_slug, claiming=True)
    ]
    return await _done(request, id, organisations.know_by, "issuer", "value", issuers=issuers)


@router.post("/admin/organisations/{id:key}/claims/{claim:key}/removal")
async def forget_claim(request: Request, id: int, claim: int) -> Response:
    """Let what a provider calls it mean nothing any more."""
    return await _done(request, id, organisations.forget_claim, claim_id=claim)


@router.post("/admin/organisations/{id:key}/domains")
async def add_domain(request: Request, id: int) -> Response:
    """Note a mail domain of it."""
    return await _done(request, id, organisations.add_domain, "domain")


@router.post("/admin/organisations/{id:key}/domains/{domain:key}/verification")
async def verify_domain(request: Request, id: int, domain: int) -> Response:
    """Confirm that a domain is its own."""
    return await _done(request, id, organisations.verify_domain, domain_id=domain)


@router.post("/admin/organisations/{id:key}/domains/{domain:key}/removal")
async def remove_domain(request: Request, id: int, domain: int) -> Response:
    """Take a domain off it."""
    return await _done(request, id, organisations.remove_domain, domain_id=domain)


async def _done(
    request: Request, id: int, verb: Any, *names: str, keeps_version: bool = False, **more: Any
) -> Response:
    """Do something with an organisation: what `names` lists comes from the form, which comes back if it is refused."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    given = {name: values.get(name, "") for name in names} | more
    if keeps_version:
        given["version"] = pages.number(values.get("version", ""))
    try:
        await pages.write(request, verb, actor, id, **given)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show(request, actor, id, form=form, status=error.status)
    return pages.back_to(f"/admin/organisations/{id}")


async def _index(
    request: Request, actor: Actor, *, form: pages.Form | None = None, status: int = 200
) -> Response:
    programme, programmes = await admission_pages.programmes_of(request, actor)
    sectors = await pages.read(request, organisations.sectors, programme.id)
    return pages.show(
        request,
        actor,
        "organisations/index.html",
        status=status,
        subject=programme,
        programme=programme,
        programmes=programmes,
        organisations=await pages.read(request, organisations.overview, actor, programme),
        sectors=sectors,
        form=form or pages.Form(),
    )


async def _show(
    request: Request, actor: Actor, id: int, *, form: pages.Form | None = None, status: int = 200
) -> Response:
    found = await pages.read(request, organisations.find, actor, id)
    usual = {"name": found.name, "number": found.number or "", "version": found.version}
    given = form or pages.Form()
    return pages.show(
        request,
        actor,
        "organisations/show.html",
        status=status,
        organisation=found,
        issuers=admission_pages.issuers_of(request, actor, found.programme_slug),
        claiming=admission_pages.issuers_of(request, actor, found.programme_slug, claiming=True),
        form=pages.Form({**usual, **given.values}, given.errors),
    )
