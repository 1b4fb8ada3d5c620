"""The posterior of one person: held against NUTS, against exact answers where there are some, and against itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from fixtures.forecast_fit import SD, docetaxel, doses, observed, plain
from leuko.errors import UsageError
from leuko.forecast.fit import course_of, fit, mode_of
from leuko.forecast.fit.pareto import effective, khat
from leuko.forecast.fit.posterior import weighted_quantiles
from leuko.forecast.fit.prior import by_course, courses_of, prior_of
from leuko.forecast.model import Floats, Observed, Residual

pytest.importorskip("numba")

FOUR = observed((0, 5.2), (7, 1.1), (10, 0.6), (14, 2.5))
NONE = observed()
KHAT = json.loads((Path(__file__).parents[1] / "reference" / "forecast_khat.json").read_text("utf-8"))


@pytest.mark.parametrize("case", KHAT["cases"], ids=lambda case: f"{case['kind']}-{case['scale']}-{case['size']}")
def test_khat_is_that_of_arviz(case: dict[str, float]) -> None:
    level = (np.arange(case["size"]) + 0.5) / case["size"]
    weights = case["scale"] * (norm.ppf(level) if case["kind"] == "normal" else -np.log1p(-level))
    # the tail is rounded up to whole draws here (as the paper does), down there: one draw in 200
    assert khat(weights) == pytest.approx(case["khat"], abs=1e-3)


def test_equal_weights_have_no_tail() -> None:
    assert khat(np.zeros(1000)) == 0.0
    assert effective(np.ones(1000)) == pytest.approx(1000.0)


def test_a_cloud_without_weight_is_worth_nothing() -> None:
    assert effective(np.zeros(10)) == 0.0
    assert khat(np.full(1000, -np.inf)) == np.inf


def test_without_counts_the_posterior_is_the_prior() -> None:
    posterior = fit(docetaxel(), doses(0.0), NONE, seed=1)
    assert posterior.effective == pytest.approx(posterior.draws)
    assert posterior.log_evidence == pytest.approx(0.0, abs=1e-12)
    logs = np.log(posterior.theta[[posterior.prior.model.at(name) for name in docetaxel().random]])
    assert logs.std(axis=1) == pytest.approx(SD, rel=0.06)
    assert [finding.id for finding in posterior.findings] == ["no_counts"]
    assert posterior.sound
    assert "not of this person" in posterior.text


def test_the_same_seed_gives_the_same_draws() -> None:
    first, second = (fit(docetaxel(), doses(0.0), FOUR, seed=3) for _ in range(2))
    assert np.array_equal(first.z, second.z)
    assert np.array_equal(first.weights, second.weights)
    assert not np.array_equal(first.z, fit(docetaxel(), doses(0.0), FOUR, seed=4).z)


def test_the_order_of_the_counts_does_not_matter() -> None:
    turned = Observed(hour=FOUR.hour[::-1], value=FOUR.value[::-1])
    first, second = (fit(docetaxel(), doses(0.0), counts, seed=3) for counts in (FOUR, turned))
    assert np.allclose(first.weights, second.weights)


def test_a_baseline_alone_is_the_conjugate_answer() -> None:
    """Of one count before any dose the logarithm of circ0 is normal, its posterior known in closed form."""
    model = docetaxel()
    posterior = fit(model, doses(240.0), observed((0, 2.5)), seed=8, least_effective=8000)
    before, error = SD[0] ** 2, model.residual.sd**2
    mean = np.log(5.05) + (np.log(2.5) - np.log(5.05)) * before / (before + error)
    sd = np.sqrt(before * error / (before + error))
    low, middle, high = np.log(posterior.quantiles("circ0", (0.05, 0.5, 0.95)))
    assert (low, middle, high) == pytest.approx((mean - 1.645 * sd, mean, mean + 1.645 * sd), abs=0.015)
    evidence = norm(np.log(5.05), np.sqrt(before + error)).logpdf(np.log(2.5)) - np.log(2.5)
    assert posterior.log_evidence == pytest.approx(evidence, abs=4 * posterior.evidence_error)


def test_correlated_effects_are_drawn_as_the_model_says() -> None:
    omega = np.diag(SD**2)
    omega[0, 4] = omega[4, 0] = 0.8 * SD[0] * SD[4]
    posterior = fit(docetaxel(omega=omega), doses(0.0), NONE, seed=1, least_effective=500)
    drawn = np.log(posterior.theta[[0, 9]])
    assert np.corrcoef(drawn)[0, 1] == pytest.approx(0.8, abs=0.03)


def test_correlation_carries_a_baseline_over_to_the_slope() -> None:
    omega = np.diag(SD**2)
    omega[0, 4] = omega[4, 0] = 0.8 * SD[0] * SD[4]
    high = fit(docetaxel(omega=omega), doses(240.0), observed((0, 9.0)), seed=2)
    assert high.quantiles("docetaxel.slope", (0.5,))[0] > 1.2 * 8.58


def test_an_omega_that_is_no_covariance_is_refused() -> None:
    omega = np.diag(SD**2)
    omega[0, 4] = omega[4, 0] = 2.0 * SD[0] * SD[4]
    with pytest.raises(UsageError, match="no covariance"):
        fit(docetaxel(omega=omega), doses(0.0), FOUR, seed=1)


def test_an_exact_count_pulls_the_fit_towards_it() -> None:
    model, hour = docetaxel(), np.array([240.0])
    lone = [fit(model, doses(0.0), observed((10, value)), seed=1) for value in (0.3, 3.0)]
    for posterior, value in zip(lone, (0.3, 3.0), strict=True):
        middle = np.median(course_of(posterior, doses(0.0), hours=hour, seed=1).counts)
        assert abs(np.log(middle / value)) < 0.3
    sharp = fit(docetaxel(residual=Residual(kind="log", sd=0.02)), doses(0.0), observed((10, 0.3)), seed=1)
    course = course_of(sharp, doses(0.0), hours=hour, seed=1)
    assert course.quantiles((0.05, 0.95))[:, 0] == pytest.approx((0.29, 0.31), rel=0.02)


def test_a_bound_is_the_limit_of_many_exact_counts_below_it() -> None:
    """ "<0.5" is the integral of the likelihood of every exact count below it: the mixture of their posteriors."""
    model, levels = docetaxel(), (0.05, 0.25, 0.5, 0.75, 0.95)
    bound = fit(model, doses(0.0), observed((10, 0.5), (14, 2.0), bound=("<", "=")), seed=1, least_effective=6000)
    grid = np.exp(np.linspace(np.log(0.005), np.log(0.5), 25))
    parts = [
        fit(model, doses(0.0), observed((10, value), (14, 2.0)), seed=2, least_effective=1000, most_draws=6000)
        for value in grid
    ]
    # densities in 10*9/L, on a grid that is even in the logarithm
    share = np.array([part.log_evidence for part in parts]) + np.log(grid)
    share = np.exp(share - share.max()) / np.exp(share - share.max()).sum()
    row = model.at("docetaxel.slope")
    values = np.concatenate([part.theta[row] for part in parts])
    weights = np.concatenate([part.weights * each for part, each in zip(parts, share, strict=True)])
    mixed = weighted_quantiles(values, weights, levels)
    assert np.log(bound.quantiles("docetaxel.slope", levels)) == pytest.approx(np.log(mixed), abs=0.05)


def test_a_wbc_above_which_the_neutrophils_cannot_lie() -> None:
    free = fit(docetaxel(), doses(0.0), observed((14, 2.0)), seed=1)
    capped = fit(docetaxel(), doses(0.0), observed((10, 0.4), (14, 2.0), bound=("<", "=")), seed=1)
    hours = np.array([240.0])
    middle = [np.median(course_of(each, doses(0.0), hours=hours, seed=1).counts) for each in (free, capped)]
    assert middle[1] < 0.5 < middle[0]


def test_counts_above_a_bound() -> None:
    posterior = fit(docetaxel(), doses(0.0), observed((0, 9.0), (10, 2.0), bound=(">", "=")), seed=1)
    assert posterior.quantiles("circ0", (0.05,))[0] > 6.0


def test_all_bounds_is_said_and_withheld() -> None:
    posterior = fit(docetaxel(), doses(0.0), observed((7, 0.5), (10, 0.5), bound=("<", "<")), seed=1)
    assert not posterior.sound
    assert "All 2 counts are bounds" in posterior.text


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (observed((10, 0.1), (10, 9.0)), "unexplained"),
        (observed((0, 5.0), (1, 300.0)), "unexplained"),
        (observed((0, 90.0)), "foreign"),
    ],
    ids=["contradiction", "jump", "leukaemia"],
)
def test_counts_that_nothing_explains_are_withheld(counts: Observed, expected: str) -> None:
    posterior = fit(docetaxel(), doses(0.0), counts, seed=1)
    assert not posterior.sound
    assert expected in {finding.id for finding in posterior.findings}
    assert posterior.fitting.sound is False


def test_an_unusual_count_is_said_and_used() -> None:
    posterior = fit(docetaxel(), doses(240.0), observed((0, 22.0)), seed=1)
    assert posterior.sound
    assert [finding.id for finding in posterior.findings] == ["unusual"]
    assert posterior.checks[0].prior_p < 1e-3


def test_people_of_the_model_are_not_flagged() -> None:
    posterior = fit(docetaxel(), doses(0.0), FOUR, seed=1)
    assert posterior.sound
    assert posterior.findings == ()
    assert all(check.prior_p > 0.01 for check in posterior.checks)


def test_too_few_draws_are_said() -> None:
    posterior = fit(docetaxel(), doses(0.0), FOUR, seed=1, least_effective=5000, most_draws=4000)
    assert not posterior.sound
    assert "5000 are needed" in posterior.text


def test_a_sharp_posterior_is_found_from_the_mode() -> None:
    """Thirteen counts of 2 %: hardly a draw of the prior lies near; the mode leads there."""
    truth = prior_of(docetaxel()).theta(np.array([[0.5], [-0.7], [0.4], [0.2], [0.9]]))
    hours = np.arange(0.0, 505.0, 42.0)
    value = plain(docetaxel(), truth, doses(0.0), hours=hours).counts[:, 0]
    posterior = fit(
        docetaxel(residual=Residual(kind="log", sd=0.02)), doses(0.0), Observed(hour=hours, value=value), seed=1
    )
    assert posterior.sound
    assert posterior.quantiles("mtt", (0.5,))[0] == pytest.approx(truth[1, 0], rel=0.02)


def test_the_mode_is_a_maximum() -> None:
    from leuko.forecast.fit.task import task_of

    mode = mode_of(docetaxel(), doses(0.0), FOUR)
    assert mode.converged
    task = task_of(docetaxel(), doses(0.0), FOUR)
    rng = np.random.default_rng(0)
    around = mode.z[:, None] + rng.multivariate_normal(np.zeros(5), 0.05 * mode.covariance, 300).T
    assert task.log_target(around, task.log_true(around)).max() < mode.log_target + 1e-3


def test_the_mode_of_a_ceiling_stays_below_it() -> None:
    model = docetaxel(ceilings=(("gamma", 0.165),))
    mode = mode_of(model, doses(0.0), FOUR)
    assert mode.theta[2] <= 0.165


@pytest.mark.parametrize("limit", [0.1, 0.14, 0.15])
def test_the_mode_at_a_ceiling_is_the_highest_place_below_it(limit: float) -> None:
    """The counts ask for a larger gamma: what is left is the best of the others, with gamma at its ceiling."""
    from leuko.forecast.fit.task import task_of

    model = docetaxel(ceilings=(("gamma", limit),))
    mode = mode_of(model, doses(0.0), FOUR)
    assert mode.converged
    assert mode.theta[2] == pytest.approx(limit, rel=1e-6)
    task = task_of(model, doses(0.0), FOUR)
    rng = np.random.default_rng(0)
    around = mode.z[:, None] + rng.multivariate_normal(np.zeros(5), 0.02 * mode.covariance, 2000).T
    assert task.log_target(around, task.log_true(around)).max() < mode.log_target + 1e-3


RESIDUALS = (
    Residual(kind="log", sd=0.2),
    Residual(kind="log", sd=0.3, lasting=0.5, fades=200.0),
    Residual(kind="proportional", sd=0.25),
    Residual(kind="additive", sd=0.4),
    Residual(kind="box-cox", sd=0.3, power=0.2),
)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("bound", ["=", "<", ">"])
def test_the_height_of_a_mode_is_that_of_the_posterior_there(residual: Residual, bound: str) -> None:
    """Found on the way of its own, the height is what the likelihood says; and no step of SciPy's leads higher."""
    from scipy.optimize import minimize

    from leuko.forecast.fit.task import task_of

    seen = observed((0, 5.0), (5, 2.5), (8, 0.8), (13, 4.0), bound=("=", "=", bound, "="))
    model = docetaxel(residual=residual)
    mode = mode_of(model, doses(0.0), seen, precision="float64")
    assert mode.converged
    task = task_of(model, doses(0.0), seen, precision="float64")

    def height(z: Floats) -> float:
        return float(task.log_target(z[:, None], task.log_true(z[:, None]))[0])

    assert mode.log_target == pytest.approx(height(mode.z), abs=1e-3)
    found = minimize(lambda z: -height(z), mode.z, method="Nelder-Mead", options={"maxiter": 300})
    assert -found.fun < height(mode.z) + 1e-3


