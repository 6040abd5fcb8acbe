"""The attack suite, web side: against a running server, each attack ends in a clear page, and nobody comes in by it."""

import http.client
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest

from app.database import Database
from app.lib import secrets
from app.main import create_app
from app.models import AuditEntry, BrowserSession, Login, Membership, Organisation, Person
from tests.factories.world import World
from tests.identity.conftest import Site, known_as, providers_file, settings_for, table_for
from tests.identity.serving import free_port, serving

EVERYONE = (Person, Login, Membership, Organisation)

ELSEWHERE = [
    "https://evil.example/",
    "HTTPS://evil.example/",
    "https:evil.example",
    "http:/\\evil.example",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%2fevil.example",
    "/%2F%2Fevil.example",
    "/%5cevil.example",
    "/%252f%252fevil.example",
    "/%25252525252fevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/%09/evil.example",
    "/%0d%0a/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/%2e%2e//evil.example",
    " //evil.example",
    "\u00a0//evil.example",
    "\u3000//evil.example",
    "//evil\u3002example",
    "//evil\uff0eexample",
    "//127.0.0.1@evil.example",
    "https://127.0.0.1@evil.example/",
    "https://127.0.0.1:8000\\@evil.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "/javascript:\u2028alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "blob:https://evil.example/1",
    "evil.example",
    "?//evil.example",
    "#//evil.example",
    "/a\r\nSet-Cookie: session=x",
    "/a\r\n\r\n<script>alert(1)</script>",
    "/" + "a" * 7000,
    "https://evil.example/" + "a" * 7000,
]


@pytest.fixture
def people(site):
    """What an attack must leave as it was."""
    return {model: site.rows(model) for model in EVERYONE}


def nobody_was_made(site, people):
    return {model: site.rows(model) for model in EVERYONE} == people


def is_clear(answer):
    """A page of ours that says what is wrong, and nothing of how we are made."""
    inside = ("Traceback", "sqlalchemy", "starlette", "site-packages")
    return (
        "text/html" in answer.headers["content-type"]
        and "<h1" in answer.text
        and not any(word in answer.text for word in inside)
    )


def refusals(site, action):
    """What the audit log has of refusals; some are written after the answer."""
    for _ in range(40):
        found = [
            entry for entry in site.rows(AuditEntry) if (entry.action, entry.outcome) == (action, "refused")
        ]
        if found:
            return [entry.data["reason"] for entry in found]
        time.sleep(0.05)
    return []


# to another host


@pytest.mark.parametrize("wanted", ELSEWHERE, ids=lambda wanted: ascii(wanted)[:40])
def test_no_door_leads_to_another_host(site, wanted):
    """All the doors that lead on: before the sign-in, after it, after choosing a language or signing in once more."""
    own = urlsplit(site.address).netloc
    site.far.changed_claims = lambda claims: {"auth_time": claims["iat"]} | claims
    browser = site.browser()
    chooser = browser.get("/sign-in", params={"next": wanted})
    offered = re.findall(r'name="next" value="([^"]*)"', chooser.text) if chooser.status_code == 200 else []
    assert set(offered) <= {"/", "/sign-in"}, offered
    signed_in = browser.sign_in(next=wanted)
    led = [signed_in, browser.get("/sign-in", params={"next": wanted})]
    led.append(browser.submit("/me/language", {"language": "en", "next": wanted}))
    again = browser.submit("/me/fresh-sign-in", {"provider": "ministry", "next": wanted})
    led.append(browser.get(browser.come_back(again)))
    for answer in led:
        if answer.status_code == 414:  # longer than any address of ours
            continue
        target = urlsplit(str(httpx2.URL(site.address).join(answer.headers["location"])))
        assert (answer.status_code, target.scheme, target.netloc) == (303, "http", own)
        assert answer.headers["location"] in ("/", "/?//evil.example", "/#//evil.example")
        assert "x" not in answer.cookies


# fixation, and forged ways in


def test_a_cookie_planted_before_the_sign_in_is_worth_nothing_after_it(site):
    """Also where the one who planted it had a session of their own under it."""
    intruder = site.browser()
    intruder.sign_in()
    site.far.claims |= {"sub": "victim", "name": "Vida Victim"}
    victim = site.browser()
    victim.cookies.set("session", intruder.secret, domain="127.0.0.1", path="/")
    victim.sign_in()
    assert "Vida Victim" in victim.name()
    assert victim.secret != intruder.secret
    assert intruder.name() is None, "the session under the planted cookie has ended"


