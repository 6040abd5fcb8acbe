"""Our own keys for providers: made for our eyes alone, read with a clear word on what is wrong, published by half."""

import stat
import subprocess
import sys

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from app.integrations import client_keys


def test_a_new_key_is_readable_by_its_owner_alone(tmp_path):
    made = client_keys.make(tmp_path / "key.pem")
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert made.is_private_to_us
    read = client_keys.read(made.file)
    assert (read.kid, read.algorithm) == (made.kid, "RS256")


def test_a_key_is_never_written_over(tmp_path):
    kept = client_keys.make(tmp_path / "key.pem").file.read_bytes()
    with pytest.raises(FileExistsError):
        client_keys.make(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").read_bytes() == kept


def test_a_key_that_others_may_read_is_seen(tmp_path):
    made = client_keys.make(tmp_path / "key.pem")
    for mode in (0o640, 0o604, 0o660):
        made.file.chmod(mode)
        assert not made.is_private_to_us


@pytest.mark.parametrize(("curve", "algorithm"), [("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")])
def test_elliptic_keys_sign_with_what_belongs_to_their_curve(tmp_path, curve, algorithm):
    file = tmp_path / "key.pem"
    file.write_bytes(ECKey.generate_key(curve).as_pem(private=True))
    key = client_keys.read(file)
    assert key.algorithm == algorithm
    signed = client_keys.assertion(key, client_id="us", audience="https://them.example")
    keys = KeySet.import_key_set(client_keys.published([key]))
    token = jwt.decode(signed, keys, algorithms=[algorithm])
    assert token.claims["aud"] == "https://them.example"
    assert token.header["kid"] == key.kid


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        (b"", "holds no private"),
        (b"not a key", "holds no private"),
        (RSAKey.generate_key(2048).as_pem(private=False), "public key alone"),
        (ECKey.generate_key("P-256").as_pem(private=False), "public key alone"),
        (RSAKey.generate_key(1024).as_pem(private=True), "1024 bits"),
        (ECKey.generate_key("secp256k1").as_pem(private=True), "curve"),
        (OctKey.generate_key(256).raw_value, "holds no private"),
    ],
    ids=["empty", "no key", "public RSA", "public EC", "short", "odd curve", "symmetric"],
)
def test_what_cannot_be_used_is_said(tmp_path, pem, words):
    file = tmp_path / "key.pem"
    file.write_bytes(pem)
    with pytest.raises(ValueError, match=words):
        client_keys.read(file)


def test_only_the_public_half_is_published(tmp_path):
    first, second = client_keys.make(tmp_path / "1.pem"), client_keys.make(tmp_path / "2.pem")
    published = client_keys.published([first, second])["keys"]
    assert [one["kid"] for one in published] == [first.kid, second.kid]
    for one in published:
        assert set(one) == {"kty", "n", "e", "kid", "use", "alg"}


def test_each_proof_is_another_and_lives_for_a_minute(tmp_path):
    key = client_keys.make(tmp_path / "key.pem")
    proofs = [client_keys.assertion(key, client_id="us", audience="them") for _ in range(2)]
    claims = [jwt.decode(proof, key.key, algorithms=["RS256"]).claims for proof in proofs]
    assert claims[0]["jti"] != claims[1]["jti"]
    assert claims[0]["exp"] - claims[0]["iat"] == 60
    assert claims[0]["iss"] == claims[0]["sub"] == "us"


def test_the_key_is_in_no_representation_of_it(tmp_path):
    made = client_keys.make(tmp_path / "key.pem")
    assert "PRIVATE" not in repr(made)
    assert made.key.as_dict(private=True)["d"] not in repr(made)


def test_the_command_makes_a_key_and_refuses_to_write_over_one(tmp_path):
    command = [sys.executable, "-c", "from app.cli import main; main()", "provider", "key"]
    file = tmp_path / "2026-11.pem"
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert client_keys.read(file).kid in done.stdout + done.stderr
    again = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "never written over" in again.stderr
    assert "Traceback" not in again.stderr
