"""Bodies that are not plainly right: each is refused with a clear problem, and nothing is saved."""

import json

import pytest

from tests.api.conftest import Api, is_problem, pointers

JSON = {"Content-Type": "application/json"}


def _post(api: Api, content: bytes | str, headers: dict[str, str] = JSON):
    return api.alice("POST", f"/challenges/{api.challenge_id}/ideas", content=content, headers=headers)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"title": "t"} x',
        b"{'title': 't'}",
        b'{"title": "t",}',
        b'\xef\xbb\xbf{"title": "t"}',
        b'{"title": "caf\xe9"}',
        b'{"title": "\xed\xa0\x80"}',
        b'{"title": "a\x00b"}',
        b'{"title": "a\nb"}',
        b'{"title": "t", "title": "u"}',
        b'{"title": "t", "cluster": NaN}',
        b'{"title": "t", "cluster": Infinity}',
        b'{"title": "t", "cluster": -Infinity}',
        b'{"title": "t", "cluster": 1e999}',
        b'{"title": "t", "cluster": -1e999}',
        b'{"title": "t", "cluster": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 30 + b"]" * 30,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        '{"title": "t"}'.encode("utf-16"),
    ],
    ids=lambda content: repr(content[:40]),
)
def test_what_is_no_json_is_a_bad_request(api: Api, content: bytes) -> None:
    answer = _post(api, content)
    if len(content) > 256 * 1024:
        assert is_problem(answer, 413, "too-large")
    else:
        assert is_problem(answer, 400, "bad-request")
    assert api.alice.get(f"/challenges/{api.challenge_id}/ideas").json()["items"] == []


@pytest.mark.parametrize("content", ["null", "1", '"title"', "[]", "[1]", "true"])
def test_what_is_no_object_is_invalid(api: Api, content: str) -> None:
    answer = _post(api, content)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [""]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (r'{"title": "\ud800"}', "/title"),
        (r'{"title": "a\udc00b"}', "/title"),
        (r'{"title": "t", "\ud800": 1}', ""),
        (r'{"title": "t", "body": "\udfff"}', "/body"),
    ],
)
def test_half_a_character_is_invalid(api: Api, content: str, where: str) -> None:
    answer = _post(api, content)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [where]


def test_whole_characters_of_any_plane_are_kept(api: Api) -> None:
    answer = _post(api, r'{"title": "\ud83d\udc4d čšž \u202e"}')
    assert answer.json()["title"] == "👍 čšž \u202e"


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonx",
        "application/json; charset=utf-16",
        "text/json",
    ],
)
def test_another_kind_of_body_is_not_taken(api: Api, media_type: str) -> None:
    assert is_problem(
        _post(api, '{"title": "t"}', {"Content-Type": media_type}), 415, "unsupported-media-type"
    )


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=UTF-8"])
def test_json_by_any_of_its_spellings_is_taken(api: Api, media_type: str) -> None:
    assert _post(api, '{"title": "t"}', {"Content-Type": media_type}).status_code == 201


def test_a_compressed_body_is_not_taken(api: Api) -> None:
    answer = _post(api, b'{"title": "t"}', JSON | {"Content-Encoding": "gzip"})
    assert is_problem(answer, 415, "unsupported-media-type")


def test_ten_megabytes_are_too_large(api: Api) -> None:
    assert is_problem(_post(api, json.dumps({"title": "t", "body": "x" * 10_000_000})), 413, "too-large")


def test_the_longest_idea_has_room_in_its_most_wasteful_spelling(api: Api) -> None:
    body = r"\ud83d\udc4d" * 10_000
    assert _post(api, f'{{"title": "t", "body": "{body}"}}').status_code == 201


def test_thousands_of_unknown_fields_get_a_short_answer(api: Api) -> None:
    answer = _post(api, json.dumps({f"field{number}": 1 for number in range(5000)}))
    assert is_problem(answer, 422, "invalid")
    assert len(answer.json()["errors"]) <= 50


def test_markup_in_text_is_kept_as_text_and_rendered_harmless(api: Api) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))"
    idea = api.alice.post(
        f"/challenges/{api.challenge_id}/ideas", {"title": attack[:100], "body": attack}
    ).json()
    assert idea["body"] == attack
    for forbidden in ("<script", "<img", 'href="javascript'):
        assert forbidden not in idea["body_html"]


def test_the_reason_comes_in_the_language_that_was_asked_for(api: Api) -> None:
    challenge = f"/challenges/{api.challenge_id}/ideas"
    english = api.nobody.get(challenge, headers={"Accept-Language": "en"}).json()
    assert english["title"] == "Please sign in first"


def test_a_number_with_nothing_behind_its_point_is_whole(api: Api) -> None:
    cluster = api.clusters()[0]
    assert _post(api, f'{{"title": "t", "cluster": {cluster}.0}}').json()["cluster"] == cluster
    for number in (f"{cluster}.5", "9007199254740993.0", "1e300"):
        answer = _post(api, f'{{"title": "t", "cluster": {number}}}')
        assert is_problem(answer, 422, "invalid")
        assert pointers(answer) == ["/cluster"]


@pytest.mark.parametrize("tags", ['"1" "2"', '"1",', '"1"; "2"', '"1" and more', "0", "W/*", ""])
def test_if_match_is_a_list_of_tags_or_nothing(api: Api, tags: str) -> None:
    idea = api.idea()
    assert is_problem(api.alice.patch(f"/ideas/{idea}", {"body": "b"}, tags), 400, "bad-request")
    assert api.alice.get(f"/ideas/{idea}").json()["version"] == 1


def test_errors_point_to_where_fields_stand_in_the_body(api: Api) -> None:
    idea = api.idea()
    assert pointers(api.alice.post(f"/ideas/{idea}/merges", {"target": idea})) == ["/target"]
    phases = [
        {"kind": kind, "starts_at": f"2100-0{month}-01T00:00:00Z"}
        for month, kind in ((1, "framing"), (2, "closed"))
    ]
    phases[1]["ends_at"] = phases[0]["starts_at"]
    challenge = f"/challenges/{api.challenge_id}/phases"
    refused = api.cora.put(challenge, json={"phases": phases}, headers={"If-Match": "*"})
    assert pointers(refused) == ["/phases/1/ends_at"]
    made = api.cora.post(f"/programmes/{api.programme_id}/challenges", {"title": "t", "phases": phases})
    assert pointers(made) == ["/phases/1/ends_at"]
    key = {"Idempotency-Key": "x" * 10_000}
    answer = api.alice.post(f"/ideas/{idea}/merges", {"target": idea}, headers=key)
    assert [error["in"] for error in answer.json()["errors"]] == ["header"]