def test_a_planted_secret_of_a_browser_brings_nobody_in_as_someone_else(site, people):
    """Someone sets the cookie that binds a departure to its browser, leaves for the provider, and has their victim
    come back with it: the victim would be signed in as them. It takes a page of ours to leave, and on https the
    cookie's name keeps other hosts from setting it.
    """
    intruder, victim = site.browser(), site.browser()
    callback = intruder.come_back(intruder.leave())
    answer = victim.get(callback)
    assert answer.status_code == 409
    assert is_clear(answer)
    assert victim.secret is None
    assert refusals(site, "sign_in.refused") == ["state"]
    assert nobody_was_made(site, people)


@pytest.mark.parametrize(
    "change",
    [
        lambda query: query | {"state": secrets.new_hex()},
        lambda query: {name: value for name, value in query.items() if name != "state"},
        lambda query: query | {"state": ""},
        lambda query: query | {"state": query["state"].upper()},
        lambda query: query | {"state": query["state"] + "\r\nSet-Cookie: session=x"},
        lambda query: query | {"state": "x" * 3900},
    ],
    ids=["another", "none", "empty", "in capitals", "with a header in it", "very long"],
)
def test_a_forged_state_brings_nobody_in(site, people, change):
    browser = site.browser()
    address = urlsplit(browser.come_back(browser.leave()))
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    answer = browser.get(address.path, params=change(query))
    assert answer.status_code in (403, 409)
    assert is_clear(answer)
    assert browser.secret is None
    assert refusals(site, "sign_in.refused")
    assert nobody_was_made(site, people)


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1.evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_other_site_signs_anyone_in_or_out_or_ends_their_sessions(site, headers):
    browser = site.browser()
    browser.sign_in()
    (session,) = site.rows(BrowserSession)
    doors = ("/sign-in/ministry", "/sign-out", "/me/fresh-sign-in", "/me/sessions/ending", "/me/tokens")
    for door in (*doors, f"/me/sessions/{session.id}/ending", "/me/language"):
        answer = browser.post(door, data={"next": "/", "provider": "ministry"}, headers=headers)
        assert answer.status_code == 403, door
        assert is_clear(answer)
        assert "set-cookie" not in answer.headers
    assert site.rows(BrowserSession) == [session]
    assert browser.name()


def test_a_link_or_a_picture_signs_nobody_out(site):
    browser = site.browser()
    browser.sign_in()
    for method in ("GET", "HEAD"):
        assert browser.request(method, "/sign-out").status_code == 405
    assert browser.name()


# stolen cookies


def test_a_stolen_cookie_opens_nothing_after_the_sign_out_and_is_noted(site, people):
    browser = site.browser()
    browser.sign_in()
    known = {model: site.rows(model) for model in EVERYONE}
    stolen = browser.secret
    gone = browser.submit("/sign-out")
    assert gone.headers["clear-site-data"] == '"cache", "storage"'
    thief = site.browser()
    thief.cookies.set("session", stolen)
    for path in ("/me", f"/challenges/{site.world.challenge_id}", "/me/sessions"):
        assert thief.get(path).headers["location"].startswith("/sign-in?next=/")
    assert thief.submit("/me/tokens", {"name": "x", "scopes": "read", "days": "9"}).status_code == 401
    assert refusals(site, "session.refused") == ["session_ended"]
    assert nobody_was_made(site, known)


# headers


