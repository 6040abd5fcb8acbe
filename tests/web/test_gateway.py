"""What every request passes: size, host, origin, load, and the headers that every answer carries."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.errors import Conflict
from app.settings import Settings
from app.web import csrf, gateway, problems, shedder
from app.web.bodies import MOST_BYTES
from app.web.metrics import Measures
from app.web.templating import Templates

pytestmark = pytest.mark.anyio

FORM = {"content-type": "application/x-www-form-urlencoded"}


async def echo(request: Request) -> Response:
    return JSONResponse({"body": (await request.body()).decode(), "id": request.state.request_id})


async def broken(_: Request) -> Response:
    raise RuntimeError("the password is hunter2")


async def half(_: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError

    return StreamingResponse(pieces())


async def cached(_: Request) -> Response:
    return PlainTextResponse(
        "x", headers={"Cache-Control": "private, no-cache", "Content-Security-Policy": "own"}
    )


async def conflict(_: Request) -> Response:
    raise Conflict("Not in this phase.")


class Desk:
    """A request that stays inside until it is let go."""

    def __init__(self) -> None:
        self.inside = 0
        self.go = asyncio.Event()

    async def stay(self, _: Request) -> Response:
        self.inside += 1
        await self.go.wait()
        return PlainTextResponse("done")


class Site:
    def __init__(self, **settings: str) -> None:
        self.settings = Settings(_env_file=None, **settings)
        self.measures = Measures()
        self.desk = Desk()
        app = Starlette(
            routes=[
                Route("/api/echo", echo, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
                Route("/api/broken", broken),
                Route("/api/half", half),
                Route("/api/cached", cached),
                Route("/api/conflict", conflict),
                Route("/api/desk", self.desk.stay),
                Route("/api/stream", self.desk.stay),
                Route("/health/live", cached),
                Route("/broken", broken),
            ]
        )
        problems.install(app)
        app.state.context = SimpleNamespace(settings=self.settings, templates=Templates())
        self.app = gateway.Gateway(
            app, settings=self.settings, measures=self.measures, form_targets=["https://login.example"]
        )

    def client(self, *, client: tuple[str, int] = ("192.0.2.7", 5), **headers: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(self.app, client=client, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=self.settings.base_url, headers=headers)


@pytest.fixture
def site() -> Site:
    return Site()


# what leaves


async def test_every_answer_carries_the_headers_that_keep_browsers_safe(site: Site) -> None:
    async with site.client() as client:
        for path in ("/api/echo", "/api/broken", "/api/nothing", "/health/live"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]
            assert headers["x-request-id"]
            assert "strict-transport-security" not in headers


async def test_the_policy_allows_our_own_things_and_forms_to_identity_providers_alone(site: Site) -> None:
    async with site.client() as client:
        policy = (await client.get("/api/echo")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "form-action 'self' https://login.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy


async def test_over_https_browsers_are_told_to_stay_there() -> None:
    async with Site(base_url="https://partnership.example").client() as client:
        kept = (await client.get("/api/echo")).headers["strict-transport-security"]
        assert kept == "max-age=31536000; includeSubDomains"


async def test_what_says_nothing_of_caching_is_not_stored_and_what_does_keeps_its_word(site: Site) -> None:
    async with site.client() as client:
        assert (await client.get("/api/echo")).headers.get_list("cache-control") == ["no-store"]
        kept = (await client.get("/api/cached")).headers
    assert kept.get_list("cache-control") == ["private, no-cache"]
    assert kept.get_list("content-security-policy") == ["own"]


async def test_an_unknown_failure_is_an_apology_without_its_cause(site: Site, caplog) -> None:
    async with site.client() as client:
        answer = await client.get("/api/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text


async def test_a_page_that_fails_is_an_apology_for_people(site: Site) -> None:
    async with site.client() as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text


async def test_half_an_answer_is_not_taken_for_a_whole_one(site: Site) -> None:
    scope = {
        "type": "http", "method": "GET", "path": "/api/half", "raw_path": b"/api/half", "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")], "client": ("192.0.2.7", 1), "scheme": "http", "root_path": "",
        "server": ("127.0.0.1", 8000), "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip

    async def receive() -> dict:
        await asyncio.sleep(10)
        return {"type": "http.disconnect"}

    async def send(_: dict) -> None:
        return None

    with pytest.raises(BaseException):
        await site.app(scope, receive, send)


async def test_a_named_failure_that_nobody_caught_keeps_its_name(site: Site) -> None:
    async with site.client() as client:
        answer = await client.get("/api/conflict")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Not in this phase."


async def test_head_is_answered_like_get(site: Site) -> None:
    async with site.client() as client:
        assert (await client.head("/api/cached")).status_code == 200


# the request's id and what proxies say


async def test_ids_are_our_own_and_differ(site: Site) -> None:
    async with site.client() as client:
        told = [
            (await client.get("/api/echo", headers={"x-request-id": "chosen-by-client"})) for _ in range(3)
        ]
    ids = {answer.headers["x-request-id"] for answer in told}
    assert len(ids) == 3
    assert "chosen-by-client" not in ids
    assert all(answer.json()["id"] == answer.headers["x-request-id"] for answer in told)


@pytest.mark.parametrize(
    ("given", "is_taken"), [("abcd-1234:x", True), ("short", False), ("bad id!!!!", False)]
)
async def test_a_trusted_proxy_may_name_the_request(given: str, is_taken: bool) -> None:
    site = Site(trusted_proxies="192.0.2.0/24")
    async with site.client() as client:
        answer = await client.get("/api/echo", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is is_taken


# what is refused


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]:8000", "127.0.0.1@evil.example"]
)
async def test_a_foreign_host_is_refused(site: Site, host: str) -> None:
    async with site.client() as client:
        answer = await client.get("/api/echo", headers={"host": host})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "This host name is not served here."


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "LOCALHOST", "[::1]:8000", "more.example:99"])
async def test_hosts_on_the_list_are_served(host: str) -> None:
    async with Site(allowed_hosts="more.example").client() as client:
        assert (await client.get("/api/echo", headers={"host": host})).status_code == 200


async def test_two_hosts_are_refused(site: Site) -> None:
    async with site.client() as client:
        answer = await client.get("/api/echo", headers=[("host", "127.0.0.1"), ("host", "127.0.0.1")])
    assert answer.status_code == 400


async def test_probes_may_ask_under_any_host(site: Site) -> None:
    async with site.client() as client:
        assert (await client.get("/health/live", headers={"host": "10.1.2.3"})).status_code == 200


async def test_an_address_over_8_kb_is_refused(site: Site) -> None:
    async with site.client() as client:
        assert (await client.get("/api/echo?q=" + "x" * 8000)).status_code == 200
        assert (await client.get("/api/echo?q=" + "x" * 8200)).status_code == 414


async def test_an_address_that_is_no_utf_8_is_refused(site: Site) -> None:
    async with site.client() as client:
        assert (await client.get("/api/echo?q=%C4%8D")).status_code == 200
        assert (await client.get("/api/echo?q=%FF%FE")).status_code == 400


async def test_ten_megabytes_are_refused_with_a_clear_word(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post("/api/echo", content=b"x" * 10_000_000)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The body is larger than 256 kB."


async def test_a_body_without_a_declared_length_is_counted(site: Site) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 1024

    async with site.client() as client:
        fits = await client.post("/api/echo", content=pieces(MOST_BYTES // 1024))
        assert len(fits.json()["body"]) == MOST_BYTES
        assert (await client.post("/api/echo", content=pieces(MOST_BYTES // 1024 + 1))).status_code == 413


@pytest.mark.parametrize("declared", ["-1", "1e3", "99999999999999999999", "x"])
async def test_a_strange_length_is_refused(site: Site, declared: str) -> None:
    async with site.client() as client:
        answer = await client.post("/api/echo", content=b"x", headers={"content-length": declared})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"title": "\xff"}', "application/json"),
        (b"title=\xff", "application/x-www-form-urlencoded"),
        (b"title=%FF%FE", "application/x-www-form-urlencoded; charset=utf-8"),
        (b"title=%ED%A0%80", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_body_that_is_no_utf_8_is_refused(site: Site, body: bytes, content_type: str) -> None:
    async with site.client() as client:
        answer = await client.post("/api/echo", content=body, headers={"content-type": content_type})
    assert answer.status_code == 400
    assert "UTF-8" in answer.json()["detail"]


async def test_what_is_refused_is_said_in_the_readers_language(site: Site) -> None:
    async with site.client() as client:
        english = await client.post("/api/echo", content=b"x" * 300_000)
        slovene = await client.post("/api/echo", content=b"x" * 300_000, headers={"accept-language": "sl"})
    assert english.json()["title"] == "This is too large"
    assert slovene.json()["title"] != english.json()["title"]


# forged requests


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://127.0.0.1:8000"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://127.0.0.1:8000.evil.example"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_write_with_a_cookie_must_come_from_our_pages(
    site: Site, method: str, headers: dict, passes: bool
) -> None:
    async with site.client(cookie="session=abc", **FORM) as client:
        answer = await client.request(method, "/api/echo", content=b"title=x", headers=headers)
    assert answer.status_code == (200 if passes else 403)


async def test_a_form_without_a_word_on_its_origin_passes_with_its_token_alone(site: Site) -> None:
    async with site.client(cookie="session=abc", **FORM) as client:
        right = await client.post("/api/echo", content=f"csrf={csrf.csrf_token('abc')}".encode())
        of_another = await client.post("/api/echo", content=f"csrf={csrf.csrf_token('abd')}".encode())
    assert (right.status_code, of_another.status_code) == (200, 403)


async def test_reading_needs_no_token(site: Site) -> None:
    async with site.client(cookie="session=abc") as client:
        assert (await client.get("/api/echo", headers={"sec-fetch-site": "cross-site"})).status_code == 200


# load


async def test_who_finds_it_full_waits_or_is_told_to_come_back(site: Site, monkeypatch) -> None:
    monkeypatch.setattr(shedder, "INSIDE", 2)
    monkeypatch.setattr(shedder, "WAITING", 3)
    monkeypatch.setattr(shedder, "PATIENCE_S", 5.0)
    async with site.client() as client:
        asked = [asyncio.create_task(client.get("/api/desk")) for _ in range(5)]
        while site.desk.inside < 2 or site.measures.waiting < 3:
            await asyncio.sleep(0.001)
        away = await client.get("/api/desk")
        assert away.status_code == 503
        assert int(away.headers["retry-after"]) >= 1
        assert site.desk.inside == 2
        site.desk.go.set()
        assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200] * 5
    assert (site.measures.inside, site.measures.waiting, site.measures.shed) == (0, 0, 1)


async def test_who_waits_too_long_is_told_and_leaves_no_trace(site: Site, monkeypatch) -> None:
    monkeypatch.setattr(shedder, "INSIDE", 1)
    monkeypatch.setattr(shedder, "PATIENCE_S", 0.05)
    async with site.client() as client:
        first = asyncio.create_task(client.get("/api/desk"))
        while not site.desk.inside:
            await asyncio.sleep(0.001)
        assert (await client.get("/api/echo")).status_code == 503
        site.desk.go.set()
        assert (await first).status_code == 200
        assert (await client.get("/api/echo")).status_code == 200
    assert (site.measures.inside, site.measures.waiting) == (0, 0)


async def test_probes_and_streams_take_no_place(site: Site, monkeypatch) -> None:
    monkeypatch.setattr(shedder, "INSIDE", 0)
    monkeypatch.setattr(shedder, "WAITING", 0)
    async with site.client() as client:
        assert (await client.get("/health/live")).status_code == 200
        stream = asyncio.create_task(client.get("/api/stream"))
        while not site.desk.inside:
            await asyncio.sleep(0.001)
        assert site.measures.streams == 1
        site.desk.go.set()
        assert (await stream).status_code == 200
        assert (await client.get("/api/echo")).status_code == 503
    assert site.measures.streams == 0


async def test_a_failure_gives_its_place_back(site: Site) -> None:
    async with site.client() as client:
        for path in ("/api/broken", "/api/conflict", "/api/nothing"):
            await client.get(path)
    assert site.measures.inside == 0


# measurements


async def test_requests_are_counted_by_route_and_never_by_address(site: Site) -> None:
    async with site.client() as client:
        await client.get("/api/echo?q=secret-words")
        await client.get("/nothing/secret-place")
    text = site.measures.text().decode()
    assert 'route="/api/echo"' in text
    assert 'route="none"' in text
    assert "secret" not in text


async def test_a_body_arrives_as_it_was_sent(site: Site) -> None:
    sent = json.dumps({"title": "Čista voda 🌊"}, ensure_ascii=False)
    async with site.client() as client:
        answer = await client.post(
            "/api/echo", content=sent.encode(), headers={"content-type": "application/json"}
        )
    assert answer.json()["body"] == sent
