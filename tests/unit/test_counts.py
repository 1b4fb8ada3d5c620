"""Series that can be trusted: one count a draw, nothing lost, everything derived said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from fixtures.blood import ADULT, LIBRARY, at, count, on, record
from leuko.counts import Cleaned, clean, latest_draws
from leuko.counts.numbers import span_of
from leuko.record import Count, Moment

MANUAL_LINES = {
    "lymphocytes_percent": 40.0,
    "monocytes_percent": 10.0,
    "eosinophils_percent": 3.0,
    "basophils_percent": 1.0,
}


def cleaned(*counts: Count, as_of: date | None = date(2026, 2, 1), **patient: object) -> Cleaned:
    return clean(record(*counts, patient=replace(ADULT, **patient)), library=LIBRARY, as_of=as_of)


def codes(result: Cleaned) -> list[str]:
    return sorted(notice.code for notice in result.notices)


def only(result: Cleaned, analyte: str) -> Count:
    (found,) = result.series[analyte]
    return found


def values(result: Cleaned, analyte: str) -> list[tuple[float, str]]:
    return [(found.value, found.bound) for found in result.series.get(analyte, ())]


# ANC


def test_anc_is_wbc_times_segments_and_bands() -> None:
    """The worked example of UpToDate: 3,500/uL, 30 % segments, 1 % bands: 1,085/uL."""
    result = cleaned(count("wbc", 3.5), count("segments_percent", 30.0), count("bands_percent", 1.0))
    anc = only(result, "neutrophils")
    assert anc.value == 1.085
    assert (anc.bound, anc.kind) == ("=", "derived")
    assert anc.derived_from == ("wbc=3.5", "segments_percent=30", "bands_percent=1")
    assert "3.5 x (30 + 1) %" in anc.derivation


def test_the_derived_value_is_exact_in_decimals() -> None:
    """4.6 x 0.2 is 0.9199999999999999 in binary, and 0.92 on paper."""
    assert only(cleaned(count("wbc", 4.6), count("neutrophils_percent", 20.0)), "neutrophils").value == 0.92
    assert only(cleaned(count("wbc", 1.0), count("neutrophils_percent", 50.0)), "neutrophils").value == 0.5


def test_metamyelocytes_and_younger_do_not_count() -> None:
    younger = [count(f"{name}_percent", 5.0) for name in ("metamyelocytes", "myelocytes", "promyelocytes", "blasts")]
    result = cleaned(count("wbc", 10.0), count("segments_percent", 30.0), count("bands_percent", 5.0), *younger)
    assert only(result, "neutrophils").value == 3.5


def test_automated_neutrophils_already_hold_the_bands() -> None:
    result = cleaned(
        count("wbc", 2.0), count("neutrophils_percent", 40.0, method="automated"), count("bands_percent", 10.0)
    )
    assert only(result, "neutrophils").value == 0.8
    assert codes(result) == []


@pytest.mark.parametrize(
    ("lymphocytes", "anc", "found"),
    [
        # 46 + 40 + 10 + 3 + 1 = 100: the neutrophils hold the bands
        (40.0, 0.92, []),
        # 46 + 10 + 30 + 10 + 3 + 1 = 100: they do not
        (30.0, 1.12, []),
        # neither: the lower ANC, with a notice
        (20.0, 0.92, ["LK609", "LK615"]),
    ],
)
def test_the_sum_of_the_differential_tells_whether_the_bands_are_held(lymphocytes, anc, found) -> None:
    lines = {**MANUAL_LINES, "lymphocytes_percent": lymphocytes}
    rest = [count(name, value) for name, value in lines.items()]
    result = cleaned(count("wbc", 2.0), count("neutrophils_percent", 46.0), count("bands_percent", 10.0), *rest)
    assert only(result, "neutrophils").value == anc
    assert codes(result) == found


def test_without_other_lines_the_bands_are_not_added_and_it_is_said() -> None:
    result = cleaned(count("wbc", 2.0), count("neutrophils_percent", 46.0), count("bands_percent", 10.0))
    assert only(result, "neutrophils").value == 0.92
    assert codes(result) == ["LK615"]


def test_segments_beside_them_tell_whether_the_neutrophils_hold_the_bands() -> None:
    bands, segments = count("bands_percent", 10.0), count("segments_percent", 36.0)
    held = cleaned(count("wbc", 2.0), count("neutrophils_percent", 46.0), bands, segments)
    apart = cleaned(count("wbc", 2.0), count("neutrophils_percent", 36.0), bands, segments)
    assert only(held, "neutrophils").value == 0.92
    assert only(apart, "neutrophils").value == 0.92


def test_segments_alone_are_the_least_that_the_anc_can_be() -> None:
    result = cleaned(count("wbc", 3.5), count("segments_percent", 30.0))
    assert values(result, "neutrophils") == [(1.05, ">=")]
    assert codes(result) == ["LK616"]


def test_segments_of_a_whole_differential_are_the_anc() -> None:
    rest = [count(name, value) for name, value in MANUAL_LINES.items()]
    result = cleaned(count("wbc", 2.0), count("segments_percent", 46.0), *rest)
    assert values(result, "neutrophils") == [(0.92, "=")]
    assert codes(result) == []


def test_absolute_segments_and_bands_make_the_anc() -> None:
    both = cleaned(count("segments", 0.9), count("bands", 0.15))
    alone = cleaned(count("segments", 0.9))
    assert values(both, "neutrophils") == [(1.05, "=")]
    assert values(alone, "neutrophils") == [(0.9, ">=")]


@pytest.mark.parametrize("line", ["lymphocytes", "monocytes", "eosinophils", "basophils", "blasts"])
def test_the_other_lines_are_derived_likewise(line) -> None:
    found = only(cleaned(count("wbc", 2.5), count(f"{line}_percent", 30.0)), line)
    assert (found.value, found.kind) == (0.75, "derived")


def test_a_measured_anc_is_never_replaced() -> None:
    result = cleaned(count("wbc", 4.6), count("neutrophils_percent", 20.0), count("neutrophils", 0.92, lab_low=2.0))
    anc = only(result, "neutrophils")
    assert (anc.kind, anc.lab_low) == ("measured", 2.0)
    assert codes(result) == []


def test_a_reported_anc_that_disagrees_is_told_with_both_numbers() -> None:
    """WBC 4.6 (4.55 to 4.65) x 20 % (19.5 to 20.5) is 0.887 to 0.953; the report says 0.70."""
    result = cleaned(count("wbc", 4.6), count("neutrophils_percent", 20.0), count("neutrophils", 0.7, text="0.70"))
    assert values(result, "neutrophils") == [(0.7, "=")]
    (notice,) = result.notices
    assert (notice.code, notice.severity) == ("LK608", "warning")
    assert "0.7 " in notice.text
    assert "0.92" in notice.text
    assert "0.8872 to 0.9533" in notice.text
    assert result.set_aside[0].count.value == 0.92


@pytest.mark.parametrize(
    ("wbc", "percent", "anc", "agrees"),
    [
        ("4.6", "20", "0.95", True),  # at most 4.65 x 20.5 % = 0.95325
        ("4.6", "20", "0.96", False),  # 0.955 and more
        ("4.6", "20.0", "0.94", False),  # at most 4.65 x 20.05 % = 0.932, and 0.94 means 0.935 and more
        ("4.60", "20", "0.90", True),  # at least 4.595 x 19.5 % = 0.896
        ("4.60", "20", "0.89", False),
        ("0.3", "1", "0.00", True),
    ],
)
def test_disagreement_allows_for_the_rounding_of_the_printed_digits(wbc, percent, anc, agrees) -> None:
    result = cleaned(
        count("wbc", float(wbc), text=wbc),
        count("neutrophils_percent", float(percent), text=percent),
        count("neutrophils", float(anc), text=anc),
    )
    assert codes(result) == ([] if agrees else ["LK608"])


@pytest.mark.parametrize(
    ("value", "text", "unit", "span"),
    [
        (4.6, "4.6", "10*9/L", ("4.55", "4.65")),
        (4.6, "4,6", "10*9/L", ("4.55", "4.65")),
        (3.0, "3000", "/uL", ("2.9995", "3.0005")),
        (1.2, "1,200", "/uL", ("1.1995", "1.2005")),
        (0.0, "0.00", "10*9/L", ("0", "0.005")),
        (0.0, "0", "/uL", ("0", "0.0005")),
        (8.06, "806", "10/uL", ("8.055", "8.065")),
    ],
)
def test_what_printed_digits_leave_open(value, text, unit, span) -> None:
    found = span_of(count("wbc", value, text=text, unit_text=unit))
    assert (float(found.least), float(found.most)) == tuple(map(float, span))


# Bounds


def test_without_a_differential_the_white_count_bounds_the_anc() -> None:
    result = cleaned(count("wbc", 0.4))
    anc = only(result, "neutrophils")
    assert (anc.value, anc.bound, anc.kind, anc.derived_from) == (0.4, "<=", "derived", ("wbc=0.4",))
    assert "at most" in anc.derivation
    (gap,) = result.gaps
    assert "without a differential" in gap.why


def test_any_anc_of_the_draw_stands_above_the_bound() -> None:
    assert values(cleaned(count("wbc", 0.4), count("neutrophils", 0.1)), "neutrophils") == [(0.1, "=")]
    assert values(cleaned(count("wbc", 0.4), count("neutrophils_percent", 10.0)), "neutrophils") == [(0.04, "=")]


@pytest.mark.parametrize(
    ("wbc", "percent", "expected"),
    [
        ((0.1, "<"), (50.0, "="), (0.05, "<")),
        ((0.1, "<="), (50.0, "="), (0.05, "<=")),
        ((2.0, "="), (1.0, "<"), (0.02, "<")),
        ((0.1, "<"), (0.0, "="), (0.0, "=")),
        ((100.0, ">"), (50.0, "="), (50.0, ">")),
        ((0.1, "<"), (1.0, "<"), (0.001, "<")),
    ],
)
def test_bounds_are_carried_through(wbc, percent, expected) -> None:
    result = cleaned(count("wbc", wbc[0], bound=wbc[1]), count("neutrophils_percent", percent[0], bound=percent[1]))
    assert values(result, "neutrophils") == [expected]


def test_bounds_that_point_apart_give_no_product() -> None:
    result = cleaned(count("wbc", 2.0, bound="<"), count("neutrophils_percent", 90.0, bound=">"))
    assert values(result, "neutrophils") == [(2.0, "<")]  # the white count still bounds it


def test_a_white_count_that_is_only_bounded_from_below_bounds_nothing() -> None:
    assert "neutrophils" not in cleaned(count("wbc", 100.0, bound=">")).series


def test_granulocytes_are_no_anc_but_bound_it() -> None:
    result = cleaned(count("wbc", 4.5), count("granulocytes", 0.42))
    assert values(result, "neutrophils") == [(0.42, "<=")]
    assert codes(result) == ["LK614"]
    assert any("granulocytes also hold" in gap.why for gap in result.gaps)
    percent = cleaned(count("wbc", 4.0), count("granulocytes_percent", 10.0))
    assert values(percent, "neutrophils") == [(0.4, "<=")]


# Draws


def test_a_differential_is_never_joined_to_another_draws_white_count() -> None:
    result = cleaned(count("wbc", 2.0), count("neutrophils_percent", 50.0, taken=at(24)))
    assert values(result, "neutrophils") == [(2.0, "<=")]
    assert len(result.series["neutrophils"]) == 1


def test_the_same_instant_in_two_zones_is_one_draw() -> None:
    tokyo = Moment(at=datetime(2026, 1, 5, 17, 30, tzinfo=timezone(timedelta(hours=9))))
    result = cleaned(count("wbc", 2.0), count("neutrophils_percent", 50.0, taken=tokyo))
    assert values(result, "neutrophils") == [(1.0, "=")]


def test_the_same_clock_time_in_two_zones_is_two_draws() -> None:
    tokyo = Moment(at=datetime(2026, 1, 5, 8, 30, tzinfo=timezone(timedelta(hours=9))))
    result = cleaned(count("wbc", 2.0), count("neutrophils_percent", 50.0, taken=tokyo))
    assert values(result, "neutrophils") == [(2.0, "<=")]


def test_a_named_draw_joins_counts_a_few_minutes_apart() -> None:
    result = cleaned(count("wbc", 2.0, draw="S1"), count("neutrophils_percent", 50.0, draw="S1", taken=at(0.1)))
    assert values(result, "neutrophils") == [(1.0, "=")]


def test_a_cumulative_report_is_not_one_draw() -> None:
    """One report id over two days: each white count keeps to the differential of its own time."""
    result = cleaned(
        count("wbc", 2.0, draw="R"),
        count("neutrophils_percent", 50.0, draw="R"),
        count("wbc", 1.0, draw="R", taken=at(24)),
        count("neutrophils_percent", 30.0, draw="R", taken=at(24)),
    )
    assert values(result, "neutrophils") == [(1.0, "="), (0.3, "=")]


def test_a_report_with_two_times_of_one_day_is_not_one_draw() -> None:
    result = cleaned(
        count("wbc", 2.0, draw="R"),
        count("wbc", 1.0, draw="R", taken=at(6)),
        count("neutrophils_percent", 50.0, draw="R", taken=at(6)),
    )
    assert values(result, "neutrophils") == [(2.0, "<="), (0.5, "=")]


def test_a_day_without_times_is_one_draw_where_nothing_speaks_against_it() -> None:
    day = on(2026, 1, 5)
    result = cleaned(count("wbc", 2.0, taken=day), count("neutrophils_percent", 50.0, taken=day))
    assert values(result, "neutrophils") == [(1.0, "=")]
    assert codes(result) == ["LK611"]


def test_a_day_with_two_white_counts_and_no_times_is_taken_apart() -> None:
    day = on(2026, 1, 5)
    result = cleaned(
        count("wbc", 2.0, taken=day), count("wbc", 3.0, taken=day), count("neutrophils_percent", 50.0, taken=day)
    )
    assert values(result, "neutrophils") == [(2.0, "<="), (3.0, "<=")]
    assert "LK610" in codes(result)


def test_named_draws_of_one_day_are_kept_apart() -> None:
    day = on(2026, 1, 5)
    result = cleaned(
        count("wbc", 2.0, taken=day, draw="A"),
        count("neutrophils_percent", 50.0, taken=day, draw="A"),
        count("wbc", 3.0, taken=day, draw="B"),
        count("neutrophils_percent", 10.0, taken=day, draw="B"),
    )
    assert sorted(values(result, "neutrophils")) == [(0.3, "="), (1.0, "=")]
    assert "LK617" in codes(result)


def test_two_reports_of_one_instant_are_one_sample_unless_they_contradict_each_other() -> None:
    """A blood count and its differential; then two blood counts with different differentials."""
    together = cleaned(count("wbc", 2.0, draw="CBC"), count("neutrophils_percent", 50.0, draw="DIFF"))
    assert values(together, "neutrophils") == [(1.0, "=")]
    apart = cleaned(
        count("wbc", 2.0, draw="A"),
        count("neutrophils_percent", 50.0, draw="A"),
        count("wbc", 8.0, draw="B"),
        count("neutrophils_percent", 10.0, draw="B"),
    )
    # 2.0 x 50 % = 1.0 and 8.0 x 10 % = 0.8; never 2.0 x 10 % = 0.2, which is of no sample
    assert values(apart, "neutrophils") == [(0.8, "=")]
    assert values(apart, "wbc") == [(2.0, "=")]
    assert codes(apart) == ["LK607", "LK607", "LK607"]
    bare = cleaned(
        count("wbc", 2.0, draw="A"), count("neutrophils_percent", 50.0, draw="A"), count("wbc", 8.0, draw="B")
    )
    assert values(bare, "neutrophils") == [(1.0, "=")]


def test_series_are_in_order_of_time_and_the_last_is_the_latest() -> None:
    result = cleaned(count("wbc", 3.0, taken=at(48)), count("wbc", 1.0), count("wbc", 2.0, taken=at(24)))
    assert [found.value for found in result.series["wbc"]] == [1.0, 2.0, 3.0]
    assert latest_draws(result)["wbc"].value == 3.0


# Repeats and conflicts


def test_a_repeat_is_counted_once_and_told() -> None:
    result = cleaned(count("wbc", 3.2, line=2), count("wbc", 3.2, line=9, id="again"))
    assert values(result, "wbc") == [(3.2, "=")]
    (aside,) = result.set_aside
    assert (aside.notice.code, aside.notice.severity) == ("LK605", "info")
    assert "labs.csv:2" in aside.notice.text
    assert "labs.csv:9" in aside.notice.text


def test_of_a_result_printed_twice_the_finer_one_stands_with_the_interval_of_the_other() -> None:
    result = cleaned(count("wbc", 3.2, lab_low=4.0, lab_high=11.0), count("wbc", 3.24))
    found = only(result, "wbc")
    assert (found.value, found.lab_low, found.lab_high) == (3.24, 4.0, 11.0)
    assert codes(result) == ["LK605"]


def test_a_repeat_without_a_time_of_day_is_the_timed_result() -> None:
    result = cleaned(count("wbc", 3.2, taken=on(2026, 1, 5), id="dated"), count("wbc", 3.2, id="timed"))
    assert only(result, "wbc").id == "timed"
    assert codes(result) == ["LK605"]


def test_a_dated_draw_that_says_more_is_not_taken_for_a_repeat() -> None:
    day = on(2026, 1, 5)
    result = cleaned(count("wbc", 3.2, taken=day), count("neutrophils", 1.0, taken=day), count("wbc", 3.2, id="timed"))
    assert len(result.series["wbc"]) == 2
    assert [value for value in values(result, "neutrophils") if value == (1.0, "=")]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("final", "preliminary"),
        ("corrected", "final"),
        ("amended", "final"),
        ("final", "unknown"),
        ("unknown", "preliminary"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_surer_of_two_results_stands(better, worse, order) -> None:
    counts = (count("neutrophils", 0.7, status=better), count("neutrophils", 0.4, status=worse))[::order]
    result = cleaned(*counts)
    assert values(result, "neutrophils") == [(0.7, "=")]
    assert codes(result) == ["LK606"]
    assert result.set_aside[0].count.value == 0.4


@pytest.mark.parametrize("order", [1, -1])
def test_between_equals_the_one_issued_last_stands(order) -> None:
    counts = (count("neutrophils", 0.7, issued=at(3)), count("neutrophils", 0.4, issued=at(2)))[::order]
    result = cleaned(*counts)
    assert values(result, "neutrophils") == [(0.7, "=")]
    assert codes(result) == ["LK606"]


@pytest.mark.parametrize("order", [1, -1])
def test_where_nothing_decides_the_lower_is_used_and_both_are_shown(order) -> None:
    result = cleaned(*(count("neutrophils", 0.7), count("neutrophils", 0.4))[::order])
    assert values(result, "neutrophils") == [(0.4, "=")]
    (aside,) = result.set_aside
    assert (aside.count.value, aside.notice.code, aside.notice.severity) == (0.7, "LK607", "warning")
    assert "0.4" in aside.notice.text
    assert "0.7" in aside.notice.text


def test_earlier_versions_of_a_result_stay_with_it() -> None:
    earlier = count("neutrophils", 0.9, status="preliminary")
    found = only(cleaned(count("neutrophils", 0.7, status="corrected", superseded=(earlier,))), "neutrophils")
    assert found.superseded == (earlier,)


# Sums


@pytest.mark.parametrize(
    ("neutrophils", "found"),
    [(46.0, []), (44.0, []), (48.0, []), (42.0, ["LK609"]), (50.0, ["LK609"])],
    ids=["100", "98 within rounding", "102 within rounding", "96", "104"],
)
def test_a_differential_that_does_not_add_up_is_told(neutrophils, found) -> None:
    rest = [count(name, value) for name, value in MANUAL_LINES.items()]
    result = cleaned(count("wbc", 5.0), count("neutrophils_percent", neutrophils, method="automated"), *rest)
    assert codes(result) == found


def test_a_part_of_a_differential_may_add_up_to_less() -> None:
    assert (
        codes(cleaned(count("wbc", 5.0), count("neutrophils_percent", 10.0), count("lymphocytes_percent", 20.0))) == []
    )


def test_the_last_half_digit_still_reconciles_a_sum() -> None:
    """Two lines printed as whole numbers may be half a percent off each: 101 may be 100, 101.2 may not."""
    two = cleaned(count("neutrophils_percent", 61.0), count("lymphocytes_percent", 40.0))
    assert codes(two) == []
    assert codes(cleaned(count("neutrophils_percent", 61.2), count("lymphocytes_percent", 40.0))) == ["LK609"]
    lines = {**MANUAL_LINES, "neutrophils_percent": 43.0, "blasts_percent": 0.0}
    assert codes(cleaned(*(count(name, value) for name, value in lines.items()))) == []  # 97 +/- 3


def test_a_sum_with_a_bound_is_not_judged() -> None:
    assert codes(cleaned(count("neutrophils_percent", 99.0), count("lymphocytes_percent", 50.0, bound="<"))) == []


def test_many_draws_without_a_differential_are_one_gap() -> None:
    result = cleaned(*(count("wbc", 2.0 + day, taken=at(24 * day)) for day in range(7)))
    (gap,) = result.gaps
    assert gap.what == "the neutrophil count of 5 January 2026 to 11 January 2026 (7 days)"


def test_unnamed_cells_are_told_and_named_blasts_are_not_missed() -> None:
    lines = {**MANUAL_LINES, "segments_percent": 20.0, "bands_percent": 2.0}
    missing = cleaned(*(count(name, value) for name, value in lines.items()))
    assert "some white cells are not named" in missing.notices[0].text
    named = cleaned(*(count(name, value) for name, value in {**lines, "blasts_percent": 24.0}.items()))
    assert codes(named) == []


# Nucleated red cells


def test_a_manual_white_count_is_corrected_once() -> None:
    """The example of best-lab.org: 17,400 with 8 nucleated red cells per 100 is 16,111."""
    result = cleaned(
        count("wbc", 17.4, method="manual", lab_low=4.0),
        count("nrbc_per_100_wbc", 8.0),
        count("neutrophils_percent", 50.0),
    )
    wbc = only(result, "wbc")
    assert wbc.value == pytest.approx(16.111, abs=0.0005)
    assert (wbc.kind, wbc.lab_low, wbc.derived_from) == ("derived", 4.0, ("wbc=17.4", "nrbc_per_100_wbc=8"))
    assert only(result, "neutrophils").value == pytest.approx(8.0556, abs=0.0005)
    assert codes(result) == ["LK612"]
    assert result.set_aside[0].count.value == 17.4


@pytest.mark.parametrize("method", ["automated", None, "estimated"])
def test_another_white_count_is_not_corrected_and_both_figures_are_shown(method) -> None:
    result = cleaned(count("wbc", 10.0, method=method), count("nrbc_per_100_wbc", 25.0), count("neutrophils", 3.0))
    assert only(result, "wbc").value == 10.0
    (notice,) = result.notices
    assert notice.code == "LK613"
    assert "10 " in notice.text
    assert "8 " in notice.text


@pytest.mark.parametrize(
    ("nrbc", "corrected", "found"),
    [
        (0.0, False, []),
        (1.0, False, ["LK613"]),
        (4.0, False, ["LK613"]),
        (5.0, True, ["LK612"]),
        (6.0, True, ["LK612"]),
    ],
)
def test_the_number_to_correct_from_is_the_house_row_and_disagreement_is_told(nrbc, corrected, found) -> None:
    result = cleaned(count("wbc", 10.0, method="manual"), count("nrbc_per_100_wbc", nrbc), count("neutrophils", 3.0))
    assert (only(result, "wbc").kind == "derived") is corrected
    assert codes(result) == found
    if nrbc == 5.0:
        assert "3 of 4 sources" in result.notices[0].text


def test_the_laboratorys_own_corrected_count_is_used_and_not_corrected_again() -> None:
    result = cleaned(
        count("wbc", 10.0, method="manual", lab_low=4.0, lab_high=11.0),
        count("wbc_corrected", 8.0),
        count("nrbc_per_100_wbc", 25.0),
    )
    wbc = only(result, "wbc")
    assert (wbc.value, wbc.kind, wbc.lab_low) == (8.0, "measured", 4.0)
    assert codes(result) == ["LK620"]
    own = cleaned(count("wbc", 10.0, lab_low=4.0), count("wbc_corrected", 8.0, lab_low=3.5))
    assert only(own, "wbc").lab_low == 3.5
    alone = cleaned(count("wbc_corrected", 8.0))
    assert (only(alone, "wbc").value, codes(alone)) == (8.0, [])
    assert "wbc_corrected" not in result.series


# What has no place in a series


def test_without_a_time_a_count_is_set_aside() -> None:
    result = cleaned(count("wbc", 3.0, taken=None))
    assert result.series == {}
    assert [(aside.notice.code, aside.notice.data_lost) for aside in result.set_aside] == [("LK601", True)]


def test_after_the_day_of_the_assessment_a_count_is_set_aside() -> None:
    result = cleaned(count("wbc", 3.0), count("wbc", 1.0, taken=at(24)), as_of=date(2026, 1, 5))
    assert values(result, "wbc") == [(3.0, "=")]
    assert codes(result) == ["LK602"]
    assert codes(cleaned(count("wbc", 1.0, taken=at(24)), as_of=None)) == []


def test_the_day_is_that_of_the_place_of_the_draw() -> None:
    """Half past one in the morning of the 6th in Tokyo is still the 5th in London: the laboratory's day decides."""
    tokyo = Moment(at=datetime(2026, 1, 6, 1, 30, tzinfo=timezone(timedelta(hours=9))))
    assert codes(cleaned(count("wbc", 1.0, taken=tokyo), as_of=date(2026, 1, 5))) == ["LK602"]


