"""Grades at every limit of every table, and what cannot be graded."""

from __future__ import annotations

import math

import pytest

import leuko
from leuko.ages import AgeSpan
from leuko.errors import KnowledgeError, UsageError
from leuko.grading import Edge, above, below, check_order, edges, grade, grade_between_ages, say_exact
from leuko.knowledge import load_library
from leuko.knowledge.schema import Ages, Band, Basis, GradeBand, GradeRule, GradeScheme

LIBRARY = load_library()

# The limits of each grade, from the published tables by hand: a value on, just below and just above each limit.
CTCAE_45_ANC = [(0, 4), (0.4999, 4), (0.5, 3), (0.9999, 3), (1.0, 2), (1.4999, 2), (1.5, 1), (1.9999, 1), (2.0, 0)]
CTCAE_6_ANC = [
    (0, 4), (0.0999, 4), (0.1, 3), (0.4999, 3), (0.5, 2), (0.9999, 2), (1.0, 1), (1.4999, 1), (1.5, 0), (9, 0),
]  # fmt: skip
WBC = [(0, 4), (0.9999, 4), (1.0, 3), (1.9999, 3), (2.0, 2), (2.9999, 2), (3.0, 1), (3.9999, 1), (4.0, 0), (90, 0)]
LYMPHOCYTES = [(0.1999, 4), (0.2, 3), (0.4999, 3), (0.5, 2), (0.7999, 2), (0.8, 1), (1.0999, 1), (1.1, 0)]
CD4 = [(0.0499, 4), (0.05, 3), (0.1999, 3), (0.2, 2), (0.4999, 2), (0.5, 1), (0.7999, 1), (0.8, 0)]
PLATELETS_45 = [(24.9, 4), (25, 3), (49.9, 3), (50, 2), (74.9, 2), (75, 1), (149.9, 1), (150, 0)]
PLATELETS_6 = [(9.9, 4), (10, 3), (49.9, 3), (50, 2), (74.9, 2), (75, 1), (149.9, 1), (150, 0)]
HAEMOGLOBIN = [(0, 3), (79.9, 3), (80, 2), (99.9, 2), (100, 1), (119.9, 1), (120, 0)]
DAIDS_ANC = [(0.3999, 4), (0.4, 3), (0.5999, 3), (0.6, 2), (0.7999, 2), (0.8, 1), (1.0, 1), (1.0001, 0)]
DAIDS_ANC_2D = [(0.7499, 4), (0.75, 3), (0.9999, 3), (1.0, 2), (1.2499, 2), (1.25, 1), (1.5, 1), (1.5001, 0)]
DAIDS_ANC_1D = [(1.4999, 4), (1.5, 3), (2.9999, 3), (3.0, 2), (3.9999, 2), (4.0, 1), (5.0, 1), (5.0001, 0)]
DAIDS_WBC = [(0.9999, 4), (1.0, 3), (1.4999, 3), (1.5, 2), (1.9999, 2), (2.0, 1), (2.4999, 1), (2.5, 0)]
DAIDS_WBC_7D = [(2.4999, 4), (2.5, 3), (3.9999, 3), (4.0, 2), (5.4999, 2), (5.5, 1), (6.9999, 1), (7.0, 0)]
DAIDS_ALC = [(0.3499, 4), (0.35, 3), (0.4999, 3), (0.5, 2), (0.5999, 2), (0.6, 1), (0.6499, 1), (0.65, 0)]
DAIDS_CD4 = [(0.0999, 4), (0.1, 3), (0.1999, 3), (0.2, 2), (0.2999, 2), (0.3, 1), (0.3999, 1), (0.4, 0)]
YEAR = 365.25
TABLES = [
    *[("neutrophils", "ctcae", edition, None, None, 2.0, CTCAE_45_ANC) for edition in ("4", "5")],
    ("neutrophils", "ctcae", "6", None, None, None, CTCAE_6_ANC),
    ("neutrophils", "ctcae", "6", None, None, 2.0, CTCAE_6_ANC),
    *[("wbc", "ctcae", edition, None, None, 4.0, WBC) for edition in ("4", "5", "6")],
    *[("lymphocytes", "ctcae", edition, None, None, 1.1, LYMPHOCYTES) for edition in ("4", "5")],
    *[("cd4", "ctcae", edition, None, None, 0.8, CD4) for edition in ("4", "5", "6")],
    *[("platelets", "ctcae", edition, None, None, 150, PLATELETS_45) for edition in ("4", "5")],
    ("platelets", "ctcae", "6", None, None, 150, PLATELETS_6),
    *[("haemoglobin", "ctcae", edition, None, None, 120, HAEMOGLOBIN) for edition in ("4", "5", "6")],
    *[("neutrophils", "daids", "2.1", age, None, None, DAIDS_ANC) for age in (8, 30, 20 * YEAR)],
    *[("neutrophils", "daids", "2.1", age, None, None, DAIDS_ANC_2D) for age in (2, 7)],
    *[("neutrophils", "daids", "2.1", age, None, None, DAIDS_ANC_1D) for age in (0, 1)],
    *[("wbc", "daids", "2.1", age, None, None, DAIDS_WBC) for age in (8, 20 * YEAR)],
    *[("wbc", "daids", "2.1", age, None, None, DAIDS_WBC_7D) for age in (0, 7)],
    *[("lymphocytes", "daids", "2.1", age, None, None, DAIDS_ALC) for age in (5 * YEAR + 1, 20 * YEAR)],
    *[("cd4", "daids", "2.1", age, None, None, DAIDS_CD4) for age in (5 * YEAR + 1, 20 * YEAR)],
]
POINTS = [(*table[:6], value, expected) for table in TABLES for value, expected in table[6]]


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_every_limit_of_every_table(point) -> None:
    analyte, scheme, edition, age, sex, low, value, expected = point
    found = grade(value, analyte=analyte, scheme=scheme, edition=edition, lab_low=low, age_days=age, sex=sex)
    assert (found.value, found.least, found.most) == (expected, expected, expected)
    assert found.gap is None


