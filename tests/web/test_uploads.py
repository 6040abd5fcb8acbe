"""How long a file may take to come, and where one may come at all."""

import pytest

from app.errors import TooLarge
from app.services.imports import MOST_BYTES
from app.web import server, uploads


@pytest.mark.parametrize(
    ("length", "more_s"),
    [
        ("", 0),
        ("x", 0),
        ("-1", 0),
        ("1000", 0),
        ("262144", 0),
        ("1000000", 5),
        ("10485760", 50),
        ("9" * 11, 50),
    ],
)
def test_a_body_that_says_that_it_is_large_gets_more_time(length, more_s):
    headers = [(b"host", b"x"), (b"content-length", length.encode())]
    assert round(server._more_s(headers)) == more_s


def test_files_come_to_imports_alone():
    taken = ["/api/v1/programmes/7/imports", "/admin/imports"]
    refused = ["/api/v1/programmes/7/imports/", "/admin/imports/7", "/api/v1/programmes/x/imports", "/ideas"]
    assert [uploads.is_for("POST", path) for path in (*taken, *refused)] == [True] * 2 + [False] * 4
    assert not uploads.is_for("PUT", "/admin/imports")


def test_a_length_that_is_none_or_too_large_is_refused_before_anything_is_read():
    assert [uploads.is_large(each) for each in (b"", b"300000", str(MOST_BYTES).encode())] == [True] * 3
    assert not uploads.is_large(b"1000")
    for wrong in (b"-1", b"1e3", b"\xb2", b"1" * 30):
        with pytest.raises(TooLarge):
            uploads.is_large(wrong)