def test_a_ceiling_cuts_the_prior_and_the_evidence_stays_one() -> None:
    model = docetaxel(ceilings=(("gamma", 0.161), ("circ0", 6.0)))
    posterior = fit(model, doses(0.0), NONE, seed=1)
    used = posterior.theta[:, posterior.weights > 0]
    assert used[2].max() <= 0.161
    assert used[0].max() <= 6.0
    assert np.exp(posterior.log_evidence) == pytest.approx(1.0, abs=0.05)
    free = multivariate_normal(cov=np.diag(SD[[0, 2]] ** 2)).cdf(np.log([6.0 / 5.05, 1.0]))
    assert posterior.prior.inside == pytest.approx(free, abs=1e-4)


@pytest.mark.parametrize(
    "residual",
    [
        Residual(kind="proportional", sd=0.2),
        Residual(kind="additive", sd=0.3),
        Residual(kind="box-cox", sd=0.2, power=0.2),
    ],
    ids=lambda residual: residual.kind,
)
def test_every_kind_of_residual(residual: Residual) -> None:
    posterior = fit(docetaxel(residual=residual), doses(0.0), FOUR, seed=1)
    assert posterior.sound
    assert mode_of(docetaxel(residual=residual), doses(0.0), FOUR).converged


def test_a_box_cox_of_power_zero_is_the_logarithm() -> None:
    first = fit(docetaxel(residual=Residual(kind="box-cox", sd=0.2, power=0.0)), doses(0.0), FOUR, seed=1)
    second = fit(docetaxel(), doses(0.0), FOUR, seed=1)
    assert np.allclose(first.weights, second.weights)


