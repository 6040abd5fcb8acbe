"""Assets: one address per content, small over the wire, kept for ever."""

import gzip

import brotli
import pytest
import zstandard
from starlette.testclient import TestClient

from app.web import assets

BUDGETS_BYTES = {"app.css": 12_000, "app.js": 18_000}


@pytest.fixture(scope="module")
def served():
    return assets.load()


@pytest.fixture
def client(served):
    return TestClient(served)


@pytest.mark.parametrize("name", ["app.css", "app.js", "board.js", "sortable.js"])
@pytest.mark.parametrize(
    ("encoding", "open_body"),
    [
        ("br", brotli.decompress),
        ("gzip", gzip.decompress),
        ("zstd", lambda body: zstandard.ZstdDecompressor().decompress(body)),
        ("identity", bytes),
    ],
)
def test_every_encoding_holds_the_same_bytes(served, name, encoding, open_body):
    asset = served._asset(name)
    found, body = asset.body_for(encoding.encode())
    assert found == (b"" if encoding == "identity" else encoding.encode())
    assert open_body(body) == asset.bodies[b""]


def test_a_browser_may_keep_it_for_ever(client, served):
    response = client.get(served.url("app.css"))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["vary"] == "Accept-Encoding"


def test_the_smallest_encoding_that_is_taken_is_sent(client, served):
    def sent(accepted):
        return client.get(served.url("app.js"), headers={"accept-encoding": accepted}).headers.get(
            "content-encoding"
        )

    assert sent("gzip, deflate, br, zstd") == "br"
    assert sent("gzip, br;q=0") == "gzip"
    assert sent("identity") is None


def test_one_who_has_it_is_told_so(client, served):
    address = served.url("app.js")
    etag = client.get(address).headers["etag"]
    again = client.get(address, headers={"if-none-match": etag})
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize(
    "address", ["/static/app.css", "/static/app.000000000000.css", "/static/", "/static/../main.py"]
)
def test_what_is_not_there_is_not_found(client, address):
    assert client.get(address).status_code == 404


def test_only_reading_is_possible(client, served):
    assert client.post(served.url("app.css")).status_code == 405
    head = client.head(served.url("app.css"))
    assert head.status_code == 200
    assert head.content == b""


def test_the_address_changes_with_the_content():
    one, other = (assets.Assets([("a.css", body)]).url("a.css") for body in (b"a{}", b"b{}"))
    assert one != other
    assert assets.Assets([("a.css", b"a{}")]).url("a.css") == one


def test_a_style_sheet_names_fonts_by_the_address_that_is_preloaded(served):
    sheet = served._asset("app.css").bodies[b""].decode()
    assert served.url("atkinson-latin.woff2") in sheet
    assert "/static/vendor/" not in sheet


def test_comments_do_not_travel(served):
    assert b"/*" not in served._asset("app.css").bodies[b""]
    assert b"How htmx runs here" not in served._asset("app.js").bodies[b""]


@pytest.mark.parametrize(("name", "most"), BUDGETS_BYTES.items())
def test_the_budgets_are_kept_even_with_gzip(served, name, most):
    assert len(served._asset(name).bodies[b"gzip"]) <= most


def test_a_board_and_its_fonts_keep_theirs(served):
    scripts = sum(len(served._asset(name).bodies[b"gzip"]) for name in ("app.js", "board.js"))
    assert scripts <= 36_000
    assert sum(served.sizes()[name] for name in ("atkinson-latin.woff2", "atkinson-europe.woff2")) <= 28_000


def test_no_script_of_ours_is_made_from_text(served):
    for path in sorted((assets.STATIC / "js").rglob("*.js")):
        text = path.read_text(encoding="utf-8")
        for forbidden in (
            "eval(",
            "new Function",
            "innerHTML =",
            "insertAdjacentHTML",
            "document.write",
            ".style.",
        ):
            assert forbidden not in text, f"{path.name}: {forbidden}"
