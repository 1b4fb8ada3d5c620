"""Clouds of marrow parameters of people under treatment, each solved once, and what counts say of them.

Draws come in halves from a wide population and from a mixture fitted to what the counts of the person say (a proposal
only: every draw is weighted by what it was drawn with). A person's residual is filtered beside each draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.fit.cloud import flattened
from leuko.forecast.fit.mixture import fitted
from leuko.forecast.fit.task import Solver, batch_solver
from leuko.forecast.model import Floats, Model, Schedule
from leuko.forecast.state_space import FLOOR, Series
from leuko.frozen import Frozen, replace

HOURS: Final = 24.0
# Draws of the wide population, and as many again about what the counts say.
DRAWS: Final = 512
_LEAST: Final = 1e-9


class Residual(Frozen, frozen=True, kw_only=True):
    """A population of the marrow, `mean` (R,) and `spread` (R,) of the logarithms (`cut`: the place and logarithm of a
    ceiling), and what the counts do beside it: SD of a shift between people, drift per root day, SD and days of swings,
    noise, degrees of freedom of what is told."""

    mean: Floats
    spread: Floats
    cut: tuple[int, float] | None
    shift: float
    drift: float
    tau: float
    swing: float
    noise: float
    tails: float

    def log_density(self, log_theta: Floats) -> Floats:
        """Log density (N,) of draws (R, N), but for a constant of the normal."""
        from scipy.special import log_ndtr  # noqa: PLC0415 (heavy: loaded where it is used)

        away = (log_theta - self.mean[:, None]) / self.spread[:, None]
        found: Floats = -0.5 * np.square(away).sum(axis=0) - np.log(self.spread).sum()
        if self.cut is not None:
            at, limit = self.cut
            found -= log_ndtr((limit - self.mean[at]) / self.spread[at])
            found[log_theta[at] > limit] = -np.inf
        return found

    def quantiles(self, shares: Floats) -> Floats:
        """Quantiles of the Student's t with SD 1."""
        return _student(self.tails, shares.tobytes(), shares.shape)

    def packed(self) -> Floats:
        """All numbers as a point without bounds."""
        scale = (self.shift, self.drift, self.tau, self.swing, self.noise, self.tails - 2.0)
        return np.concatenate([self.mean, np.log(self.spread), np.log(scale)])

    def at(self, point: Floats) -> Residual:
        """The numbers at a point."""
        size = self.mean.size
        shift, drift, tau, swing, noise, tails = (float(one) for one in np.exp(point[2 * size :]))
        return replace(
            self,
            mean=point[:size],
            spread=np.exp(point[size : 2 * size]),
            shift=shift,
            drift=drift,
            tau=tau,
            swing=swing,
            noise=noise,
            tails=2.0 + tails,
        )


@cache
def _student(tails: float, shares: bytes, shape: tuple[int, ...]) -> Floats:
    from scipy.stats import t as student  # noqa: PLC0415 (heavy)

    found: Floats = np.asarray(student.ppf(np.frombuffer(shares).reshape(shape), tails)) * np.sqrt((tails - 2) / tails)
    return found


class Cloud(Frozen, frozen=True, kw_only=True):
    """One person's draws: `log_theta` (R, N), `log_drawn` (N,) what they were drawn with, `log_true` (K, N) of the
    model at the days of the counts, whose logarithms are `logs` (K,)."""

    days: Floats
    logs: Floats
    schedule: Schedule
    log_theta: Floats
    log_drawn: Floats
    log_true: NDArray[np.float32]

    def at(self, day: float) -> int:
        """The row of a day."""
        return int(np.searchsorted(self.days, day))

    def theta(self, picked: NDArray[np.int64]) -> Floats:
        """The logarithms of some draws (R, M)."""
        return self.log_theta[:, picked]


