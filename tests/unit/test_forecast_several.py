"""Noise of counting, several models of one person, and calibration on simulated people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from fixtures.forecast_fit import docetaxel, doses, observed
from leuko.errors import UsageError
from leuko.forecast.fit import Design, Posterior, contradictions, course_of, fit, from_differential, pooled, sbc, weigh
from leuko.forecast.fit.likelihood import counts_of, log_likelihood, reports
from leuko.forecast.fit.noise import share_noise
from leuko.forecast.fit.prior import prior_of
from leuko.forecast.model import Floats, Model, Observed, Residual, Run, Schedule
from leuko.forecast.solve import simulate

pytest.importorskip("numba")

FOUR = observed((0, 5.2), (7, 1.1), (10, 0.6), (14, 2.5))
HOURS = np.arange(336.0, 1009.0, 24.0)


def test_few_cells_of_a_differential_are_binomial() -> None:
    drawn = binom(50, 0.2).rvs(200_000, random_state=np.random.default_rng(0))
    assert share_noise(0.2, 50) == pytest.approx(drawn.std() / drawn.mean(), rel=0.01)
    counted = from_differential(0.8, 0.2, 50)
    assert (counted.value, counted.bound) == (pytest.approx(0.16), "=")
    assert counted.noise == pytest.approx(0.283, abs=1e-3)


def test_more_cells_make_a_surer_count() -> None:
    noises = [from_differential(0.8, 0.2, cells).noise for cells in (20, 50, 100, 10_000)]
    assert noises == sorted(noises, reverse=True)
    assert noises[-1] < 0.03


def test_no_neutrophil_among_the_cells_is_a_bound_with_the_right_likelihood() -> None:
    """Against the binomial itself, (1 - s)^n: one half at the same share, the same slope there."""
    counted = from_differential(0.5, 0.0, 50)
    assert counted.bound == "<"
    given = Observed(hour=np.zeros(1), value=np.array([counted.value]), bound=("<",), noise=np.array([counted.noise]))
    counts = counts_of(given, Residual(kind="log", sd=1e-6))
    share = np.array([0.002, 0.01, np.log(2) / 50, 0.02, 0.05, 0.1])
    found = np.exp(log_likelihood(np.log(0.5 * share)[None], counts))[0]
    assert found == pytest.approx((1.0 - share) ** 50, abs=0.06)


@pytest.mark.parametrize(("wbc", "share", "cells"), [(0.0, 0.2, 100), (1.0, 1.2, 100), (1.0, 0.2, 0), (-1.0, 0.2, 5)])
def test_a_differential_that_cannot_be_is_refused(wbc: float, share: float, cells: int) -> None:
    with pytest.raises(UsageError, match="no neutrophil count"):
        from_differential(wbc, share, cells)


def two_models() -> list[Model]:
    strong = docetaxel().typical.copy()
    strong[9] *= 3.0
    return [docetaxel(), docetaxel(id="strong", typical=strong)]


def test_weights_follow_the_evidence() -> None:
    fits = [fit(model, doses(0.0), FOUR, seed=1) for model in two_models()]
    weighing = weigh(fits)
    assert weighing.weights.sum() == pytest.approx(1.0)
    odds = np.exp(fits[0].log_evidence - fits[1].log_evidence)
    assert weighing.weights[0] / weighing.weights[1] == pytest.approx(odds)
    assert np.all(weighing.errors < 0.03)


def test_prior_weights_and_alike_models() -> None:
    fits = [fit(docetaxel(), doses(0.0), FOUR, seed=seed) for seed in (1, 2)]
    assert weigh(fits, prior=(3.0, 1.0)).weights == pytest.approx((0.75, 0.25), abs=0.03)


def test_a_fit_that_is_not_sound_has_no_weight() -> None:
    fits = [fit(docetaxel(), doses(0.0), FOUR, seed=1, most_draws=most) for most in (60_000, 3000)]
    assert not fits[1].sound
    assert weigh(fits).weights == pytest.approx((1.0, 0.0))
    assert weigh(fits[1:]).weights == pytest.approx((0.0,))


def test_models_of_other_counts_cannot_be_weighed() -> None:
    first = fit(docetaxel(), doses(0.0), FOUR, seed=1)
    with pytest.raises(UsageError, match="different counts"):
        weigh([first, fit(docetaxel(), doses(0.0), observed((0, 5.0), (7, 1.2)), seed=1)])
    with pytest.raises(UsageError, match="different counts"):
        weigh([first, fit(docetaxel(line="wbc"), doses(0.0), FOUR, seed=1)])


def test_the_pool_holds_each_model_by_its_weight() -> None:
    fits = [fit(model, doses(0.0), FOUR, seed=1) for model in two_models()]
    courses = [course_of(each, doses(0.0, 504.0), hours=HOURS, seed=1) for each in fits]
    pool = pooled(courses, np.array([0.8, 0.2]), draws=1000, seed=1)
    assert pool.counts.shape == (len(HOURS), 1000)
    first = np.isin(pool.baseline, courses[0].baseline).sum()
    assert first == pytest.approx(800, abs=2)


def test_models_that_contradict_each_other_are_told() -> None:
    base = course_of(fit(docetaxel(), doses(0.0), FOUR, seed=1), doses(0.0, 504.0), hours=HOURS, seed=1)
    other = replace(base, counts=base.counts * 20.0)
    told = contradictions([base, other], np.array([0.6, 0.4]), ["A", "B"])
    assert len(told) == 1
    assert told[0].text.startswith("A expects at most")
    assert "not their average" in told[0].text
    assert contradictions([base, other], np.array([0.99, 0.01]), ["A", "B"]) == ()
    assert contradictions([base, base], np.array([0.5, 0.5]), ["A", "B"]) == ()


@pytest.mark.parametrize(
    ("hours", "limit"), [((0.0, 240.0), 0.0), ((0.0, 168.0, 240.0, 336.0), 0.5)], ids=["two", "four"]
)
def test_simulated_people_are_found_again_as_often_as_promised(hours: tuple[float, ...], limit: float) -> None:
    """120 people: a wrong likelihood, a wrong weight or a wrong bound shows far below p 0.001."""
    design = Design(
        schedule=doses(0.0, 504.0), hours=np.array(hours), ahead=np.arange(504.0, 1009.0, 12.0), limit=limit
    )
    found = sbc(docetaxel(), design, n=120, seed=11)
    assert found.names == (*docetaxel().random, "lowest count ahead", "next report")
    assert found.uniform_p().min() > 0.001
    # binomial standard error 0.0365: a bare three of them, over seven quantities
    assert np.abs(found.coverage(0.8) - 0.8).max() < 0.115
    assert found.sound.mean() > 0.97


def test_calibration_finds_a_solver_that_is_wrong() -> None:
    """People simulated with one marrow and fitted with another are not found again."""

    def higher(model: Model, theta: Floats, schedule: Schedule, **given: Any) -> Run:
        run = simulate(model, theta, schedule, **given)
        return replace(run, counts=run.counts * 1.25) if theta.shape[1] == 60 else run

    design = Design(schedule=doses(0.0), hours=np.array([0.0, 168.0, 240.0]))
    found = sbc(docetaxel(), design, n=60, seed=3, least_effective=300, solver=higher)
    assert found.uniform_p()[0] < 1e-3


def test_further_counts_do_not_lose_information_in_expectation() -> None:
    """Over 24 simulated people the expected variance of the parameters falls with every count."""
    rng = np.random.default_rng(5)
    hours = np.array([0.0, 168.0, 240.0])
    theta = prior_of(docetaxel()).theta(rng.standard_normal((5, 24)))
    true = simulate(docetaxel(), theta, doses(0.0), hours=hours).counts.astype(float)
    made = reports(np.log(true), hours, docetaxel().residual, rng)
    spread = []
    for used in (0, 1, 2, 3):
        fits = [
            fit(docetaxel(), doses(0.0), Observed(hour=hours[:used], value=made[:used, at]), seed=at)
            for at in range(24)
        ]
        spread.append(np.mean([variances(each) for each in fits]))
    assert spread == sorted(spread, reverse=True)
    assert spread[3] < 0.9 * spread[0]


def variances(posterior: Posterior) -> Floats:
    mean = posterior.z @ posterior.weights
    return ((posterior.z - mean[:, None]) ** 2) @ posterior.weights
