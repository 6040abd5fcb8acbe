"""Receipts: read out, typed in, and never the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lib.receipts import new_receipt, normal_receipt, receipt_of

numbers = st.integers(0, 2**130 - 1)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_receipts_are_six_groups_of_five_and_never_the_same():
    made = {new_receipt() for _ in range(500)}
    assert len(made) == 500
    for receipt in made:
        assert [len(group) for group in receipt.split("-")] == [5] * 6
        assert set(receipt) <= set(ALPHABET + "-")


@given(numbers, numbers)
def test_each_number_has_a_receipt_of_its_own(one, other):
    assert (receipt_of(one) == receipt_of(other)) == (one == other)


@given(numbers)
def test_a_receipt_is_its_own_normal_form(number):
    assert normal_receipt(receipt_of(number)) == receipt_of(number)


@given(numbers, st.randoms())
def test_what_people_type_is_taken(number, dice):
    receipt = receipt_of(number)
    typed = receipt.lower().replace("-", dice.choice(["", " ", "-", " - ", "\u2013"]))
    typed = typed.replace("0", dice.choice("0oO")).replace("1", dice.choice("1iIlL"))
    assert normal_receipt(f" {typed}\n") == receipt


def test_a_typing_error_is_seen():
    receipt = new_receipt()
    for place, sign in enumerate(receipt):
        if sign != "-":
            wrong = [other for other in ALPHABET if other != sign]
            taken = [
                other for other in wrong if normal_receipt(receipt[:place] + other + receipt[place + 1 :])
            ]
            assert len(taken) <= 1, place  # one in a million is taken
    assert normal_receipt(receipt[:-1]) is None
    assert normal_receipt(receipt + "0") is None


@pytest.mark.parametrize(
    "text", ["", "-", "0" * 30 + "0", "U" * 30, "č" * 30, "0" * 30, "\ud800" * 30, "0" * 100_000]
)
def test_other_texts_are_no_receipts(text):
    assert normal_receipt(text) is None


def test_one_receipt_stays_as_it_was():
    """Printed receipts must be good in later versions too."""
    assert receipt_of(0) == "00000-00000-00000-00000-00000-08T0Q"
    assert receipt_of(2**130 - 1) == "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZPDTJ"