@pytest.mark.parametrize("edition", ["4", "5"])
@pytest.mark.parametrize(("value", "expected"), [point for point in CTCAE_45_ANC if point[1] > 1])
def test_without_the_lower_limit_of_normal_grades_2_to_4_still_stand(edition, value, expected) -> None:
    assert grade(value, analyte="neutrophils", scheme="ctcae", edition=edition).value == expected


@pytest.mark.parametrize("value", [1.5, 1.9, 2.0, 7.0])
@pytest.mark.parametrize("low", [None, 0, -1.0, math.nan, math.inf])
def test_without_the_lower_limit_of_normal_grades_0_and_1_cannot_be_told(value, low) -> None:
    found = grade(value, analyte="neutrophils", scheme="ctcae", edition="5", lab_low=low)
    assert (found.value, found.least, found.most) == (None, 0, 1)
    assert "lower limit of normal" in found.gap.why
    assert "lower limit of normal" in found.gap.settle


def test_a_limit_above_the_lower_limit_of_normal_still_grades() -> None:
    found = grade(1.3, analyte="neutrophils", scheme="ctcae", edition="5", lab_low=1.2)
    assert found.value == 2
    assert grade(1.6, analyte="neutrophils", scheme="ctcae", edition="5", lab_low=1.2).value == 0


BOUNDS = [
    # a white count of 0.4 bounds the ANC: every value up to it is grade 4 in CTCAE 5, grades 3 or 4 in CTCAE 6
    ("<=", 0.4, "5", (4, 4, 4)),
    ("<=", 0.4, "6", (None, 3, 4)),
    ("<", 0.1, "6", (4, 4, 4)),
    ("<=", 0.1, "6", (None, 3, 4)),
    ("<", 0.5, "5", (4, 4, 4)),
    ("<=", 0.5, "5", (None, 3, 4)),
    (">=", 0.5, "5", (None, 0, 3)),
    (">", 0.5, "5", (None, 0, 3)),
    (">", 0.4999, "5", (None, 0, 4)),
    (">=", 2.0, "5", (0, 0, 0)),
    (">", 1.9999, "5", (None, 0, 1)),
    ("<=", 0.0, "5", (4, 4, 4)),
    ("<", 30.0, "5", (None, 0, 4)),
]


@pytest.mark.parametrize(("bound", "value", "edition", "expected"), BOUNDS)
def test_bounds_are_graded_as_all_the_values_they_allow(bound, value, edition, expected) -> None:
    found = grade(value, analyte="neutrophils", scheme="ctcae", edition=edition, lab_low=2.0, bound=bound)
    assert (found.value, found.least, found.most) == expected
    assert (found.gap is None) == (found.value is not None)
    if found.gap is not None:
        assert "bound" in found.gap.why


def test_a_bound_and_a_missing_limit_are_both_named() -> None:
    found = grade(1.6, analyte="neutrophils", scheme="ctcae", edition="5", bound=">=")
    assert (found.value, found.least, found.most) == (None, 0, 1)
    assert "bound" in found.gap.why
    assert "lower limit of normal" in found.gap.why


def test_ctcae_6_has_no_numbers_for_lymphocytes() -> None:
    found = grade(0.1, analyte="lymphocytes", scheme="ctcae", edition="6", lab_low=1.0)
    assert (found.value, found.least, found.most) == (None, None, None)
    assert found.term == "Lymphopenia"
    assert "gives no number" in found.gap.why
    assert found.reason.citations[0].source == "nci-ctcae-6"


