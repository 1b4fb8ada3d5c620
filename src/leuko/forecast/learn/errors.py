"""How far what was learned of a population can be relied on: standard errors from the scores of its people.

The information is that of the people's scores (their outer products; Meilijson I. A fast improvement to the EM
algorithm on its own terms. J R Stat Soc B 1989;51:127-138) and of the prior. Scores come from the log evidence of each
person, which draws give for any population near the one that was learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from leuko.forecast.learn.draws import Draws, weigh
from leuko.forecast.learn.population import Population, log_prior
from leuko.forecast.model import Floats
from leuko.frozen import Frozen, replace

_STEP: Final = 0.01


class Uncertainty(Frozen, frozen=True, kw_only=True):
    """Standard errors: `mean` (R,) of the logarithms of typical values, `spread` (R,) of the logarithms of the SDs,
    `sd` of the logarithm of the residual error."""

    mean: Floats
    spread: Floats
    sd: float


def uncertainty_of(draws: Sequence[Draws], at: Population, *, weight: float, counts: float) -> Uncertainty:
    """The standard errors of a population, by draws of its people."""
    size = len(at.mean)
    scores = np.array([_scores(one, at) for one in draws])
    information = scores.T @ scores + _of_prior(at, weight, counts)
    covariance = np.linalg.pinv(information, hermitian=True)
    errors = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    return Uncertainty(mean=errors[:size], spread=errors[size : 2 * size], sd=float(errors[-1]))


def _points(at: Population) -> int:
    return 2 * len(at.mean) + 1


def _at(at: Population, place: int, step: float) -> Population:
    """The population with one parameter moved: a mean, the logarithm of an SD, that of the residual error."""
    size = len(at.mean)
    if place == 2 * size:
        return replace(at, sd=at.sd * float(np.exp(step)))
    if place < size:
        return replace(at, mean=at.mean + step * np.eye(size)[place])
    stretch = np.exp(step * np.eye(size)[place - size])
    return replace(at, omega=at.omega * np.outer(stretch, stretch))


def _scores(draws: Draws, at: Population) -> Floats:
    """How the log evidence of one person changes with each parameter."""
    found = [
        (weigh(draws, _at(at, place, _STEP)).evidence - weigh(draws, _at(at, place, -_STEP)).evidence) / (2 * _STEP)
        for place in range(_points(at))
    ]
    return np.array(found)


def _of_prior(at: Population, weight: float, counts: float) -> Floats:
    """The curvature of the log prior, as it stands where the published values are those that were learned."""
    points = _points(at)
    found = np.zeros((points, points))

    def value(first: int, one: float, second: int, two: float) -> float:
        return log_prior(at, _at(_at(at, first, one), second, two), weight, counts)

    for first in range(points):
        for second in range(points):
            signs = [(one, two, one * two) for one in (1, -1) for two in (1, -1)]
            crossed = sum(sign * value(first, one * _STEP, second, two * _STEP) for one, two, sign in signs)
            found[first, second] = -crossed / (4 * _STEP**2)
    return found
