"""Versions of what counts none."""

import hashlib


def standing_for(text: str) -> int:
    """A number that stands for the version of what says `text`."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest())