class Seen(Frozen, frozen=True, kw_only=True):
    """What counts say of a cloud: `log_weights` (K + 1, N) and, after so many counts, mean of the residual's shift and
    swing (K + 1, N each) with their covariance (K + 1, 3: variances and covariance, the same for all draws)."""

    log_weights: Floats
    shift: Floats
    swing: Floats
    cov: Floats

    def ahead(self, many: int, picked: NDArray[np.int64], days: float, by: Residual) -> tuple[Floats, float]:
        """Mean (M,) and SD of the residual of a measurement so many days after the last count used."""
        kept = np.exp(-days / by.tau)
        shift, both, swing = self.cov[many]
        variance = (
            shift + by.drift**2 * days + 2 * kept * both + kept**2 * swing + by.swing**2 * (1 - kept**2) + by.noise**2
        )
        return self.shift[many, picked] + kept * self.swing[many, picked], float(variance**0.5)


def posterior_of(cloud: Cloud, by: Residual) -> Seen:
    """The weights of a cloud and the residuals about it after every count (a filter for all draws at once)."""
    from math import lgamma, pi  # noqa: PLC0415

    size, draws = cloud.log_true.shape
    nu = by.tails
    constant = lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * np.log((nu - 2) * pi)
    weights, shift, swing = (np.zeros((size + 1, draws)) for _ in range(3))
    cov = np.empty((size + 1, 3))
    weights[0] = by.log_density(cloud.log_theta) - cloud.log_drawn
    cov[0] = by.shift**2, 0.0, by.swing**2
    before = float(cloud.days[0])
    for k in range(size):
        days = float(cloud.days[k]) - before
        kept, before = np.exp(-days / by.tau), before + days
        a, b, c = cov[k]
        a, b, c = a + by.drift**2 * days, kept * b, kept**2 * c + by.swing**2 * (1 - kept**2)
        first, second = a + b, b + c
        variance = first + second + by.noise**2
        miss = cloud.logs[k] - cloud.log_true[k] - shift[k] - kept * swing[k]
        weights[k + 1] = weights[k] + (
            constant - 0.5 * np.log(variance) - (nu + 1) / 2 * np.log1p(miss * miss / ((nu - 2) * variance))
        )
        shift[k + 1] = shift[k] + first / variance * miss
        swing[k + 1] = kept * swing[k] + second / variance * miss
        cov[k + 1] = a - first**2 / variance, b - first * second / variance, c - second**2 / variance
    weights[np.isnan(weights)] = -np.inf
    return Seen(log_weights=weights, shift=shift, swing=swing, cov=cov)


def evidence(cloud: Cloud, by: Residual) -> float:
    """The log evidence of all counts of a person."""
    last = posterior_of(cloud, by).log_weights[-1]
    return float(np.logaddexp.reduce(last) - np.log(last.size))


