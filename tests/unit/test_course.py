"""The course of counts over time. Days are counted from the first of January 2026; every sum is shown."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace as replace_row

from fixtures.series import ADULT, RULES, START, counts, definition, dose, library
from leuko.course import course_of
from leuko.course.lowness import lowness_of
from leuko.errors import UsageError
from leuko.knowledge import load_library
from leuko.knowledge.schema import Ages, IntervalRow
from leuko.record import Moment, Patient
from leuko.result import Course, Episode

LATER = date(2026, 12, 31)


def course(pairs, *, as_of=None, patient=ADULT, known=None, doses=(), cycles=(), **how) -> Course:
    series = counts(pairs, **how)
    last = max((c.taken.day for c in series if c.taken), default=LATER)
    return course_of(
        "neutrophils",
        series,
        patient=patient,
        library=known or library(),
        as_of=as_of or last,
        doses=doses,
        cycles=cycles,
    )


def only(found: Course) -> Episode:
    (episode,) = found.episodes
    return episode


def below(episode: Episode) -> dict[float, tuple[float, float | None]]:
    return {days.cut: (days.least, days.most) for days in episode.days_below}


def day(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - START) / timedelta(days=1)


CHEMOTHERAPY = [(0, 4.2), (7, 1.8), (9, 0.9), (11, 0.3), (13, "<0.1"), (15, 0.4), (17, 1.1), (19, 2.0), (21, 3.1)]


def test_an_episode_is_interval_censored_by_its_sampling():
    episode = only(course([*CHEMOTHERAPY, (24, 3.6)]))
    assert (day(episode.onset.earliest), day(episode.onset.latest)) == (7, 9)
    assert (day(episode.recovery.earliest), day(episode.recovery.latest)) == (17, 19)
    assert episode.recovery_confirmed
    assert episode.recovery_gap is None
    assert episode.censoring == "none"
    # surely low from day 9 to 17; low at most from just after day 7 to just before day 19
    assert episode.duration == (8, 12)
    assert episode.counts == ("c2", "c3", "c4", "c5", "c6")


def test_days_below_each_cut_are_a_least_and_a_most():
    episode = only(course([*CHEMOTHERAPY, (24, 3.6)]))
    assert below(episode) == {
        1.5: (8, 12),  # 9..17, 7..19
        1.0: (6, 10),  # 9..15, 7..17
        0.5: (4, 8),  # 11..15, 9..17
    }


def test_the_nadir_is_the_lowest_bound_and_lies_between_its_neighbours():
    episode = only(course([*CHEMOTHERAPY, (24, 3.6)]))
    assert (episode.nadir_count.value, episode.nadir_count.bound) == (0.1, "<")
    assert (day(episode.nadir.earliest), day(episode.nadir.latest)) == (11, 15)
    assert episode.days_to_nadir == (2, 8)  # onset 7..9, nadir 11..15: 11 - 9, 15 - 7
    assert episode.days_nadir_to_recovery == (2, 8)  # recovery 17..19: 17 - 15, 19 - 11


@pytest.mark.parametrize(
    ("low", "nadir"),
    [
        ([0.1, "<0.1"], "<"),  # below 0.1 is lower than 0.1
        (["≤0.1", "<0.1"], "<"),
        ([0.1, "≤0.1"], "<="),  # at most 0.1 may be lower
        (["≤0.4", 0.2], "="),  # a measured 0.2 is lower than an upper bound of 0.4
        ([0.0, "<0.1"], "="),
    ],
)
def test_bounds_are_weighed_when_the_nadir_is_chosen(low, nadir):
    pairs = [(0, 3.0), *((5 + i, value) for i, value in enumerate(low)), (10, 2.0), (14, 2.0)]
    assert only(course(pairs)).nadir_count.bound == nadir


def test_dates_without_a_time_widen_every_interval_by_their_day():
    episode = only(course([*CHEMOTHERAPY, (24, 3.6)], precision="day"))
    # least: the draw of day 9 at its end, that of day 17 at its start; most: day 7 at its start, day 19 at its end
    assert episode.duration == (7, 13)
    assert below(episode)[0.5] == (3, 9)  # end of 11 to start of 15; start of 9 to end of 17
    assert episode.onset.earliest == datetime(2026, 1, 8, tzinfo=UTC)
    assert episode.onset.latest.date() == date(2026, 1, 10)


def test_a_first_low_count_is_left_censored_and_has_no_most():
    episode = only(course([(0, 0.6), (4, 0.4), (8, 1.9), (12, 2.5)]))
    assert episode.censoring == "left"
    assert episode.onset.earliest is None
    assert episode.duration == (4, None)
    # It may have been below 0.5 before anyone counted.
    assert below(episode) == {1.5: (4, None), 1.0: (4, None), 0.5: (0, None)}
    assert episode.days_to_nadir == (0, None)


def test_a_last_low_count_is_right_censored_not_recovered():
    episode = only(course([(0, 3.0), (4, 1.0), (9, 0.8)]))
    assert episode.censoring == "right"
    assert episode.recovery is None
    assert not episode.recovery_confirmed
    assert "still low" in episode.recovery_gap.why
    assert episode.duration == (5, None)


def test_one_count_back_above_the_cut_is_not_yet_a_recovery():
    found = course([(0, 3.0), (4, 1.0), (9, 1.8)])
    episode = only(found)
    assert (day(episode.recovery.earliest), day(episode.recovery.latest)) == (4, 9)
    assert not episode.recovery_confirmed
    assert "3 counts in a row" in episode.recovery_gap.settle
    assert found.kind == "ongoing"


@pytest.mark.parametrize(
    ("after", "held"),
    [
        ([(9, 1.8), (10, 1.9)], False),  # two values, one day apart
        ([(9, 1.8), (10, 1.9), (11, 2.0)], True),  # three values on three days
        ([(9, 1.8), (9.2, 1.9), (9.4, 2.0)], False),  # three values on one day
        ([(9, 1.8), (12, 1.9)], True),  # two values three days apart
        ([(9, 1.8), (12, 1.4)], False),  # low again
        ([(9, 1.8), (60, 1.9)], False),  # a hole between the two
        ([(9, 1.8), (10, "≤1.9"), (12, 1.9)], True),  # a bound that proves nothing does not break it
    ],
)
def test_a_recovery_must_hold(after, held):
    assert course([(0, 3.0), (4, 1.0), *after]).episodes[0].recovery_confirmed is held


def test_a_rise_that_does_not_hold_does_not_end_the_episode():
    episode = only(course([(0, 3.0), (10, 0.9), (14, 1.7), (16, 1.2), (20, 1.9), (24, 2.2)]))
    assert episode.counts == ("c1", "c2", "c3")
    assert "A rise to 1.7 on 15 January 2026 did not hold" in episode.reason.text
    assert episode.duration == (6, 20)  # 10..16, 0..20
    # Below 1.5 there is no stretch between two low neighbours; it may reach from 0 to 20 but for the instant of day 14.
    assert below(episode)[1.5] == (0, 20)


def test_counts_on_one_side_of_a_cut_are_taken_to_stay_there():
    episode = only(course([(0, 3.0), (10, 0.9), (14, 1.7), (16, 1.2), (20, 1.9), (24, 2.2)]))
    assert below(episode)[1.0] == (0, 20)  # 0..10 and 10..14, and beside the lowest of the second dip, 14..20
    assert below(episode)[0.5] == (0, 20)  # no count below 0.5, but both dips may have been deeper than seen


def test_an_undated_hour_between_two_low_stretches_counts_once():
    episode = only(course([(0, 3.0), (4, 1.0), (8, 1.6), (12, 1.0), (16, 2.0), (20, 2.0)], precision="day"))
    # from the start of day 0 to the end of day 16; day 8 is above at one unknown instant only
    assert below(episode)[1.5] == (0, 17)


def test_an_upper_bound_proves_low_but_never_not_low():
    episode = only(course([(0, 3.0), (5, "≤1.9"), (7, "≤0.4"), (9, "≤0.3"), (12, 0.6), (20, 2.2), (24, 2.4)]))
    assert (day(episode.onset.earliest), day(episode.onset.latest)) == (0, 7)  # a bound of 1.9 says nothing of 1.5
    # 0.5: surely from 7 to 9; at most from 0, since 1.9 is no lower bound, to the 0.6 of day 12
    assert below(episode)[0.5] == (2, 12)
    # 1.0: surely from 7 to 12; at most from 0 to 20
    assert below(episode)[1.0] == (5, 20)


def test_a_bound_that_proves_nothing_does_not_part_two_low_counts_either():
    episode = only(course([(0, 3.0), (4, 1.0), (8, "≤1.9"), (12, 1.0), (16, 2.0), (20, 2.0)]))
    assert below(episode)[1.5] == (8, 16)


def test_a_bound_that_proves_nothing_does_not_bridge_a_hole():
    found = course([(0, 1.0), (30, "≤1.9"), (60, 1.0)])
    assert len(found.episodes) == 2


def test_a_hole_is_not_bridged_between_two_low_counts():
    first, second = course([(0, 3.0), (4, 0.9), (60, 0.8), (64, 2.0), (68, 2.0)]).episodes
    assert first.censoring == "right"
    assert first.recovery is None
    assert second.censoring == "left"
    assert second.onset.earliest is None
    for episode in (first, second):
        (hole,) = episode.holes
        assert (day(hole.earliest), day(hole.latest)) == (4, 60)
    assert below(first)[1.5] == (0, None)
    assert below(second)[1.5] == (0, None)


def test_the_lowest_count_seen_does_not_prove_that_none_was_deeper():
    episode = only(course([(0, 3.0), (7, 0.9), (14, 0.6), (21, 1.2), (28, 2.0), (30, 2.2), (32, 2.4)]))
    assert below(episode)[0.5] == (0, 14)  # weekly counts: the true nadir may lie anywhere in 7..21


def test_a_change_inside_a_hole_is_bounded_by_its_sides_and_said():
    episode = only(course([(0, 3.0), (4, 0.9), (8, 0.8), (100, 2.0), (104, 2.0)]))
    assert episode.duration == (4, 100)
    assert below(episode)[1.5] == (4, 100)
    assert below(episode)[0.5] == (0, 96)  # the lowest count, on day 8, has neighbours on days 4 and 100
    assert "The recovery lies in 92 days without a count." in episode.reason.text
    assert len(episode.holes) == 1


def test_worst_grades_stand_for_every_edition():
    grades = {(g.scheme, g.edition): g for g in only(course([*CHEMOTHERAPY, (24, 3.6)])).worst}
    assert grades["ctcae", "5"].value == 4
    assert grades["ctcae", "6"].value == 4  # <0.1 is below the limit of grade 4, 0.1
    assert grades["ctcae", "5"].reason.evidence == ("c4",)


def test_a_worst_grade_that_a_bound_leaves_open_is_not_invented():
    episode = only(course([(0, 3.0), (7, "≤0.3"), (12, 0.6), (20, 2.2), (24, 2.4)]))
    grade = next(g for g in episode.worst if (g.scheme, g.edition) == ("ctcae", "6"))
    assert (grade.value, grade.least, grade.most) == (None, 3, 4)  # 0.1-0.5 is grade 3, below 0.1 grade 4
    assert grade.gap is not None


# Kinds


@pytest.mark.parametrize(
    ("pairs", "kind"),
    [
        ([*CHEMOTHERAPY, (24, 3.6)], "transient"),
        ([(0, 1.2)], "not_assessable"),
        ([(0, 3.0), (10, 1.2), (11, 1.3)], "ongoing"),
        ([(0, 3.0), (10, 1.2), (20, 1.3)], "ongoing"),  # ten days: one illness can last so long
        ([(0, 3.0), (10, 1.2), (23, 1.3)], "ongoing"),
        ([(0, 3.0), (10, 1.2), (24, 1.3)], "persistent"),  # two weeks
        ([(0, 1.1), (30, 1.2), (60, 1.0), (89, 1.3)], "persistent"),
        ([(0, 1.1), (30, 1.2), (60, 1.0), (90, 1.3)], "chronic"),
        ([(0, 1.1), (180, 1.2), (400, 1.0)], "chronic"),  # three occasions, low on each
        ([(0, 1.1), (180, 1.2)], "not_assessable"),  # two occasions, and nothing known of the time between
        ([(0, 1.1), (180, 2.2), (190, 2.2), (400, 1.0), (414, 1.1)], "persistent"),
        ([(0, 3.0), (100, 1.1), (107, 1.6), (121, 2.8)], "not_assessable"),  # at most 107 days
        ([(0, 1.0), (5, 1.0), (10, 2.0), (14, 2.0)], "not_assessable"),  # its beginning was not seen
        ([(0, 3.0), (10, 2.9)], "not_low"),
        ([], "not_assessable"),
    ],
)
def test_the_kind_is_no_more_than_the_sampling_carries(pairs, kind):
    found = course(pairs)
    assert found.kind == kind, found.kind_reason.text
    assert found.kind_reason.text


def test_a_single_low_value_is_not_yet_called_persistent():
    assert "one low value is not yet" in course([(0, 1.2)]).kind_reason.text


def test_two_low_counts_days_apart_are_told_as_such_and_not_called_persistent():
    reason = course([(0, 3.0), (10, 1.2), (16, 1.3)]).kind_reason
    assert "low in both counts, 6 days apart (11 January 2026 and 17 January 2026)" in reason.text
    assert "would persist from 14 days on" in reason.text
    assert "Persistent" not in reason.text


def test_a_chronic_course_over_holes_says_so_and_cites_its_rule():
    reason = course([(0, 1.1), (180, 1.2), (400, 1.0)]).kind_reason
    assert "stretches without a count" in reason.text
    assert [citation.source for citation in reason.citations] == ["leuko-house"]


def test_an_old_last_count_says_nothing_of_today():
    found = course([(0, 3.0), (10, 1.0), (20, 0.9)], as_of=date(2027, 1, 1))
    assert found.kind == "not_assessable"
    assert any(gap.what == "Neutrophils now" for gap in found.gaps)


def test_a_course_that_was_chronic_stays_so_and_tells_the_recovery():
    found = course([(0, 3.0), (10, 1.1), (40, 1.2), (80, 1.0), (110, 1.3), (130, 2.0), (140, 2.0)])
    assert found.kind == "chronic"
    assert "It has since recovered" in found.kind_reason.text


def test_a_rise_after_a_chronic_course_is_told_but_not_yet_a_recovery():
    found = course([(0, 3.0), (10, 1.1), (40, 1.2), (80, 1.0), (110, 1.3), (120, 2.0)])
    assert found.kind == "chronic"
    assert "not yet a recovery" in found.kind_reason.text


# Which cut


def test_the_cut_follows_the_age_of_a_child():
    born = Patient(id="child", born=date(2025, 2, 1))
    known = library(RULES, definition(1.0, ages=Ages(high_days=365.25)), definition(1.5, ages=Ages(low_days=365.25)))
    # 1.2 is not low at eleven months (below 1.0 is), and is at twelve and a half
    episode = only(course([(0, 1.2), (20, 1.2), (45, 1.2), (50, 1.3)], patient=born, known=known))
    assert episode.counts == ("c2", "c3")
    assert episode.cut == 1.5
    assert (day(episode.onset.earliest), day(episode.onset.latest)) == (20, 45)


def test_an_unknown_age_takes_the_adult_limit_and_says_so():
    known = library(RULES, definition(5.0, ages=Ages(high_days=3)), definition(1.5, ages=Ages(low_days=3)))
    episode = only(course([(0, 4.0), (5, 1.2)], patient=Patient(id="x"), known=known))
    assert episode.cut == 1.5
    assert "date of birth is not known" in episode.cut_reason.text


def test_a_year_of_birth_leaves_a_count_between_two_limits_open():
    born = Patient(id="x", born=date(2025, 1, 1), born_precision="year")
    known = library(RULES, definition(1.0, ages=Ages(high_days=365.25)), definition(1.5, ages=Ages(low_days=365.25)))
    found = course([(100, 1.2), (110, 0.8)], patient=born, known=known)
    assert only(found).counts == ("c1",)
    assert any("neither low nor not low" in gap.why for gap in found.gaps)


def test_without_a_definition_the_reference_interval_stands_in_the_laboratorys_first():
    row = IntervalRow(id="i", analyte="neutrophils", low=1.9, high=7.0, house=True, basis=RULES.basis)
    bare = library(RULES, definition(1.5, analyte="wbc"))
    known = replace(bare, intervals=(row,))
    printed = only(course([(0, 3.0), (5, 1.7)], known=known, lab_low=1.8))
    assert printed.cut == 1.8
    assert "lower end of the reference interval" in printed.cut_reason.text
    assert only(course([(0, 3.0), (5, 1.7)], known=known)).cut == 1.9
    nothing = course([(0, 3.0), (5, 0.3)], known=bare)
    assert nothing.episodes == ()
    assert "no definition of low" in nothing.kind_reason.text


def test_counts_inside_the_duffy_null_interval_are_told_to_be_usual():
    row = IntervalRow(id="d", analyte="neutrophils", low=1.2, duffy_null=True, house=True, basis=RULES.basis)
    known = replace(library(), intervals=(row,))
    person = replace(ADULT, duffy_null=True)
    assert "Duffy-null" in course([(0, 1.4), (30, 1.3)], patient=person, known=known).kind_reason.text
    assert "Duffy-null" not in course([(0, 1.4), (30, 1.1)], patient=person, known=known).kind_reason.text
    assert "Duffy-null" not in course([(0, 1.4), (30, 1.3)], known=known).kind_reason.text


# Awkward series


def test_an_empty_series_has_a_course_without_episodes():
    found = course([])
    assert (found.episodes, found.trend.direction, found.cycle.assessable) == ((), "cannot_say", False)
    assert "no count" in found.kind_reason.text


def test_bounds_alone_may_still_make_an_episode_or_leave_everything_open():
    assert only(course([(0, "≤0.9"), (5, "<0.1")])).nadir_count.value == 0.1
    found = course([(0, "≤1.9"), (5, "≤2.5")])
    assert found.episodes == ()
    assert "only a bound" in found.kind_reason.text


def test_two_counts_of_one_undated_hour_cannot_be_put_in_order():
    # 1.2 and 1.8 on the same day, no times: low on that day, and not surely recovered by it
    series = (*counts([(0, 3.0)], precision="day"), *counts([(4, 1.2), (4, 1.8)], precision="day"))
    series = tuple(replace(count, id=str(number)) for number, count in enumerate(series))
    found = course_of("neutrophils", series, patient=ADULT, library=library(), as_of=LATER)
    episode = only(found)
    assert episode.recovery is None
    assert below(episode)[1.5] == (0, None)
    assert found.trend.latest == 1.2


def test_a_day_with_a_low_and_a_normal_count_joins_no_low_stretch():
    low_and_not = [(0, 3.0), (4, 1.2), (4, 1.8), (8, 1.0), (12, 2.0), (16, 2.0)]
    episode = only(course(low_and_not, precision="day"))
    # 1.8 may have been drawn after 1.2, so nothing is sure up to day 8; most: the start of day 0 to the end of day 12
    assert below(episode)[1.5] == (0, 13)


def test_times_compare_as_instants_whatever_their_zone():
    utc = counts([*CHEMOTHERAPY, (24, 3.6)])
    zones = [UTC, timezone(timedelta(hours=-8)), ZoneInfo("Asia/Tokyo")]
    mixed = tuple(
        replace(count, taken=Moment(at=count.taken.at.astimezone(zones[number % 3]), precision="minute"))
        for number, count in enumerate(utc)
    )
    one, other = (
        only(course_of("neutrophils", series, patient=ADULT, library=library(), as_of=LATER)) for series in (utc, mixed)
    )
    assert (one.duration, one.days_below, one.counts) == (other.duration, other.days_below, other.counts)


def test_the_day_on_which_the_clocks_change_is_an_hour_short():
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 26, tzinfo=berlin)
    pairs = [(0, 3.0), (1, 1.0), (3, 1.0), (4, 2.0), (8, 2.0)]
    episode = only(course(pairs, start=start, precision="day"))
    # 29 March 2026 has 23 hours: from the start of the 26th to the end of the 30th are 5 days less one hour
    assert episode.duration[1] == pytest.approx(5 - 1 / 24, abs=1e-6)


def test_counts_that_cannot_stand_in_the_series_are_told_not_used():
    good = counts([(0, 3.0), (4, 1.0)])
    undated = replace(good[1], id="undated", taken=None)
    yearly = replace(good[1], id="yearly", taken=Moment(at=START, precision="year"))
    future = replace(good[1], id="future", taken=Moment(at=START + timedelta(days=400)))
    broken = replace(good[1], id="broken", value=math.nan)
    percent = replace(good[1], id="percent", unit="%")
    other = replace(good[1], id="other", analyte="wbc")
    series = (*good, undated, yearly, future, broken, percent, other)
    found = course_of("neutrophils", series, patient=ADULT, library=library(), as_of=LATER)
    assert only(found).counts == ("c1",)
    assert any(gap.why.startswith("5 of 7 counts take no part") for gap in found.gaps)


def test_an_analyte_without_rules_is_a_usage_error():
    with pytest.raises(UsageError, match="sodium"):
        course_of("sodium", (), patient=ADULT, library=library(), as_of=LATER)


# Trend


def test_the_trend_is_held_against_the_median_outside_episodes():
    found = course([(0, 3.0), (20, 3.4), (40, 2.6), (50, 1.0), (60, 3.1), (70, 3.0), (80, 1.4)])
    assert found.trend.baseline == 3.0  # of 3.0, 3.4, 2.6, 3.1, 3.0
    assert found.trend.baseline_n == 5
    assert found.trend.fold == pytest.approx(1.4 / 3.0)
    assert found.trend.direction == "falling"


def test_a_change_is_told_from_chance_by_the_persons_own_variation():
    # CV 10 %: s = sqrt(ln 1.01) = 0.0998; exp(-1.96 * sqrt 2 * 0.0998) = 0.758
    rules = replace_row(RULES, within_person_cv=0.10)
    steady = [(0, 4.0), (20, 4.0), (40, 4.0)]
    for latest, direction in ((3.1, "stable"), (3.0, "falling"), (5.2, "stable"), (5.4, "rising")):
        assert course([*steady, (60, latest)], known=library(rules)).trend.direction == direction


def test_a_bound_has_a_direction_only_where_all_it_allows_has():
    steady = [(0, 4.0), (20, 4.0), (40, 4.0)]
    assert course([*steady, (60, "<0.5")]).trend.direction == "falling"
    found = course([*steady, (60, "≤3.0")]).trend
    assert found.direction == "cannot_say"
    assert found.gap is not None


def test_too_few_earlier_counts_make_no_baseline():
    trend = course([(0, 4.0), (20, 4.0), (40, 1.9)]).trend
    assert (trend.baseline, trend.direction) == (None, "cannot_say")
    assert "only 2 measured counts" in trend.gap.why


# Periods


def cyclic(weeks: int, *, period: float = 21.0, per_week=(0, 2, 4), seed: int = 3) -> list[tuple[float, float]]:
    """Neutrophils that swing between about 0.15 and 1.8 with a period [days], with 30 % noise."""
    noise = random.Random(seed)  # noqa: S311
    days = [7 * week + extra for week in range(weeks) for extra in per_week]
    swing = [math.log(0.5) + 1.3 * math.sin(2 * math.pi * day / period) for day in days]
    return [(day, round(math.exp(value + noise.gauss(0, 0.3)), 2)) for day, value in zip(days, swing, strict=True)]


@pytest.mark.parametrize(("weeks", "per_week"), [(7, (0, 2, 4)), (12, (0, 3))])
def test_a_cycle_of_21_days_is_found(weeks, per_week):
    found = course(cyclic(weeks, per_week=per_week))
    assert found.kind == "cyclic"
    assert found.cycle.period == pytest.approx(21, abs=2)
    assert found.cycle.false_alarm < 0.05


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("period", [14.0, 35.0])
def test_a_cycle_of_exactly_the_shortest_or_longest_period_is_found(period, seed):
    found = course(cyclic(26, period=period, seed=seed))
    assert found.kind == "cyclic"
    assert found.cycle.period == pytest.approx(period, abs=0.5)


@pytest.mark.parametrize("weeks", [9, 12, 26])
@pytest.mark.parametrize("period", [8.0, 10.0, 12.0, 13.0, 37.0, 40.0, 50.0])
def test_a_rhythm_just_outside_the_range_is_not_named_at_its_edge(period, weeks):
    for seed in range(4):
        found = course(cyclic(weeks, period=period, seed=seed))
        assert found.kind != "cyclic"
        assert found.cycle.assessable
        assert found.cycle.period is None


@pytest.mark.parametrize(("period", "weeks"), [(13.0, 9), (37.0, 26)])
def test_a_rhythm_outside_the_range_is_told_with_its_own_period(period, weeks):
    text = course(cyclic(weeks, period=period)).cycle.reason.text
    assert f"with a period of {period:.0f} days" in text
    assert "outside the 14 to " in text


def test_a_period_of_which_too_few_cycles_were_seen_is_not_named_as_a_shorter_one():
    found = course(cyclic(8, period=33.0))
    assert found.cycle.assessable
    assert found.cycle.period is None


def test_one_instant_on_two_calendar_days_has_the_age_of_each_day():
    """On the eve of a birthday in one zone it is the birthday itself in another."""
    lowness = lowness_of("neutrophils", patient=ADULT, library=library())
    eve = Moment(at=datetime(2026, 5, 31, 22, 30, tzinfo=UTC), precision="minute")
    birthday = Moment(at=eve.at.astimezone(timezone(timedelta(hours=2))), precision="minute")
    one, other = (replace(counts([(1, 1.0)])[0], taken=moment) for moment in (eve, birthday))
    assert (lowness.person(one).ages.least, lowness.person(other).ages.least) == (45 * 365.25 + 364, 46 * 365.25)


def test_the_rhythm_of_chemotherapy_is_not_called_cyclic_neutropenia():
    doses = [dose(0), dose(21), dose(42)]
    found = course(cyclic(8), doses=doses)
    assert found.kind != "cyclic"
    assert found.cycle.period == pytest.approx(21, abs=2)
    assert "docetaxel was given at the same interval" in found.cycle.reason.text


def test_two_alternating_blocks_are_one_rhythm_of_treatment():
    doses = [dose(0, "VAC"), dose(21, "IE"), dose(42, "VAC"), dose(63, "IE")]
    assert course(cyclic(10), doses=doses).kind != "cyclic"


def test_a_cycle_of_long_ago_does_not_class_the_latest_episode():
    now = [(1000, 3.0), (1010, 1.1), (1024, 1.2)]
    found = course([*cyclic(9), *now])
    assert found.cycle.period == pytest.approx(21, abs=2)
    assert found.kind == "persistent"


def test_a_daily_medicine_does_not_explain_a_cycle():
    found = course(cyclic(8), doses=[dose(day, "levothyroxine") for day in range(56)])
    assert found.kind == "cyclic"
    assert "levothyroxine" in found.cycle.reason.text


def test_sampling_that_cannot_carry_the_test_says_what_could():
    cycle = course(CHEMOTHERAPY).cycle
    assert (cycle.assessable, cycle.period, cycle.false_alarm) == (False, None, None)
    assert "at least 18 counts over at least 42 days" in cycle.gap.settle


def test_counts_a_fortnight_apart_cannot_show_a_cycle():
    assert not course([(14 * number, 1.0 + number % 2) for number in range(40)]).cycle.assessable


def test_a_course_without_low_counts_is_not_tested_for_cycles():
    assert not course([(2 * number, 3.0 + number % 2) for number in range(40)]).cycle.assessable


def test_counts_that_do_not_vary_have_no_period():
    assert not course([(2 * number, 1.0) for number in range(40)]).cycle.assessable


def test_zero_counts_take_part():
    pairs = [(day, 0.0 if value < 0.2 else value) for day, value in cyclic(9)]
    assert course(pairs).kind == "cyclic"


# Cycles of treatment

THREE_WEEKS = [(0, 4.0), (10, 0.6), (14, 0.9), (21, 3.2), (31, 0.4), (42, 3.5), (52, 0.8)]
"""Counts over three cycles given on days 1, 22 and 43; before each new one a single count is back at normal."""


def cycles_on(*days: float) -> tuple:
    return tuple(Moment(at=START + timedelta(days=day)) for day in days)


def test_a_new_cycle_of_treatment_begins_a_new_episode():
    found = course(THREE_WEEKS, cycles=cycles_on(1, 22, 43))
    assert [episode.counts for episode in found.episodes] == [("c1", "c2"), ("c4",), ("c6",)]
    first = found.episodes[0]
    assert (first.recovery_confirmed, first.censoring) == (False, "none")
    assert "until the next treatment" in first.reason.text
    assert first.recovery_gap is not None
    assert "the next treatment came before it could hold" in first.recovery_gap.why


def test_without_treatment_a_single_count_above_does_not_end_the_episode():
    assert len(course(THREE_WEEKS).episodes) == 1


def test_treatment_that_goes_on_between_tells_nothing():
    daily = cycles_on(*range(53))
    assert len(course(THREE_WEEKS, cycles=daily).episodes) == 1


def haemoglobin(pairs, patient: Patient, at=None) -> Course:
    series = counts(pairs, analyte="haemoglobin", unit="g/L")
    shipped = load_library()
    return course_of("haemoglobin", series, patient=patient, library=shipped, as_of=LATER, at=at)


def test_the_course_of_haemoglobin_in_pregnancy_is_held_against_its_own_limits() -> None:
    """At 112 g/L she is above 110 and 105, the limits of pregnancy, though below 120: no episode."""
    values = [(0, 112.0), (14, 113.0), (28, 112.0)]
    she = replace(ADULT, sex="female", pregnant=True)
    assert haemoglobin(values, she).episodes == ()
    assert only(haemoglobin(values, replace(she, pregnant=False))).cut == 120.0


def test_before_the_pregnancy_the_limits_of_everybody_hold() -> None:
    she, began = replace(ADULT, sex="female"), START + timedelta(days=100)
    found = haemoglobin(
        [(0, 118.0), (180, 112.0), (194, 113.0)],
        replace(she, pregnant=True),
        at=lambda moment: replace(she, pregnant=moment is not None and moment.at > began),
    )
    assert [episode.nadir_count.value for episode in found.episodes] == [118.0]
