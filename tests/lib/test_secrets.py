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


def test_secrets_of_sessions_are_long_and_never_the_same():
    made = {secrets.new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(secret) == 43 and "." not in secret for secret in made)


def test_a_renewed_secret_keeps_its_lasting_part_alone():
    first = secrets.new_secret()
    second = secrets.renewed(first)
    third = secrets.renewed(second)
    assert secrets.lasting(first) == secrets.lasting(second) == secrets.lasting(third) == first
    assert len({first, second, third}) == 3
    assert len(third) == len(second) <= 200


def test_what_is_sealed_opens_with_its_key_alone_and_unchanged():
    sealed = secrets.seal("a key", b"a form")
    assert secrets.unseal("a key", sealed) == b"a form"
    assert b"a form" not in sealed
    assert secrets.seal("a key", b"a form") != sealed
    assert secrets.unseal("another key", sealed) is None
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        assert secrets.unseal("a key", changed) is None
    assert secrets.unseal("a key", b"") is None
