"""A write must come from one of our own pages."""

import pytest

from app.web import csrf
from app.web.csrf import Verdict

BASE = "https://partnership.example"
COOKIE = (b"cookie", b"session=x")


def verdict(*headers: tuple[bytes, bytes], method: str = "POST") -> Verdict:
    return csrf.check(method, headers, BASE)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_always_ours(method):
    assert verdict((b"sec-fetch-site", b"cross-site"), COOKIE, method=method) is Verdict.OURS


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "MOVE", "get"])
def test_anything_else_is_looked_at(method):
    assert verdict((b"sec-fetch-site", b"cross-site"), COOKIE, method=method) is Verdict.FOREIGN


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (b"same-origin", Verdict.OURS),
        (b"none", Verdict.OURS),
        (b"same-site", Verdict.FOREIGN),
        (b"cross-site", Verdict.FOREIGN),
        (b"", Verdict.FOREIGN),
        (b"odd", Verdict.FOREIGN),
    ],
)
def test_what_the_browser_says_of_the_site_decides(site, expected):
    assert verdict((b"sec-fetch-site", site), COOKIE) is expected
    assert verdict((b"sec-fetch-site", site), (b"origin", BASE.encode()), COOKIE) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (b"https://partnership.example", Verdict.OURS),
        (b"HTTPS://PARTNERSHIP.EXAMPLE", Verdict.OURS),
        (b"http://partnership.example", Verdict.FOREIGN),
        (b"https://partnership.example:8443", Verdict.FOREIGN),
        (b"https://partnership.example.evil.example", Verdict.FOREIGN),
        (b"https://evil.example", Verdict.FOREIGN),
        (b"null", Verdict.FOREIGN),
        (b"", Verdict.FOREIGN),
    ],
)
def test_without_that_the_origin_decides(origin, expected):
    assert verdict((b"origin", origin), COOKIE) is expected


def test_a_header_that_comes_twice_is_none_that_we_accept():
    assert verdict((b"origin", BASE.encode()), (b"origin", BASE.encode()), COOKIE) is Verdict.FOREIGN
    twice = ((b"sec-fetch-site", b"same-origin"), (b"sec-fetch-site", b"cross-site"))
    assert verdict(*twice, COOKIE) is Verdict.FOREIGN


def test_with_neither_a_cookie_makes_the_token_necessary():
    assert verdict(COOKIE) is Verdict.UNKNOWN
    assert verdict(COOKIE, (b"authorization", b"Basic x")) is Verdict.UNKNOWN


def test_who_borrows_no_identity_needs_no_token():
    assert verdict() is Verdict.OURS
    assert verdict(COOKIE, (b"authorization", b"Bearer x")) is Verdict.OURS


def test_a_token_belongs_to_one_session():
    token = csrf.csrf_token("secret")
    assert csrf.matches("secret", token)
    assert not csrf.matches("another", token)
    assert "secret" not in token


@pytest.mark.parametrize("given", [None, "", "x", 7, "č", b"bytes"])
def test_anything_else_is_no_token(given):
    assert not csrf.matches("secret", given)


def test_without_a_session_there_is_no_token():
    assert csrf.csrf_token("") == ""
    assert not csrf.matches("", "")
