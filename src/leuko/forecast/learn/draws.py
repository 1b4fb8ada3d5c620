"""The posterior of one person as draws, weighted anew when the population moves, drawn anew when few are left.

Importance-sampled EM (Levine RA, Casella G. Implementations of the Monte Carlo EM algorithm. J Comput Graph Stat
2001;10:422-439): solving the equations is what costs, and a change of the population needs none of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.fit.cloud import explore, normalised
from leuko.forecast.fit.likelihood import Counts, log_likelihood
from leuko.forecast.fit.pareto import effective
from leuko.forecast.fit.task import Solver, task_of
from leuko.forecast.learn.people import Person
from leuko.forecast.learn.population import Population, with_population
from leuko.forecast.model import Floats, Model
from leuko.frozen import Frozen, replace

EFFECTIVE: Final = 500.0
MOST_DRAWS: Final = 12_000


class Member(Frozen, frozen=True, kw_only=True):
    """One person to the fit: their model with covariates worked in, and what those add to the logarithms (R,)."""

    person: Person
    model: Model
    shift: Floats

    def limit(self, population: Population) -> float:
        """The logarithm of the ceiling on the scale of the population; infinite where there is none."""
        if population.cut is None:
            return float("inf")
        changed = with_population(self.model, population, self.shift)
        return float(np.log(dict(changed.ceilings)["gamma"]) - self.shift[population.cut])


class Draws(Frozen, frozen=True, kw_only=True):
    """Draws of one person: `log_theta` (R, N) on the scale of the population, `log_true` (K, N) of the counts,
    `log_drawn` (N,) the log density that they were drawn with, on that scale, `limit` of the ceiling."""

    log_theta: Floats
    log_true: NDArray[np.float32]
    log_drawn: Floats
    limit: float
    counts: Counts

    def likelihood(self, sd: float) -> Floats:
        """Log likelihood (K, N) of each count with a residual SD."""
        counts = replace(self.counts, residual=replace(self.counts.residual, sd=sd))
        return log_likelihood(self.log_true.astype(np.float64), counts)

    def log_weights(self, population: Population, fitted: Floats) -> Floats:
        """Log weights (N,) under a population, given the summed log likelihood (N,); their mean is the evidence."""
        found: Floats = population.log_density(self.log_theta, self.limit) + fitted - self.log_drawn
        found[np.isnan(found)] = -np.inf
        return found


def draw(
    member: Member,
    population: Population,
    *,
    rng: np.random.Generator,
    least: float = EFFECTIVE,
    most: int = MOST_DRAWS,
    solver: Solver | None = None,
) -> Draws:
    """Draws of the posterior of one person under a population."""
    model = with_population(member.model, population, member.shift)
    task = task_of(model, member.person.schedule, member.person.observed, solver=solver)
    cloud = explore(task, rng, least_effective=least, most_draws=most)
    size = len(population.mean)
    # variation between cycles stays as published: it is drawn from its own normal and cancels out
    others = 0.5 * np.einsum("zn,zn->n", cloud.z[size:], cloud.z[size:]) + 0.5 * (len(cloud.z) - size) * np.log(
        2 * np.pi
    )
    root = np.linalg.cholesky(population.omega)
    drawn = cloud.log_mixed - np.log(cloud.z.shape[1]) - np.log(np.diag(root)).sum() + others
    return Draws(
        log_theta=population.mean[:, None] + root @ cloud.z[:size],
        log_true=cloud.log_true.astype(np.float32),
        log_drawn=drawn,
        limit=member.limit(population),
        counts=task.counts,
    )


class Weighed(Frozen, frozen=True, kw_only=True):
    """The same under one population: weights (N,) that sum to 1, log evidence, effective sample size."""

    weights: Floats
    evidence: float
    effective: float


def weigh(draws: Draws, population: Population) -> Weighed:
    """Weights of the draws of one person under a population."""
    log_weights = draws.log_weights(population, draws.likelihood(population.sd).sum(axis=0))
    weights = normalised(log_weights)
    return Weighed(
        weights=weights,
        evidence=float(np.logaddexp.reduce(log_weights) - np.log(log_weights.size)),
        effective=effective(weights) if weights.any() else 0.0,
    )
