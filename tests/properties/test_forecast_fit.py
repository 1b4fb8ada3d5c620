"""What holds of every posterior, whatever the counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.forecast_fit import docetaxel, doses, observed
from leuko.forecast.fit import fit, from_differential
from leuko.forecast.fit.likelihood import Counts, below, counts_of, log_likelihood
from leuko.forecast.fit.mixture import fitted
from leuko.forecast.model import Observed, Residual

pytest.importorskip("numba")

COUNTS = st.lists(
    st.tuples(st.floats(0.0, 30.0), st.floats(0.05, 12.0), st.sampled_from(["=", "=", "<", ">"])),
    min_size=1,
    max_size=5,
)
RESIDUALS = st.one_of(
    st.builds(Residual, kind=st.sampled_from(["log", "proportional", "additive"]), sd=st.floats(0.05, 0.6)),
    st.builds(Residual, kind=st.just("box-cox"), sd=st.floats(0.05, 0.6), power=st.floats(-0.5, 0.9)),
)


@settings(max_examples=25, deadline=None)
@given(counts=COUNTS)
def test_any_counts_give_weights_that_sum_to_one_or_a_reason(counts: list[tuple[float, float, str]]) -> None:
    given_counts = observed(*[(day, value) for day, value, _ in counts], bound=tuple(mark for *_, mark in counts))
    found = fit(docetaxel(), doses(0.0), given_counts, seed=1, most_draws=12_000)
    assert np.all(found.weights >= 0.0)
    assert found.weights.sum() == pytest.approx(1.0) or not found.sound
    assert found.sound or any(finding.withholds for finding in found.findings)
    assert found.effective <= found.draws + 1e-6
    if all(mark != "=" for *_, mark in counts):
        assert not found.sound


@settings(max_examples=60, deadline=None)
@example(residual=Residual(kind="box-cox", sd=0.5, power=5e-324), true=1.0, far=0.0, noise=0.0)
@given(residual=RESIDUALS, true=st.floats(0.05, 20.0), far=st.floats(-2.5, 2.5), noise=st.floats(0.0, 0.8))
def test_the_density_of_a_report_is_the_slope_of_its_distribution(
    residual: Residual, true: float, far: float, noise: float
) -> None:
    value = true * np.exp(0.3 * far)
    log_true, step = np.array([[np.log(true)]]), 1e-5 * value
    low, high = (float(below(log_true, _one(value + move, noise, residual))[0, 0]) for move in (-step, step))
    density = float(np.exp(log_likelihood(log_true, _one(value, noise, residual)))[0, 0])
    assert density == pytest.approx((high - low) / (2.0 * step), rel=1e-3, abs=1e-6)


def _one(value: float, noise: float, residual: Residual) -> Counts:
    return counts_of(Observed(hour=np.zeros(1), value=np.array([value]), noise=np.array([noise])), residual)


@settings(max_examples=60, deadline=None)
@given(residual=RESIDUALS, limit=st.floats(0.05, 5.0))
def test_below_and_above_a_bound_sum_to_one(residual: Residual, limit: float) -> None:
    true = np.log(np.geomspace(0.01, 20.0, 50))[None]
    both = [
        log_likelihood(true, counts_of(Observed(hour=np.zeros(1), value=np.array([limit]), bound=(mark,)), residual))
        for mark in ("<", ">")
    ]
    assert np.exp(both[0]) + np.exp(both[1]) == pytest.approx(np.ones((1, 50)))
    assert np.all(np.diff(both[0]) <= 1e-9)


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 8), seed=st.integers(0, 1000))
def test_a_mixture_knows_its_own_density(size: int, seed: int) -> None:
    """The mean of the ratio of a normal density to the mixture's, over draws of the mixture, is one."""
    rng = np.random.default_rng(seed)
    cloud = rng.standard_normal((size, 3000))
    mixture = fitted(cloud, np.full(3000, 1 / 3000), rng)
    z = mixture.draw(20_000, rng)
    normal = -0.5 * (z**2).sum(axis=0) - 0.5 * size * np.log(2 * np.pi)
    assert np.exp(normal - mixture.log_density(z)).mean() == pytest.approx(1.0, abs=0.06)


@given(wbc=st.floats(0.05, 50.0), share=st.floats(0.0, 1.0), cells=st.integers(1, 10_000))
def test_a_differential_never_exceeds_the_white_cells(wbc: float, share: float, cells: int) -> None:
    counted = from_differential(wbc, share, cells)
    assert 0.0 < counted.value <= wbc or share < 1e-12
    assert counted.noise >= 0.0
