"""Where a count stands: which interval, which definitions, which conflicts, which gaps, which lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from fixtures.blood import ADULT, LIBRARY, MORNING, at, count, on
from leuko.ages import UNKNOWN, AgeSpan, age_days, age_span, ages_to_try, birthday
from leuko.record import Moment, Patient
from leuko.result import Status
from leuko.status import assessed_analytes, is_low, lines_of, status_of

NOBODY = Patient(id="x")


def status(analyte: str, value: float, *, patient: Patient = ADULT, **more: object) -> Status:
    return status_of(count(analyte, value, **more), patient=patient, library=LIBRARY)


def born(years: float, **more: object) -> Patient:
    day = date.fromordinal(round(MORNING.date().toordinal() - years * 365.25))
    return replace(ADULT, born=day, **more)


# Age


@pytest.mark.parametrize(
    ("birth", "day", "days"),
    [
        (date(2026, 1, 5), date(2026, 1, 5), 0.0),
        (date(2026, 1, 5), date(2026, 1, 12), 7.0),
        (date(2025, 1, 5), date(2026, 1, 4), 364.0),
        (date(2025, 1, 5), date(2026, 1, 5), 365.25),
        # fifth birthdays with one and with two leap days between
        (date(2016, 3, 1), date(2021, 3, 1), 5 * 365.25),
        (date(2015, 3, 1), date(2020, 3, 1), 5 * 365.25),
        (date(2015, 3, 1), date(2020, 2, 29), 4 * 365.25 + 365),
        (date(2015, 3, 1), date(2020, 3, 2), 5 * 365.25 + 1),
        (date(2024, 2, 29), date(2025, 2, 28), 365.0),
        (date(2024, 2, 29), date(2025, 3, 1), 365.25),
        (date(2026, 1, 6), date(2026, 1, 5), -1.0),
    ],
)
def test_age_reaches_a_year_on_the_birthday(birth, day, days) -> None:
    assert age_days(birth, day) == days


def test_a_birthday_of_29_february_is_kept_on_the_first_of_march() -> None:
    assert birthday(date(2024, 2, 29), 2025) == date(2025, 3, 1)
    assert birthday(date(2024, 2, 29), 2028) == date(2028, 2, 29)


def test_ages_are_as_wide_as_the_dates_are_vague() -> None:
    year = replace(ADULT, born=date(2000, 7, 1), born_precision="year")
    assert age_span(year, at()) == AgeSpan(least=25 * 365.25 + 5, most=26 * 365.25 + 4)
    month = replace(ADULT, born=date(2025, 12, 1), born_precision="month")
    assert age_span(month, at()) == AgeSpan(least=5, most=35)
    vague = Moment(at=datetime(2026, 1, 1, tzinfo=UTC), precision="month")
    assert age_span(replace(ADULT, born=date(2026, 1, 10)), vague) == AgeSpan(least=0, most=21)
    assert age_span(NOBODY, at()) == UNKNOWN
    assert age_span(ADULT, None) == UNKNOWN
    assert age_span(ADULT, at()).exact == age_days(ADULT.born, MORNING.date())


def test_ages_to_try_meet_every_stretch_between_limits() -> None:
    assert sorted(ages_to_try([7.0, 400.0], AgeSpan(least=0, most=10))) == [0, 3.5, 7, 8.5, 10]
    assert sorted(ages_to_try([7.0], UNKNOWN)) == [0, 3.5, 7, 8]


# Intervals


def test_the_printed_interval_comes_first() -> None:
    found = status(
        "neutrophils", 1.9, lab_low=2.0, lab_high=7.5, patient=replace(ADULT, duffy_null=True, pregnant=True)
    )
    assert (found.interval.origin, found.interval.low, found.interval.high) == ("laboratory", 2.0, 7.5)
    assert found.position == "below"


def test_then_the_duffy_null_interval_where_it_was_tested() -> None:
    found = status("neutrophils", 1.3, patient=replace(ADULT, duffy_null=True, pregnant=True))
    assert (found.interval.origin, found.interval.low, found.interval.high) == ("duffy_null", 1.21, 5.39)
    assert found.position == "within"


def test_then_pregnancy_then_age_and_sex_then_adults() -> None:
    pregnant = status("neutrophils", 3.0, patient=replace(ADULT, pregnant=True))
    assert (pregnant.interval.origin, pregnant.interval.low, pregnant.position) == ("pregnancy", 3.7, "below")
    child = status("neutrophils", 3.0, patient=born(3))
    assert (child.interval.origin, child.interval.low, child.interval.high) == ("age_sex", 1.5, 8.5)
    adult = status("neutrophils", 3.0)
    assert (adult.interval.origin, adult.interval.low, adult.interval.high) == ("adult", 1.7, 8.0)


@pytest.mark.parametrize("duffy", [None, False])
def test_duffy_status_is_never_inferred(duffy) -> None:
    assert status("neutrophils", 1.3, patient=replace(ADULT, duffy_null=duffy)).interval.origin == "adult"


@pytest.mark.parametrize(
    ("duffy", "value", "asked"),
    [(None, 1.3, True), (None, 1.21, True), (None, 1.2, False), (False, 1.3, False), (None, 1.7, False)],
)
def test_the_duffy_test_is_named_where_it_would_change_the_answer(duffy, value, asked) -> None:
    found = status("neutrophils", value, patient=replace(ADULT, duffy_null=duffy))
    assert any("Fy(a)" in gap.settle for gap in found.gaps) is asked


def test_a_printed_interval_that_is_not_for_duffy_null_people_is_told() -> None:
    found = status("neutrophils", 1.3, lab_low=1.8, lab_high=7.5, patient=replace(ADULT, duffy_null=True))
    assert found.position == "below"
    assert any("was not made for them" in gap.why for gap in found.gaps)


def test_without_a_date_of_birth_an_adult_is_assumed_and_it_is_said() -> None:
    found = status("neutrophils", 1.6, patient=replace(ADULT, born=None))
    assert found.interval.origin == "adult"
    assert "date of birth is not known" in found.interval.reason.text
    assert "an adult is assumed" in found.definitions[0].reason.text


def test_an_unknown_sex_leaves_open_what_lies_between_the_intervals() -> None:
    """Adult haemoglobin begins at 120 g/L in women and 130 in men."""
    nobody = replace(ADULT, sex=None)
    assert [status("haemoglobin", value, patient=nobody).position for value in (119, 120, 129, 130, 150, 151, 171)] == [
        "below", "cannot_say", "cannot_say", "within", "within", "cannot_say", "above",
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "position"), [(3.99, "below"), (4.0, "within"), (11.0, "within"), (11.01, "above")])
def test_both_ends_of_an_interval_lie_within(value, position) -> None:
    assert status("wbc", value, lab_low=4.0, lab_high=11.0).position == position


@pytest.mark.parametrize(
    ("value", "bound", "position"),
    [
        (3.9, "<=", "below"),
        (4.0, "<", "below"),
        (4.0, "<=", "cannot_say"),
        (9.0, "<=", "cannot_say"),
        (4.0, ">=", "cannot_say"),
        (11.0, ">", "above"),
    ],
)
def test_a_bound_is_placed_only_where_all_its_values_agree(value, bound, position) -> None:
    assert status("wbc", value, bound=bound, lab_low=4.0, lab_high=11.0).position == position


def test_an_upper_end_alone_says_nothing_about_low_unless_low_has_no_meaning() -> None:
    white = status("wbc", 0.3, lab_high=11.0)
    assert white.position == "cannot_say"
    assert any("only an upper end" in gap.why for gap in white.gaps)
    assert status("basophils", 0.0, lab_high=0.21).position == "within"
    assert status("wbc", 12.0, lab_high=11.0).position == "above"
    assert status("wbc", 3.0, lab_low=4.0).position == "below"
    assert status("wbc", 30.0, lab_low=4.0).position == "within"


def test_without_any_interval_the_position_is_a_gap() -> None:
    found = status_of(count("mcv", 80.0), patient=ADULT, library=LIBRARY)
    assert (found.interval.origin, found.position) == ("none", "cannot_say")
    assert found.gaps[0].settle == "the laboratory's interval"


# Definitions, severity, critical values


@pytest.mark.parametrize(("value", "met"), [(3.99, True), (4.0, False), (4.3, False)])
def test_leukopenia_is_strictly_below_4(value, met) -> None:
    house = status("wbc", value).definitions[0]
    assert (house.name, house.house, house.met) == ("leukopenia", True, met)


@pytest.mark.parametrize(
    ("age_in_days", "value", "met"),
    [
        (0, 4.9, True), (2, 5.0, False), (3, 1.7, True), (6, 1.75, False), (7, 0.99, True), (7, 1.0, False),
        (364, 1.2, False), (366, 1.2, True), (20000, 1.49, True), (20000, 1.5, False),
    ],
)  # fmt: skip
def test_neutropenia_by_age(age_in_days, value, met) -> None:
    person = replace(ADULT, born=date.fromordinal(MORNING.date().toordinal() - age_in_days))
    house = status("neutrophils", value, patient=person).definitions[0]
    assert (house.name, house.met) == ("neutropenia", met)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1.5, None), (1.4999, "mild neutropenia"), (1.0, "mild neutropenia"), (0.9999, "moderate neutropenia"),
        (0.5, "moderate neutropenia"), (0.4999, "severe neutropenia"), (0.2, "severe neutropenia"),
        (0.1999, "very severe neutropenia"), (0.1, "very severe neutropenia"), (0.0999, "profound neutropenia"),
        (0.0, "profound neutropenia"),
    ],
)  # fmt: skip
def test_severity_bands(value, name) -> None:
    found = status("neutrophils", value).severity
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("value", "bound", "name", "met"),
    [
        (0.4, "<=", "severe neutropenia or worse", True),
        (0.1, "<", "profound neutropenia", True),
        (1.2, "<=", "mild neutropenia or worse", True),
        (3.0, "<=", None, None),
        (1.05, ">=", None, None),
    ],
)
def test_severity_of_a_bound_is_the_mildest_that_it_allows(value, bound, name, met) -> None:
    found = status("neutrophils", value, bound=bound)
    assert (found.severity.name if found.severity else None) == name
    assert found.definitions[0].met == met


def test_an_open_definition_is_a_gap() -> None:
    found = status("neutrophils", 3.0, bound="<=")
    assert any(gap.settle == "a measured value instead of a bound" and "neutropenia" in gap.what for gap in found.gaps)


def test_critical_values_of_several_bodies_the_house_first() -> None:
    met = status("neutrophils", 0.4).critical
    assert met[0].house
    assert {found.authority for found in met} >= {"North Bristol NHS Trust", "South Tees Hospitals"}
    assert [found.authority for found in status("neutrophils", 0.5).critical] == [
        "South Tees Hospitals",
        "Barnsley Hospital",
    ]
    assert status("neutrophils", 1.0).critical == ()
    assert status("wbc", 2.0).critical[0].name == "critical white cell count"


@pytest.mark.parametrize(
    ("sex", "value", "told"),
    [("female", 4.2, True), ("female", 4.5, False), ("male", 4.7, True), ("male", 5.0, False), ("male", 3.9, False)],
)
def test_below_the_pages_quoted_normal_range_is_no_leukopenia_and_is_told(sex, value, told) -> None:
    found = status("wbc", value, patient=replace(ADULT, sex=sex))
    said = [reason.text for reason in found.conflicts if reason.rule.startswith("conflict:definition")]
    assert bool(said) is told
    if told:
        assert "below the quoted normal range, not leukopenia" in said[0]
        assert found.definitions[0].met is False


def test_limits_for_a_group_named_by_ancestry_are_never_judged() -> None:
    found = status("neutrophils", 1.3)
    doubts = [one for one in found.definitions if one.met is None]
    assert doubts
    assert all("not judged" in one.reason.text for one in doubts)
    assert found.definitions[0].met is True


# Grades and their conflicts


def test_grades_stand_side_by_side_with_the_edition() -> None:
    found = status("neutrophils", 0.7, lab_low=2.0).grades
    assert [(one.scheme, one.edition, one.value) for one in found] == [
        ("ctcae", "4", 3), ("ctcae", "5", 3), ("ctcae", "6", 2), ("daids", "2.1", 2),
    ]  # fmt: skip
    assert all(one.reason.evidence == ("neutrophils=0.7",) for one in found)


def test_the_shift_of_neutrophils_is_read_off_the_tables() -> None:
    (shift,) = (reason for reason in status("neutrophils", 0.7).conflicts if reason.rule.startswith("shift"))
    assert "CTCAE 5 gives grade 3 and CTCAE 6 grade 2" in shift.text
    assert "1 grade lower in the newer edition" in shift.text
    assert "grade 4 is now <0.1 x 10^9/L" in shift.text
    assert {citation.source for citation in shift.citations} == {"nci-ctcae-5", "nci-ctcae-6"}


def test_a_changed_limit_is_told_where_only_one_changed() -> None:
    (shift,) = (reason for reason in status("platelets", 12.0).conflicts if reason.rule.startswith("shift"))
    assert "grade 4 was <25.0 x 10^9/L and is <10.0 x 10^9/L" in shift.text
    assert "grade lower" not in shift.text


def test_no_shift_is_told_where_the_grades_agree() -> None:
    assert not [reason for reason in status("wbc", 2.5).conflicts if reason.rule.startswith("shift")]
    assert not [reason for reason in status("neutrophils", 0.05).conflicts if reason.rule.startswith("shift")]


def test_inside_its_own_interval_and_graded_is_a_conflict() -> None:
    found = status("neutrophils", 1.3, patient=replace(ADULT, duffy_null=True))
    (conflict,) = (reason for reason in found.conflicts if reason.rule.startswith("conflict:interval"))
    assert "within the interval of Duffy-null" in conflict.text
    assert "CTCAE 5 gives grade 2" in conflict.text
    printed = status("neutrophils", 1.3, lab_low=1.2, lab_high=6.0)
    assert any(reason.rule == "conflict:interval:laboratory" for reason in printed.conflicts)
    assert not [r for r in status("neutrophils", 3.0, lab_low=2.0, lab_high=7.0).conflicts if "interval" in r.rule]


def test_a_published_interval_never_stands_in_for_the_laboratorys_limit() -> None:
    found = status("neutrophils", 1.6)
    assert [(one.value, one.least, one.most) for one in found.grades[:2]] == [(None, 0, 1)] * 2
    (gap,) = (gap for gap in found.gaps if "lower limit of normal" in gap.why)
    assert "CTCAE 4" in gap.what
    assert "CTCAE 5" in gap.what


def test_an_analyte_that_no_scheme_grades_has_no_grades() -> None:
    assert status("monocytes", 0.1).grades == ()


def test_a_year_of_birth_may_be_enough_for_a_grade() -> None:
    grown = status("neutrophils", 0.9, patient=Patient(id="y", born=date(1980, 1, 1), born_precision="year"))
    assert grown.grades[-1].value == 1
    infant = status("neutrophils", 0.9, patient=Patient(id="y", born=date(2026, 1, 1), born_precision="month"))
    assert (infant.grades[-1].value, infant.grades[-1].least, infant.grades[-1].most) == (None, 3, 4)


def test_what_can_be_assessed() -> None:
    found = assessed_analytes(LIBRARY)
    assert found[:3] == ("wbc", "neutrophils", "lymphocytes")
    assert {"platelets", "haemoglobin", "cd4", "basophils"} <= set(found)
    assert "lines" not in found
    assert "neutrophils_percent" not in found


# Lines

FINE = {"wbc": 6.0, "neutrophils": 4.0, "haemoglobin": 140.0, "platelets": 250.0}


def lines(taken=None, **values: float | None):
    counted = {name: value for name, value in {**FINE, **values}.items() if value is not None}
    when = taken or {}
    found = {name: status(name, value, taken=when.get(name, at())) for name, value in counted.items()}
    return lines_of(found, library=LIBRARY)


@pytest.mark.parametrize(
    ("low", "name"),
    [
        ({}, "none"),
        ({"neutrophils": 1.0}, "isolated"),
        ({"wbc": 3.0}, "isolated"),
        ({"wbc": 3.0, "neutrophils": 1.0}, "isolated"),
        ({"haemoglobin": 90.0}, "isolated"),
        ({"neutrophils": 1.0, "platelets": 90.0}, "bicytopenia"),
        ({"haemoglobin": 90.0, "platelets": 90.0}, "bicytopenia"),
        ({"wbc": 3.0, "haemoglobin": 90.0, "platelets": 90.0}, "pancytopenia"),
    ],
)
def test_lines_that_are_low_together(low, name) -> None:
    found = lines(**low)
    assert found.name == name
    assert len(found.low) + len(found.not_low) == 3
    assert found.gap is None
    if name in {"bicytopenia", "pancytopenia"}:
        assert found.reason.citations


def test_a_missing_line_is_never_taken_as_normal() -> None:
    found = lines(neutrophils=1.0, platelets=None)
    assert (found.name, found.low, found.unknown) == ("cannot_say", ("white",), ("platelets",))
    assert "platelets" in found.gap.why


def test_a_normal_white_count_alone_does_not_exclude_neutropenia() -> None:
    found = lines(neutrophils=None)
    assert (found.name, found.not_low) == ("none", ("white", "red", "platelets"))
    assert "one does not exclude the other" in found.gap.why
    assert lines(neutrophils=None, wbc=3.0).gap is None


def test_lines_of_different_days_are_not_joined() -> None:
    found = lines(taken={"platelets": at(-48), "haemoglobin": on(2026, 1, 5)}, neutrophils=1.0, platelets=20.0)
    assert (found.name, found.unknown) == ("cannot_say", ("platelets",))
    assert "3 January 2026" in found.gap.why


def test_without_a_white_count_the_lines_cannot_be_told() -> None:
    found = lines(wbc=None, neutrophils=None, haemoglobin=60.0)
    assert (found.name, found.unknown) == ("cannot_say", ("white", "red", "platelets"))


def test_low_is_the_definition_or_below_the_interval() -> None:
    assert is_low(status("wbc", 3.9)) is True
    assert is_low(status("wbc", 4.2, lab_low=4.5, lab_high=11.0)) is True
    assert is_low(status("wbc", 4.2, lab_low=3.5, lab_high=11.0)) is False
    assert is_low(status("neutrophils", 3.0, bound="<=")) is None
    assert is_low(status("monocytes", 0.1, patient=born(5))) is True


def test_other_bodies_are_listed_where_they_speak_of_the_same_thing_or_are_met() -> None:
    listed = {one.name: one.met for one in status("neutrophils", 0.7).definitions}
    assert "agranulocytosis" not in listed
    assert listed["neutropenia"] is True
    assert "agranulocytosis" in {one.name for one in status("neutrophils", 0.4).definitions}
    bodies = [(one.authority, one.met) for one in status("wbc", 4.6).definitions]
    assert ("Merck Manual", False) in bodies
    # conditions that agree with the house anyway are left out
    assert all(one.met is not None for one in status("neutrophils", 0.4).definitions)


def test_bands_are_said_with_their_ends() -> None:
    severity = status("neutrophils", 0.7).severity
    assert severity.reason.text.startswith("0.5 or more and below 1 ×10⁹/L: moderate neutropenia")
    critical = status("wbc", 1.9).critical[0]
    assert critical.reason.text.startswith("at or below 2 ×10⁹/L: critical white cell count")


def test_the_kind_of_interval_is_that_of_the_age() -> None:
    assert status("platelets", 200.0, patient=born(8)).interval.origin == "age_sex"
    grown = status("haemoglobin", 140.0)
    assert (grown.interval.origin, grown.interval.label) == ("adult", "adults, female")
    assert "Which of them applies" not in grown.interval.reason.text
    open_sex = status("haemoglobin", 140.0, patient=replace(ADULT, sex=None))
    assert "Which of them applies is not known" in open_sex.interval.reason.text


def test_a_definition_that_an_unknown_sex_leaves_open_is_open() -> None:
    nobody = replace(ADULT, sex=None)
    found = [status("haemoglobin", value, patient=nobody).definitions[0].met for value in (119.0, 125.0, 130.0)]
    assert found == [True, None, False]
    gap = next(g for g in status("haemoglobin", 125.0, patient=nobody).gaps if "anaemia" in g.what)
    assert gap.settle == "the date of birth and the sex"


def test_anaemia_in_pregnancy_has_the_limits_of_pregnancy() -> None:
    """WHO 2024: below 110 g/L in the first and third trimester, below 105 in the second; which it is, nobody says."""
    expecting = replace(ADULT, sex="female", pregnant=True)
    found = {value: status("haemoglobin", value, patient=expecting) for value in (104.0, 107.0, 110.0, 115.0)}
    assert {value: one.definitions[0].met for value, one in found.items()} == {
        104.0: True,
        107.0: None,
        110.0: False,
        115.0: False,
    }
    assert {one.definitions[0].name for one in found.values()} == {"anaemia in pregnancy"}
    (gap,) = (gap for gap in found[107.0].gaps if "anaemia" in gap.what)
    assert gap.settle == "the week of the pregnancy"
    assert "second trimester" in gap.why
    assert all(met.met is not True for met in found[115.0].definitions), "no other limit is held against her"


def test_who_is_not_known_to_be_pregnant_has_the_limits_of_everybody() -> None:
    for known in (False, None):
        found = status("haemoglobin", 115.0, patient=replace(ADULT, sex="female", pregnant=known))
        assert (found.definitions[0].name, found.definitions[0].met) == ("anaemia", True)


def test_red_cells_are_not_low_in_pregnancy_at_a_haemoglobin_that_is_usual_there() -> None:
    expecting = replace(ADULT, sex="female", pregnant=True)
    assert is_low(status("haemoglobin", 115.0, patient=expecting)) is False
    assert is_low(status("haemoglobin", 100.0, patient=expecting)) is True


def test_a_derived_count_is_said_without_digits_that_nobody_measured() -> None:
    found = status("neutrophils", 1 / 3, patient=replace(ADULT, born=None))
    told = [found.position_reason.text, *(gap.what for gap in found.gaps), *(one.reason.text for one in found.grades)]
    assert any("0.3333" in text for text in told)
    assert not any("0.33333" in text for text in told)
