"""The cases of a peer's test suite: every grade agrees, or docs/reference/admiral.md explains why not."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest

from leuko.errors import UsageError
from leuko.grading import grade
from leuko.units import UnitRefused, convert, read_unit

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("LEUKO_SHARED", ROOT.parent / "shared"))
CASES = SHARED / "data" / "admiral" / "admiral_test_expectations_leukocytes.csv"
PAGE = ROOT / "docs" / "reference" / "admiral.md"

LOW_TERMS = {
    "Neutrophil count decreased": "neutrophils",
    "White blood cell decreased": "wbc",
    "Lymphocyte count decreased": "lymphocytes",
    "CD4 lymphocytes decreased": "cd4",
    "Absolute Neutrophil Count (ANC), Low": "neutrophils",
    "ANC, Low": "neutrophils",
    "Absolute Lymphocyte Count, Low": "lymphocytes",
    "WBC, Decreased": "wbc",
}
EDITIONS = {
    "CTCAE v4/v5": [("ctcae", "4"), ("ctcae", "5")],
    "CTCAE v6": [("ctcae", "6")],
    "CTCAE v4/v5/v6": [("ctcae", "4"), ("ctcae", "5"), ("ctcae", "6")],
    "DAIDS 2.1": [("daids", "2.1")],
}
AGES = {">7 d": 8.0, "2-7 d": 2.0, "<=1 d": 1.0, "<=7 d": 7.0, "6.0 y": 6 * 365.25}

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def cases() -> list[dict[str, str]]:
    if not CASES.exists():
        pytest.skip("the cases of admiral do not lie beside the checkout")
    with CASES.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def value_in_cells(text: str, unit: str) -> float | None:
    """The value as intake would give it: none where the value is missing or the unit is refused."""
    try:
        return convert(text, read_unit(unit)) if text else None
    except UnitRefused:
        return None


def graded(case: dict[str, str], scheme: str, edition: str) -> str:
    """leuko's grade of a case as admiral writes it: "" where there is none."""
    term = case["term_in_row"].split(";")[0].strip()
    age = next((days for text, days in AGES.items() if text in case["case_set"]), None)
    low = value_in_cells(case["anrlo"], case["unit"])
    try:
        found = grade(
            value_in_cells(case["aval"], case["unit"]),
            analyte=LOW_TERMS.get(term, term),
            scheme=scheme,
            edition=edition,
            lab_low=low,
            age_days=age,
        )
    except UsageError:
        return ""
    assert (found.value is None) == (found.gap is not None)
    return "" if found.value is None else str(found.value)


def explained() -> set[tuple[str, str]]:
    """The deviations that the page lists: (case set, number)."""
    rows = re.findall(r"^\| (exp_\w+) \| ([\d, ]+) \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {(name, number.strip()) for name, numbers in rows for number in numbers.split(",")}


def test_every_case_agrees_or_is_explained(cases: list[dict[str, str]]) -> None:
    assert len(cases) == 174
    apart = {
        (case["source_object"], case["testnum"])
        for case in cases
        for scheme, edition in EDITIONS[case["criteria"]]
        if graded(case, scheme, edition) != case["expected_grade"]
    }
    assert apart == explained()


def test_the_deviations_are_those_of_high_counts(cases: list[dict[str, str]]) -> None:
    high = {
        (case["source_object"], case["testnum"])
        for case in cases
        if case["term_in_row"].lower() in {"leukocytosis", "lymphocyte count increased"} and case["expected_grade"]
    }
    assert explained() == high


def test_how_many_grades_were_compared(cases: list[dict[str, str]]) -> None:
    """Guards the test itself: a mapping that found no analyte would agree with every missing grade."""
    compared = [
        graded(case, scheme, edition)
        for case in cases
        if case["expected_grade"] and (case["source_object"], case["testnum"]) not in explained()
        for scheme, edition in EDITIONS[case["criteria"]]
    ]
    assert len(compared) == 189
    assert "" not in compared
