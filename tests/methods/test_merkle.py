"""The Merkle tree: as the RFC defines it, and as Certificate Transparency's own examples have it."""

import hashlib
import time

import pytest

from app.methods import merkle

# The examples of the Certificate Transparency project, on which its implementations agree.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PROOFS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}

UP_TO = 70


def split(size):
    """The largest power of two below `size`."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def defined_root(leaves):
    """Section 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    at = split(len(leaves))
    return hashlib.sha256(b"\x01" + defined_root(leaves[:at]) + defined_root(leaves[at:])).digest()


def defined_proof(index, leaves):
    """Section 2.1.3.1, word by word."""
    if len(leaves) == 1:
        return []
    at = split(len(leaves))
    if index < at:
        return [*defined_proof(index, leaves[:at]), defined_root(leaves[at:])]
    return [*defined_proof(index - at, leaves[at:]), defined_root(leaves[:at])]


def numbered(size):
    return [b"leaf %d" % number for number in range(size)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), PROOFS)
def test_proofs_are_those_of_certificate_transparency(index, size):
    proof = merkle.inclusion_proof(LEAVES[:size], index)
    assert [step.hex() for step in proof] == PROOFS[index, size]
    assert merkle.verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize("size", range(UP_TO))
def test_roots_and_proofs_are_as_the_definition_says(size):
    leaves = numbered(size)
    assert merkle.root(leaves) == defined_root(leaves)
    for index in range(size):
        assert merkle.inclusion_proof(leaves, index) == defined_proof(index, leaves)


@pytest.mark.parametrize("size", range(1, UP_TO))
def test_a_proof_is_good_for_its_leaf_place_and_tree_only(size):
    leaves = numbered(size)
    root = merkle.root(leaves)
    for index, leaf in enumerate(leaves):
        proof = merkle.inclusion_proof(leaves, index)
        assert merkle.verify_inclusion(leaf, index, size, proof, root)
        assert not merkle.verify_inclusion(b"another", index, size, proof, root)
        assert not merkle.verify_inclusion(leaf, index, size, proof, merkle.root([*leaves, b"more"]))
        assert not merkle.verify_inclusion(leaf, index, size, [*proof, root], root)
        assert not any(
            merkle.verify_inclusion(leaf, other, size, proof, root) for other in range(size) if other != index
        )
        for place in range(len(proof)):
            assert not merkle.verify_inclusion(leaf, index, size, proof[:place] + proof[place + 1 :], root)
            wrong = [*proof[:place], bytes(32), *proof[place + 1 :]]
            assert not merkle.verify_inclusion(leaf, index, size, wrong, root)


def test_a_node_is_no_leaf():
    """What stands over two leaves, handed in as one leaf, gives another root."""
    left, right = merkle.leaf_hash(b"one"), merkle.leaf_hash(b"two")
    assert merkle.root([b"one", b"two"]) != merkle.root([left + right])


@pytest.mark.parametrize(("size", "index"), [(0, 0), (3, 3), (3, -1)])
def test_there_is_no_proof_of_what_is_not_there(size, index):
    with pytest.raises(IndexError):
        merkle.inclusion_proof(numbered(size), index)
    assert not merkle.verify_inclusion(b"leaf", index, size, [], merkle.root(numbered(size)))


def test_a_million_leaves_take_seconds():
    leaves = numbered(1_000_000)
    began = time.process_time()
    root = merkle.root(leaves)
    took = time.process_time() - began
    proof = merkle.inclusion_proof(leaves, 777_777)
    assert merkle.verify_inclusion(leaves[777_777], 777_777, len(leaves), proof, root)
    assert len(proof) == 20
    assert took < 10
