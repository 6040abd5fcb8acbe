"""One issuer of the demo's identity provider: Authlib's authorization server, without a store.

Codes and tokens are signed and hold what they stand for, so any server process can redeem what another gave
out; each process takes a code once. The keys are made from the installation's secret.
"""

import hashlib
import hmac
import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from authlib.oauth2 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode, UserInfo
from authlib.oidc.rpinitiated import EndSessionEndpoint, EndSessionRequest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OctKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.lib import secrets

CODE_LASTS_S: Final = 60
TOKEN_LASTS_S: Final = 300
ALGORITHM: Final = "ES256"
SCOPES: Final = ("openid", "profile", "email")

_ORDER_OF_P256: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Issuer:
    """What one issuer says and signs."""

    def __init__(self, address: str, *, site: str, client_id: str, client_secret: str, secret: str) -> None:
        self.address = address
        self.client = Client(
            client_id,
            client_secret,
            redirect_prefix=f"{site}/sign-in/",
            post_logout_redirect_uri=f"{site}/sign-out/done",
        )
        self.key = signing_key(secret, address)
        self._seal = OctKey.import_key(secrets.derive(secret, f"demo codes of {address}"))
        self._used: dict[str, float] = {}
        self.server = _Server(self)

    @property
    def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/keys",
            "end_session_endpoint": f"{self.address}/sign-out",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    @property
    def keys(self) -> dict[str, Any]:
        """The public half of the key, as a key set."""
        return dict(KeySet([self.key]).as_dict(private=False))

    def sealed(self, purpose: str, content: Mapping[str, Any], *, lasts_s: int) -> str:
        """`content` as a text that only we can have made, good for `lasts_s` and this purpose."""
        claims = {**content, "aud": purpose, "exp": int(time.time()) + lasts_s, "jti": secrets.new_hex()}
        return jwt.encode({"alg": "HS256"}, claims, self._seal, ["HS256"])

    def opened(self, purpose: str, text: str) -> dict[str, Any] | None:
        """What `sealed` took, or None if the text is forged, expired or for something else."""
        try:
            claims = jwt.decode(text, self._seal, ["HS256"]).claims
            jwt.JWTClaimsRegistry(
                aud={"essential": True, "value": purpose}, exp={"essential": True}
            ).validate(claims)
        except (JoseError, ValueError):
            return None
        return claims

    def is_used(self, jti: str) -> bool:
        """Whether a code was redeemed in this process."""
        return jti in self._used

    def use_up(self, jti: str) -> None:
        """Remember that a code was redeemed, for as long as it could come again."""
        now = time.time()
        self._used = {old: until for old, until in self._used.items() if until > now}
        self._used[jti] = now + CODE_LASTS_S


def signing_key(secret: str, address: str) -> ECKey:
    """The key of one issuer, the same in every process that has the secret."""
    number = int.from_bytes(
        hashlib.sha512(secrets.derive(secret, f"demo key of {address}").encode()).digest()
    )
    private = ec.derive_private_key(number % (_ORDER_OF_P256 - 1) + 1, ec.SECP256R1())
    return ECKey.import_key(
        private, {"use": "sig", "alg": ALGORITHM, "kid": secrets.derive(str(number), "kid")[:16]}
    )


