"""Secrets that we hand out."""

import hashlib

from app.lib import secrets


def test_tokens_say_what_they_are_and_are_never_the_same():
    made = {secrets.new_token() for _ in range(200)}
    assert len(made) == 200
    assert all(token.startswith("pfc_pat_") and len(token) == 46 for token in made)
    assert all(secrets.is_token(token) for token in made)


def test_a_typing_error_is_seen_without_a_look_up():
    token = secrets.new_token()
    for place in range(len(token)):
        wrong = token[:place] + ("x" if token[place] != "x" else "y") + token[place + 1 :]
        assert not secrets.is_token(wrong), place


def test_other_texts_are_no_tokens():
    token = secrets.new_token()
    for text in (
        "",
        "pfc_pat_",
        token[:-1],
        token + "0",
        token.upper(),
        f" {token}",
        "č" * 46,
        "pfc_pat_" + "č" * 38,
    ):
        assert not secrets.is_token(text)


def test_a_digest_is_the_sha_256():
    assert secrets.digest("secret") == hashlib.sha256(b"secret").digest()
    assert len(secrets.digest("\ud800")) == 32


def test_derived_secrets_are_for_one_purpose():
    assert secrets.derive("secret", "a") == secrets.derive("secret", "a")
    assert (
        len({secrets.derive("secret", "a"), secrets.derive("secret", "b"), secrets.derive("other", "a")}) == 3
    )


def test_comparing_takes_any_text():
    assert secrets.same("č", "č")
    assert not secrets.same("č", "c")
    assert not secrets.same("\ud800", "a")
