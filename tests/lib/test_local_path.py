"""Only paths of this site, in every spelling."""

import pytest

from app.lib.local_path import local_path

ELSEWHERE = [
    None,
    "",
    "evil.example",
    "https://evil.example/",
    "HTTPS:evil.example",
    "//evil.example/",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/a\\b",
    "/%2fevil.example",
    "/%2F%2Fevil.example",
    "/%5Cevil.example",
    "/%255cevil.example",
    "/%252f%252fevil.example",
    "/%25252525252fevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/%09/evil.example",
    "/%0a%2fevil.example",
    "/\x00/evil.example",
    "/\x7f",
    "/\x85/evil.example",
    "/\u2028/evil.example",
    "/\u00a0",
    "/\ud800",
    "/./%2fevil.example",
    "/..//evil.example",
    "/%2e%2e/evil",
    "/a/../../b",
    " /a",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/a\r\nSet-Cookie: session=x",
    "/%0d%0aSet-Cookie: session=x",
    "/%ff",
    "/" + "a" * 2000,
    "/sign-in",
    "/sign-in/ministry/callback?code=x",
    "/sign-out",
    "/%73ign-out",
    "/demo-identity/company/authorize",
]

OURS = [
    "/",
    "/ideas/7",
    "/ideas/7#idea-7",
    "/challenges/1?sort=new&q=a//b",
    "/challenges/1?next=https://elsewhere.example",
    "/programmes/č",
    "/programmes/%C4%8D",
    "/a.b/c..d",
]


@pytest.mark.parametrize("value", ELSEWHERE)
def test_everything_else_leads_home(value):
    assert local_path(value) == "/"


@pytest.mark.parametrize("value", OURS)
def test_paths_of_this_site_stay_as_they_are(value):
    assert local_path(value) == value
