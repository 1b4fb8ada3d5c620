"""Twenty people whose true count swings, and whose posterior NUTS has drawn (scripts/forecast_nuts_swing.py): ours has
the same quantiles of nadir and recovery, swing included.

The reference shares nothing with leuko and draws what bounds hide, which leuko takes by moments; of a person whose two
modes the chains of NUTS did not cross, 400,000 draws of the prior were weighed instead, and the file says so. What is
asked of courses is asked by leuko's own functions. Quantiles are compared from many more draws than a forecast takes.
"""

from __future__ import annotations

import json
from functools import cache
from math import inf
from typing import Any

import numpy as np
import pytest

from fixtures.forecast_fit import REFERENCE, docetaxel, doses
from leuko.forecast.fit import Posterior, course_of, fit
from leuko.forecast.lasting import with_swing
from leuko.forecast.model import Floats, Model, Observed, Residual
from leuko.forecast.outcome import Courses, first_return, nadir, recovery
from leuko.knowledge import load_library

pytest.importorskip("numba")

GIVEN: dict[str, Any] = json.loads(REFERENCE.with_name("forecast_nuts_swing.json").read_text("utf-8"))
PEOPLE = range(len(GIVEN["people"]))
LEVELS = np.array(GIVEN["levels"])
CYCLES, UNTIL, EVERY = GIVEN["dose"]["hour"], GIVEN["output"]["until"], GIVEN["output"]["every"]
HOURS = np.arange(0.0, UNTIL + 1.0, EVERY)
HORIZON, HOLD = (UNTIL - CYCLES[1]) / 24.0, GIVEN["hold"] / 24.0
AGREED = 0.03
AGREED_SHARE = 0.02
DRAWS = 20_000


@cache
def model() -> Model:
    """The test's docetaxel model with the swing that the knowledge gives it."""
    return with_swing(docetaxel(residual=Residual(kind="log", sd=GIVEN["residual"]["sd"])), load_library())


@cache
def posterior(at: int, least: float) -> Posterior:
    given = GIVEN["people"][at]
    counts = Observed(hour=np.array(given["hour"]), value=np.array(given["value"]), bound=tuple(given["bound"]))
    return fit(model(), doses(*CYCLES), counts, seed=at, least_effective=least)


def answers(at: int, least: float, draws: int) -> dict[str, Floats]:
    """What the reference was asked: each draw's nadir of either cycle, and days from the second dose until it is back;
    0 where it never fell, the horizon where it does not come back."""
    course = course_of(posterior(at, least), doses(*CYCLES), hours=HOURS, seed=at, draws=draws, threads=1)
    both = Courses(days=(HOURS - CYCLES[1]) / 24.0, counts=course.counts, baseline=course.baseline)
    first, second = both.between(-inf, 0.0), both.between(0.0, inf)
    found = {
        "nadir_1": nadir(first)[0],
        "nadir_2": nadir(second)[0],
        "baseline_2": day(*first_return(second, second.baseline)),
    }
    return found | {name: day(*recovery(second, cut, hold=HOLD)) for name, cut in GIVEN["cuts"].items()}


def day(when: Floats, never: np.ndarray, was: np.ndarray) -> Floats:
    return np.where(was, np.where(never, HORIZON, when), 0.0)


@cache
def comparisons(at: int) -> tuple[tuple[str, float, float], ...]:
    """Of each answer and level: how far the quantiles lie apart, in units of the value (or of the width of the 90 %
    interval where that is wider), and how far apart in probability."""
    told = []
    for name, row in answers(at, DRAWS, DRAWS).items():
        expected = np.array(GIVEN["people"][at]["quantiles"][name])
        scale = np.maximum(expected, expected[-1] - expected[0])
        far = np.abs(np.quantile(row, LEVELS) - expected) / np.where(scale > 0.0, scale, 1.0)
        below, upto = ((row < expected[:, None] * part).mean(axis=1) for part in (0.999, 1.001))
        share = np.maximum(below - LEVELS, LEVELS - np.where(expected > 0.0, upto, (row <= 0.0).mean()))
        told += [(name, float(one), float(max(two, 0.0))) for one, two in zip(far, share, strict=True)]
    return tuple(told)


def test_the_reference_has_the_swing_of_the_knowledge() -> None:
    """Where these differ, the reference has to be made anew: `uv run scripts/forecast_nuts_swing.py`."""
    residual, given = model().residual, GIVEN["residual"]
    assert residual.sd * (1.0 - residual.lasting) ** 0.5 == pytest.approx(given["noise"], rel=1e-9)
    assert residual.fades == pytest.approx(given["fades"], rel=1e-9)
    assert len(GIVEN["people"]) == 20


def test_the_reference_says_of_each_person_whether_nuts_converged() -> None:
    for person in GIVEN["people"]:
        assert person["effective"] >= 1000
        assert person["sampler"] == ("nuts" if person["rhat"] <= 1.01 else "weighed prior")
    assert sum(person["sampler"] == "nuts" for person in GIVEN["people"]) >= 18


@pytest.mark.parametrize("at", PEOPLE)
def test_quantiles_of_nadir_and_recovery_are_those_of_the_reference(at: int) -> None:
    """Within 3 %; at the edge of a gap in the distribution (some never fall below a cut), and far out in a long tail,
    within 2 points of probability."""
    for name, far, share in comparisons(at):
        assert far < AGREED or share < AGREED_SHARE, name


def test_nearly_all_quantiles_are_within_three_percent() -> None:
    """Of 20 people, six answers, five levels."""
    far = np.array([far for at in PEOPLE for _, far, _ in comparisons(at)])
    assert far.size == 600
    assert (far < AGREED).mean() > 0.95


def test_the_draws_of_a_forecast_are_as_good_as_their_number() -> None:
    """At an effective size of 1,000 the error is that of 1,000 draws, and has no direction."""
    errors = []
    for at in PEOPLE:
        found = answers(at, 1000.0, 2000)
        for name in ("nadir_1", "nadir_2"):
            row = np.array(GIVEN["people"][at]["quantiles"][name])
            errors.append((np.quantile(found[name], LEVELS) - row) / (row[-1] - row[0]))
    assert np.abs(errors).mean() < 0.025
    assert np.abs(np.mean(errors, axis=0)).max() < 0.01


@pytest.mark.parametrize("at", PEOPLE)
def test_every_fit_is_sound(at: int) -> None:
    found = posterior(at, 1000.0)
    assert found.sound
    assert found.effective >= 1000.0