class Client:
    """The one client: this application."""

    id_token_signed_response_alg = ALGORITHM

    def __init__(
        self, client_id: str, client_secret: str, *, redirect_prefix: str, post_logout_redirect_uri: str
    ) -> None:
        self.client_id = client_id
        self.client_metadata = {"post_logout_redirect_uris": [post_logout_redirect_uri]}
        self._secret = client_secret
        self._redirect_prefix = redirect_prefix

    def get_client_id(self) -> str:
        """Its name."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: the request must say."""
        return

    def get_allowed_scope(self, scope: str) -> str:
        """Those of the scopes asked for that there are."""
        return " ".join(one for one in (scope or "").split() if one in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is a callback of the application."""
        name = redirect_uri.removeprefix(self._redirect_prefix).removesuffix("/callback")
        return f"{self._redirect_prefix}{name}/callback" == redirect_uri and name.replace("-", "").isalnum()

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is the secret."""
        return hmac.compare_digest(client_secret.encode(), self._secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 -- Authlib's signature
        """Whether it may prove itself so: only with the secret."""
        return method != "none"

    def check_response_type(self, response_type: str) -> bool:
        """Codes alone."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes alone: no refresh tokens."""
        return grant_type == "authorization_code"


class Form(OAuth2Request):
    """A request as Authlib reads one, made from the parameters that came with it."""

    def __init__(
        self, method: str, parameters: Sequence[tuple[str, str]], headers: Mapping[str, str] | None = None
    ) -> None:
        # Authlib wants https here; whether plain http is right for a demo, its operator has decided.
        super().__init__(method, "https://demo.invalid/", headers=headers)
        self._parameters = parameters
        self.payload: Any = _Payload(parameters)

    @property
    def form(self) -> dict[str, str]:
        """The parameters, each once."""
        return dict(self._parameters)


class _Payload(OAuth2Payload):
    def __init__(self, parameters: Sequence[tuple[str, str]]) -> None:
        self._parameters = parameters

    @cached_property
    def data(self) -> dict[str, str]:
        """Each parameter once."""
        return dict(self._parameters)

    @cached_property
    def datalist(self) -> defaultdict[str, list[str]]:
        """Each parameter as often as it came."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in self._parameters:
            found[name].append(value)
        return found


class Code:
    """A code that was opened: what its authorization was about."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.code_challenge = content["code_challenge"]
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return str(self.content["redirect_uri"])

    def get_scope(self) -> str:
        """What it is for."""
        return str(self.content["scope"])

    def get_nonce(self) -> str:
        """The nonce of the request."""
        return str(self.content["nonce"])

    def get_auth_time(self) -> int:
        """When its person chose themselves from the list."""
        return int(self.content["auth_time"])

    def get_acr(self) -> None:
        """No level is claimed."""
        return

    def get_amr(self) -> None:
        """No method is claimed."""
        return


class _Server(AuthorizationServer):
    def __init__(self, issuer: Issuer) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.issuer = issuer
        self.register_token_generator("default", self._token)
        self.register_grant(_Grant, [_RequiredChallenge(required=True), _IdToken(issuer)])
        self.register_extension(_Issuer(issuer))
        self.register_endpoint(_SignOut(issuer))

    def query_client(self, client_id: str) -> Client | None:
        client = self.issuer.client
        return client if client_id == client.client_id else None

    def create_oauth2_request(self, request: Form) -> Form:
        return request

    def handle_response(self, status: int, body: Any, headers: Sequence[tuple[str, str]]) -> Response:
        given = dict(headers)
        if "Location" in given:
            return Redirect(given["Location"])
        return JSONResponse(
            body if isinstance(body, dict) else json.loads(body or "{}"), status, headers=given
        )

    def save_token(self, token: Mapping[str, Any], request: Form) -> None:
        """Nothing is kept."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def _token(self, user: Mapping[str, Any], scope: str, **_: Any) -> dict[str, Any]:
        return {
            "token_type": "Bearer",
            "access_token": self.issuer.sealed("access", {"person": user}, lasts_s=TOKEN_LASTS_S),
            "expires_in": TOKEN_LASTS_S,
            "scope": scope,
        }


class Redirect(RedirectResponse):
    """A redirect whose target an extension of Authlib may still change: `location` is the name it knows."""

    def __init__(self, location: str) -> None:
        super().__init__(location, 303, headers={"Cache-Control": "no-store"})

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.headers["location"]

    @location.setter
    def location(self, address: str) -> None:
        self.headers["location"] = address


class _Grant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]  # noqa: RUF012 -- as Authlib has it

    def generate_authorization_code(self) -> str:
        asked = self.request.form
        content = {
            "person": self.request.user,
            "redirect_uri": asked["redirect_uri"],
            "scope": self.request.scope,
            "nonce": asked["nonce"],
            "code_challenge": asked["code_challenge"],
            "auth_time": int(time.time()),
        }
        sealed: str = self.server.issuer.sealed("code", content, lasts_s=CODE_LASTS_S)
        return sealed

    def save_authorization_code(self, code: str, request: Form) -> None:
        """The code is its own store."""

    def query_authorization_code(self, code: str, client: Client) -> Code | None:  # noqa: ARG002 -- there is one
        content = self.server.issuer.opened("code", code)
        return Code(content) if content and not self.server.issuer.is_used(content["jti"]) else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        self.server.issuer.use_up(authorization_code.content["jti"])

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        return dict(authorization_code.content["person"])


class _RequiredChallenge(CodeChallenge):
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 -- as Authlib has it

    def validate_code_challenge(self, grant: _Grant, redirect_uri: str) -> None:
        asked = grant.request.form
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge with the method S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)


class _IdToken(OpenIDCode):
    def __init__(self, issuer: Issuer) -> None:
        super().__init__(require_nonce=True)
        self.issuer = issuer

    def exists_nonce(self, nonce: str, request: Form) -> bool:  # noqa: ARG002 -- nothing is kept to compare with
        return False

    def resolve_client_private_key(self, client: Client) -> ECKey:  # noqa: ARG002 -- there is one
        return self.issuer.key

    def get_encode_header(self, client: Client) -> dict[str, str | None]:  # noqa: ARG002 -- there is one
        return {"alg": ALGORITHM, "kid": self.issuer.key.kid}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer.address,
            "aud": client.client_id,
            "iat": now,
            "exp": now + TOKEN_LASTS_S,
            "sid": secrets.new_hex()[:32],
        }

    def generate_user_info(self, user: Mapping[str, Any], scope: str) -> UserInfo:
        return userinfo(user, scope)


class _Issuer(IssuerParameter):
    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer

    def get_issuer(self) -> str:
        return self.issuer.address


class _SignOut(EndSessionEndpoint):
    def __init__(self, issuer: Issuer) -> None:
        super().__init__()
        self.issuer = issuer

    def get_server_jwks(self) -> KeySet:
        return KeySet([self.issuer.key])

    def get_algorithms(self) -> list[str]:
        return [ALGORITHM]

    def end_session(self, end_session_request: EndSessionRequest) -> None:
        """There is no session: everyone chooses from the list each time."""


def userinfo(person: Mapping[str, Any], scope: str) -> UserInfo:
    """What is told of a person: their organisation always, name and mail by scope."""
    told = UserInfo(sub=person["sub"], organisation_number=person["organisation_number"])
    if "profile" in scope.split():
        told["name"] = person["name"]
    if "email" in scope.split():
        told["email"], told["email_verified"] = person["email"], True
    return told
