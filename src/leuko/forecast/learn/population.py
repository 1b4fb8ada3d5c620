"""Where the people of a model lie (a normal distribution of logarithms), and how far a few people move it.

Parameters theta of one person: log theta = mean (+ what covariates add) + eta, eta ~ N(0, omega), cut off above a
ceiling (gamma). The prior of the population is normal and inverse-Wishart about the published values, with the weight
of a stated number of pseudo-people, of whom each brings as many counts as a person of the cohort (Gelman et al.,
Bayesian Data Analysis, 3rd ed., section 3.6): few people cannot move the population far.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.model import Floats, Model
from leuko.forecast.stability import gamma_ceiling
from leuko.frozen import Frozen, replace


class Population(Frozen, frozen=True, kw_only=True):
    """`names` of what varies, `mean` (R,) and `omega` (R, R) of the logarithms, `sd` of the residual error; `cut` is
    the place of the parameter that has a ceiling, None where none has."""

    names: tuple[str, ...]
    mean: Floats
    omega: Floats
    sd: float
    cut: int | None

    @property
    def spread(self) -> Floats:
        """The standard deviations (R,)."""
        found: Floats = np.sqrt(np.diag(self.omega))
        return found

    @property
    def correlation(self) -> Floats:
        """The correlations (R, R)."""
        found: Floats = self.omega / np.outer(self.spread, self.spread)
        return found

    def log_density(self, log_theta: Floats, limit: float) -> Floats:
        """Log density (N,) of people at `log_theta` (R, N), for whom the ceiling stands at `limit` (a logarithm)."""
        root = np.linalg.cholesky(self.omega)
        away = np.linalg.solve(root, log_theta - self.mean[:, None])
        found: Floats = -0.5 * np.einsum("rn,rn->n", away, away) - np.log(np.diag(root)).sum()
        found -= 0.5 * len(self.mean) * np.log(2.0 * np.pi) + np.log(self.inside(limit))
        if self.cut is not None:
            found[log_theta[self.cut] > limit] = -np.inf
        return found

    def inside(self, limit: float) -> float:
        """The share of the uncut distribution below the ceiling."""
        if self.cut is None:
            return 1.0
        from scipy.special import ndtr  # noqa: PLC0415 (heavy: loaded where it is used)

        return max(float(ndtr((limit - self.mean[self.cut]) / self.spread[self.cut])), np.finfo(float).tiny)


def population_of(model: Model) -> Population:
    """The population of a model. Raises UsageError where nothing varies, or the spread is no covariance."""
    if not model.random or not model.residual.sd > 0.0:
        raise UsageError(
            f"{model.id} has no variation between people or no residual error",
            why="there is nothing to begin learning from",
            do="choose a model whose variation is known",
        )
    if np.linalg.eigvalsh(model.omega).min() <= 0.0:
        raise UsageError(f"the variation between people of {model.id} is no covariance", do="look at its correlations")
    cut = [model.random.index(name) for name, _ in model.ceilings if name in model.random]
    return Population(
        names=model.random,
        mean=np.log(model.typical[[model.at(name) for name in model.random]]),
        omega=np.array(model.omega, dtype=np.float64),
        sd=model.residual.sd,
        cut=cut[0] if cut else None,
    )


def with_population(model: Model, population: Population, shift: Floats) -> Model:
    """One person's model with this population; `shift` (R,) is what the person's covariates add to the logarithms."""
    typical = model.typical.copy()
    typical[[model.at(name) for name in population.names]] = np.exp(population.mean + shift)
    changed = replace(
        model, typical=typical, omega=population.omega, residual=replace(model.residual, sd=population.sd)
    )
    if population.cut is None:
        return changed
    return replace(changed, ceilings=(("gamma", gamma_ceiling(changed)),))


class Moments(Frozen, frozen=True, kw_only=True):
    """What one person's posterior gives to the population: mean (R,) and second moment (R, R) of the logarithms."""

    first: Floats
    second: Floats


def moments_of(log_theta: Floats, weights: Floats) -> Moments:
    """The moments of weighted draws (R, N)."""
    return Moments(first=log_theta @ weights, second=(log_theta * weights) @ log_theta.T)


def beyond(population: Population, limit: float) -> tuple[float, Moments] | None:
    """How many people beyond the ceiling stand behind one below it, and their moments; None without a ceiling.

    The likelihood of a distribution that is cut off is made whole by the people who were cut off (Dempster, Laird,
    Rubin 1977, section 4.2): as many as the cut distribution lost, with the moments that it has there.
    """
    if population.cut is None:
        return None
    from scipy.special import log_ndtr  # noqa: PLC0415 (heavy: loaded where it is used)

    mean, omega, at = population.mean, population.omega, population.cut
    sd = float(omega[at, at] ** 0.5)
    z = (limit - mean[at]) / sd
    share = float(np.exp(log_ndtr(-z) - log_ndtr(z)))
    if share <= 1e-12:
        return None
    hazard = float(np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(-z)))
    slope = omega[:, at] / sd
    first = mean + slope * hazard
    kept = 1.0 + z * hazard - hazard * hazard
    cov = omega + np.outer(slope, slope) * (kept - 1.0)
    return share, Moments(first=first, second=cov + np.outer(first, first))


def moved(
    prior: Population, now: Population, people: Sequence[Moments], limits: Sequence[float], weight: float
) -> Population:
    """Mean and omega most probable given the moments of people (M step); `weight` pseudo-people stand for the prior."""
    size = float(len(people))
    first = sum((one.first for one in people), np.zeros(len(prior.mean)))
    second = sum((one.second for one in people), np.zeros_like(prior.omega))
    for limit in limits:
        lost = beyond(now, limit)
        if lost is not None:
            share, out = lost
            size, first, second = size + share, first + share * out.first, second + share * out.second
    mean = (weight * prior.mean + first) / (weight + size)
    about = second - np.outer(first, mean) - np.outer(mean, first) + size * np.outer(mean, mean)
    away = mean - prior.mean
    omega = (weight * prior.omega + weight * np.outer(away, away) + about) / (weight + size)
    return replace(now, mean=mean, omega=(omega + omega.T) / 2)


def log_prior(prior: Population, at: Population, weight: float, counts: float) -> float:
    """The logarithm of the population's prior, but for a constant; `counts` is what the pseudo-people bring."""
    precision = np.linalg.inv(at.omega)
    away = at.mean - prior.mean
    located = away @ precision @ away
    spread = np.linalg.slogdet(at.omega)[1] + np.trace(precision @ prior.omega)
    error = counts * (np.log(at.sd) + 0.5 * (prior.sd / at.sd) ** 2)
    return float(-0.5 * weight * (located + spread) - error)
