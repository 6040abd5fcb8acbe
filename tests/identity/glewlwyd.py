"""Debian's `glewlwyd`, a second implementation of OpenID Connect, as a process on loopback, set up by its API."""

import contextlib
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey

from app.database import Database
from app.main import create_app
from app.models import BrowserSession
from tests.factories.world import World
from tests.identity.conftest import Site, providers_file, settings_for, table_for
from tests.identity.serving import free_port, serving

SCHEMA = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
MODULES = Path("/usr/lib/glewlwyd")
PAGES = Path("/usr/share/glewlwyd/webapp")
PASSWORD = "correct horse battery staple"

CONFIGURATION = """
port={port}
bind_address="127.0.0.1"
external_url="{address}"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="ERROR"
cookie_secure=0
session_expiration=3600
session_key="GLEWLWYD_{port}"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
login_api_enabled=true
admin_scope="g_admin"
profile_scope="g_profile"
static_files_path="{pages}"
static_files_mime_types=(
  {{extension=".html"; mime_type="text/html"}},
  {{extension=".css"; mime_type="text/css"}},
  {{extension=".js"; mime_type="application/javascript"}},
  {{extension=".json"; mime_type="application/json"}}
)
user_module_path="{modules}/user"
client_module_path="{modules}/client"
user_auth_scheme_module_path="{modules}/scheme"
plugin_module_path="{modules}/plugin"
hash_algorithm="SHA512"
database={{type="sqlite3"; path="{database}";}};
"""


class Glewlwyd:
    """The provider: its issuer, and a hand for what an administrator does."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.issuer = f"{address}/api/oidc"
        self._admin = httpx2.Client(base_url=address, trust_env=False)

    def set_up(self, here: str, *, subjects: str = "public") -> None:
        """A key, a person `ana`, and our application as a client."""
        self._ask("POST", "/api/auth/", {"username": "admin", "password": "password"})
        self._ask("POST", "/api/mod/plugin/", self._plugin(subjects))
        person = {
            "username": "ana",
            "name": "Ana Zupan",
            "email": "ana@ministry.example",
            "password": PASSWORD,
        }
        self._ask("POST", "/api/user/", {**person, "scope": ["openid"], "enabled": True})
        self._ask("POST", "/api/client/", self._client(here))

    def change_keys(self, *, subjects: str = "public") -> None:
        """Sign with a new key from now on, and publish it alone."""
        self._ask("PUT", "/api/mod/plugin/oidc", self._plugin(subjects))
        self._ask("PUT", "/api/mod/plugin/oidc/reset", {})

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = self._admin.request(method, path, json=body)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)

    def _client(self, here: str) -> dict[str, Any]:
        return {
            "client_id": "partnership",
            "name": "Partnership for Change",
            "confidential": True,
            "client_secret": "s3cret",
            "scope": ["openid"],
            "enabled": True,
            "authorization_type": ["code"],
            "token_endpoint_auth_method": ["client_secret_basic"],
            "redirect_uri": [f"{here}/sign-in/ministry/callback"],
            "post_logout_redirect_uri": f"{here}/sign-out/done",
            "backchannel_logout_uri": f"{here}/sign-in/ministry/back-channel-logout",
            "backchannel_logout_session_required": "true",
        }

    def _plugin(self, subjects: str) -> dict[str, Any]:
        key = RSAKey.generate_key(2048)
        return {
            "module": "oidc",
            "name": "oidc",
            "display_name": "OpenID Connect",
            "parameters": {
                "iss": self.issuer,
                "jwt-type": "rsa",
                "jwt-key-size": "256",
                "key": key.as_pem(private=True).decode(),
                "cert": key.as_pem(private=False).decode(),
                "access-token-duration": 3600,
                "refresh-token-duration": 3600,
                "code-duration": 600,
                "refresh-token-rolling": True,
                "allow-non-oidc": False,
                "auth-type-code-enabled": True,
                "auth-type-token-enabled": False,
                "auth-type-id-token-enabled": False,
                "auth-type-none-enabled": False,
                "auth-type-password-enabled": False,
                "auth-type-client-enabled": False,
                "auth-type-device-enabled": False,
                "auth-type-refresh-enabled": False,
                "pkce-allowed": True,
                "pkce-method-plain-allowed": False,
                "pkce-required": True,
                "subject-type": subjects,
                "claims": [],
                "scope": [],
                "name-claim": "mandatory",
                "email-claim": "mandatory",
                "session-management-allowed": True,
                "session-cookie-name": "GLEWLWYD_OIDC",
                "session-cookie-expiration": 3600,
                "front-channel-logout-allowed": True,
                "back-channel-logout-allowed": True,
                "oauth-par-allowed": True,
                "oauth-par-required": False,
                "oauth-par-request_uri-prefix": "urn:ietf:params:oauth:request_uri:",
                "oauth-par-duration": 90,
            },
        }


@contextlib.contextmanager
def glewlwyd(place: Path, port: int) -> Iterator[Glewlwyd]:
    """The provider, with nothing in it yet."""
    program = shutil.which("glewlwyd")
    if program is None or not SCHEMA.exists():
        pytest.skip("glewlwyd: is not installed")
    address, database = f"http://127.0.0.1:{port}", place / "glewlwyd.db"
    made = sqlite3.connect(database)
    made.executescript(SCHEMA.read_text(encoding="utf-8"))
    made.close()
    file = place / "glewlwyd.conf"
    values = {"port": port, "address": address, "pages": PAGES, "modules": MODULES, "database": database}
    file.write_text(CONFIGURATION.format(**values), encoding="utf-8")
    process = subprocess.Popen(
        [program, f"--config-file={file}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(address)
        yield Glewlwyd(address)
    finally:
        process.terminate()
        process.wait(10)


def _await(address: str) -> None:
    deadline = time.monotonic() + 15
    while True:
        with contextlib.suppress(httpx2.TransportError):
            httpx2.get(f"{address}/api/", trust_env=False)
            return
        assert time.monotonic() < deadline, "glewlwyd did not start in time"
        time.sleep(0.05)


@contextlib.contextmanager
def led_to(there: Glewlwyd, database_url: str, database: Database, place: Path) -> Iterator[Site]:
    """Our application, in which everyone who comes from `there` is a civil servant."""
    world, port = World(database), free_port()
    table = table_for(
        there.issuer,
        client_id='"partnership"',
        client_secret='"s3cret"',
        scopes='["openid"]',
        organisation='"Public administration House of Here"',
        userinfo='"always"',
        claims="{ id_token = { name = { essential = true }, email = { essential = true } } }",
    )
    del table["organisation_claim"]
    file = providers_file(place / "providers.toml", ministry=table)
    with serving(create_app(settings_for(database_url, port, identity_providers=file)), port) as address:
        yield Site(address, world, None)


def await_end_of(site: Site, sid: str) -> None:
    """Wait until our session of this name is over: the provider tells us after it has answered the browser."""
    deadline = time.monotonic() + 10
    while any(session.sid == sid and session.revoked_at is None for session in site.rows(BrowserSession)):
        assert time.monotonic() < deadline, "the provider never told us"
        time.sleep(0.05)
