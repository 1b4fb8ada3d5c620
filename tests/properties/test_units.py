"""Units and numbers: what must hold for every text and every number."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leuko.intake.numbers import NumberRefused, read_number
from leuko.units import UnitRefused, convert, known_spellings, read_unit

ANY_TEXT = st.text(max_size=60) | st.text(alphabet="10*^xXeE/uLlμµ.,%<>=-+ {}[]cellsKGTMgdk\\S³⁹", max_size=24)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=0, max_value=10_000_000)


@given(st.integers(min_value=0, max_value=10**9))
def test_cells_per_microlitre_are_exactly_a_thousandth(cells: int) -> None:
    assert convert(cells, read_unit("{cells}/uL")) == cells / 1000
    assert convert(str(cells), read_unit("/mm3")) == cells / 1000


@given(DECIMALS)
def test_the_float_is_the_nearest_to_the_true_value(number: Decimal) -> None:
    for text in ("10*9/L", "/uL", "10/uL", "10*6/uL", "lakhs/cumm"):
        unit = read_unit(text)
        assert convert(number, unit) == float(Fraction(number) * unit.factor)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=999))
def test_two_spellings_of_one_count_agree(number: Decimal) -> None:
    thousands, cells, tens = read_unit("10*3/uL"), read_unit("/uL"), read_unit("10/uL")
    assert convert(number, thousands) == convert(number * 1000, cells) == convert(number * 100, tens)


@given(st.sampled_from(known_spellings()))
def test_a_spelling_reads_alike_however_it_is_spaced(spelling: str) -> None:
    spaced = " ".join(spelling)
    unit = read_unit(spelling)
    assert (read_unit(spaced).canonical, read_unit(spaced).factor) == (unit.canonical, unit.factor)


@given(ANY_TEXT, st.sampled_from(["", "http://unitsofmeasure.org", "UCUM", "else"]))
def test_no_text_breaks_the_reading_of_a_unit(text: str, system: str) -> None:
    try:
        unit = read_unit(text, system=system)
    except UnitRefused:
        return
    assert unit.factor > 0
    assert unit.text == text


@given(ANY_TEXT, st.booleans())
def test_no_text_breaks_the_reading_of_a_number(text: str, decimal_comma: bool) -> None:
    try:
        number = read_number(text, decimal_comma=decimal_comma)
    except NumberRefused:
        return
    assert number.value.is_finite()
    assert any(c.isdigit() for c in text)


@given(DECIMALS, st.sampled_from(["", "<", ">", "≤", ">="]), st.sampled_from(["", " H", "*", " L", " (LL)", " ↓"]))
def test_a_plain_number_survives_its_bound_and_its_flags(number: Decimal, bound: str, flag: str) -> None:
    read = read_number(f"{bound}{number}{flag}")
    assert read.value == number
    assert (read.bound != "=") == bool(bound)
    assert bool(read.marks) == bool(flag.strip())


@given(DECIMALS)
def test_a_decimal_comma_changes_nothing_where_it_is_declared(number: Decimal) -> None:
    assert read_number(str(number).replace(".", ","), decimal_comma=True).value == number


@given(st.integers(min_value=1, max_value=999), st.integers(min_value=0, max_value=999))
def test_a_comma_before_three_digits_is_never_guessed(head: int, tail: int) -> None:
    with pytest.raises(NumberRefused, match="two ways"):
        read_number(f"{head},{tail:03d}")
