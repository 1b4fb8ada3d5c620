"""What is asked of simulated courses, on courses whose answers can be worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf, log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leuko.forecast.fan import fan_of
from leuko.forecast.outcome import (
    LEVELS,
    Courses,
    at_cut,
    days_below,
    nadir,
    outcome_of,
    quantiles,
    recovery,
    spread_of,
)


def straight(*points: tuple[float, float], draws: int = 60, baseline: float = 4.0) -> Courses:
    days, counts = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    return Courses(days=days, counts=np.repeat(counts[:, None], draws, axis=1), baseline=np.full(draws, baseline))


# 4.0 on day 0, 0.25 on day 8, 4.0 on day 16: the logarithm of the count falls and rises by ln 2 in 2 days.
V = straight((0, 4.0), (8, 0.25), (16, 4.0), (20, 4.0))


class TestByHand:
    def test_nadir(self) -> None:
        depth, day = nadir(V)
        assert depth[0] == 0.25
        assert day[0] == 8

    def test_days_below_half(self) -> None:
        # 0.5 is one halving above 0.25: from day 6 to day 10.
        assert days_below(V, 0.5)[0] == pytest.approx(4.0)
        # 1.0 is two halvings above: day 4 to day 12.
        assert days_below(V, 1.0)[0] == pytest.approx(8.0)
        assert days_below(V, 0.1)[0] == 0

    def test_recovery_is_the_last_time_it_comes_back(self) -> None:
        day, never, was = recovery(V, 0.5)
        assert day[0] == pytest.approx(10.0)
        assert not never[0]
        assert was[0]
        twice = straight((0, 4.0), (8, 0.25), (16, 4.0), (24, 0.25), (32, 4.0))
        assert recovery(twice, 0.5)[0][0] == pytest.approx(26.0)

    def test_not_recovered_within_the_horizon_is_never_a_day(self) -> None:
        falling = straight((0, 4.0), (8, 0.25), (9, 0.3))
        found = at_cut(falling, 0.5)
        assert found.recovery.never == 1.0
        assert found.recovery.median is None

    def test_not_below_needs_no_recovery(self) -> None:
        found = at_cut(V, 0.2)
        assert found.below == 0
        assert found.recovery.not_needed == 1.0
        assert found.recovery.median is None

    def test_baseline_is_each_draws_own(self) -> None:
        outcome = outcome_of(straight((0, 4.0), (8, 0.25), (16, 4.0), baseline=2.0), cuts=(0.5, 1.0))
        # 2.0 is three halvings above 0.25: day 14.
        assert outcome.recovery_baseline.median == pytest.approx(14.0)
        assert [cut.cut for cut in outcome.cuts] == [0.5, 1.0]

    def test_few_draws_have_no_quantiles(self) -> None:
        few = spread_of(np.arange(10.0), "d")
        assert few.median is None
        assert few.inner is None

    def test_a_window(self) -> None:
        assert list(V.between(8, 16).days) == [8, 16]


counts = st.lists(st.floats(0.01, 20), min_size=3, max_size=12)


@given(counts, st.floats(0.05, 10))
def test_days_below_and_above_add_up_to_the_horizon(values: list[float], cut: float) -> None:
    assume(all(value != cut for value in values))  # at the cut is not below, on either side
    courses = straight(*enumerate(values), draws=1)
    above = Courses(days=courses.days, counts=cut * cut / courses.counts, baseline=courses.baseline)
    assert days_below(courses, cut)[0] + days_below(above, cut)[0] == pytest.approx(len(values) - 1)


@given(counts, st.floats(0.05, 10))
def test_after_recovery_no_count_is_below(values: list[float], cut: float) -> None:
    courses = straight(*enumerate(values), draws=1)
    day, never, was = recovery(courses, cut)
    if was[0] and not never[0]:
        after = courses.counts[courses.days >= day[0] + 1e-9, 0]
        assert (after >= cut * (1 - 1e-9)).all()


@given(counts)
def test_a_lower_cut_is_never_stayed_below_for_longer(values: list[float]) -> None:
    courses = straight(*enumerate(values), draws=1)
    spent = [days_below(courses, cut)[0] for cut in (0.1, 0.5, 1.0, 1.5)]
    assert spent == sorted(spent)


def plainly(values: list[float], cut: float, until: float, hold: float) -> tuple[bool, float | None, float]:
    """Of one draw, a count a day: whether it was below by `until`, when it is back after its lowest count for `hold`
    days, and its days below up to then."""
    height = [log(value / cut) for value in values]
    seen = [at for at in range(len(values)) if at <= until]
    lowest = min(seen, key=lambda at: values[at])
    if height[lowest] >= 0:
        return False, None, 0.0
    back = next(
        (
            at
            for at in range(lowest + 1, len(values))
            if height[at] >= 0 and all(height[later] >= 0 for later in range(at, len(values)) if later <= at + hold)
        ),
        None,
    )
    spent = 0.0
    for at in range(len(values) - 1 if back is None else back):
        low, high = sorted(height[at : at + 2])
        spent += 0.0 if low >= 0 else 1.0 if high < 0 else -low / (high - low)
    day = None if back is None else back - 1 + -height[back - 1] / (height[back] - height[back - 1])
    return True, day, spent


@given(
    st.integers(3, 12).flatmap(
        lambda size: st.lists(st.lists(st.floats(0.05, 4), min_size=size, max_size=size), min_size=2, max_size=6)
    ),
    st.sampled_from([0.1, 0.5, 1.0]),
    st.sampled_from([2.0, 5.0, inf]),
    st.sampled_from([0.0, 1.0, 3.0, inf]),
)
def test_many_draws_at_once_are_each_as_one_alone(
    rows: list[list[float]], cut: float, until: float, hold: float
) -> None:
    assume(all(value != cut for row in rows for value in row))
    courses = Courses(
        days=np.arange(float(len(rows[0]))), counts=np.array(rows).T.copy(), baseline=np.full(len(rows), 4.0)
    )
    day, never, was = recovery(courses, cut, until=until, hold=hold)
    for at, row in enumerate(rows):
        below, back, _ = plainly(row, cut, until, hold)
        assert was[at] == below
        if below:
            assert never[at] == (back is None)
            assert back is None or day[at] == pytest.approx(back)
    copies = Courses(  # as many of each as a spread asks for
        days=courses.days, counts=np.repeat(courses.counts, 101, axis=1), baseline=np.full(101 * len(rows), 4.0)
    )
    found = at_cut(copies, cut, until=until, hold=hold)
    spent = [plainly(row, cut, until, hold)[2] for row in rows]
    assert found.below == pytest.approx(np.mean([plainly(row, cut, until, hold)[0] for row in rows]))
    assert found.days_below.median == pytest.approx(np.median(np.repeat(spent, 101)))


def test_what_is_no_number_reassures_nobody() -> None:
    counts = np.repeat(np.array([[4.0], [np.nan], [4.0]]), 60, axis=1)
    courses = Courses(days=np.arange(3.0), counts=counts, baseline=np.full(60, 4.0))
    assert at_cut(courses, 0.5).below == 1.0
    assert np.isnan(days_below(courses, 0.5)).all()


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=40))
def test_quantiles_are_those_of_numpy(values: list[float]) -> None:
    rows = np.array([values, values[::-1]])
    assert np.array_equal(quantiles(rows, LEVELS), np.quantile(rows, LEVELS, axis=1).T)


@given(st.lists(st.floats(1e-9, 1e6), min_size=60, max_size=60))
def test_a_fan_says_four_digits_that_count(values: list[float]) -> None:
    counts = np.array([values, values])
    fan = fan_of(counts, np.arange(2.0), start=datetime(2026, 3, 1, tzinfo=UTC), cuts=(0.5,), paths=60, every=1)
    assert [path[0] for path in fan.paths] == pytest.approx([float(f"{value:.4g}") for value in values], rel=1e-15)
