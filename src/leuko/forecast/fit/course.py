"""The counts to come: the posterior's draws, run on under the doses that are planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.fit import swing
from leuko.forecast.fit.likelihood import reports
from leuko.forecast.fit.posterior import Posterior
from leuko.forecast.fit.prior import by_course, courses_of, prior_of
from leuko.forecast.fit.task import Precision, Solver, batch_solver, solved
from leuko.forecast.model import Floats, Residual, Schedule
from leuko.frozen import Frozen, replace

DRAWS: Final = 2000
_LEAST: Final = 1e-9


class Course(Frozen, frozen=True, kw_only=True):
    """Equally likely courses: true counts (T, N) [10*9/L] at `hours` (T,), with the swing that lasts; each draw's own
    baseline (N,); the error of a measurement; and how many draws were left out because the solver failed on them."""

    hours: Floats
    counts: Floats
    baseline: Floats
    residual: Residual
    failed: int

    def reported(self, *, seed: int) -> Floats:
        """The same as a laboratory would report them, with the error of the measurement."""
        rng = np.random.default_rng(seed)
        return reports(np.log(np.maximum(self.counts, np.finfo(float).tiny)), self.hours, self.residual, rng)

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """Quantiles (L, T) of the true count at each hour."""
        return np.asarray(np.quantile(self.counts, levels, axis=1), dtype=np.float64)


def course_of(
    posterior: Posterior,
    schedule: Schedule,
    *,
    hours: Floats,
    seed: int,
    draws: int = DRAWS,
    courses: Sequence[float] = (),
    precision: Precision = "float32",
    threads: int | None = None,
    solver: Solver | None = None,
) -> Course:
    """Courses drawn from a posterior. `schedule` holds the doses of the past as well as those that are planned.

    A model whose parameters vary between cycles gets new deviations for each course to come.
    """
    rng = np.random.default_rng(seed)
    begun = courses_of(schedule, courses)
    prior = prior_of(posterior.model, max(len(begun), 1))
    further = prior.size - posterior.prior.size
    if further < 0:
        raise UsageError(
            "the plan has fewer courses of treatment than the fit",
            why="a forecast goes on from the doses that were given",
            do="give the doses of the past together with those planned",
        )
    z = posterior.resampled(draws, seed=seed)
    theta = prior.theta(np.concatenate([z, rng.standard_normal((further, draws))]))
    hours = np.asarray(hours, dtype=np.float64)
    asked, where = np.unique(np.concatenate([hours, _seen(posterior)]), return_inverse=True)
    every = [part.min() for part in (schedule.hour, asked) if len(part)]
    shift = float(min([0.0, *every]))
    run = solved(
        solver or batch_solver(),
        prior.model,
        theta,
        replace(by_course(schedule, prior, begun), hour=schedule.hour - shift),
        hours=asked - shift,
        precision=precision,
        threads=threads,
    )
    kept = ~run.failed
    counts = np.asarray(run.counts, dtype=np.float64)
    return Course(
        hours=hours,
        counts=_swung(counts[where[: hours.size]], counts[where[hours.size :]], posterior, hours, seed)[:, kept],
        baseline=theta[prior.model.at("circ0"), kept],
        residual=swing.measured(posterior.model.residual),
        failed=int(run.failed.sum()),
    )


def _seen(posterior: Posterior) -> Floats:
    """The hours of the counts that tell of the swing."""
    return posterior.counts.hour if posterior.model.residual.lasting > 0.0 else np.zeros(0)


def _swung(counts: Floats, known: Floats, posterior: Posterior, hours: Floats, seed: int) -> Floats:
    """The model's counts (T, N) with the swing that its counts (K, N) at the hours of the reports leave."""
    if posterior.model.residual.lasting <= 0.0 or not hours.size:
        return counts
    order = np.argsort(hours, kind="stable")
    log = np.empty_like(counts)
    log[order] = swing.drawn(hours[order], np.log(np.maximum(known, _LEAST)), posterior.counts, seed=seed)
    found: Floats = counts * np.exp(log)
    return found
