"""The rule by which a calibration holds: rare false alarms over a whole run, real miscalibration caught."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm

from leuko.forecast.score.alarm import FALSE_ALARM, adjusted, covered_p, least_of_each, p_values
from leuko.forecast.score.rules import CENTRAL

QUANTITIES = 14


def run(below: np.ndarray) -> tuple[float, ...]:
    """The verdict on ranks (Q, N), as a run comes to it."""
    return least_of_each([p_values(row, CENTRAL, float(kstest(row, "uniform").pvalue)) for row in below])


def test_holm_by_hand() -> None:
    # 0.01 x 3, then 0.02 x 2, then the larger of that and 0.03 x 1
    assert adjusted([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert adjusted([0.9, 0.8]) == pytest.approx([1.0, 1.0])


def test_a_coverage_has_the_exact_binomial_probability() -> None:
    below = np.concatenate([np.full(5, 0.5), np.full(5, 0.01)])
    assert covered_p(below, 0.5) == pytest.approx(1.0)
    # none of ten inside 80 %: 0.2^10
    assert covered_p(np.full(10, 0.01), 0.8) == pytest.approx(0.2**10, rel=1e-6)


def test_a_run_of_calibrated_posteriors_rarely_alarms() -> None:
    """80 runs: with a chance of at most 0.5 % each, more than 3 alarms have a probability below 1 in 1000."""
    rng = np.random.default_rng(7)
    alarms = sum(min(run(rng.random((QUANTITIES, 150)))) < FALSE_ALARM for _ in range(80))
    assert alarms <= 3
    assert FALSE_ALARM < 0.01


def test_quantities_that_move_together_alarm_no_more_often() -> None:
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(30):
        shared, own = rng.standard_normal(150), rng.standard_normal((QUANTITIES, 150))
        alarms += min(run(norm.cdf(np.sqrt(0.8) * shared + np.sqrt(0.2) * own))) < FALSE_ALARM
    assert alarms <= 3


def test_intervals_a_fifth_too_narrow_are_caught_at_1000_people() -> None:
    """One quantity of 14 whose posterior has 0.8 of the spread it should have, in four runs."""
    rng = np.random.default_rng(9)
    for _ in range(4):
        below = rng.random((QUANTITIES, 1000))
        below[3] = norm.cdf(rng.standard_normal(1000) / 0.8)
        found = run(below)
        assert found[3] < FALSE_ALARM
        assert min(found[:3] + found[4:]) >= FALSE_ALARM


def test_intervals_a_fifth_too_wide_and_a_shift_are_caught() -> None:
    rng = np.random.default_rng(10)
    below = rng.random((QUANTITIES, 1000))
    below[0] = norm.cdf(rng.standard_normal(1000) / 1.25)
    below[1] = norm.cdf(rng.standard_normal(1000) + 0.25)
    assert [value < FALSE_ALARM for value in run(below)[:3]] == [True, True, False]
