"""Units: every spelling that real files were seen to use, and those that must be refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from leuko.units import UCUM, UnitRefused, convert, fits, read_unit, readings

TO_ONE = [
    "x10*9/L",
    "10*9/L",
    "10^9/L",
    "x10^9/L",
    "x10E9/L",
    "G/L",
    "G/l^^L",
    "GI/L",
    "Gpt/l",
    "giga.l-1",
    "giga/L",
    "/nl",
    "/nL",
    "10*3/uL",
    "10^3/uL",
    "X10E3/UL",
    "x10E3/uL",
    "K/uL",
    "k/uL",
    "K/UL",
    "KUL",
    "K/mcL",
    "k/microl",
    "Thousand/uL",
    "THOU/uL",
    "thou/mm3",
    "thou/cumm",
    "thou/uL",
    "K/mm3",
    "TH/mm3",
    "10^3/mm3",
    "10*3/mm3",
    "10x3/uL",
    "billion per liter",
    "million per milliliter",
    "10*3/uL^thousands per microliter^UCUM",
    "10*3/uL^10*3/uL^ISO+",
    r"10\S\9/L",
    "10³/µL",  # micro sign U+00B5
    "10³/μL",  # Greek mu U+03BC
    "×10⁹/L",
    "x 10 9/L",
    "10⁹ L⁻¹",
    "10^9.L-1",
    "109/L",
    "10*3 cells/uL",
    "10*3{cells}/uL",
    "10*3/\u200buL",
    "Tsd./µl",
    "1000/uL",
    "10**3/uL",
    "10^3/mm³",
    "miles/mm3",
    "Mrd/l",
]
TO_MILLI = [
    "/uL",
    "uL",
    "/mm3",
    "#/uL",
    "#/CU MM",
    "cells/uL",
    "{cells}/uL",
    "cells/cumm",
    "per microliter",
    "cells per microliter",
    "per cubic millimeter",
    "10*6/L",
    "{cells}/uL^cells per microliter^UCUM",
    "/µL",
    "cells/mm³",
    "Zellen/µl",
    "1/µl",
    "µl-1",
]
OTHERS = [
    ("10/uL", "10*9/L", "1/100"),
    ("10^4/uL", "10*9/L", "10"),
    ("10^2/uL", "10*9/L", "1/10"),
    ("lakhs/cumm", "10*9/L", "100"),
    ("MILL/uL", "10*9/L", "1000"),
    ("M/uL", "10*9/L", "1000"),
    ("m/uL", "10*9/L", "1000"),
    ("million per microliter", "10*9/L", "1000"),
    ("gram per deciliter", "g/L", "10"),
    ("10*6/uL", "10*9/L", "1000"),
    ("TI/L", "10*9/L", "1000"),
    ("T/L", "10*9/L", "1000"),
    ("10*12/L", "10*9/L", "1000"),
    ("tera.l-1", "10*9/L", "1000"),
    ("/pl", "10*9/L", "1000"),
    ("%", "%", "1"),
    ("PERCENT", "%", "1"),
    ("%^percent^UCUM", "%", "1"),
    ("FRACTION", "%", "100"),
    ("1", "%", "100"),
    ("L/L", "%", "100"),
    ("10^(-1)%", "%", "1/10"),
    ("10^(-2)%", "%", "1/100"),
    ("‰", "%", "1/10"),
    ("/100{WBCs}", "%", "1"),
    ("/100 WBC", "%", "1"),
    ("g/dL", "g/L", "10"),
    ("g/dl", "g/L", "10"),
    ("G/DL", "g/L", "10"),
    ("g%", "g/L", "10"),
    ("g/L", "g/L", "1"),
    ("mmol/L", "mmol/L", "1"),
    ("fL", "fL", "1"),
    ("fl", "fL", "1"),
    ("um3", "fL", "1"),
    ("µm³", "fL", "1"),
    ("10^(-1)fL", "fL", "1/10"),
    ("Cel", "Cel", "1"),
    ("°C", "Cel", "1"),
]
REFUSED = [
    ("/hpf", "field"),
    ("/lpf", "field"),
    ("/[HPF]", "field"),
    ("cells/hpf", "field"),
    ("{nominal}", "nominal"),
    ("", "no unit"),
    ("   ", "no unit"),
    ("^^", "no unit"),
    ("mil/mm3", "thousand in Spanish"),
    ("10/uL%", "joins"),
    ("10*3/uL^percent^UCUM", "differ"),
    ("10", "not in the table"),
    ("10*7/uL", "not in the table"),
    ("g/uL", "not in the table"),
    ("K/L", "not in the table"),
    ("{copies}/mL", "not in the table"),
    ("mg/dL", "not in the table"),
    ("x" * 5000, "not in the table"),
]


@pytest.mark.parametrize("text", TO_ONE)
def test_spellings_of_thousands_per_microlitre(text: str) -> None:
    unit = read_unit(text)
    assert (unit.canonical, unit.factor, unit.offset) == ("10*9/L", 1, 0)
    assert unit.text == text


@pytest.mark.parametrize("text", TO_MILLI)
def test_spellings_of_cells_per_microlitre(text: str) -> None:
    unit = read_unit(text)
    assert (unit.canonical, unit.factor) == ("10*9/L", Fraction(1, 1000))


@pytest.mark.parametrize(("text", "canonical", "factor"), OTHERS)
def test_other_spellings(text: str, canonical: str, factor: str) -> None:
    unit = read_unit(text)
    assert (unit.canonical, unit.factor) == (canonical, Fraction(factor))


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_is_no_unit_of_a_blood_count_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(UnitRefused) as refusal:
        read_unit(text)
    assert why in refusal.value.why


@pytest.mark.parametrize(
    ("code", "factor"), [("K/uL", 1), ("G/L", 1), ("10*3/uL", 1), ("{cells}/uL", Fraction(1, 1000))]
)
def test_a_code_declared_as_ucum_is_never_kelvin_or_gauss(code: str, factor: Fraction) -> None:
    unit = read_unit(code, system=UCUM)
    assert (unit.canonical, unit.factor) == ("10*9/L", factor)


@pytest.mark.parametrize(
    ("concept", "factor"),
    [
        ("8848", "1"),
        ("9444", "1"),
        ("8961", "1"),
        ("8816", "1"),
        ("44777588", "1"),
        ("8784", "1/1000"),
        ("8647", "1/1000"),
    ],
)
def test_omop_unit_concepts(concept: str, factor: str) -> None:
    assert read_unit(concept, system="omop:concept").factor == Fraction(factor)
    with pytest.raises(UnitRefused):
        read_unit("0", system="omop:concept")


@pytest.mark.parametrize(
    "words",
    [
        "thousand per microliter",
        "billion per liter",
        "billion cells per liter",
        "thousand per cubic millimeter",
        "million per milliliter",
    ],
)
def test_omop_unit_names(words: str) -> None:
    assert read_unit(words).factor == 1


def test_capital_g_is_giga_for_cells_and_gram_on_reports_in_capitals() -> None:
    assert [u.canonical for u in readings("G/L")] == ["10*9/L", "g/L"]
    assert [u.canonical for u in readings("g/L")] == ["g/L"]
    assert [u.canonical for u in readings("G/DL")] == ["g/L"]


def test_the_base_and_the_canonical_unit_of_red_cells() -> None:
    assert convert("4.5", read_unit("MILL/uL")) == 4500.0
    assert convert("4.5", read_unit("MILL/uL"), to="10*12/L") == 4.5
    assert convert("4500000", read_unit("/uL"), to="10*12/L") == 4.5


def test_counts_convert_by_exact_division() -> None:
    per_microlitre = read_unit("/uL")
    for cells in range(20_001):
        assert convert(cells, per_microlitre) == cells / 1000


def test_haemoglobin_in_moles_needs_its_molar_mass() -> None:
    unit = read_unit("mmol/L")
    assert not fits(unit, "g/L")
    with pytest.raises(UnitRefused):
        convert("8.4", unit, to="g/L")
    assert convert("8.4", unit, to="g/L", molar_mass=Fraction("16114.5")) == pytest.approx(135.36, abs=0.01)


@pytest.mark.parametrize(("degrees", "celsius"), [("98.6", 37.0), ("100.4", 38.0), ("32", 0.0)])
def test_fahrenheit(degrees: str, celsius: float) -> None:
    assert convert(degrees, read_unit("[degF]")) == celsius


def test_a_kelvin_is_one_only_where_ucum_is_declared() -> None:
    assert convert("310.15", read_unit("K", system=UCUM)) == 37.0
    with pytest.raises(UnitRefused):
        read_unit("K")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_no_number(number: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (Python's own words differ by case)
        convert(Decimal(number), read_unit("%"))


def test_a_unit_of_another_kind_is_refused() -> None:
    with pytest.raises(UnitRefused, match="cannot become"):
        convert("5", read_unit("g/L"), to="10*9/L")