def test_no_parameter_makes_a_header_of_its_own(site):
    """Line ends in whatever comes back in a header: where to go, the provider, languages, ids, names of files."""
    line = "x\r\nSet-Cookie: evil=1\r\nX-Evil: 1"
    browser = site.browser()
    browser.sign_in()
    answers = [
        browser.get("/sign-in", params={"next": f"/{line}"}),
        browser.get(f"/sign-in/{quote(line)}/callback", params={"state": line, "code": line, "iss": line}),
        browser.get(f"/{quote(line)}"),
        browser.get(f"/me/fresh-sign-in/{quote(line)}"),
        browser.get("/me", headers={"X-Request-Id": "given-by-me"}),
        browser.submit(f"/sign-in/{quote(line)}", {"next": f"/{line}"}),
        browser.submit("/me/language", {"language": line, "next": f"/{line}"}),
        browser.submit("/me/language", {"language": "sl", "next": f"/?q={line}"}),
        browser.get(f"/challenges/{site.world.challenge_id}", params={"cursor": line, "q": line}),
        browser.get(f"/api/v1/{quote(line)}"),
        browser.get("/exchanges/ledger.csv", params={"programme": line}),
    ]
    for answer in answers:
        assert answer.status_code < 500, answer.url
        assert "x-evil" not in answer.headers
        assert "evil" not in str(answer.headers.get_list("set-cookie"))
        assert "evil" not in answer.headers.get("location", "").lower() or "%0" in answer.headers["location"]
    assert answers[4].headers["x-request-id"] != "given-by-me", "only a proxy names requests"


def raw(site, *lines, method="GET", path="/sign-in"):
    """An answer to a request whose headers are exactly these; none is sent of itself but what is here."""
    parts = urlsplit(site.address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in lines:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


@pytest.mark.parametrize(
    "hosts",
    [
        ("evil.example",),
        ("127.0.0.1.evil.example",),
        ("evil.example#127.0.0.1",),
        ("127.0.0.1@evil.example",),
        ("127.0.0.1", "evil.example"),
        ("",),
        (),
    ],
    ids=str,
)
def test_a_forged_host_is_served_nothing(site, hosts):
    answer, body = raw(site, *(("Host", host) for host in hosts))
    assert answer.status == 400
    assert "evil" not in body + str(answer.getheaders())


FORWARDED = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Server", "evil.example"),
    ("X-Forwarded-Proto", "javascript"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Prefix", "//evil.example"),
    ("X-Original-URL", "/admin"),
    ("X-Rewrite-URL", "/admin"),
    ("X-Host", "evil.example"),
    ("Forwarded", "host=evil.example;proto=https"),
    ("X-HTTP-Method-Override", "DELETE"),
]


@pytest.mark.parametrize("header", FORWARDED, ids=lambda pair: pair[0])
def test_forged_words_of_a_proxy_change_nothing(site, header):
    """No address in a page, a redirect or a way to a provider is made from what a request says of itself."""
    own = ("Host", urlsplit(site.address).netloc)
    plain, plain_body = raw(site, own, path="/sign-in?next=/me")
    forged, forged_body = raw(site, own, header, path="/sign-in?next=/me")
    assert (forged.status, forged_body) == (plain.status, plain_body)
    assert "evil" not in forged_body + str(forged.getheaders())
    browser = site.browser()
    departure = browser.submit("/sign-in/ministry", {"next": "/"}, **dict([header]))
    back = parse_qs(urlsplit(departure.headers["location"]).query)["redirect_uri"][0]
    assert back == f"{site.address}/sign-in/ministry/callback"


def test_a_forged_address_of_a_proxy_does_not_get_round_the_limit(database_url, database, far, tmp_path):
    with _served(database_url, database, far, tmp_path, sign_in_rate_limit="3/minute") as site:
        browser = site.browser()
        answers = [
            browser.submit("/sign-in/ministry", {"next": "/"}, **{"X-Forwarded-For": f"203.0.113.{number}"})
            for number in range(6)
        ]
        assert [answer.status_code for answer in answers] == [303] * 3 + [429] * 3
        assert is_clear(answers[-1])
        assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "cookie",
    [
        "session=" + "x" * 7000,
        "session=" + "x" * 7000 + "; " + "; ".join(f"c{number}=1" for number in range(500)),
        "session=a; session=b; session=c",
        "session=\x01\x02",
        "session=č",
        'session="a\\073b"',
        "=; ==; ;;;;; session",
        "session=%00%0d%0a",
    ],
    ids=["long", "long and many", "several", "control", "not ascii", "quoted", "nonsense", "encoded"],
)
def test_a_strange_cookie_is_nobodys(site, cookie):
    for path, status in (("/sign-in", 200), ("/me", 303)):
        answer = site.browser().get(path, headers={"Cookie": cookie.encode()})
        assert answer.status_code in (status, 400)  # 400 where it is no HTTP at all
        assert answer.status_code != 200 or is_clear(answer)


