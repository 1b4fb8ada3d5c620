"""The counts to come: the posterior's draws, run on under the doses that are planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.fit.likelihood import reports
from leuko.forecast.fit.posterior import Posterior
from leuko.forecast.fit.prior import by_course, courses_of, prior_of
from leuko.forecast.fit.task import Precision, Solver, batch_solver, solved
from leuko.forecast.model import Floats, Residual, Schedule

DRAWS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Equally likely courses: true counts (T, N) [10*9/L] at `hours` (T,), each draw's own baseline (N,), and how many
    draws were left out because the solver failed on them."""

    hours: Floats
    counts: Floats
    baseline: Floats
    residual: Residual
    failed: int

    def reported(self, *, seed: int) -> Floats:
        """The same as a laboratory would report them, with the model's residual error."""
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
    every = [part.min() for part in (schedule.hour, hours) if len(part)]
    shift = float(min([0.0, *every]))
    run = solved(
        solver or batch_solver(),
        prior.model,
        theta,
        replace(by_course(schedule, prior, begun), hour=schedule.hour - shift),
        hours=np.asarray(hours, dtype=np.float64) - shift,
        precision=precision,
        threads=threads,
    )
    kept = ~run.failed
    return Course(
        hours=np.asarray(hours, dtype=np.float64),
        counts=np.asarray(run.counts[:, kept], dtype=np.float64),
        baseline=theta[prior.model.at("circ0"), kept],
        residual=posterior.model.residual,
        failed=int(run.failed.sum()),
    )
