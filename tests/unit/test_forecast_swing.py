"""A deviation that lasts: the density of counts that share a swing, and the swing given them, by textbook forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from fixtures.forecast_fit import docetaxel, doses, observed
from leuko.forecast.fit import course_of, fit, mode_of
from leuko.forecast.fit.likelihood import Counts, counts_of, log_likelihood
from leuko.forecast.fit.swing import drawn, log_joint, slopes
from leuko.forecast.model import Floats, Observed, Residual

LASTING = Residual(kind="log", sd=0.4, lasting=0.7, fades=180.0)
TRUE = np.log(np.array([4.0, 1.2, 0.7, 1.6]))[:, None]


def counts(*bounds: str, residual: Residual = LASTING) -> Counts:
    seen = observed((0, 5.2), (7, 1.1), (10, 0.6), (14, 2.5), bound=bounds, noise=(0.0, 0.1, 0.3, 0.0))
    return counts_of(seen, residual)


def by_hand(hours: Floats, noise: Floats, residual: Residual) -> Floats:
    """The covariance, element by element."""
    swing, own = residual.lasting * residual.sd**2, (1 - residual.lasting) * residual.sd**2
    return np.array(
        [
            [
                swing * np.exp(-abs(a - b) / residual.fades) + (own + noise[j] ** 2 if j == k else 0.0)
                for k, b in enumerate(hours)
            ]
            for j, a in enumerate(hours)
        ]
    )


class TestDensity:
    def test_exact_counts_are_jointly_normal(self) -> None:
        seen = counts()
        expected = multivariate_normal(cov=by_hand(seen.hour, seen.noise, LASTING)).logpdf(
            np.log(seen.value) - TRUE[:, 0]
        ) - float(np.log(seen.value).sum())
        assert log_joint(TRUE, seen)[0] == pytest.approx(expected, rel=1e-9)

    def test_nothing_that_lasts_is_the_sum_of_the_counts(self) -> None:
        seen = counts(residual=replace(LASTING, lasting=0.0))
        assert log_joint(TRUE, seen) == pytest.approx(log_likelihood(TRUE, seen).sum(axis=0), rel=1e-12)

    def test_one_count_has_the_density_of_the_published_error(self) -> None:
        one = counts_of(observed((10, 0.6)), LASTING)
        plain = counts_of(observed((10, 0.6)), replace(LASTING, lasting=0.0))
        assert log_joint(TRUE[:1], one) == pytest.approx(log_likelihood(TRUE[:1], plain)[0], rel=1e-12)

    def test_a_bound_is_its_probability_given_the_other_counts(self) -> None:
        seen = counts("=", "=", "<", "=")
        cov, exact = by_hand(seen.hour, seen.noise, LASTING), np.array([0, 1, 3])
        away = np.log(seen.value) - TRUE[:, 0]
        gain = np.linalg.solve(cov[np.ix_(exact, exact)], cov[exact, 2])
        sd = np.sqrt(cov[2, 2] - gain @ cov[exact, 2])
        expected = (
            multivariate_normal(cov=cov[np.ix_(exact, exact)]).logpdf(away[exact])
            - float(np.log(seen.value[exact]).sum())
            + float(norm.logcdf((away[2] - gain @ away[exact]) / sd))
        )
        assert log_joint(TRUE, seen)[0] == pytest.approx(expected, rel=1e-9)

    @pytest.mark.parametrize("sides", [("<", "<", "<", "<"), ("=", "<", "<", "<"), (">", "<", "<", "=")])
    def test_several_bounds_are_near_the_probability_of_all(self, sides: tuple[str, ...]) -> None:
        seen = counts(*sides)
        cov, away = by_hand(seen.hour, seen.noise, LASTING), np.log(seen.value) - TRUE[:, 0]
        sign = -seen.side.astype(float)
        exact, hidden = np.flatnonzero(seen.side == 0), np.flatnonzero(seen.side)
        gain = np.linalg.solve(cov[np.ix_(exact, exact)], cov[np.ix_(exact, hidden)]) if exact.size else None
        mean = gain.T @ away[exact] if gain is not None else np.zeros(hidden.size)
        left = cov[np.ix_(hidden, hidden)] - (gain.T @ cov[np.ix_(exact, hidden)] if gain is not None else 0.0)
        turn = np.diag(sign[hidden])
        expected = np.log(
            multivariate_normal(cov=turn @ left @ turn, maxpts=200_000).cdf(sign[hidden] * (away[hidden] - mean))
        )
        if exact.size:
            expected += multivariate_normal(cov=cov[np.ix_(exact, exact)]).logpdf(away[exact])
            expected -= float(np.log(seen.value[exact]).sum())
        assert log_joint(TRUE, seen)[0] == pytest.approx(expected, abs=0.05)

    def test_a_course_that_is_no_number_is_impossible(self) -> None:
        both = np.concatenate([TRUE, np.full_like(TRUE, np.nan)], axis=1)
        found = log_joint(both, counts())
        assert np.isfinite(found[0])
        assert found[1] == -np.inf

    def test_slopes_are_those_of_the_density(self) -> None:
        for seen in (counts(), counts("=", "=", "<", "=")):
            slope, sharp = slopes(TRUE, seen)
            for k in range(4):
                step = np.zeros((4, 1))
                step[k] = 1e-5
                expected = (log_joint(TRUE + step, seen) - log_joint(TRUE - step, seen)) / 2e-5
                assert slope[k] == pytest.approx(expected, abs=1e-3)
            assert (np.linalg.eigvalsh(sharp[0]) > 0.0).all()


class TestSwing:
    HOURS = np.array([0.0, 100.0, 200.0, 330.0, 336.0, 342.0, 400.0, 700.0, 3000.0])

    def test_it_follows_the_counts_as_a_normal_process_does(self) -> None:
        """Mean and covariance of the swing given the counts, before and beyond the last of them."""
        seen = counts()
        found = drawn(self.HOURS, np.repeat(TRUE, 40_000, axis=1), seen, seed=3)
        swing = LASTING.lasting * LASTING.sd**2
        tie = swing * np.exp(-np.abs(self.HOURS[:, None] - seen.hour[None, :]) / LASTING.fades)
        own = swing * np.exp(-np.abs(self.HOURS[:, None] - self.HOURS[None, :]) / LASTING.fades)
        gain = np.linalg.solve(by_hand(seen.hour, seen.noise, LASTING), tie.T).T
        away = np.log(seen.value) - TRUE[:, 0]
        assert found.mean(axis=1) == pytest.approx(gain @ away, abs=0.01)
        assert np.cov(found) == pytest.approx(own - gain @ tie.T, abs=0.003)

    def test_beyond_the_last_count_it_goes_on_from_there_whatever_else_is_asked(self) -> None:
        seen, true = counts(), np.repeat(TRUE, 20_000, axis=1)
        ahead = np.arange(342.0, 700.0, 6.0)
        found = drawn(ahead, true, seen, seed=3)
        swing = LASTING.lasting * LASTING.sd**2
        gain = np.linalg.solve(
            by_hand(seen.hour, seen.noise, LASTING), swing * np.exp(-(342.0 - seen.hour) / LASTING.fades)
        )
        assert found[0].mean() == pytest.approx(gain @ (np.log(seen.value) - TRUE[:, 0]), abs=0.01)
        assert found[-1].std() == pytest.approx(np.sqrt(swing), rel=0.05)
        later = drawn(ahead[20:], true, seen, seed=3)
        assert later == pytest.approx(found[20:], abs=1e-12)

    def test_a_bound_pulls_it_to_its_side(self) -> None:
        true = np.repeat(TRUE, 20_000, axis=1)
        low = counts_of(observed((0, 5.2), (7, 1.1), (10, 0.3), (14, 2.5), bound=("=", "=", "<", "=")), LASTING)
        free = counts_of(observed((0, 5.2), (7, 1.1), (14, 2.5)), LASTING)
        at = np.array([240.0])
        bound = drawn(at, true, low, seed=1).mean()
        unbound = drawn(at, true[[0, 1, 3]], free, seed=1).mean()
        assert bound < unbound - 0.1

    def test_a_bound_alone_is_truncated(self) -> None:
        """Against draws of swing and error that are kept where the report lies below the bound."""
        seen = counts_of(observed((10, 0.5), bound=("<",)), LASTING)
        found = drawn(np.array([240.0]), np.full((1, 100_000), np.log(0.7)), seen, seed=2)
        rng = np.random.default_rng(0)
        swing = np.sqrt(0.7) * 0.4 * rng.standard_normal(400_000)
        error = np.sqrt(0.3) * 0.4 * rng.standard_normal(400_000)
        kept = swing[np.log(0.7) + swing + error < np.log(0.5)]
        assert found.mean() == pytest.approx(kept.mean(), abs=0.01)
        assert found.std() == pytest.approx(kept.std(), abs=0.01)

    def test_of_two_bounds_each_tells_of_the_other(self) -> None:
        """Against draws of swing and errors that are kept where both reports lie below their bounds."""
        seen = counts_of(observed((10, 0.5), (11, 0.35), bound=("<", "<")), LASTING)
        true = np.log(np.array([0.8, 0.8]))
        found = drawn(np.array([240.0]), np.repeat(true[:, None], 60_000, axis=1), seen, seed=2)
        rng = np.random.default_rng(0)
        both = np.linalg.cholesky(by_hand(seen.hour, np.zeros(2), replace(LASTING, lasting=1.0)) * LASTING.lasting)
        swing = both @ rng.standard_normal((2, 2_000_000))
        error = np.sqrt(0.3) * 0.4 * rng.standard_normal(swing.shape)
        kept = swing[0][(true[:, None] + swing + error < np.log(seen.value)[:, None]).all(axis=0)]
        assert kept.size > 10_000
        assert found.mean() == pytest.approx(kept.mean(), abs=0.01)
        assert found.std() == pytest.approx(kept.std(), abs=0.01)


class TestForecast:
    SEEN = observed((0, 5.2), (7, 1.1), (10, 0.25), (13, 0.4))

    def test_a_low_count_stays_low_for_a_while_and_is_forgotten(self) -> None:
        hours = np.array([13.25 * 24, 60.0 * 24])
        alike = docetaxel().omega * 0.04  # people who differ little: a count far off is no matter of parameters
        plain = fit(docetaxel(omega=alike, residual=Residual(kind="log", sd=0.4)), doses(0.0), self.SEEN, seed=1)
        lasting = fit(docetaxel(omega=alike, residual=LASTING), doses(0.0), self.SEEN, seed=1)
        near, far = np.median(course_of(lasting, doses(0.0), hours=hours, seed=1, draws=8000).counts, axis=1)
        without, later = np.median(course_of(plain, doses(0.0), hours=hours, seed=1, draws=8000).counts, axis=1)
        assert 0.4 < near < 0.85 * without
        assert far == pytest.approx(later, rel=0.1)

    def test_counts_close_in_time_do_not_count_twice(self) -> None:
        """Four counts within a day say little more than one; new errors would make them four times as sure."""
        once = observed((0, 5.0))
        often = observed((0, 5.0), (0.1, 5.0), (0.2, 5.0), (0.3, 5.0))

        def sure(residual: Residual, seen: Observed) -> float:
            found = fit(docetaxel(residual=residual), doses(240.0), seen, seed=1)
            at = found.theta[found.prior.model.at("circ0")]
            return float(np.sqrt(np.cov(np.log(at), aweights=found.weights)))

        lasting, new = LASTING, Residual(kind="log", sd=0.4)
        assert sure(new, often) < 0.9 * sure(new, once)
        assert sure(lasting, often) > 0.9 * sure(lasting, once)

    def test_the_mode_is_higher_than_its_surroundings(self) -> None:
        mode = mode_of(docetaxel(residual=LASTING), doses(0.0), self.SEEN)
        posterior = fit(docetaxel(residual=LASTING), doses(0.0), self.SEEN, seed=1)
        assert mode.converged
        middle = (posterior.z * posterior.weights).sum(axis=1)
        assert np.linalg.norm(mode.z - middle) < 1.5

    def test_what_is_left_of_the_error_belongs_to_the_measurement(self) -> None:
        found = fit(docetaxel(residual=LASTING), doses(0.0), self.SEEN, seed=1)
        course = course_of(found, doses(0.0), hours=np.array([400.0]), seed=1)
        assert course.residual.sd == pytest.approx(0.4 * np.sqrt(0.3))
        assert course.residual.lasting == 0.0
