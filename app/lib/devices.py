"""Which browser on which system someone uses, in two words: enough to know it again, too little to follow anyone."""

from typing import Final

UNKNOWN: Final = ""

# In this order: most browsers also name those that they descend from.
_BROWSERS: Final = (
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("vivaldi", "Vivaldi"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("chrome", "Chrome"),
    ("crios", "Chrome"),
    ("chromium", "Chrome"),
    ("safari", "Safari"),
)
_SYSTEMS: Final = (
    ("iphone", "iOS"),
    ("ipad", "iPadOS"),
    ("android", "Android"),
    ("cros", "ChromeOS"),
    ("windows", "Windows"),
    ("macintosh", "macOS"),
    ("linux", "Linux"),
)


def named(user_agent: str) -> str:
    """The browser and the system that a `User-Agent` tells, such as `Firefox/Linux`; each may be empty.

    Names of ours alone, so that nothing that was sent is kept or shown.
    """
    told = user_agent[:400].lower()
    return f"{_first(_BROWSERS, told)}/{_first(_SYSTEMS, told)}"


def parts(device: str) -> tuple[str, str]:
    """The browser and the system of what `named` gave."""
    browser, _, system = device.partition("/")
    return browser, system


def _first(names: tuple[tuple[str, str], ...], told: str) -> str:
    return next((name for mark, name in names if mark in told), UNKNOWN)
