"""The most probable parameters of one person (MAP), by Newton's steps on a curved picture of the course.

In z, where the prior is standard normal, the posterior is curved like I + J' W J: J (K, Z) the derivatives of the
logarithms of the true counts, W (K, K) the curvature of the counts' log-likelihood. A block of the solver carries many
people for the price of one, so each call asks for first and second differences about a few places at once, and for the
height of many others. The step goes where the second-order picture of the counts has its own most probable place;
beside it stand shorter ones, and those of Gauss and Newton, plain and damped, for where the picture misleads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import inf, isfinite
from typing import Final

import numpy as np

from leuko.forecast.fit.swing import log_joint, plain, slopes
from leuko.forecast.fit.task import Task
from leuko.forecast.model import Floats
from leuko.frozen import Frozen

# Levenberg damping of the steps that are tried together, and how it is raised where none of them helps; shares of a
# step that are tried beside it.
_DAMPING: Final = np.array((0.0, 0.5, 5.0, 50.0))[:, None, None]
_SHARES: Final = np.array((0.5, 0.25, 0.1, 0.03))[:, None]
_RAISED: Final = 30.0
_DIFFERENCE: Final = 0.05
# Places whose surroundings are asked for, and which share of another's gain is worth more than one more call.
_FULL: Final = 2
_WORTH: Final = 0.5
_INSIDE: Final = 1e-9  # below a ceiling, so that rounding does not pass it
_FARTHEST: Final = 3.0
_ITERATIONS: Final = 25
_INNER: Final = 4  # steps on one picture, at most; fewer where the square of one is below this
_NEAR: Final = 1e-5
# Gain of log-posterior below which the search stops, and the gain that a step promises below which it is not taken:
# a hundredth of an SD away from the mode.
_ENOUGH: Final = 1e-4
_PROMISED: Final = 5e-5


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
    """A place z (Z,), its log-posterior with gradient (Z,) and curvature (Z, Z), and what they are made of: slope (K,)
    and weight (K, K) of the log-likelihood, first (K, Z) and second (K, Z, Z) derivatives of the counts' logarithms."""

    z: Floats
    log_target: float
    gradient: Floats
    curvature: Floats
    slope: Floats
    weight: Floats
    first: Floats
    second: Floats


def find_mode(task: Task, start: Floats | None = None) -> Mode:
    """The mode nearest uphill of `start` (Z,), which is the population's typical person where not given."""
    search = _Search(task)
    begin = np.zeros(task.prior.size) if start is None else start
    at = search.best((begin + search.below(begin, np.zeros_like(begin)))[None], -inf)
    damping, iterations, converged = 1.0, 0, False
    while iterations < _ITERATIONS and not converged:
        steps, promised = search.steps(at, damping)
        if promised < _PROMISED:
            converged = True
            break
        iterations += 1
        best = search.best(at.z + steps, at.log_target)
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
        converged=converged and isfinite(at.log_target),
    )


