"""The most probable parameters of one person (MAP), by damped Gauss-Newton steps in one batch of people.

In z, where the prior is standard normal, the posterior is curved like I + J' W J: J (K, Z) the derivatives of the
logarithms of the true counts by finite differences, W (K, K) the curvature of the counts' log-likelihood. Each
iteration solves once, for steps of several lengths and the differences about each of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from leuko.forecast.fit.swing import slopes
from leuko.forecast.fit.task import Task
from leuko.forecast.model import Floats
from leuko.frozen import Frozen

# Levenberg damping of the steps that are tried together, and how it is raised where none of them helps.
_DAMPING: Final = (0.0, 0.5, 5.0)
_RAISED: Final = 30.0
_DIFFERENCE: Final = 0.02
_FARTHEST: Final = 3.0
_ITERATIONS: Final = 25
# Gain of log-posterior below which the search stops.
_ENOUGH: Final = 1e-4


class Mode(Frozen, frozen=True, kw_only=True):
    """Where the posterior is highest: z (Z,), theta (P,), log prior times likelihood there, the covariance (Z, Z) of a
    normal distribution of the same curvature; `converged` is false where the search gave up."""

    z: Floats
    theta: Floats
    log_target: float
    covariance: Floats
    iterations: int
    converged: bool


class _Point(Frozen, frozen=True, kw_only=True):
    z: Floats
    log_target: float
    gradient: Floats
    curvature: Floats


def find_mode(task: Task, start: Floats | None = None) -> Mode:
    """The mode nearest uphill of `start` (Z,), which is the population's typical person where not given."""
    at = _points(task, [np.zeros(task.prior.size) if start is None else start])[0]
    damping, iterations, converged = 1.0, 0, False
    while iterations < _ITERATIONS and not converged:
        iterations += 1
        best = max(_points(task, _steps(at, damping)), key=lambda point: point.log_target)
        gain = best.log_target - at.log_target
        if gain > 0.0:
            at, damping = best, 1.0
        else:
            damping *= _RAISED
        converged = 0.0 <= gain < _ENOUGH or damping > _RAISED**4
    return Mode(
        z=at.z,
        theta=task.prior.theta(at.z[:, None])[:, 0],
        log_target=at.log_target,
        covariance=np.asarray(np.linalg.inv(at.curvature), dtype=np.float64),
        iterations=iterations,
        converged=converged and bool(np.isfinite(at.log_target)),
    )


def _steps(at: _Point, damping: float) -> list[Floats]:
    found = []
    for each in _DAMPING:
        matrix = at.curvature + each * damping * np.diag(np.diag(at.curvature)) + (damping - 1.0) * np.eye(at.z.size)
        step = np.linalg.solve(matrix, at.gradient)
        found.append(at.z + step * min(1.0, _FARTHEST / max(float(np.linalg.norm(step)), 1e-300)))
    return found


def _points(task: Task, places: list[Floats]) -> list[_Point]:
    """Log-posterior, gradient and curvature at several places, in one call of the solver."""
    size = task.prior.size
    stencil = np.concatenate([np.zeros((size, 1)), _DIFFERENCE * np.eye(size)], axis=1)
    batch = np.concatenate([place[:, None] + stencil for place in places], axis=1)
    log_true = task.log_true(batch)
    target = task.log_target(batch, log_true)
    slope, curve = slopes(log_true[:, :: size + 1], task.counts)
    found = []
    for at, place in enumerate(places):
        own = log_true[:, at * (size + 1) : (at + 1) * (size + 1)]
        jacobian = (own[:, 1:] - own[:, :1]) / _DIFFERENCE
        found.append(_point(place, float(target[at * (size + 1)]), jacobian, slope[:, at], curve[at]))
    return found


def _point(place: Floats, target: float, jacobian: Floats, slope: Floats, curve: Floats) -> _Point:
    usable = bool(np.all(np.isfinite(jacobian)) and np.all(np.isfinite(slope)) and np.isfinite(target))
    if not usable:
        return _Point(z=place, log_target=-np.inf, gradient=-place, curvature=np.eye(place.size))
    return _Point(
        z=place,
        log_target=target,
        gradient=jacobian.T @ slope - place,
        curvature=np.eye(place.size) + jacobian.T @ curve @ jacobian,
    )