@dataclass(slots=True)
class Clouds:
    """The clouds of people, drawn when first asked for and kept; so are what was learned of a group of people, and what
    the counts of a person say under the numbers used last."""

    model: Model
    wide: Residual
    series: Mapping[str, Series]
    seed: int = 1
    draws: int = DRAWS
    solver: Solver | None = None
    said: Callable[[str], None] = lambda _: None
    _kept: dict[str, Cloud] = field(default_factory=dict)
    _learned: dict[tuple[str, ...], Residual] = field(default_factory=dict)
    _seen: dict[str, tuple[Residual, Seen]] = field(default_factory=dict)

    def of(self, person: str, schedule: Schedule) -> Cloud:
        """One person's cloud."""
        if person not in self._kept:
            self._kept[person] = self._drawn(person, schedule)
            if len(self._kept) % 10 == 0:
                self.said(f"marrow model: {len(self._kept)} people solved")
        return self._kept[person]

    def seen(self, person: str, schedule: Schedule, by: Residual) -> Seen:
        """What the counts of a person say."""
        held = self._seen.get(person)
        if held is None or held[0] is not by:
            held = (by, posterior_of(self.of(person, schedule), by))
            self._seen[person] = held
        return held[1]

    def solved(self, log_theta: Floats, schedule: Schedule, hours: Floats) -> Floats:
        """Logarithms (T, N) of the marrow's counts."""
        theta = np.repeat(self.model.typical[:, None], log_theta.shape[1], axis=1)
        theta[[self.model.at(name) for name in self.model.random]] = np.exp(log_theta)
        run = (self.solver or batch_solver())(self.model, theta, schedule, hours=hours, threads=1)
        found: Floats = np.log(np.maximum(run.counts.astype(np.float64), _LEAST))
        found[:, run.failed] = np.nan
        return found

    def _drawn(self, person: str, schedule: Schedule) -> Cloud:
        series, wide = self.series[person], self.wide
        rng = np.random.default_rng([self.seed, sorted(self.series).index(person)])
        root = wide.spread[:, None]
        first = self._inside(rng.standard_normal((wide.mean.size, self.draws)), rng)
        begun = Cloud(
            days=series.days,
            logs=np.log(np.maximum(series.values, FLOOR)),
            schedule=schedule,
            log_theta=wide.mean[:, None] + root * first,
            log_drawn=np.zeros(self.draws),
            log_true=np.zeros((0, 0), dtype=np.float32),
        )
        begun = replace(begun, log_true=self.solved(begun.log_theta, schedule, series.days * HOURS).astype(np.float32))
        begun = replace(begun, log_drawn=wide.log_density(begun.log_theta))
        near = fitted(first, flattened(posterior_of(begun, wide).log_weights[-1]), rng)
        z = np.concatenate([first, near.draw(self.draws, rng)], axis=1)
        log_theta = wide.mean[:, None] + root * z
        later = self.solved(log_theta[:, self.draws :], schedule, series.days * HOURS).astype(np.float32)
        normal = 0.5 * z.shape[0] * np.log(2 * np.pi)
        about = near.log_density(z) - np.log(wide.spread).sum() + normal
        return replace(
            begun,
            log_theta=log_theta,
            log_drawn=np.logaddexp(wide.log_density(log_theta), about) - np.log(2.0),
            log_true=np.concatenate([begun.log_true, later], axis=1),
        )

    def _inside(self, z: Floats, rng: np.random.Generator) -> Floats:
        """Standardised draws below the ceiling."""
        if self.wide.cut is None:
            return z
        at, limit = self.wide.cut
        edge = (limit - self.wide.mean[at]) / self.wide.spread[at]
        while (out := np.flatnonzero(z[at] > edge)).size:
            z[at, out] = rng.standard_normal(out.size)
        return z

    def learned(self, people: Sequence[Series], doses: Mapping[str, Schedule], begin: Residual) -> Residual:
        """Population and residual of people: the most probable, held near where it begins by a ridge."""
        names = tuple(sorted(series.person for series in people))
        if names not in self._learned:
            self.said(f"marrow model: learning from {len(names)} people")
            self._learned[names] = _most_probable([self.of(name, doses[name]) for name in names], begin)
        return self._learned[names]


_RIDGE: Final = 0.08
_STEP: Final = 1e-3


def _most_probable(clouds: Sequence[Cloud], begin: Residual) -> Residual:
    from scipy.optimize import minimize  # noqa: PLC0415 (heavy)

    origin = begin.packed()

    def cost(point: Floats) -> float:
        by = begin.at(np.clip(point, origin - 4.0, origin + 4.0))
        return _RIDGE * float(np.square(point - origin).sum()) - sum(evidence(one, by) for one in clouds)

    def slope(point: Floats) -> Floats:
        base = cost(point)
        return np.array([(cost(point + _STEP * row) - base) / _STEP for row in np.eye(point.size)])

    found = minimize(cost, origin, jac=slope, method="L-BFGS-B", options={"maxiter": 15, "ftol": 1e-5})
    return begin.at(np.clip(found.x, origin - 4.0, origin + 4.0))
