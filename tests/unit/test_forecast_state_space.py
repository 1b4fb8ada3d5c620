"""Counts without a marrow model: exactness of the filter, calibration of what it predicts, learning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from leuko.forecast.state_space import (
    Level,
    Series,
    after,
    courses,
    expect,
    learn_of,
    log_likelihood,
    move,
    probability_below,
    refit,
    run,
    start,
)

LEVEL = Level(level=0.5, level_sd=0.3, drift=0.02, tau=8.0, swing=0.4, noise=0.25, tails=4.0)
WAVE = replace(LEVEL, wave=0.8, period=21.0, fade=200.0)


def series(*points: tuple[float, float], bounds: tuple[str, ...] = ()) -> Series:
    return Series(days=np.array([p[0] for p in points], float), values=np.array([p[1] for p in points]), bounds=bounds)


def covariance(level: Level, days: np.ndarray) -> np.ndarray:
    """The covariance of the logarithms of counts, written down at once instead of step by step."""
    apart = np.abs(days[:, None] - days[None, :])
    since = np.minimum(days[:, None], days[None, :]) - days[0]
    found = level.level_sd**2 + level.drift**2 * since + level.swing**2 * np.exp(-apart / level.tau)
    if level.period:
        found = found + level.wave**2 * np.exp(-apart / level.fade) * np.cos(2 * np.pi * apart / level.period)
    return found + level.noise**2 * np.eye(days.size)


class TestFilter:
    @pytest.mark.parametrize("level", [LEVEL, WAVE])
    def test_what_is_expected_is_that_of_the_joint_normal(self, level: Level) -> None:
        days, logs = np.array([0.0, 2.0, 9.0, 30.0, 31.5]), np.array([0.1, 0.9, -0.4, 0.3, 0.8])
        cov = covariance(level, days)
        walked = [ahead for ahead, _ in run(level, Series(days=days, values=np.exp(logs)))]
        for k in range(1, days.size):
            weights = np.linalg.solve(cov[:k, :k], cov[:k, k])
            assert walked[k].mean == pytest.approx(level.level + weights @ (logs[:k] - level.level))
            assert walked[k].sd ** 2 == pytest.approx(cov[k, k] - weights @ cov[:k, k])

    def test_likelihood_with_many_degrees_of_freedom_is_the_normal_one(self) -> None:
        near = replace(LEVEL, tails=1e7)
        days, logs = np.array([0.0, 2.0, 9.0, 30.0]), np.array([0.1, 0.9, -0.4, 0.3])
        joint = multivariate_normal(np.full(4, LEVEL.level), covariance(LEVEL, days)).logpdf(logs)
        assert log_likelihood(near, Series(days=days, values=np.exp(logs))) == pytest.approx(joint, abs=1e-4)

    def test_a_bound_keeps_the_count_below_it(self) -> None:
        # Told only that the count is below 0.1, the expectation must lie below that of any count above 0.1.
        state = start(LEVEL, 0.0)
        told = expect(LEVEL, learn_of(LEVEL, state, np.log(0.1), "<"))
        assert told.mean < expect(LEVEL, learn_of(LEVEL, state, np.log(0.1))).mean
        above = expect(LEVEL, learn_of(LEVEL, state, np.log(0.1), ">"))
        assert above.mean > told.mean

    def test_a_bound_that_says_nothing_changes_nothing(self) -> None:
        state = start(LEVEL, 0.0)
        told = learn_of(LEVEL, state, np.log(1e6), "<")
        assert told.mean == pytest.approx(state.mean, abs=1e-9)
        assert told.cov == pytest.approx(state.cov, abs=1e-9)

    def test_a_bound_agrees_with_counting_draws(self) -> None:
        rng = np.random.default_rng(5)
        n = 400_000
        level = rng.normal(LEVEL.level, LEVEL.level_sd, n)
        swing = rng.normal(0, LEVEL.swing, n)
        kept = level + swing + rng.normal(0, LEVEL.noise, n) < np.log(0.9)
        told = learn_of(LEVEL, start(LEVEL, 0.0), np.log(0.9), "<")
        assert told.mean == pytest.approx([level[kept].mean(), swing[kept].mean()], abs=5e-3)
        assert np.diag(told.cov) == pytest.approx([level[kept].var(), swing[kept].var()], abs=5e-3)

    def test_no_counts_is_an_error(self) -> None:
        with pytest.raises((ValueError, IndexError)):
            after(LEVEL, series())

    def test_zero_is_no_infinity(self) -> None:
        assert np.isfinite(log_likelihood(LEVEL, series((0, 1.0), (7, 0.0))))


class TestAhead:
    def test_courses_have_the_mean_and_spread_expected(self) -> None:
        state = after(LEVEL, series((0, 1.2), (7, 0.6), (14, 0.8)))
        days = np.array([15.0, 21.0, 60.0])
        drawn = np.log(courses(replace(LEVEL, tails=30), state, days, draws=60_000, rng=np.random.default_rng(3)))
        for k, day in enumerate(days):
            ahead = expect(replace(LEVEL, noise=0.0), move(LEVEL, state, float(day)))
            assert drawn[k].mean() == pytest.approx(ahead.mean, abs=0.01)
            assert drawn[k].std() == pytest.approx(ahead.sd, rel=0.03)

    def test_a_rhythm_comes_round(self) -> None:
        # A wave of 21 days seen for four periods: the trough comes again 21 days after the last one.
        days = np.arange(0, 84, 3.0)
        counts = np.exp(0.5 - 1.2 * np.cos(2 * np.pi * days / 21))
        state = after(WAVE, Series(days=days, values=counts))
        ahead = np.arange(84.0, 105.0)
        middle = np.median(courses(WAVE, state, ahead, draws=2000, rng=np.random.default_rng(1)), axis=1)
        assert ahead[int(np.argmin(middle))] == pytest.approx(84, abs=1.5)
        assert ahead[int(np.argmax(middle))] == pytest.approx(94.5, abs=1.5)

    def test_probability_below_grows_with_the_cut(self) -> None:
        ahead = expect(LEVEL, start(LEVEL, 0.0))
        found = [probability_below(ahead, cut) for cut in (0.1, 0.5, 1.0, 1.5, 100)]
        assert found == sorted(found)
        assert probability_below(ahead, float(np.exp(ahead.mean))) == pytest.approx(0.5)

    def test_the_same_seed_gives_the_same_courses(self) -> None:
        state = after(LEVEL, series((0, 1.2)))
        one, two = (courses(LEVEL, state, np.arange(1.0, 9), draws=10, rng=np.random.default_rng(7)) for _ in range(2))
        assert (one == two).all()


class TestCalibration:
    def test_predictions_of_people_made_by_the_model_are_covered_as_often_as_said(self) -> None:
        rng = np.random.default_rng(11)
        normal = replace(LEVEL, tails=1e6)
        inside = []
        for _ in range(150):
            days = np.cumsum(rng.choice([3.0, 7.0, 14.0], 20))
            logs = rng.multivariate_normal(np.full(20, LEVEL.level), covariance(LEVEL, days))
            for k, (ahead, _) in enumerate(run(normal, Series(days=days, values=np.exp(logs)))):
                inside.append(abs(logs[k] - ahead.mean) < 1.2816 * ahead.sd)
        # 3,000 predictions, 80 % each: two and a half standard errors are 0.018
        assert np.mean(inside) == pytest.approx(0.8, abs=0.018)


class TestLearning:
    def test_it_finds_the_people_it_was_made_from(self) -> None:
        rng = np.random.default_rng(2)
        people = []
        for _ in range(60):
            days = np.cumsum(rng.choice([3.0, 7.0, 14.0], 25))
            logs = rng.multivariate_normal(np.full(25, LEVEL.level), covariance(LEVEL, days))
            people.append(Series(days=days, values=np.exp(logs)))
        begin = Level(level=0.0, level_sd=0.5, drift=0.01, tau=15.0, swing=0.3, noise=0.4, tails=8.0)
        found = refit(people, begin)
        assert found.level == pytest.approx(LEVEL.level, abs=0.12)
        assert found.tau == pytest.approx(LEVEL.tau, rel=0.5)
        assert found.swing == pytest.approx(LEVEL.swing, rel=0.25)
        assert found.noise == pytest.approx(LEVEL.noise, rel=0.4)
        assert found.tails > 8  # normal people have light tails

    def test_nobody_to_learn_from_is_said(self) -> None:
        with pytest.raises(ValueError, match="two counts"):
            refit([series((0, 1.0))], LEVEL)


values = st.lists(st.floats(0.02, 20), min_size=1, max_size=8)


@given(values, st.floats(0.5, 400))
def test_variance_grows_while_nothing_is_seen(counts: list[float], wait: float) -> None:
    state = after(LEVEL, series(*enumerate(counts)))
    soon, later = (expect(LEVEL, move(LEVEL, state, state.day + days)) for days in (wait, 2 * wait))
    assert later.sd >= soon.sd - 1e-12


@given(values)
def test_a_count_never_makes_the_level_less_certain(counts: list[float]) -> None:
    seen = series(*((float(k), count) for k, count in enumerate(counts)))
    state = start(LEVEL, 0.0)
    for k, (_, told) in enumerate(run(LEVEL, seen)):
        before = move(LEVEL, state, float(k))
        assert np.diag(told.cov).sum() <= np.diag(before.cov).sum() + 1e-12
        state = told


@given(values, st.floats(-1000, 1000))
def test_the_origin_of_time_does_not_matter(counts: list[float], moved: float) -> None:
    days = np.arange(len(counts), dtype=float)
    one = log_likelihood(LEVEL, Series(days=days, values=np.array(counts)))
    two = log_likelihood(LEVEL, Series(days=days + moved, values=np.array(counts)))
    assert one == pytest.approx(two, rel=1e-6, abs=1e-6)


@given(values)
def test_the_quick_likelihood_is_the_long_one(counts: list[float]) -> None:
    from leuko.forecast.state_space import _quick

    seen = series(*enumerate(counts))
    assert _quick(LEVEL, seen) == pytest.approx(log_likelihood(LEVEL, seen), rel=1e-9, abs=1e-9)