def test_noise_of_counting_loosens_a_count() -> None:
    tight = fit(docetaxel(), doses(0.0), observed((10, 0.2)), seed=1)
    loose = fit(docetaxel(), doses(0.0), observed((10, 0.2), noise=(0.6,)), seed=1)
    hours = np.array([240.0])
    found = [np.median(course_of(each, doses(0.0), hours=hours, seed=1).counts) for each in (tight, loose)]
    assert found[0] < found[1]


def test_an_update_ends_where_a_fit_of_everything_ends() -> None:
    model, levels = docetaxel(), (0.05, 0.5, 0.95)
    early = fit(model, doses(0.0), observed((0, 5.2), (7, 1.1)), seed=1)
    updated = fit(model, doses(0.0), FOUR, seed=2, previous=early, least_effective=6000)
    whole = fit(model, doses(0.0), FOUR, seed=3, least_effective=6000)
    for name in model.random:
        assert np.log(updated.quantiles(name, levels)) == pytest.approx(np.log(whole.quantiles(name, levels)), abs=0.03)
    gap = abs(updated.log_evidence - whole.log_evidence)
    assert gap < 4 * np.hypot(updated.evidence_error, whole.evidence_error)


def test_an_update_takes_fewer_draws_than_a_fit_from_nothing() -> None:
    early = fit(docetaxel(), doses(0.0), observed((0, 5.2), (7, 1.1), (10, 0.6)), seed=1)
    assert (
        fit(docetaxel(), doses(0.0), FOUR, seed=2, previous=early).draws
        < fit(docetaxel(), doses(0.0), FOUR, seed=2).draws
    )


