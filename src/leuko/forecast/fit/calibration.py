"""Simulation-based calibration: people drawn from the model itself have to be found again, as often as promised.

Talts S, Betancourt M, Simpson D, Vehtari A, Gelman A. Validating Bayesian inference algorithms with simulation-based
calibration. arXiv:1804.06788 (2018). For every simulated person the posterior probability below the true value is
uniform on 0 to 1 when model, likelihood and sampler agree. People whose fit is not sound are counted, never left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import field

from leuko.forecast.fit.course import course_of
from leuko.forecast.fit.likelihood import reports
from leuko.forecast.fit.posterior import LEAST_EFFECTIVE, Posterior, fit
from leuko.forecast.fit.prior import Prior, by_course, courses_of, prior_of
from leuko.forecast.fit.swing import free, measured
from leuko.forecast.fit.task import Solver, batch_solver
from leuko.forecast.model import Floats, Model, Observed, Schedule
from leuko.frozen import Frozen

INTERVALS: Final = (0.50, 0.80, 0.95)
_DRAWS: Final = 1000
NEXT_LOWEST: Final = "lowest count ahead"
NEXT_REPORT: Final = "next report"


class Design(Frozen, frozen=True, kw_only=True):
    """What is known of each simulated person: doses, hours of counts (K,), the limit [10*9/L] below which a count is
    reported as a bound (0: none), and the hours ahead (T,) over which the lowest count is forecast; the report at the
    first of them is forecast too."""

    schedule: Schedule
    hours: Floats
    ahead: Floats = field(default_factory=lambda: np.zeros(0))
    limit: float = 0.0


class Calibration(Frozen, frozen=True, kw_only=True):
    """`names` (Q,) of the quantities, `below` (Q, N): posterior probability below the true value of each simulated
    person. `effective` (N,), `sound` (N,)."""

    names: tuple[str, ...]
    below: Floats
    effective: Floats
    sound: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def coverage(self, level: float) -> Floats:
        """Share (Q,) of people whose true value lies in the central interval of that level."""
        away = np.abs(self.below - 0.5)
        return np.asarray((away <= 0.5 * level).mean(axis=1))

    def uniform_p(self) -> Floats:
        """Kolmogorov-Smirnov probability (Q,) that the values are uniform."""
        from scipy.stats import kstest  # noqa: PLC0415 (heavy: loaded where it is used)

        return np.array([float(kstest(row, "uniform").pvalue) for row in self.below])


def sbc(
    model: Model,
    design: Design,
    *,
    n: int,
    seed: int,
    least_effective: float = LEAST_EFFECTIVE,
    solver: Solver | None = None,
) -> Calibration:
    """Simulate `n` people of the model under a design, fit each, and rank the truth in each posterior."""
    rng = np.random.default_rng(seed)
    begun = courses_of(design.schedule)
    prior = prior_of(model, len(begun))
    z = _drawn(prior, n, rng)
    every = np.concatenate([design.hours, design.ahead])
    hours, where = np.unique(every, return_inverse=True)
    run = (solver or batch_solver())(prior.model, prior.theta(z), by_course(design.schedule, prior, begun), hours=hours)
    swung = np.asarray(run.counts, dtype=np.float64) * np.exp(free(hours, n, model.residual, rng))
    true, error = swung[where], measured(model.residual)
    known, ahead = true[: len(design.hours)], true[len(design.hours) :]
    made = reports(np.log(known), design.hours, error, rng)
    later = reports(np.log(ahead[:1]), design.ahead[:1], error, rng)
    found, effective, sound = [], np.empty(n), np.empty(n, dtype=bool)
    for person in range(n):
        posterior = fit(
            model,
            design.schedule,
            _observed(design, made[:, person]),
            seed=seed + 1 + person,
            least_effective=least_effective,
            solver=solver,
        )
        effective[person], sound[person] = posterior.effective, posterior.sound
        own = _parameters(posterior, z[:, person])
        found.append(
            [*own, *_ahead(posterior, design, (ahead[:, person].min(initial=np.inf), later[:, person]), solver)]
        )
    names = (*model.random, *((NEXT_LOWEST, NEXT_REPORT) if design.ahead.size else ()))
    return Calibration(names=names, below=np.array(found).T, effective=effective, sound=sound)


def _drawn(prior: Prior, n: int, rng: np.random.Generator) -> Floats:
    """People of the prior, below its ceilings."""
    z = rng.standard_normal((prior.size, n))
    while (outside := np.flatnonzero(~np.isfinite(prior.log_density(z)))).size:
        z[:, outside] = rng.standard_normal((prior.size, outside.size))
    return z


def _observed(design: Design, value: Floats) -> Observed:
    low = value < design.limit
    return Observed(
        hour=design.hours,
        value=np.where(low, design.limit, value),
        bound=tuple("<" if each else "=" for each in low),
    )


def _parameters(posterior: Posterior, z: Floats) -> Iterator[float]:
    """Of each random effect the posterior probability below the true one (the first course's, where it varies)."""
    loading, prior = posterior.prior.loading, posterior.prior
    for name in posterior.model.random:
        row = next(at for at, own in enumerate(prior.model.names) if own == name or _stem(own) == name)
        used = loading[row]
        yield float(posterior.weights @ (used @ posterior.z < used @ z[: prior.size]))


def _stem(name: str) -> str:
    """The name of a parameter without the number of the course that its copy stands for."""
    drug, _, role = name.rpartition(".")
    return f"{drug.split('@')[0]}.{role}" if drug else name


def _ahead(posterior: Posterior, design: Design, true: tuple[float, Floats], solver: Solver | None) -> Iterator[float]:
    """The same of the lowest count ahead, and of the next report."""
    if not design.ahead.size:
        return
    lowest, report = true
    course = course_of(
        posterior, design.schedule, hours=design.ahead, seed=posterior.seed, draws=_DRAWS, threads=1, solver=solver
    )
    yield float((course.counts.min(axis=0) < lowest).mean())
    yield float((course.reported(seed=posterior.seed)[0] < report[0]).mean())
