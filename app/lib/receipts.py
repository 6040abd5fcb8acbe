"""Receipts: codes that people can read out, type in, and be told of a typing error in."""

import hashlib
import secrets
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
_BITS: Final = 130
_LENGTH: Final = 26
_CHECK_LENGTH: Final = 4
_GROUP: Final = 5
_READ_AS: Final = str.maketrans("ILO", "110", "- \t\r\n\u00a0\u2010\u2011\u2012\u2013\u2014")
"""What is easily taken for another sign; hyphens and spaces say nothing."""


def new_receipt() -> str:
    """A fresh receipt, such as `K7Q2M-…` in six groups of five: 130 random bits and 20 bits that check them."""
    return receipt_of(secrets.randbits(_BITS))


def receipt_of(number: int) -> str:
    """The receipt that stands for a number below 2^130."""
    digits = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return _grouped(digits + _check(digits))


def normal_receipt(text: str) -> str | None:
    """A receipt as somebody typed it, in its one form; None if it is none, as after a typing error.

    Small letters, O for 0, I or L for 1, spaces and missing hyphens are taken.
    """
    signs = text.upper().translate(_READ_AS)
    digits, check = signs[:_LENGTH], signs[_LENGTH:]
    if len(digits) < _LENGTH or not set(signs) <= set(_ALPHABET) or check != _check(digits):
        return None
    return _grouped(signs)


def _check(digits: str) -> str:
    number = int.from_bytes(hashlib.sha256(digits.encode()).digest()[:4])
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_CHECK_LENGTH))


def _grouped(signs: str) -> str:
    return "-".join(signs[start : start + _GROUP] for start in range(0, len(signs), _GROUP))
