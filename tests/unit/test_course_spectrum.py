"""The periodogram against SciPy's, and its false-alarm bound against noise. Seeds are fixed: each run is the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fixtures.series import ADULT, START, counts, library
from leuko.course import course_of
from leuko.course.spectrum import false_alarm_bound, periodogram, strongest_period

THRICE_WEEKLY = [7.0 * week + extra for week in range(8) for extra in (0, 2, 4)]


def wandering(rng: np.random.Generator, days: list[float], memory: float) -> list[float]:
    """Noise whose neighbours resemble each other, with a time constant of `memory` days and a little error on top."""
    value, found = rng.normal(), []
    for earlier, later in zip([days[0], *days], days, strict=False):
        kept = math.exp(-(later - earlier) / memory)
        value = kept * value + math.sqrt(1 - kept**2) * rng.normal()
        found.append(0.5 * value + 0.15 * rng.normal())
    return found


def test_the_periodogram_equals_scipys():
    signal = pytest.importorskip("scipy.signal")
    rng = np.random.default_rng(1)
    t = np.sort(rng.uniform(0, 60, 30))
    y = rng.normal(size=30) + np.sin(t / 3)
    frequencies = np.linspace(1 / 35, 1 / 14, 40)
    ours = periodogram(t, y, frequencies, memory=0.0)
    theirs = signal.lombscargle(t, y - y.mean(), 2 * np.pi * frequencies, floating_mean=True, normalize=True)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_the_periodogram_is_the_share_of_variance_that_least_squares_explains():
    rng = np.random.default_rng(2)
    t, y = np.sort(rng.uniform(0, 60, 25)), rng.normal(size=25)
    frequency, memory = 1 / 21, 4.0
    kept = np.exp(-np.diff(t) / memory)
    whitener = np.eye(25)
    whitener[np.arange(1, 25), np.arange(24)] = -kept
    whitener[1:] /= np.sqrt(1 - kept**2)[:, None]
    wave = np.stack([np.ones(25), np.cos(2 * np.pi * frequency * t), np.sin(2 * np.pi * frequency * t)], axis=1)
    mean_only, full = (_residual(whitener @ wave[:, :n], whitener @ y) for n in (1, 3))
    ours = periodogram(t, y, np.array([frequency]), memory=memory)
    assert ours[0] == pytest.approx(1 - full / mean_only)


def _residual(design, values) -> float:
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return float(left @ left)


def test_a_pure_wave_is_found_where_it_is():
    values = [math.sin(2 * math.pi * day / 21) for day in THRICE_WEEKLY]
    peak = strongest_period(THRICE_WEEKLY, values, shortest=14, longest=28)
    assert peak.period == pytest.approx(21, abs=0.5)
    assert peak.power > 0.99
    assert peak.false_alarm < 1e-6


def test_the_bound_is_not_below_what_white_noise_does():
    """Of 2000 series of white noise, no more peaks reach a bound of 5 % than 5 % and three standard errors."""
    rng = np.random.default_rng(3)
    peaks = [
        strongest_period(THRICE_WEEKLY, rng.normal(size=24).tolist(), shortest=14, longest=26) for _ in range(2000)
    ]
    share = np.mean([peak.false_alarm_white <= 0.05 for peak in peaks])
    assert 0.005 < share <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.parametrize("memory", [3.0, 7.0, 14.0, 30.0])
def test_noise_that_wanders_is_not_taken_for_a_cycle(memory):
    """White noise alone would let up to a third of these pass; both bounds together about one in twenty."""
    rng = np.random.default_rng(4)
    series = [wandering(rng, THRICE_WEEKLY, memory) for _ in range(400)]
    peaks = [strongest_period(THRICE_WEEKLY, values, shortest=14, longest=26) for values in series]
    assert np.mean([peak.false_alarm <= 0.05 for peak in peaks]) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_weekly_random_counts_are_not_called_cyclic():
    """Half a year of weekly counts that vary by 30 % about 1.4: at most one in twenty, with three standard errors."""
    rng = np.random.default_rng(5)
    known, kinds = library(), []
    for _ in range(200):
        values = np.exp(np.log(1.4) + rng.normal(0, 0.3, 26))
        series = counts([(7 * week, round(float(value), 2)) for week, value in enumerate(values)])
        as_of = (START.date()).replace(month=7, day=15)
        kinds.append(course_of("neutrophils", series, patient=ADULT, library=known, as_of=as_of).kind)
    assert kinds.count("cyclic") / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_the_bound_is_a_probability():
    bounds = [false_alarm_bound(power, 24, 3.0) for power in (0.0, 0.1, 0.5, 0.9, 0.999, 1.0)]
    assert all(0 <= bound <= 1 for bound in bounds)
    assert bounds == sorted(bounds, reverse=True)
