"""Twenty people whose posterior NUTS has drawn (scripts/forecast_nuts.py): ours has the same quantiles.

The reference has its own solver (Runge-Kutta 4 in JAX), its own likelihood and its own sampler. Quantiles are compared
from many more draws than a forecast takes, so that what is compared is the method and not the luck of a seed; the
draws of a forecast are compared with them in the second test.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from fixtures.forecast_fit import docetaxel, doses, reference
from leuko.forecast.fit import Posterior, course_of, fit
from leuko.forecast.fit.course import Course
from leuko.forecast.model import Floats, Observed

pytest.importorskip("numba")

REFERENCE = reference()
PEOPLE = range(len(REFERENCE["people"]))
LEVELS = np.array(REFERENCE["levels"])
EVERY, CYCLE = REFERENCE["output"]["every"], REFERENCE["dose"]["hour"][1]
HOURS = np.arange(0.0, REFERENCE["output"]["until"] + 1.0, EVERY)
AGREED = 0.03
AGREED_SHARE = 0.02
DRAWS = 20_000


def person(at: int) -> dict[str, Any]:
    found: dict[str, Any] = REFERENCE["people"][at]
    return found


@cache
def posterior(at: int, least: float) -> Posterior:
    given = person(at)
    counts = Observed(hour=np.array(given["hour"]), value=np.array(given["value"]), bound=tuple(given["bound"]))
    return fit(docetaxel(), doses(*REFERENCE["dose"]["hour"]), counts, seed=at, least_effective=least)


def again(course: Floats, cut: Floats) -> Floats:
    """Days from the start of `course` until it comes back to `cut` after its least value (0: never below it)."""
    lowest = course.argmin(0)
    after = np.arange(len(course))[:, None] > lowest
    up = after & (course >= cut)
    first = np.where(up.any(0), up.argmax(0), len(course) - 1)
    lane = np.arange(course.shape[1])
    before, then = course[first - 1, lane], course[first, lane]
    crossed = up.any(0) & (then > before)
    share = np.where(crossed, (cut - before) / np.where(crossed, then - before, 1.0), 1.0)
    return np.where(course.min(0) >= cut, 0.0, (first - 1 + share) * EVERY / 24.0)


def answers(course: Course) -> dict[str, Floats]:
    second = course.counts[HOURS >= CYCLE]
    return {
        "nadir_1": course.counts[HOURS <= CYCLE].min(0),
        "nadir_2": second.min(0),
        "baseline_2": again(second, course.baseline),
        "one_and_half_2": again(second, np.full(course.baseline.size, 1.5)),
    }


def quantiles(at: int, least: float, draws: int) -> dict[str, Floats]:
    course = course_of(
        posterior(at, least), doses(*REFERENCE["dose"]["hour"]), hours=HOURS, seed=at, draws=draws, threads=1
    )
    return {name: np.quantile(row, LEVELS) for name, row in answers(course).items()}


def comparisons(at: int) -> list[tuple[str, float, float]]:
    """Of each answer and level: how far the quantiles lie apart, in units of the value (or of the width of the 90 %
    interval where that is wider), and how far apart in probability."""
    course = course_of(
        posterior(at, DRAWS), doses(*REFERENCE["dose"]["hour"]), hours=HOURS, seed=at, draws=20_000, threads=1
    )
    told = []
    for name, row in answers(course).items():
        expected = np.array(person(at)["quantiles"][name])
        found = np.quantile(row, LEVELS)
        scale = np.maximum(expected, expected[-1] - expected[0])
        far = np.abs(found - expected) / np.where(scale > 0.0, scale, 1.0)
        below, upto = ((row < expected[:, None] * part).mean(axis=1) for part in (0.999, 1.001))
        share = np.maximum(below - LEVELS, LEVELS - np.where(expected > 0.0, upto, (row <= 0.0).mean()))
        told += [(name, float(one), float(max(two, 0.0))) for one, two in zip(far, share, strict=True)]
    return told


@pytest.mark.parametrize("at", PEOPLE)
def test_quantiles_of_nadir_and_recovery_are_those_of_nuts(at: int) -> None:
    """Within 3 %; at the edge of a gap in the distribution (some never fall below 1.5), and far out in a long tail,
    where a quantile of either side is itself not that sure, within 2 points of probability."""
    for name, far, share in comparisons(at):
        assert far < AGREED or share < AGREED_SHARE, name


def test_nearly_all_quantiles_are_within_three_percent() -> None:
    """Of 20 people, four answers, five levels."""
    far = np.array([far for at in PEOPLE for _, far, _ in comparisons(at)])
    assert far.size == 400
    assert (far < AGREED).mean() > 0.98


def test_the_draws_of_a_forecast_are_as_good_as_their_number() -> None:
    """At an effective size of 1,000 the error is that of 1,000 draws: about 0.02 of the 90 % interval, no bias."""
    errors = []
    for at in PEOPLE:
        found = quantiles(at, 1000.0, 2000)
        for name in ("nadir_1", "nadir_2", "baseline_2"):
            row = np.array(person(at)["quantiles"][name])
            if row[-1] > row[0]:  # else all of it lies beyond the horizon
                errors.append((found[name] - row) / (row[-1] - row[0]))
    assert np.abs(errors).mean() < 0.025
    assert np.abs(np.mean(errors, axis=0)).max() < 0.01


@pytest.mark.parametrize("at", PEOPLE)
def test_every_fit_is_sound(at: int) -> None:
    found = posterior(at, 1000.0)
    assert found.sound
    assert found.effective >= 1000.0
