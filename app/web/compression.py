"""Bodies made small for the way, in the coding that the reader takes."""

import zlib
from typing import Final

import brotli
import zstandard

SMALLEST: Final = 860
"""Bodies below this many bytes fit one packet anyway."""

CODINGS: Final = (b"zstd", b"br", b"gzip")
"""What we can write, the quickest to pack first."""

_QUICK: Final = zstandard.ZstdCompressor(level=3)
"""Made once, for the event loop alone: making one costs more than it takes to pack a card."""

_TEXTS: Final = (b"text/", b"application/json", b"application/problem+json", b"image/svg+xml")


def coding(accepted: bytes) -> bytes:
    """The coding for a reader who sends this `Accept-Encoding`; empty for none."""
    offered = {
        name.strip()
        for name, _, weight in (part.partition(b";") for part in accepted.lower().split(b","))
        if weight.strip() not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    }
    return next((name for name in CODINGS if name in offered), b"")


def packed(body: bytes, coding: bytes, *, hard: bool = False) -> bytes:
    """`body` in `coding`: quickly for one reader, `hard` where it is kept for more."""
    if coding == b"zstd":
        return (zstandard.ZstdCompressor(level=12) if hard else _QUICK).compress(body)
    if coding == b"br":
        return bytes(brotli.compress(body, quality=6 if hard else 3))
    if coding == b"gzip":
        packer = zlib.compressobj(6 if hard else 1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return packer.compress(body) + packer.flush()
    return body


def is_worth_it(content_type: bytes, length: int) -> bool:
    """Whether a body of this kind and length gets smaller by packing."""
    return length >= SMALLEST and content_type.startswith(_TEXTS)
