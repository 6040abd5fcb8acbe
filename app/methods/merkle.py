"""A Merkle tree over a list: one hash that stands for all of it, and short proofs that something is in it.

RFC 9162 (Laurie, Messeri and Stradling 2021), section 2.1, with SHA-256.
"""

import hashlib
from collections.abc import Iterable, Sequence


def root(leaves: Iterable[bytes]) -> bytes:
    """The hash of the whole list (section 2.1.1), 32 bytes; of no leaves, the hash of nothing.

    Two hashes a leaf, in memory of 33 bytes a leaf.
    """
    return root_of([leaf_hash(leaf) for leaf in leaves])


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The same from the hashes of the leaves."""
    level = list(hashes)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else hashlib.sha256().digest()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes, from the leaf upwards, that lead from leaf `index` to the root (section 2.1.3.1).

    :raises IndexError: there is no such leaf
    """
    return path_of([leaf_hash(leaf) for leaf in leaves], index)


def path_of(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The same from the hashes of the leaves.

    :raises IndexError: there is no such leaf
    """
    if not 0 <= index < len(hashes):
        raise IndexError(index)
    proof: list[bytes] = []
    level = list(hashes)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            proof.append(level[beside])
        level = _above(level)
        index >>= 1
    return proof


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> bool:
    """Whether `proof` leads from `leaf`, at `index` of `size` leaves, to `expected_root` (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last = index, size - 1
    found = leaf_hash(leaf)
    for beside in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(beside, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        node, last = node >> 1, last >> 1
    return last == 0 and found == expected_root


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of a zero byte and the leaf: no leaf can be taken for a node."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of a one byte and the two hashes below."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _above(level: list[bytes]) -> list[bytes]:
    """The level above: pairs are joined, and what has no partner rises as it is.

    This is the tree of the RFC, which splits at the largest power of two below the size.
    """
    above = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return above + level[-1:] if len(level) % 2 else above
