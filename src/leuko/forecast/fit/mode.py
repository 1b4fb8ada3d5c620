"""The most probable parameters of one person (MAP), by damped Gauss-Newton steps in one batch of people.

In z, where the prior is standard normal, the posterior is curved like I + J' W J: J (K, Z) the derivatives of the
logarithms of the true counts by finite differences, W (K, K) the curvature of the counts' log-likelihood. Each
iteration solves once, for steps of several lengths and the differences about each of them.
"""

from __future__ import annotations

from collections.abc import Callable
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
    log_true = task.near()
    at = _best(task, log_true, np.zeros((1, task.prior.size)) if start is None else start[None])
    damping, iterations, converged = 1.0, 0, False
    while iterations < _ITERATIONS and not converged:
        iterations += 1
        best = _best(task, log_true, _steps(at, damping))
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


def _steps(at: _Point, damping: float) -> Floats:
    """Where the steps of several lengths lead (S, Z)."""
    one, more = np.eye(at.z.size), np.array(_DAMPING)[:, None, None] * damping
    step = np.linalg.solve(at.curvature + more * (one * at.curvature) + (damping - 1.0) * one, at.gradient[:, None])
    length = np.sqrt(np.einsum("szo,szo->s", step, step))
    found: Floats = at.z + step[:, :, 0] * np.minimum(1.0, _FARTHEST / np.maximum(length, 1e-300))[:, None]
    return found


def _best(task: Task, log_true: Callable[[Floats], Floats], places: Floats) -> _Point:
    """Log-posterior, gradient and curvature at the best of several places (S, Z), in one call of the solver."""
    size = task.prior.size
    stencil = np.zeros((size, size + 1))
    stencil[:, 1:] = _DIFFERENCE * np.eye(size)
    true = log_true((places.T[:, :, None] + stencil[:, None, :]).reshape(size, -1))
    true = true.reshape(task.counts.size, len(places), size + 1)
    target = task.log_target(places.T, true[:, :, 0])
    target[np.isnan(target)] = -np.inf
    at = int(np.argmax(target))
    jacobian = (true[:, at, 1:] - true[:, at, :1]) / _DIFFERENCE
    slope, curve = slopes(true[:, at, :1], task.counts)
    return _point(places[at], float(target[at]), jacobian, slope[:, 0], curve[0])


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