@pytest.mark.parametrize(
    ("born", "precision", "found"),
    [
        (date(2026, 1, 5), "day", []),
        (date(2026, 1, 6), "day", ["LK603"]),
        (date(2026, 1, 1), "month", []),
        (date(2026, 2, 1), "month", ["LK603"]),
        (date(2026, 12, 31), "year", []),
        (date(2027, 1, 1), "year", ["LK603"]),
    ],
)
def test_before_birth_a_count_is_set_aside(born, precision, found) -> None:
    result = cleaned(count("neutrophils", 3.0), born=born, born_precision=precision)
    assert codes(result) == found
    assert ("neutrophils" in result.series) is not bool(found)


def test_after_death_a_count_is_used_and_told() -> None:
    result = cleaned(count("neutrophils", 3.0), died=date(2026, 1, 4))
    assert codes(result) == ["LK604"]
    assert values(result, "neutrophils") == [(3.0, "=")]
    assert codes(cleaned(count("neutrophils", 3.0), died=date(2026, 1, 5))) == []


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_what_is_no_count_is_set_aside(value) -> None:
    result = cleaned(count("wbc", value))
    assert codes(result) == ["LK619"]
    assert result.series == {}


def test_a_derived_count_is_as_sure_as_its_least_sure_part() -> None:
    result = cleaned(count("wbc", 2.0), count("neutrophils_percent", 50.0, status="preliminary", method="manual"))
    anc = only(result, "neutrophils")
    assert (anc.status, anc.method, anc.draw) == ("preliminary", "manual", None)
    assert anc.taken == at()


def test_every_notice_code_is_explained() -> None:
    for code in ("LK601", "LK602", "LK603", "LK604", "LK605", "LK606", "LK607", "LK608", "LK609", "LK610", "LK611"):
        assert LIBRARY.notices[code].explain
    mine = [code for code in LIBRARY.notices if code.startswith("LK6")]
    assert all(LIBRARY.notices[code].help and LIBRARY.notices[code].title for code in mine)


def test_months_and_years_are_days_that_are_not_known() -> None:
    month = Moment(at=datetime(2026, 1, 1, tzinfo=UTC), precision="month")
    result = cleaned(count("wbc", 2.0, taken=month), as_of=date(2026, 1, 10))
    assert values(result, "wbc") == [(2.0, "=")]
