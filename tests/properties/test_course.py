"""What must hold of every course, whatever the counts.

The truth is a polyline that is drawn first and sampled at its corners and between them. Between two neighbouring
samples it is straight, so where both lie on one side of a cut it stays there: what `leuko.course.days` assumes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as replace_row

from fixtures.series import ADULT, RULES, START, counts, library
from leuko.course import course_of
from leuko.course.days import days_below
from leuko.course.points import Cut, points_of, side_of
from leuko.record import Count, Moment

LIBRARY = library()
AS_OF = date(2030, 1, 1)
CUTS = (1.5, 1.0, 0.5)
SLACK = 1e-4  # counts are drawn to the second: 1e-5 days

# Values that never lie on a cut, so that a corner is on one side of it.
values = st.integers(0, 320).map(lambda step: step / 100 + 0.003)
gaps = st.integers(1, 40 * 24).map(lambda hours: hours / 24)
polylines = st.lists(st.tuples(gaps, values), min_size=1, max_size=14)


@dataclass(frozen=True)
class Truth:
    """A polyline: corners as (day, value)."""

    corners: tuple[tuple[float, float], ...]

    def at(self, day: float) -> float:
        for (a, low), (b, high) in pairwise(self.corners):
            if a <= day <= b:
                return low + (high - low) * (day - a) / (b - a)
        return self.corners[0][1]

    def below(self, cut: float, start: float, end: float) -> float:
        """Days below a cut between two days: on each straight piece, the part on that side of the crossing."""
        days = [start, *(day for day, _ in self.corners if start < day < end), end]
        return sum(self._piece(a, b, cut) for a, b in pairwise(days))

    def _piece(self, a: float, b: float, cut: float) -> float:
        low, high = sorted((self.at(a), self.at(b)))
        if high == low:
            return (b - a) if low < cut else 0.0
        return (b - a) * min(1.0, max(0.0, (cut - low) / (high - low)))


def truth_of(steps) -> Truth:
    day, corners = 0.0, []
    for gap, value in steps:
        corners.append((day, value))
        day += gap
    return Truth(corners=tuple(corners))


def enclosed(truth: Truth) -> Truth:
    """The same between two high counts close by, so that every low stretch begins and ends in sight."""
    first, last = truth.corners[0][0], truth.corners[-1][0]
    return Truth(corners=((first - 2, 3.0), *truth.corners, (last + 2, 3.0)))


def sampled(truth: Truth, extra=(), precision="second") -> tuple[Count, ...]:
    days = sorted({day for day, _ in truth.corners} | {day for day in extra if day < truth.corners[-1][0]})
    return counts([(day, truth.at(day)) for day in days], precision=precision)


def measured(series, cut: float, hole_days: float = 45.0):
    points = points_of(series)
    sides = [side_of(map(Cut(value=cut).side, point.counts)) for point in points]
    return days_below(points, sides, hole_days=hole_days)


def course(series, known=LIBRARY, as_of=AS_OF):
    return course_of("neutrophils", series, patient=ADULT, library=known, as_of=as_of)


@given(polylines, st.sampled_from(["second", "day"]), st.sampled_from([5.0, 45.0]))
def test_the_true_days_below_lie_between_the_least_and_the_most(steps, precision, hole_days):
    truth = enclosed(truth_of(steps))
    least, most = measured(sampled(truth, precision=precision), 1.0, hole_days)
    true = truth.below(1.0, truth.corners[0][0], truth.corners[-1][0])
    assert least <= true + SLACK
    assert most is None or true <= most + SLACK
    if precision == "second":
        assert most is not None


@given(polylines, st.lists(st.integers(1, 4000).map(lambda tenth: tenth / 10), max_size=6))
def test_more_counts_never_widen_the_days_below(steps, extra):
    truth = enclosed(truth_of(steps))
    for cut in CUTS:
        fewer, more = measured(sampled(truth), cut), measured(sampled(truth, extra), cut)
        assert more[0] >= fewer[0] - SLACK
        assert more[1] <= fewer[1] + SLACK


@given(polylines)
def test_over_the_whole_course_the_truth_lies_between_the_sums(steps):
    truth = enclosed(truth_of(steps))
    episodes = course(sampled(truth)).episodes
    for cut in CUTS:
        days = [d for episode in episodes for d in episode.days_below if d.cut == cut]
        true = truth.below(cut, truth.corners[0][0], truth.corners[-1][0])
        assert sum(d.least for d in days) <= true + SLACK
        if all(d.most is not None for d in days):
            assert true <= sum(d.most for d in days) + SLACK


@given(polylines)
def test_onset_and_recovery_enclose_the_true_crossings(steps):
    truth = enclosed(truth_of(steps))
    for episode in course(sampled(truth)).episodes:
        for between, falling in ((episode.onset, True), (episode.recovery, False)):
            if between is None or between.earliest is None or between.latest is None:
                continue
            early, late = ((moment - START) / timedelta(days=1) for moment in (between.earliest, between.latest))
            high, low = (early, late) if falling else (late, early)
            assert truth.at(high) >= 1.5 - SLACK
            assert truth.at(low) < 1.5 + SLACK


bounded = st.one_of(values, values.map(lambda v: f"<{v}"), values.map(lambda v: f"≤{v}"), values.map(lambda v: f">{v}"))
anything = st.lists(st.tuples(st.integers(0, 4000).map(lambda tenth: tenth / 10), bounded), max_size=25)


@given(anything, st.sampled_from(["second", "hour", "day"]))
@example([(0.0, 0.003), (0.1, 1.003), (0.1, "<0.503"), (0.2, 0.003)], "second")  # one draw, two contradictory results
def test_no_course_is_impossible(pairs, precision):
    found = course(counts(pairs, precision=precision))
    order = {
        name: number for number, point in enumerate(points_of(counts(pairs, precision=precision))) for name in point.ids
    }
    for episode in found.episodes:
        assert episode.duration[1] is None or episode.duration[0] <= episode.duration[1]
        assert episode.nadir_count.id in episode.counts
        assert episode.recovery_confirmed == (episode.recovery_gap is None)
        assert not (episode.recovery_confirmed and episode.recovery is None)
        assert (episode.onset.earliest is None) == (episode.censoring in {"left", "both"})
        assert (episode.recovery is None) == (episode.censoring in {"right", "both"})
        for days in episode.days_below:
            assert days.least >= 0
            assert days.most is None or days.least <= days.most
        deeper = [days.least for days in episode.days_below]
        assert deeper == sorted(deeper, reverse=True)
        for least, most in (episode.days_to_nadir, episode.days_nadir_to_recovery):
            assert least is not None
            assert most is None or 0 <= least <= most
    for earlier, later in pairwise(found.episodes):
        assert max(map(order.__getitem__, earlier.counts)) < min(map(order.__getitem__, later.counts))
    if found.kind in {"transient", "persistent", "chronic", "cyclic", "ongoing"}:
        assert found.episodes


@given(anything, st.randoms(use_true_random=False), st.sampled_from(["second", "day"]))
def test_the_order_of_the_counts_does_not_matter(pairs, shuffler: random.Random, precision):
    series = list(counts(pairs, precision=precision))
    shuffled = series[:]
    shuffler.shuffle(shuffled)
    assert course(series) == course(shuffled) == course(series)


@given(anything, st.integers(1, 1000))
@settings(max_examples=50)
def test_a_shift_in_time_shifts_the_course(pairs, days):
    series = counts(pairs)
    shift = timedelta(days=days)
    moved = tuple(replace(c, taken=Moment(at=c.taken.at + shift, precision=c.taken.precision)) for c in series)
    one, other = course(series), course(moved, as_of=AS_OF + shift)
    assert one.kind == other.kind
    for a, b in zip(one.episodes, other.episodes, strict=True):
        assert (a.counts, a.censoring, a.recovery_confirmed) == (b.counts, b.censoring, b.recovery_confirmed)
        assert b.onset.latest - a.onset.latest == shift
        assert a.duration[0] == b.duration[0] or abs(a.duration[0] - b.duration[0]) < SLACK
        for x, y in zip(a.days_below, b.days_below, strict=True):
            assert abs(x.least - y.least) < SLACK
            assert (x.most is None) == (y.most is None)
            assert x.most is None or abs(x.most - y.most) < SLACK


@given(anything, st.integers(0, 400))
def test_what_comes_after_the_assessment_has_no_part_in_it(pairs, days):
    as_of = START.date() + timedelta(days=days)
    series = counts(pairs)
    then = tuple(count for count in series if count.taken.day <= as_of)
    whole, known = course(series, as_of=as_of), course(then, as_of=as_of)
    assert replace(whole, gaps=()) == replace(known, gaps=())
    assert set(known.gaps) <= set(whole.gaps)


@given(anything)
def test_every_low_count_is_in_one_episode_and_no_other(pairs):
    series = counts(pairs)
    episodes = course(series).episodes
    low = {c.id for c in series if (c.bound in {"=", "<="} and c.value < 1.5) or (c.bound == "<" and c.value <= 1.5)}
    held = [name for episode in episodes for name in episode.counts]
    assert low <= set(held)
    assert len(held) == len(set(held))


@given(polylines, st.floats(5, 60))
def test_a_longer_patience_with_holes_never_makes_more_episodes(steps, hole_days):
    series = sampled(truth_of(steps))
    strict = course(series, known=library(replace_row(RULES, hole_days=hole_days)))
    patient = course(series, known=library(replace_row(RULES, hole_days=2 * hole_days)))
    assert len(patient.episodes) <= len(strict.episodes)
