"""Counts that come back after a cause has gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leuko.forecast.recovering import Recovery, recovering
from leuko.forecast.state_space import Series

PRIOR = Recovery(
    half=9.0,
    half_sd=0.55,
    width=1.5,
    width_sd=0.5,
    level=1.3,
    level_sd=0.3,
    depth=np.log(0.1),
    depth_sd=0.3,
    noise=0.25,
)


def since(*points: tuple[float, float], bounds: tuple[str, ...] = ()) -> Series:
    return Series(days=np.array([p[0] for p in points], float), values=np.array([p[1] for p in points]), bounds=bounds)


def found(counts: Series, prior: Recovery = PRIOR):
    return recovering(prior, counts, draws=4000, rng=np.random.default_rng(4))


NOTHING = since()


def test_without_counts_it_is_what_was_known_before() -> None:
    assert np.median(found(NOTHING).half) == pytest.approx(9.0, rel=0.05)


def test_not_yet_back_moves_the_recovery_later() -> None:
    # On day 12 still 0.1: it cannot have come half of the way by then.
    low = found(since((8, 0.1), (12, 0.1)))
    assert np.quantile(low.half, 0.025) > 12
    assert np.median(low.half) > np.median(found(NOTHING).half)


def test_a_rise_seen_makes_it_certain() -> None:
    rising = found(since((6, 0.1), (8, 0.4), (9, 0.9), (10, 1.8)))
    assert np.median(rising.half) == pytest.approx(8.7, abs=0.7)
    assert np.std(rising.half) < 0.3 * np.std(found(NOTHING).half)


def test_a_bound_counts() -> None:
    told = found(since((12, 0.1), bounds=("<",)))
    assert np.median(told.half) > np.median(found(NOTHING).half)


def test_courses_end_at_the_level() -> None:
    drawn = found(since((8, 0.1)))
    assert drawn.courses(np.array([400.0]))[0] == pytest.approx(np.exp(drawn.level))


def test_counts_that_no_curve_explains_leave_few_draws() -> None:
    plain = found(since((5, 0.1), (12, 2.0))).effective
    odd = found(since((5, 0.1), (6, 9.0), (7, 0.1), (8, 9.0))).effective
    assert odd < plain / 10


def test_calibrated_on_recoveries_of_its_own() -> None:
    # 300 people drawn from what is known before, counted on days 2, 5 and 8: the central 80 % hold 80 % (SE 2.3 %).
    rng = np.random.default_rng(9)
    inside = 0
    for seed in range(300):
        half = np.exp(np.log(PRIOR.half) + PRIOR.half_sd * rng.standard_normal())
        width = np.exp(np.log(PRIOR.width) + PRIOR.width_sd * rng.standard_normal())
        level = PRIOR.level + PRIOR.level_sd * rng.standard_normal()
        depth = min(PRIOR.depth + PRIOR.depth_sd * rng.standard_normal(), level)
        days = np.array([2.0, 5.0, 8.0])
        logs = depth + (level - depth) / (1 + np.exp(-(days - half) / width)) + PRIOR.noise * rng.standard_normal(3)
        told = recovering(
            PRIOR, Series(days=days, values=np.exp(logs)), draws=1000, rng=np.random.default_rng(seed), tries=10_000
        )
        low, high = np.quantile(told.half, [0.1, 0.9])
        inside += low <= half <= high
    assert inside / 300 == pytest.approx(0.8, abs=0.06)


def test_deeper_takes_no_shorter() -> None:
    shallow = replace(PRIOR, depth=np.log(0.8))
    days = np.linspace(0, 40, 161)
    back = [np.argmax(np.median(found(NOTHING, one).courses(days), axis=1) >= 1.5) for one in (PRIOR, shallow)]
    assert back[0] >= back[1]