def test_an_endless_cookie_is_refused(site):
    try:
        answer = site.browser().get("/me", headers={"Cookie": "session=" + "x" * 200_000})
    except httpx2.TransportError:  # the server has hung up
        return
    assert answer.status_code in (303, 400, 431)


# what every page carries, and its cookies


def pages_of(site):
    """Pages for people signed out and in, failures, files, and the doors for programs."""
    nobody, ana = site.browser(), site.browser()
    ana.sign_in()
    for path in (
        "/",
        "/sign-in",
        "/sign-out/done",
        "/privacy",
        "/nowhere",
        "/api/v1/nowhere",
        "/static/nowhere",
    ):
        yield path, nobody.get(path)
    for path in (
        "/me",
        "/me/sessions",
        f"/challenges/{site.world.challenge_id}",
        "/challenges/99999",
        "/admin",
    ):
        yield path, ana.get(path)
    yield "a forged form", ana.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"})
    yield "a departure", ana.leave()


def test_every_answer_carries_the_headers_that_keep_browsers_safe(site):
    for path, answer in pages_of(site):
        headers = answer.headers
        policy = headers["content-security-policy"]
        for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert "access-control-allow-origin" not in headers, path
        assert "server" not in headers or "/" not in headers["server"], path
        if answer.text:
            assert "charset=utf-8" in headers["content-type"].lower() or "json" in headers["content-type"], (
                path
            )


def test_what_is_someones_own_is_kept_in_no_shared_place(site):
    for path, answer in pages_of(site):
        kept = answer.headers["cache-control"]
        assert kept in ("no-store", "private, no-cache"), path
        if kept != "no-store":
            assert "Cookie" in answer.headers["vary"], path


def test_on_https_cookies_are_pinned_and_browsers_told_to_stay(database_url, database, far, tmp_path):
    """Served as behind a proxy that ends TLS: the base URL says https."""
    named = {"base_url": "https://partnership.example", "allowed_hosts": "127.0.0.1"}
    with _served(database_url, database, far, tmp_path, **named) as site:
        browser = site.browser()
        answers = [
            browser.get("/sign-in"),
            browser.leave(),
            browser.submit("/me/language", {"language": "sl"}),
            browser.submit("/sign-out"),
        ]
        cookies = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
        assert {cookie.partition("=")[0] for cookie in cookies} == {
            "__Host-session",
            "__Host-sign-in",
            "__Host-language",
        }
        for cookie in cookies:
            attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
            assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes, cookie
            assert not any(part.startswith("domain") for part in attributes)
        for answer in answers:
            assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_methods_that_only_echo_or_list_are_not_served(site):
    own = ("Host", urlsplit(site.address).netloc)
    for method in ("TRACE", "TRACK", "CONNECT", "OPTIONS", "PROPFIND"):
        answer, body = raw(site, own, ("X-Echo", "echoed-back"), method=method)
        assert answer.status in (400, 404, 405), method
        assert "echoed-back" not in body
    for path in (
        "/static/",
        "/.git/config",
        "/.env",
        "/app/main.py",
        "/static/../main.py",
        "/docs",
    ):
        assert raw(site, own, path=path)[0].status == 404, path


def _served(database_url: str, database: Database, far, tmp_path: Path, **changes):
    """The small world and a server with settings of its own."""
    return _Served(database_url, database, far, tmp_path, changes)


class _Served:
    def __init__(self, database_url, database, far, tmp_path, changes) -> None:
        world = World(database)
        known_as(world, far.issuer, "ministry", world.organisations["public"])
        file = providers_file(tmp_path / "served.toml", ministry=table_for(far.issuer))
        port = free_port()
        settings = settings_for(database_url, port, identity_providers=file)
        app = create_app(settings.model_copy(update=changes))
        self._serving: Iterator[str] = serving(app, port)
        self._world, self._far = world, far

    def __enter__(self) -> Site:
        return Site(self._serving.__enter__(), self._world, self._far)

    def __exit__(self, *failure: object) -> None:
        self._serving.__exit__(*failure)