OCCASION = np.diag([0.0, 0.0, 0.0, 0.0, 0.09])


def test_variation_between_cycles_is_found_cycle_by_cycle() -> None:
    """A deep first nadir and a shallow second one are two slopes, not one in between."""
    model = docetaxel(occasion=OCCASION)
    counts = observed((0, 5.0), (8, 0.4), (21, 5.0), (29, 1.6))
    posterior = fit(model, doses(0.0, 504.0), counts, seed=1)
    assert posterior.prior.size == 7
    first, second = (posterior.quantiles(f"docetaxel@{course}.slope", (0.5,))[0] for course in (1, 2))
    assert first > 1.2 * second
    assert posterior.log_evidence > fit(docetaxel(), doses(0.0, 504.0), counts, seed=1).log_evidence


def test_a_course_to_come_has_its_own_deviation() -> None:
    model = docetaxel(occasion=OCCASION)
    posterior = fit(model, doses(0.0, 504.0), FOUR, seed=1)
    assert len(posterior.courses) == 1
    hours = np.array([696.0])
    with_new = course_of(posterior, doses(0.0, 504.0), hours=hours, seed=1).counts
    known = fit(docetaxel(), doses(0.0, 504.0), FOUR, seed=1)
    without = course_of(known, doses(0.0, 504.0), hours=hours, seed=1).counts
    assert np.log(with_new).std() > 1.1 * np.log(without).std()


