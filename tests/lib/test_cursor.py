"""A cursor comes back as it was given out, or is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lib.cursor import BadCursor, decode, encode

KEY = b"k" * 32
positions = st.lists(st.integers(-(2**63), 2**63) | st.text(max_size=40) | st.none(), max_size=4)


@given(positions, st.text(max_size=30, alphabet="abc/?=&7"))
def test_what_was_given_out_comes_back(position: list[int | str | None], listing: str) -> None:
    assert decode(KEY, listing, encode(KEY, listing, position)) == position


def test_any_changed_byte_is_refused() -> None:
    text = encode(KEY, "ideas", [17, "new"])
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for index in range(len(raw)):
        changed = bytes([*raw[:index], raw[index] ^ 1, *raw[index + 1 :]])
        with pytest.raises(BadCursor):
            decode(KEY, "ideas", base64.urlsafe_b64encode(changed).rstrip(b"=").decode())


@pytest.mark.parametrize("text", ["", "x", "=", "????", "ž", "A" * 2000, "AAAA", "null", "\x00", "a b"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(KEY, "ideas", text)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(BadCursor):
        decode(KEY, "challenges/8/ideas", encode(KEY, "challenges/7/ideas", [3]))


def test_a_cursor_signed_with_another_key_is_refused() -> None:
    with pytest.raises(BadCursor):
        decode(b"z" * 32, "ideas", encode(KEY, "ideas", [3]))