class _Search:
    """What stays the same from step to step."""

    def __init__(self, task: Task) -> None:
        self._task, self._log_true, self._plain = task, task.near(), plain(task.counts)
        self._about, self._derivatives = _differences(task.prior.size)
        self._one = np.eye(task.prior.size)
        from leuko.forecast.solve.rows import LANES  # noqa: PLC0415 (the solver is loaded where it is used)

        self._lanes = LANES

    def steps(self, at: _Point, damping: float) -> tuple[Floats, float]:
        """Steps (S, Z) to be tried, the most promising first, and what the plain one promises to gain (infinite for a
        step that is damped)."""
        more, one = _DAMPING * damping, self._one
        found: Floats = np.linalg.solve(
            at.curvature + more * (one * at.curvature) + (damping - 1.0) * one, at.gradient[:, None]
        )[:, :, 0].astype(np.float64)  # fmt: skip
        if damping > 1.0 or not isfinite(at.log_target):
            return _held(found), inf
        promised = 0.5 * float(found[0] @ at.gradient)
        found = _held(found)
        picture = _held(self.below(at.z, self._on_picture(at, found[0]), at.curvature)[None])
        plain = self.below(at.z, found[0], at.curvature)[None]
        return np.concatenate([picture, found[1:], plain, _SHARES * picture, _SHARES * plain]), promised

    def _on_picture(self, at: _Point, step: Floats) -> Floats:
        """The step (Z,) to the most probable place of the second-order picture about a point, begun with one of
        Gauss and Newton."""
        for _ in range(_INNER - 1):
            turned = at.second @ step
            first = at.first + turned
            slope = at.slope - at.weight @ ((at.first + 0.5 * turned) @ step)
            uphill = slope @ first - at.z - step
            more = np.linalg.solve(self._one + first.T @ at.weight @ first, uphill)
            step = step + more
            if more @ more < _NEAR:
                break
        return step

    def below(self, place: Floats, step: Floats, curvature: Floats | None = None) -> Floats:
        """The step (Z,), or where it passes a ceiling of the prior the one that ends at that and loses least."""
        for row, limit in self._task.prior.ceilings:
            normal = self._task.prior.loading[row]
            over = float(normal @ (place + step)) - limit + _INSIDE
            if over > 0.0:
                back = normal if curvature is None else np.linalg.solve(curvature, normal)
                step = step - back * (over / float(normal @ back))
        return step

    def best(self, places: Floats, now: float) -> _Point:
        """The best of several places (S, Z), in one call of the solver; in another, where one whose surroundings were
        not asked for is far better than those whose were. `now` is how high the search has come."""
        size, about = places.shape[1], self._about.shape[2]
        full = min(len(places), _FULL, max(self._lanes // about, 1))
        bare = places[full : full + max(self._lanes - full * about, 0)]
        near = (places[:full].T[:, :, None] + self._about).reshape(size, -1)
        true = self._log_true(np.concatenate([near, bare.T], axis=1) if len(bare) else near)
        around = true[:, : full * about].reshape(-1, full, about)
        joint, bend = self._judge(np.concatenate([around[:, :, 0], true[:, full * about :]], axis=1))
        target = self._task.prior.log_density(places[: full + len(bare)].T) + joint
        target[np.isnan(target)] = -np.inf
        at, top = int(target[:full].argmax()), int(target.argmax())
        if top >= full and not target[at] - now >= _WORTH * (target[top] - now):
            return self.best(places[top : top + 1], now)
        return self._point(places[at], float(target[at]), around[:, at] @ self._derivatives, *bend(at))

    def _judge(self, log_true: Floats) -> tuple[Floats, Callable[[int], tuple[Floats, Floats]]]:
        """Log-likelihood (S,) of courses (K, S), and what gives slope (K,) and curvature (K, K) of one of them."""
        if self._plain is not None:
            return self._plain.judge(log_true)
        counts = self._task.counts

        def bend(at: int) -> tuple[Floats, Floats]:
            slope, weight = slopes(log_true[:, at : at + 1], counts)
            return slope[:, 0], weight[0]

        return log_joint(log_true, counts), bend

    def _point(self, place: Floats, target: float, derivatives: Floats, slope: Floats, weight: Floats) -> _Point:
        size = place.size
        first, second = derivatives[:, :size], derivatives[:, size:].reshape(-1, size, size)
        gradient, curvature = slope @ first - place, self._one + first.T @ weight @ first
        if not (isfinite(target) and np.isfinite(derivatives).all() and np.isfinite(gradient).all()):
            target, gradient, curvature = -inf, -place, self._one
        return _Point(
            z=place, log_target=target, gradient=gradient, curvature=curvature, slope=slope, weight=weight,
            first=first, second=second,
        )  # fmt: skip


def _held(steps: Floats) -> Floats:
    """Steps (S, Z) of which none goes too far."""
    length = np.sqrt((steps * steps).sum(axis=1))
    held: Floats = steps * np.minimum(1.0, _FARTHEST / np.maximum(length, 1e-300))[:, None]
    return held


@lru_cache(maxsize=16)
def _differences(size: int) -> tuple[Floats, Floats]:
    """Where about a place the counts are asked for (Z, 1, D), and what turns them (K, D) into first derivatives and,
    row by row, second ones (K, Z + Z Z). Second ones are left at zero where their places do not fit into a block."""
    from leuko.forecast.solve.rows import LANES  # noqa: PLC0415 (the solver is loaded where it is used)

    pairs = [(i, j) for i in range(size) for j in range(i)]
    bent = 1 + 2 * size + len(pairs) <= LANES
    about = np.zeros((size, 1, 1 + 2 * size + (len(pairs) if bent else 0)))
    into = np.zeros((about.shape[2], size + size * size))
    for i in range(size):
        forth, back = 1 + i, 1 + size + i
        about[i, 0, forth], about[i, 0, back] = _DIFFERENCE, -_DIFFERENCE
        into[forth, i], into[back, i] = 0.5 / _DIFFERENCE, -0.5 / _DIFFERENCE
        if bent:
            into[[forth, back, 0], size + size * i + i] = np.array([1.0, 1.0, -2.0]) / _DIFFERENCE**2
    for at, (i, j) in enumerate(pairs if bent else ()):
        both = 1 + 2 * size + at
        about[[i, j], 0, both] = _DIFFERENCE
        for cell in (size + size * i + j, size + size * j + i):
            into[[both, 0, 1 + i, 1 + j], cell] = np.array([1.0, 1.0, -1.0, -1.0]) / _DIFFERENCE**2
    return about, into
