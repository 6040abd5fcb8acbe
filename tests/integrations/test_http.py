"""Where outgoing requests go, and where they never go."""

import gzip
import ipaddress
from collections.abc import Iterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app.integrations.http import Guarded, Refused, is_public
from tests.identity.serving import free_port, serving

pytestmark = pytest.mark.anyio


def client(**options: bool) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=Guarded(**options), trust_env=False)


@pytest.fixture
def here() -> Iterator[str]:
    async def echo(request):
        return JSONResponse({"host": request.headers["host"], "encoding": request.headers["accept-encoding"]})

    async def large(_):
        return PlainTextResponse("x" * (1024 * 1024 + 1))

    async def fits(_):
        return PlainTextResponse("x" * (1024 * 1024))

    async def packed(_):
        return Response(gzip.compress(b"x" * 50_000_000), headers={"content-encoding": "gzip"})

    async def redirect(_):
        return RedirectResponse("http://127.0.0.1:1/", 302)

    app = Starlette(
        routes=[
            Route("/", echo),
            Route("/large", large),
            Route("/fits", fits),
            Route("/packed", packed),
            Route("/redirect", redirect),
        ]
    )
    with serving(app, free_port()) as address:
        yield address


PRIVATE = (
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://localhost/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://192.88.99.1/",
    "https://168.63.129.16/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
)


@pytest.mark.parametrize("address", PRIVATE)
async def test_private_addresses_are_not_called_in_any_spelling(address):
    async with client() as outgoing:
        with pytest.raises((Refused, httpx2.ConnectError, httpx2.InvalidURL)) as caught:
            await outgoing.get(address)
    # A spelling that the system does not resolve is as good as refused; a refused connection would not be.
    assert "refused" not in str(caught.value).lower()


@pytest.mark.parametrize("address", ["http://8.8.8.8/", "ftp://8.8.8.8/", "https://user:word@8.8.8.8/"])
async def test_only_https_without_a_user_is_called(address):
    async with client() as outgoing:
        with pytest.raises((Refused, httpx2.UnsupportedProtocol)):
            await outgoing.get(address)


async def test_this_machine_is_called_only_where_that_is_allowed(here):
    async with client() as outgoing:
        with pytest.raises(Refused):
            await outgoing.get(here)
    async with client(allow_loopback=True) as outgoing:
        assert (await outgoing.get(here)).json() == {
            "host": here.removeprefix("http://"),
            "encoding": "identity",
        }


async def test_loopback_does_not_let_other_private_addresses_pass():
    async with client(allow_loopback=True) as outgoing:
        with pytest.raises(Refused):
            await outgoing.get("http://169.254.169.254/")
        with pytest.raises(Refused):
            await outgoing.get("https://10.0.0.1/")


async def test_a_name_stays_in_the_host_header(here):
    port = here.rpartition(":")[2]
    async with client(allow_loopback=True) as outgoing:
        assert (await outgoing.get(f"http://localhost:{port}/")).json()["host"] == f"localhost:{port}"


async def test_an_answer_may_be_one_megabyte_and_no_more(here):
    async with client(allow_loopback=True) as outgoing:
        assert len((await outgoing.get(f"{here}/fits")).content) == 1024 * 1024
        with pytest.raises(Refused):
            await outgoing.get(f"{here}/large")


async def test_an_answer_that_would_swell_is_refused(here):
    async with client(allow_loopback=True) as outgoing:
        with pytest.raises(Refused, match="compressed"):
            await outgoing.get(f"{here}/packed")


async def test_redirects_are_not_followed(here):
    async with client(allow_loopback=True) as outgoing:
        assert (await outgoing.get(f"{here}/redirect")).status_code == 302


async def test_what_this_process_serves_is_reached_without_a_network():
    guarded = Guarded()
    app = Starlette(routes=[Route("/in/here", lambda _: PlainTextResponse("near"))])
    guarded.serve_here("https://site.example/in/", httpx2.ASGITransport(app))
    async with httpx2.AsyncClient(transport=guarded, trust_env=False) as outgoing:
        assert (await outgoing.get("https://site.example/in/here")).text == "near"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2a00:1450:4001:800::200e", True),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("::127.0.0.1", False),
        ("fec0::1", False),
        ("ff0e::1", False),
        ("239.1.1.1", False),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
    ],
)
def test_what_is_public(address, public):
    assert is_public(ipaddress.ip_address(address)) is public