@pytest.mark.parametrize(
    ("value", "expected"), [(0.3, (4, 4, 4)), (0.4, (None, 3, 4)), (6.0, (0, 0, 0)), (1.0, (None, 1, 4))]
)
def test_an_unknown_age_grades_only_where_all_ages_agree(value, expected) -> None:
    found = grade(value, analyte="neutrophils", scheme="daids", edition="2.1")
    assert (found.value, found.least, found.most) == expected
    said = found.reason.text if found.value is not None else found.gap.why
    assert "the age at the draw is not known" in said


def test_an_age_without_a_rule_leaves_nothing_to_say() -> None:
    old = grade(0.3, analyte="lymphocytes", scheme="daids", edition="2.1", age_days=5 * YEAR + 1)
    young = grade(0.3, analyte="lymphocytes", scheme="daids", edition="2.1", age_days=5 * YEAR)
    unknown = grade(0.3, analyte="lymphocytes", scheme="daids", edition="2.1")
    assert old.value == 4
    assert (young.value, young.most) == (None, None)
    assert (unknown.value, unknown.most) == (None, None)
    assert "5 years" in young.gap.why
    assert "> 5 years of age: grade 4" in unknown.gap.why


def test_an_unknown_sex_grades_only_where_both_agree() -> None:
    assert grade(69, analyte="haemoglobin", scheme="daids", edition="2.1", age_days=9000, sex="male").value == 4
    assert grade(69, analyte="haemoglobin", scheme="daids", edition="2.1", age_days=9000, sex="female").value == 3
    found = grade(69, analyte="haemoglobin", scheme="daids", edition="2.1", age_days=9000)
    assert (found.value, found.least, found.most) == (None, 3, 4)
    assert found.gap.why == "the sex is not known"
    assert found.gap.what == "DAIDS 2.1 grade of Haemoglobin 69"
    both = grade(97, analyte="haemoglobin", scheme="daids", edition="2.1")
    assert both.gap.why == "the age at the draw and the sex are not known"
    assert grade(60, analyte="haemoglobin", scheme="daids", edition="2.1", age_days=9000).value == 4


def test_a_span_of_ages_is_graded_as_each_of_them() -> None:
    asked = {"analyte": "neutrophils", "scheme": "daids", "edition": "2.1"}
    within = grade_between_ages(0.9, **asked, ages=AgeSpan(least=8, most=400))
    across = grade_between_ages(0.9, **asked, ages=AgeSpan(least=7, most=400))
    assert within.value == 1
    assert (across.value, across.least, across.most) == (None, 1, 3)


@pytest.mark.parametrize(
    ("value", "bound", "said"),
    [
        (None, "=", "no value"),
        (-0.1, "=", "no count can be negative"),
        (math.nan, "=", "nan is no count"),
        (math.inf, "=", "inf is no count"),
        (0.0, "<", "no count can be below zero"),
    ],
)
def test_what_is_no_count_is_not_graded(value, bound, said) -> None:
    found = grade(value, analyte="wbc", scheme="ctcae", edition="5", lab_low=4.0, bound=bound)
    assert (found.value, found.least, found.most) == (None, None, None)
    assert found.gap.why == said


@pytest.mark.parametrize("age", [-1.0, math.nan])
def test_an_age_that_is_none_is_not_graded(age) -> None:
    found = grade(0.3, analyte="neutrophils", scheme="daids", edition="2.1", age_days=age)
    assert found.value is None
    assert "no age" in found.gap.why


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"analyte": "anc"}, "neutrophils"),
        ({"scheme": "who"}, "ctcae-5"),
        ({"edition": "7"}, "ctcae-6"),
        ({"bound": "~"}, "'<='"),
        ({"sex": "f"}, "'female'"),
    ],
)
def test_unknown_words_are_refused_with_the_known_ones(asked, said) -> None:
    known = {"analyte": "neutrophils", "scheme": "ctcae", "edition": "5"}
    with pytest.raises(UsageError) as error:
        grade(1.0, **{**known, **asked})
    assert said in str(error.value)


def test_the_reason_carries_rule_words_numbers_and_source() -> None:
    found = leuko.grade(1.6, analyte="neutrophils", scheme="ctcae", edition="5", lab_low=2.0)
    assert found.reason.rule == "ctcae-5:neutrophils"
    assert found.term == "Neutrophil count decreased"
    assert "1.6 ×10⁹/L" in found.reason.text
    assert "CTCAE 5 grade 1" in found.reason.text
    assert "<LLN - 1.5 x 10^9/L" in found.reason.text
    assert "lower limit of normal 2" in found.reason.text
    assert [citation.source for citation in found.reason.citations] == ["nci-ctcae-5"]


