"""An identity provider that does as it is told, also what no honest one would: the far side of the network."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

KEY = RSAKey.generate_key(2048, {"use": "sig", "kid": "first", "alg": "RS256"})
OTHER_KEY = RSAKey.generate_key(2048, {"use": "sig", "kid": "first", "alg": "RS256"})
THIRD_KEY = RSAKey.generate_key(2048, {"use": "sig", "kid": "third", "alg": "RS256"})


class Hostile:
    """Honest until a test changes something; counts who asked for what."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key: Any = KEY
        self.published: list[Any] = [KEY]
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "first"}
        self.claims: dict[str, Any] = {"sub": "ana-1", "name": "Ana Zupan", "email": "ana@ministry.example"}
        self.changed_claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.metadata: dict[str, Any] = {}
        self.without: tuple[str, ...] = ()
        self.response: dict[str, str | None] = {}
        self.answers: dict[str, Callable[[], Response]] = {}
        self.slow_s = 0.0
        self.userinfo: dict[str, Any] | str = {}
        self.token: dict[str, Any] = {}
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.challenges: list[bool] = []
        self.departures: list[dict[str, str]] = []
        self.pushed: dict[str, dict[str, str]] = {}
        self.demands: Callable[[dict[str, str]], bool] = lambda _: True
        self.proof: Callable[[Request, dict[str, str]], bool] = lambda _, __: True
        self.farewell: Callable[[dict[str, str]], bool] = lambda _: True
        self.sealed: Callable[[dict[str, Any]], str] = self._signed

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._endpoint("metadata", self._metadata)),
                Route("/keys", self._endpoint("keys", self._keys)),
                Route("/authorize", self._endpoint("authorize", self._authorize)),
                Route("/push", self._endpoint("push", self._push), methods=["POST"]),
                Route("/token", self._endpoint("token", self._token), methods=["POST"]),
                Route("/userinfo", self._endpoint("userinfo", self._userinfo)),
                Route("/sign-out", self._endpoint("sign-out", self._sign_out)),
            ]
        )

    def _endpoint(self, name: str, honest: Any) -> Any:
        async def answer(request: Request) -> Response:
            self.asked.append(name)
            if self.slow_s:
                await asyncio.sleep(self.slow_s)
            if name in self.answers:
                return self.answers[name]()
            return await honest(request)

        return answer

    async def _metadata(self, _: Request) -> Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/sign-out",
            "jwks_uri": f"{self.issuer}/keys",
            # What Authlib would believe, and we must not:
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
        } | self.metadata
        return JSONResponse({name: value for name, value in document.items() if name not in self.without})

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.published]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if "request_uri" in asked:
            asked = self.pushed.pop(asked["request_uri"])
        self.departures.append(asked)
        if not self.demands(asked):
            refusal = urlencode({"error": "invalid_request", "state": asked["state"]})
            return RedirectResponse(f"{asked['redirect_uri']}?{refusal}", 302)
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        answer: dict[str, str | None] = {"code": code, "state": asked["state"], **self.response}
        query = urlencode({name: value for name, value in answer.items() if value is not None})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

    async def _push(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self.proof(request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        uri = f"urn:pushed:{secrets.token_urlsafe(8)}"
        self.pushed[uri] = form
        return JSONResponse({"request_uri": uri, "expires_in": 60}, 201)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self.proof(request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self.codes.get(str(form["code"]), {})
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        self.challenges.append(_encoded(digest) == asked.get("code_challenge"))
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "client",
            "iat": now,
            "exp": now + 300,
            "nonce": asked.get("nonce"),
            **self.claims,
        }
        id_token = self.sealed(self.changed_claims(claims))
        token = {"access_token": "at", "token_type": "Bearer", "id_token": id_token} | self.token
        return JSONResponse({name: value for name, value in token.items() if value is not None})

    async def _userinfo(self, _: Request) -> Response:
        if isinstance(self.userinfo, str):
            return Response(self.userinfo, media_type="application/jwt")
        return JSONResponse(self.userinfo)

    async def _sign_out(self, request: Request) -> Response:
        if not self.farewell(dict(request.query_params)):
            return Response("refused", 400)
        return RedirectResponse(
            f"{request.query_params['post_logout_redirect_uri']}?state={request.query_params['state']}", 303
        )

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(self.header, claims, self.key, [self.header["alg"]])

    def logout_token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A logout token, honest but for `changes`; what is None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "client",
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(8),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            "sub": "ana-1",
            **changes,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        head = self.header | {"typ": "logout+jwt"} | (header or {})
        return jwt.encode(head, told, self.key, [head["alg"]])

    def unsigned(self, claims: dict[str, Any]) -> str:
        """`alg: none`."""
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."

    def with_public_key_as_secret(self, claims: dict[str, Any]) -> str:
        """HS256, with the text of the public key as the secret."""
        signed = f"{_part({'alg': 'HS256', 'kid': 'first'})}.{_part(claims)}"
        seal = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{_encoded(seal)}"

    def with_critical_header(self, claims: dict[str, Any]) -> str:
        """A good signature, under a header that says: who does not know `odd` must refuse this."""
        signed = f"{_part(self.header | {'crit': ['odd'], 'odd': 1})}.{_part(claims)}"
        seal = KEY.private_key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(seal)}"

    def with_elliptic_key(self, claims: dict[str, Any]) -> str:
        """An honest signature with an algorithm that was not agreed on."""
        key = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
        self.published.append(key)
        return jwt.encode({"alg": "ES256", "kid": "ec"}, claims, key, ["ES256"])


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
