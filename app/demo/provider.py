"""The demo's identity provider: a real OpenID provider whose sign-in page is a list of people to choose from."""

from typing import Any, Final

from authlib.oauth2 import OAuth2Error
from httpx2 import ASGITransport
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from app.demo import people
from app.demo.issuer import Form, Issuer, userinfo
from app.errors import NotFound
from app.integrations.identity_providers import (
    DEMO_CLIENT,
    DEMO_ISSUERS,
    DEMO_PATH,
    demo_client_secret,
    demo_issuer,
)
from app.lib.i18n import N_
from app.settings import Settings
from app.web import languages, pages
from app.web.context import Context

SHOWN: Final = 200
"""People on one page; more are found by the search."""

FIELDS: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)
"""What a sign-in carries through the page."""

LABELS: Final = {id: label for id, _, label in DEMO_ISSUERS}


def create(context: Context) -> ASGIApp:
    """The provider, to be mounted at `DEMO_PATH`; from now on the application reaches it without a network.

    :raises RuntimeError: outside the demo
    """
    settings = context.settings
    if settings.environment != "demo":
        raise RuntimeError("the demo identity provider does not start in production")
    app = Provider(context).routes()
    context.providers.serve_here(
        f"{settings.base_url}{DEMO_PATH}/", ASGITransport(Router([Mount(DEMO_PATH, app)]))
    )
    return app


class Provider:
    """The pages and endpoints of both issuers."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._issuers = {id: _issuer(context.settings, id) for id, _, _ in DEMO_ISSUERS}

    def routes(self) -> Router:
        """What is where, below an issuer's name."""
        return Router(
            [
                Mount(
                    "/{issuer}",
                    routes=[
                        Route("/.well-known/openid-configuration", self.metadata),
                        Route("/keys", self.keys),
                        Route("/authorize", self.choose),
                        Route("/authorize", self.chosen, methods=["POST"]),
                        Route("/token", self.token, methods=["POST"]),
                        Route("/userinfo", self.told),
                        Route("/sign-out", self.sign_out),
                    ],
                )
            ]
        )

    async def metadata(self, request: Request) -> Response:
        """The discovery document."""
        return JSONResponse(self._at(request).metadata)

    async def keys(self, request: Request) -> Response:
        """The public keys."""
        return JSONResponse(self._at(request).keys)

    async def choose(self, request: Request) -> Response:
        """The list of people; `q` narrows it. A request that is not in order is told so before anyone chooses."""
        issuer, parameters = self._at(request), request.query_params.multi_items()
        form = Form("GET", parameters)
        try:
            issuer.server.get_consent_grant(form)
        except OAuth2Error as error:
            return _response(issuer.server.handle_error_response(form, error))
        return await self._listed(request, issuer, dict(parameters))

    async def chosen(self, request: Request) -> Response:
        """Send the browser back with a code for the person who was chosen, or with word that nobody was."""
        issuer = self._at(request)
        async with request.form(max_files=0) as given:
            parameters = [(name, str(value)) for name, value in given.multi_items() if name in FIELDS]
            subject = str(given.get("subject", ""))
        account = await self._context.database.read(
            lambda connection: people.account(connection, issuer.address, subject)
        )
        person = None if account is None else _claims(account)
        form = Form("POST", parameters)
        try:
            grant = issuer.server.get_authorization_grant(form)
        except OAuth2Error as error:
            return _response(issuer.server.handle_error_response(form, error))
        return _response(issuer.server.create_authorization_response(form, grant_user=person, grant=grant))

    async def token(self, request: Request) -> Response:
        """Tokens for a code."""
        async with request.form(max_files=0) as given:
            parameters = [(name, str(value)) for name, value in given.multi_items()]
        return _response(
            self._at(request).server.create_token_response(Form("POST", parameters, request.headers))
        )

    async def told(self, request: Request) -> Response:
        """What the bearer of an access token may know of its person."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        access = self._at(request).opened("access", text) if scheme.lower() == "bearer" else None
        if access is None:
            return JSONResponse({"error": "invalid_token"}, 401, headers={"WWW-Authenticate": "Bearer"})
        return JSONResponse(userinfo(access["person"], "openid profile email"))

    async def sign_out(self, request: Request) -> Response:
        """Back to the application: there is no session here to end, everyone chooses anew each time."""
        issuer = self._at(request)
        form = Form("GET", request.query_params.multi_items())
        answer = issuer.server.create_endpoint_response("end_session", form)
        return _response(answer) if answer is not None else pages.back_to("/sign-out/done")

    async def _listed(self, request: Request, issuer: Issuer, parameters: dict[str, str]) -> Response:
        wanted = parameters.get("q", "").strip().casefold()[:100]
        found = await self._context.database.read_unbounded(
            lambda connection: people.accounts(
                connection, issuer.address, limit=5000 if wanted else SHOWN + 1
            )
        )
        matching = [one for one in found if wanted in f"{one.name} {one.email} {one.organisation}".casefold()]
        reader = await pages.reader(request)
        return pages.show(
            request,
            reader,
            "demo/sign_in.html",
            issuer=LABELS[request.path_params["issuer"]][languages.of(request, reader)],
            people=matching[:SHOWN],
            has_more=len(matching) > SHOWN,
            q=parameters.get("q", ""),
            fields={name: parameters[name] for name in FIELDS if name in parameters},
            action=f"{issuer.address}/authorize",
        )

    def _at(self, request: Request) -> Issuer:
        if request.path_params["issuer"] not in self._issuers:
            raise NotFound(N_("There is no such page, or it is not open to you."))
        return self._issuers[request.path_params["issuer"]]


def _claims(account: people.Account) -> dict[str, Any]:
    return {
        "sub": account.subject,
        "name": account.name,
        "email": account.email,
        "organisation_number": account.organisation_number,
    }


def _issuer(settings: Settings, id: str) -> Issuer:
    return Issuer(
        demo_issuer(settings, id),
        site=settings.base_url,
        client_id=DEMO_CLIENT,
        client_secret=demo_client_secret(settings),
        secret=settings.secret_key.get_secret_value(),
    )


def _response(made: Any) -> Response:
    """What Authlib had our own server class make."""
    response: Response = made
    return response
