"""Numbers as laboratories write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from leuko.intake.numbers import NumberRefused, read_leading_number, read_number

READ = [
    ("4.6", "=", "4.6"),
    ("<0.1", "<", "0.1"),
    ("< 0.1", "<", "0.1"),
    ("≤0,5", "<=", "0.5"),
    ("> 100", ">", "100"),
    (">=100", ">=", "100"),
    ("less than 0.1", "<", "0.1"),
    ("<^0.1", "<", "0.1"),
    ("^6.5", "=", "6.5"),
    ("0,8", "=", "0.8"),
    ("12,5", "=", "12.5"),
    ("0,123", "=", "0.123"),
    ("1 234", "=", "1234"),
    ("1'234", "=", "1234"),
    ("12\u202f345", "=", "12345"),
    ("1,234,567", "=", "1234567"),
    ("1,234.5", "=", "1234.5"),
    ("1.234,5", "=", "1234.5"),
    ("6.01^^1", "=", "6.01"),
    ("1e3", "=", "1000"),
    ("1.5E-1", "=", "0.15"),
    (".5", "=", "0.5"),
    ("4.", "=", "4"),
    ("-5", "=", "-5"),
    ("\u22125", "=", "-5"),
    ("4.6\u200b", "=", "4.6"),
    ("105600", "=", "105600"),
]
REFUSED = [
    ("", "empty"),
    ("   ", "empty"),
    ("cancelled", "text"),
    ("Negativ", "text"),
    ("X", "text"),
    ("(Ref Range: 4 k/uL)", "text"),
    ("4-6", "text"),
    ("3+", "text"),
    ("1:128", "text"),
    ("2024-01-31", "text"),
    ("^100^-^200", "text"),
    ("~5", "text"),
    ("1 23", "text"),
    ("1.2.3", "text"),
    ("1,23,4", "text"),
    (",", "text"),
    (".", "text"),
    ("-", "text"),
    ("<", "text"),
    ("< .", "text"),
    (".,4", "text"),
    ("3.5 K/uL", "text"),
    ("NaN", "not_finite"),
    ("-inf", "not_finite"),
    ("1,234", "ambiguous"),
    ("105,600", "ambiguous"),
    ("9" * 30, "text"),
    ("4" * 400, "text"),
]


@pytest.mark.parametrize(("text", "bound", "value"), READ)
def test_numbers_are_read(text: str, bound: str, value: str) -> None:
    number = read_number(text)
    assert (number.bound, number.value) == (bound, Decimal(value))


@pytest.mark.parametrize(("text", "kind"), REFUSED)
def test_what_is_no_number_is_refused(text: str, kind: str) -> None:
    with pytest.raises(NumberRefused) as refusal:
        read_number(text)
    assert refusal.value.kind == kind
    assert refusal.value.why


@pytest.mark.parametrize(
    ("text", "value"), [("1,234", "1.234"), ("0,8", "0.8"), ("1.234", "1234"), ("1.5", "1.5"), ("0.123", "0.123")]
)
def test_a_declared_decimal_comma_decides(text: str, value: str) -> None:
    assert read_number(text, decimal_comma=True).value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("3.5 H", ("H",)),
        ("3.5*", ("*",)),
        ("0.3 LL", ("LL",)),
        ("3.5 (L)", ("L",)),
        ("3.5 ↓", ("↓",)),
        ("3.5 H *", ("H", "*")),
    ],
)
def test_flags_behind_the_number_are_kept(text: str, marks: tuple[str, ...]) -> None:
    number = read_number(text)
    assert (number.value, number.marks) == (Decimal(text[:3]), marks)


@pytest.mark.parametrize("text", ["0.8 x10^9/L", "0.8 10*9/L", "0.8 K/uL"])
def test_a_unit_behind_the_number_is_given_back(text: str) -> None:
    number = read_leading_number(text)
    assert (number.value, number.rest) == (Decimal("0.8"), text.removeprefix("0.8").strip())