def test_courses_are_told_apart_by_two_days_without_a_dose() -> None:
    assert courses_of(doses(0.0, 24.0, 504.0, 528.0)) == (0.0, 504.0)
    assert courses_of(doses(0.0, 504.0), (10.0, 0.0)) == (0.0, 10.0)


def test_copies_of_a_medicine_take_only_their_own_doses() -> None:
    prior = prior_of(docetaxel(occasion=OCCASION), 2)
    assert by_course(doses(0.0, 504.0), prior, (0.0, 504.0)).drug == ("docetaxel@1", "docetaxel@2")
    covariance = prior.loading @ prior.loading.T
    slopes = [prior.model.at(f"docetaxel@{course}.slope") for course in (1, 2)]
    assert covariance[slopes[0], slopes[1]] == pytest.approx(SD[4] ** 2)
    assert covariance[slopes[0], slopes[0]] == pytest.approx(SD[4] ** 2 + 0.09)
    kinetics = [prior.model.at(f"docetaxel@{course}.k10") for course in (1, 2)]
    assert np.array_equal(prior.loading[kinetics[0]], prior.loading[kinetics[1]])


def test_the_marrow_cannot_vary_between_cycles() -> None:
    with pytest.raises(UsageError, match="belongs to no medicine"):
        fit(docetaxel(occasion=np.diag([0.0, 0.1, 0.0, 0.0, 0.0])), doses(0.0), FOUR, seed=1)


def test_a_plan_has_to_hold_the_past() -> None:
    model = docetaxel(occasion=OCCASION)
    posterior = fit(model, doses(0.0, 504.0), observed((0, 5.0), (29, 1.6)), seed=1)
    with pytest.raises(UsageError, match="fewer courses"):
        course_of(posterior, doses(0.0), hours=np.array([10.0]), seed=1)


def test_counts_and_doses_before_the_origin() -> None:
    """Only differences of hours matter."""
    shifted = Observed(hour=FOUR.hour - 1000.0, value=FOUR.value)
    first = fit(docetaxel(), doses(0.0), FOUR, seed=1)
    second = fit(docetaxel(), doses(-1000.0), shifted, seed=1)
    assert first.weights == pytest.approx(second.weights, abs=2e-5)


def test_doses_after_the_last_count_do_not_touch_the_fit() -> None:
    first, second = (fit(docetaxel(), doses(*hours), FOUR, seed=1) for hours in ((0.0,), (0.0, 336.0, 504.0)))
    assert np.array_equal(first.weights, second.weights)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (observed((10, 0.0)), "its logarithm does not exist"),
        (observed((10, -1.0)), "cannot be taken"),
        (observed((10, float("nan"))), "no usable hour"),
        (observed((10, 0.3), noise=(-1.0,)), "no usable hour"),
        (observed((10, 0.3), bound=("~",)), "not understood"),
        (observed((10, 0.3), bound=("=", "=")), "differ in number"),
    ],
)
def test_counts_that_cannot_be_taken_are_refused_in_words(counts: Observed, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        fit(docetaxel(), doses(0.0), counts, seed=1)
    assert words in str(caught.value)


def test_a_model_without_variation_has_no_posterior() -> None:
    with pytest.raises(UsageError, match="no variation between people"):
        fit(docetaxel(random=(), omega=np.zeros((0, 0))), doses(0.0), FOUR, seed=1)


def test_a_medicine_that_the_model_does_not_know_is_said() -> None:
    stranger = replace(doses(0.0), drug=("paclitaxel",))
    with pytest.raises(UsageError, match="cannot be run through test-docetaxel") as caught:
        fit(docetaxel(), stranger, FOUR, seed=1)
    assert "paclitaxel" in str(caught.value)


def test_another_solver_finds_the_same() -> None:
    """The engine, and sixty lines of NumPy that share nothing with it."""
    first = fit(docetaxel(), doses(0.0), FOUR, seed=1)
    second = fit(docetaxel(), doses(0.0), FOUR, seed=1, solver=plain)
    for name in docetaxel().random:
        pair = [each.quantiles(name, (0.05, 0.5, 0.95)) for each in (first, second)]
        assert pair[0] == pytest.approx(pair[1], rel=0.01)
