"""Browsers and systems by their own words."""

import pytest

from app.lib import devices

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/140.0.0.0 Safari/537.36"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (CHROME, "Chrome/Windows"),
        (f"{CHROME} Edg/140.0.0.0", "Edge/Windows"),
        (f"{CHROME} OPR/120.0", "Opera/Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox/Linux"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.6) AppleWebKit/605 Version/18.0 Safari/605",
            "Safari/macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; SM-S901) SamsungBrowser/28.0 Chrome/130 Safari",
            "Samsung Internet/Android",
        ),
        (SAFARI, "Safari/iOS"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit Chrome/140 Safari", "Chrome/ChromeOS"),
        ("python-httpx/1.0", "/"),
        ("", "/"),
        ("<script>alert(1)</script>\r\nSet-Cookie: a=b", "/"),
        ("x" * 100_000 + " Firefox", "/"),
    ],
)
def test_a_device_is_told_in_two_words_of_ours(told, named):
    assert devices.named(told) == named
    assert "/".join(devices.parts(named)) == named