def test_a_value_is_said_with_the_digits_that_decide() -> None:
    assert say_exact(0.49996) == "0.49996"
    assert say_exact(0.4, "<=") == "≤0.4"
    found = grade(0.49996, analyte="neutrophils", scheme="ctcae", edition="5")
    assert found.value == 4
    assert "0.49996" in found.reason.text


def test_clinical_criteria_that_no_number_decides_are_named() -> None:
    assert "transfusion" in grade(60, analyte="platelets", scheme="ctcae", edition="6").reason.text


def test_edges_of_a_limit() -> None:
    assert [above(Edge(value=1.0, side=side), 1.0, inclusive=True) for side in (-1, 0, 1)] == [False, True, True]
    assert [above(Edge(value=1.0, side=side), 1.0, inclusive=False) for side in (-1, 0, 1)] == [False, False, True]
    assert [below(Edge(value=1.0, side=side), 1.0, inclusive=True) for side in (-1, 0, 1)] == [True, True, False]
    assert [below(Edge(value=1.0, side=side), 1.0, inclusive=False) for side in (-1, 0, 1)] == [True, False, False]
    assert above(Edge(value=0.0), None, inclusive=False)
    assert below(Edge(value=math.inf), None, inclusive=False)
    assert edges(2.0, ">") == (Edge(value=2.0, side=1), Edge(value=math.inf))


# Tables of a site's own, and tables that are wrong

BASIS = Basis(source="nci-ctcae-5", confidence="confirmed")


def rule(*bands: tuple[int, Band], **more: object) -> GradeRule:
    rows = tuple(GradeBand(grade=number, band=band, text=f"grade {number}") for number, band in bands)
    return GradeRule(
        **{"id": "x", "analyte": "wbc", "term": "X", "unit": "10*9/L", "bands": rows, "basis": BASIS, **more}
    )


def library_with(*rules: GradeRule):
    from dataclasses import replace
    from datetime import date

    scheme = GradeScheme(id="site", edition="1", title="Site", in_force_from=date(2026, 1, 1), rules=rules, basis=BASIS)
    return replace(LIBRARY, schemes=(*LIBRARY.schemes, scheme))


@pytest.mark.parametrize(
    "wrong",
    [
        rule((1, Band(upper=1.0)), (2, Band(lower=1.0, upper=2.0))),
        rule((2, Band(upper=1.0)), (1, Band(lower=1.5, upper=2.0))),
        rule((1, Band(lower="lab_low", upper=2.0))),
        rule((2, Band(upper=1.0)), (1, Band(lower=1.0, lower_inclusive=False, upper=2.0))),
        rule((1, Band(lower=0.5, upper="lab_low"))),
    ],
    ids=["upside down", "a hole", "starts at the limit of normal", "a hole at one point", "open below"],
)
def test_a_table_in_which_a_lower_value_is_milder_is_refused(wrong) -> None:
    with pytest.raises(KnowledgeError):
        check_order(wrong)
    with pytest.raises(KnowledgeError):
        grade(1.0, analyte="wbc", scheme="site", edition="1", library=library_with(wrong))


def test_a_row_that_is_not_confirmed_grades_nothing() -> None:
    unsure = rule((1, Band(upper=1.0)), basis=Basis(source="nci-ctcae-5", confidence="unconfirmed"))
    found = grade(0.5, analyte="wbc", scheme="site", edition="1", library=library_with(unsure))
    assert (found.value, found.most) == (None, None)
    assert "unconfirmed" in found.gap.why


def test_of_nested_bands_the_gravest_holds() -> None:
    """A table may write each grade as "below" alone."""
    nested = rule((1, Band(upper=2.0)), (2, Band(upper=1.5)), (3, Band(upper=1.0)))
    asked = {"analyte": "wbc", "scheme": "site", "edition": "1", "library": library_with(nested)}
    assert [grade(value, **asked).value for value in (2.0, 1.9, 1.4, 0.9)] == [0, 1, 2, 3]
    assert "grade 1 is grade 1" in grade(2.0, **asked).reason.text


def test_overlapping_age_bands_leave_both_grades_possible() -> None:
    both = (
        rule((1, Band(upper=2.0)), id="a"),
        rule((2, Band(upper=2.0)), id="b", ages=Ages(low_days=10.0)),
    )
    found = grade(1.0, analyte="wbc", scheme="site", edition="1", library=library_with(*both), age_days=20)
    assert (found.value, found.least, found.most) == (None, 1, 2)


def test_a_scheme_without_a_rule_for_a_known_analyte_says_so() -> None:
    library = library_with(rule((1, Band(upper=1.0))))
    found = grade(0.5, analyte="cd4", scheme="site", edition="1", library=library)
    assert found.value is None
    assert "no criterion" in found.gap.why
