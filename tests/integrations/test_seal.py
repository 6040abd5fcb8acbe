"""The installation's seal: keys for one purpose each, from the secret, known to nobody else."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.integrations import seal
from app.settings import settings

ONE = "one secret of an installation, long enough"
OTHER = "another secret of an installation, as long"


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    """Sets the installation's secret, as a restart with another environment would."""

    def put(value):
        monkeypatch.setenv("PARTNERSHIP_SECRET_KEY", value)
        settings.cache_clear()

    put(ONE)
    yield put
    monkeypatch.undo()
    settings.cache_clear()


def test_a_pseudonym_is_the_same_for_the_same_person_ballot_and_installation():
    key = seal.new_ballot_key()
    assert seal.pseudonym(key, 7) == seal.pseudonym(key, 7)
    assert len(seal.pseudonym(key, 7)) == 32


def test_a_pseudonym_depends_on_person_ballot_and_installation(secret):
    key = bytes(32)
    made = {seal.pseudonym(key, 7), seal.pseudonym(key, 8), seal.pseudonym(bytes([1]) * 32, 7)}
    secret(OTHER)
    made.add(seal.pseudonym(key, 7))
    assert len(made) == 4


def test_neither_the_ballots_key_nor_the_secret_alone_makes_pseudonyms():
    """What a thief would try who has one of them and the ids of people."""
    key = seal.new_ballot_key()
    found = seal.pseudonym(key, 7)
    tries = [b"person 7", b"7", (7).to_bytes(8)]
    keys = [key, ONE.encode(), hashlib.sha256(ONE.encode()).digest()]
    assert found not in {hmac.digest(one, text, "sha256") for one in keys for text in tries}


def test_pseudonyms_of_any_id_can_be_made():
    key = seal.new_ballot_key()
    ids = [0, 1, 2**31, 2**63 - 1]
    assert len({seal.pseudonym(key, id) for id in ids}) == len(ids)


def test_ballot_keys_are_fresh():
    made = {seal.new_ballot_key() for _ in range(100)}
    assert len(made) == 100
    assert {len(key) for key in made} == {32}


def test_a_signature_is_good_for_its_message_and_key_only(secret):
    signature, key = seal.sign(b"message"), seal.public_key()
    Ed25519PublicKey.from_public_bytes(key).verify(signature, b"message")
    assert seal.verify(key, signature, b"message")
    assert not seal.verify(key, signature, b"massage")
    assert not seal.verify(key, signature[:-1] + bytes([signature[-1] ^ 1]), b"message")
    secret(OTHER)
    assert not seal.verify(seal.public_key(), signature, b"message")
    assert seal.verify(key, signature, b"message")


@pytest.mark.parametrize(
    ("key", "signature"), [(b"", b""), (bytes(32), bytes(64)), (bytes(31), bytes(64)), (bytes(33), bytes(65))]
)
def test_what_is_no_key_or_signature_is_not_good(key, signature):
    assert not seal.verify(key, signature, b"message")


def test_known_signature():
    """RFC 8032, section 7.1, test 2."""
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert seal.verify(key, signature, b"\x72")
    assert not seal.verify(key, signature, b"\x73")


def test_the_key_stays_as_long_as_the_secret_does(secret):
    first = seal.public_key()
    secret(OTHER)
    assert seal.public_key() != first
    secret(ONE)
    assert seal.public_key() == first


def test_the_secret_is_in_nothing_that_is_handed_out():
    key = seal.new_ballot_key()
    out = [
        seal.public_key(),
        seal.sign(b"m"),
        seal.pseudonym(key, 1),
        seal.fingerprint(seal.public_key()).encode(),
    ]
    assert not any(ONE.encode() in each or key in each for each in out)


def test_a_fingerprint_is_for_people():
    told = seal.fingerprint(seal.public_key())
    assert [len(group) for group in told.split(" ")] == [4] * 8
    assert hashlib.sha256(seal.public_key()).hexdigest().startswith(told.replace(" ", ""))
