"""Grades hold together: lower is never milder, bounds agree with points, arrays with single values."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.ages import AgeSpan, age_class, ages_to_try
from leuko.grading import grade, possible_rules, rules_at, rules_of
from leuko.grading_frame import Columns, grade_frame
from leuko.knowledge import load_library
from leuko.units import readings

LIBRARY = load_library()
TABLES = [
    (scheme.id, scheme.edition, analyte)
    for scheme in LIBRARY.schemes
    for analyte in sorted({rule.analyte for rule in scheme.rules})
]
BOUNDS = ["=", "<", "<=", ">", ">="]


def limits_of(analyte: str) -> list[float]:
    rules = [rule for scheme in LIBRARY.schemes for rule in scheme.rules if rule.analyte == analyte]
    found = {limit for rule in rules for row in rule.bands for limit in (row.band.lower, row.band.upper)}
    return sorted(float(limit) for limit in found if isinstance(limit, (int, float)))


def age_limits() -> list[float]:
    rules = [rule for scheme in LIBRARY.schemes for rule in scheme.rules]
    return sorted({a for rule in rules for a in (rule.ages.low_days, rule.ages.high_days) if a is not None})


def near(numbers: list[float]) -> st.SearchStrategy[float]:
    """Every limit, the next float on either side, and whatever lies between."""
    edges = [n * f for n in numbers for f in (1 - 2**-53, 1.0, 1 + 2**-52)]
    top = max(numbers, default=1.0) * 3
    return st.one_of(st.sampled_from([0.0, *edges]), st.floats(0, top, allow_nan=False))


def values_of(analyte: str) -> st.SearchStrategy[float]:
    return near(limits_of(analyte))


AGES = st.one_of(st.none(), near(age_limits()))
SEXES = st.sampled_from(["female", "male", None])


@st.composite
def questions(draw: st.DrawFn) -> dict[str, object]:
    scheme, edition, analyte = draw(st.sampled_from(TABLES))
    return {
        "value": draw(values_of(analyte)),
        "analyte": analyte,
        "scheme": scheme,
        "edition": edition,
        "lab_low": draw(st.one_of(st.none(), values_of(analyte))),
        "age_days": draw(AGES),
        "sex": draw(SEXES),
    }


@given(questions(), st.data())
def test_a_lower_value_never_has_a_milder_grade(question: dict, data: st.DataObject) -> None:
    lower = data.draw(st.floats(0, question["value"], allow_nan=False))
    high, low = grade(**question), grade(**{**question, "value": lower})
    if high.most is None:
        assert low.most is None
    else:
        assert low.least >= high.least
        assert low.most >= high.most


def values_within(limit: float, bound: str) -> st.SearchStrategy[float]:
    if "<" in bound:
        return st.floats(0, limit, exclude_max=bound == "<" and limit > 0)
    if ">" in bound:
        return st.floats(limit, limit * 3 + 1, exclude_min=bound == ">")
    return st.just(limit)


@given(questions(), st.sampled_from(BOUNDS), st.data())
def test_a_bound_leaves_every_grade_possible_that_a_value_within_it_has(
    question: dict, bound: str, data: st.DataObject
) -> None:
    inside = data.draw(values_within(question["value"], bound))
    bounded = grade(**question, bound=bound)
    point = grade(**{**question, "value": inside})
    if question["value"] == 0 and bound == "<":
        assert bounded.most is None
    elif bounded.most is None:
        assert point.most is None
    else:
        assert bounded.least <= point.least <= point.most <= bounded.most


@given(questions(), st.sampled_from(BOUNDS))
def test_a_grade_is_given_exactly_where_only_one_is_possible(question: dict, bound: str) -> None:
    found = grade(**question, bound=bound)
    assert (found.value is not None) == (found.least is not None and found.least == found.most)
    assert (found.value is None) == (found.gap is not None)
    assert found.value is None or found.value == found.least
    assert found.reason.citations
    assert found.gap is None or (found.gap.why and found.gap.settle)


@given(questions(), st.data())
def test_what_is_not_known_never_narrows_the_grade(question: dict, data: st.DataObject) -> None:
    known = grade(**question)
    less = grade(**{**question, data.draw(st.sampled_from(["lab_low", "age_days", "sex"])): None})
    if less.most is not None and known.most is not None:
        assert less.least <= known.least
        assert known.most <= less.most
    if less.value is not None:
        assert less.value == known.value


WAYS = {"/uL": 1000, "10*3/uL": 1, "10*9/L": 1, "cells/mm3": 1000, "G/L": 1, "10*6/L": 1000}


CELLS = [table for table in TABLES if table[2] != "haemoglobin"]


@given(st.integers(0, 9000), st.sampled_from(sorted(WAYS)), st.sampled_from(CELLS))
def test_the_unit_that_a_count_came_in_does_not_matter(cells: int, unit: str, table: tuple[str, str, str]) -> None:
    """A count of whole cells has one grade, in whatever unit it was written: that of 10*9/L."""
    scheme, edition, analyte = table
    written = Decimal(cells) * WAYS[unit] / 1000
    read = next(reading for reading in readings(unit) if reading.canonical == "10*9/L")
    value = float(Fraction(written) * read.factor + read.offset)
    asked = {"analyte": analyte, "scheme": scheme, "edition": edition, "lab_low": 2.0, "age_days": 9000.0}
    assert value == cells / 1000
    assert grade(value, **asked) == grade(cells / 1000, **asked)


@pytest.mark.parametrize(("scheme", "edition", "analyte"), TABLES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_arrays_and_single_values_have_the_same_grades(
    scheme: str, edition: str, analyte: str, data: st.DataObject
) -> None:
    broken = st.sampled_from([float("nan"), float("inf"), -1.0, None])
    row = st.fixed_dictionaries(
        {
            "value": st.one_of(values_of(analyte), values_of(analyte), values_of(analyte), broken),
            "bound": st.sampled_from([*BOUNDS, "="]),
            "lab_low": st.one_of(st.none(), values_of(analyte), st.sampled_from([float("nan"), -1.0])),
            "age_days": st.one_of(AGES, AGES, st.sampled_from([-1.0, float("nan")])),
            "sex": SEXES,
        }
    )
    rows = data.draw(st.lists(row, min_size=1, max_size=40))
    schema = {"value": pl.Float64, "bound": pl.String, "lab_low": pl.Float64, "age_days": pl.Float64, "sex": pl.String}
    frame = grade_frame(pl.DataFrame(rows, schema=schema), analyte=analyte, scheme=scheme, edition=edition)
    singles = [grade(**row, analyte=analyte, scheme=scheme, edition=edition) for row in rows]
    assert frame["grade"].to_list() == [single.value for single in singles]
    assert frame["least"].to_list() == [single.least for single in singles]
    assert frame["most"].to_list() == [single.most for single in singles]


def test_a_frame_may_leave_columns_out_and_name_its_own() -> None:
    frame = pl.DataFrame({"anc": [0.4, 1.6, None]})
    found = grade_frame(frame, analyte="neutrophils", scheme="ctcae", edition="5", columns=Columns(value="anc"))
    assert found.to_dict(as_series=False) == {
        "anc": [0.4, 1.6, None],
        "grade": [4, None, None],
        "least": [4, 0, None],
        "most": [4, 1, None],
    }


AGE_LIMITS = age_limits()


@given(near(AGE_LIMITS), near(AGE_LIMITS), st.booleans(), SEXES, st.sampled_from(TABLES))
def test_rules_kept_for_a_class_of_ages_are_those_that_the_ages_themselves_leave(
    one: float, other: float, unbounded: bool, sex: str | None, table: tuple[str, str, str]
) -> None:
    span = AgeSpan(least=min(one, other), most=math.inf if unbounded else max(one, other))
    rules = rules_of(LIBRARY.scheme(*table[:2]), table[2], LIBRARY)
    assert rules_at(rules, span, sex) == possible_rules(rules, span, sex)


def cells(limits: list[int], span: AgeSpan) -> set[tuple[bool, ...]]:
    """On which side of each limit, or on it, the ages of a span lie."""
    return {
        tuple(test for limit in limits for test in (age > limit, age == limit)) for age in ages_to_try(limits, span)
    }


@given(st.lists(st.integers(0, 6), max_size=4, unique=True).map(sorted), st.integers(0, 12), st.integers(0, 12))
def test_spans_of_one_class_meet_bands_between_the_limits_alike(limits: list[int], first: int, length: int) -> None:
    span = AgeSpan(least=first / 2, most=(first + length) / 2)
    others = (AgeSpan(least=least / 2, most=most / 2) for least in range(13) for most in range(least, 25))
    for other in others:
        if age_class(limits, other) == age_class(limits, span):
            assert cells(limits, other) == cells(limits, span), other
