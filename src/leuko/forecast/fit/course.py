"""The counts to come: the posterior's draws, run on under the doses that are planned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.fit import swing
from leuko.forecast.fit.likelihood import reports
from leuko.forecast.fit.posterior import Posterior
from leuko.forecast.fit.prior import Prior, by_course, courses_of, prior_of
from leuko.forecast.fit.task import Precision, Solver, batch_solver, solved
from leuko.forecast.model import Floats, Residual, Schedule
from leuko.forecast.quantiles import quantiles
from leuko.frozen import Frozen, replace

DRAWS: Final = 2000


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
        return quantiles(self.counts, levels).T


class Draws:
    """Equally likely draws of a posterior, from which course after course is run: what does not depend on the doses to
    come is found once, the parameters and what the counts tell of the swing."""

    def __init__(self, posterior: Posterior, *, seed: int, size: int = DRAWS, like: Draws | None = None) -> None:
        """`like` are draws of the same posterior without parameters that the counts tell nothing of."""
        picked = posterior.picked(size, seed=seed)
        self._posterior, self._seed, self._like = posterior, seed, like
        self._z, self._known = posterior.z[:, picked], posterior.log_true[:, picked]
        self._people: dict[int, tuple[Prior, Floats]] = {}

    def course(
        self,
        schedule: Schedule,
        *,
        hours: Floats,
        courses: Sequence[float] = (),
        precision: Precision = "float32",
        threads: int | None = None,
        solver: Solver | None = None,
    ) -> Course:
        """Courses under the doses of the past and those that are planned.

        A model whose parameters vary between cycles gets new deviations for each course to come. Raises UsageError
        where the plan has fewer courses of treatment than the fit.
        """
        begun = courses_of(schedule, courses)
        prior, theta = self._of(max(len(begun), 1))
        hours = np.asarray(hours, dtype=np.float64)
        first = [part.min() for part in (schedule.hour, hours, self._seen) if len(part)]
        shift = float(min([0.0, *first]))
        run = solved(
            solver or batch_solver(),
            prior.model,
            theta,
            replace(by_course(schedule, prior, begun), hour=schedule.hour - shift),
            hours=hours - shift,
            precision=precision,
            threads=threads,
        )
        counts, baseline = self._swung(np.asarray(run.counts, dtype=np.float64), hours), theta[prior.model.at("circ0")]
        if run.failed.any():
            counts, baseline = counts[:, ~run.failed], baseline[~run.failed]
        return Course(
            hours=hours,
            counts=counts,
            baseline=baseline,
            residual=swing.measured(self._posterior.model.residual),
            failed=int(run.failed.sum()),
        )

    def _of(self, courses: int) -> tuple[Prior, Floats]:
        """The prior of so many courses of treatment, and the parameters (P, N) of these draws."""
        if courses not in self._people:
            prior = prior_of(self._posterior.model, courses)
            further = prior.size - self._posterior.prior.size
            if further < 0:
                raise UsageError(
                    "the plan has fewer courses of treatment than the fit",
                    why="a forecast goes on from the doses that were given",
                    do="give the doses of the past together with those planned",
                )
            new = np.random.default_rng(self._seed).standard_normal((further, self._z.shape[1]))
            self._people[courses] = prior, prior.theta(np.concatenate([self._z, new]))
        return self._people[courses]

    @property
    def _seen(self) -> Floats:
        """The hours of the counts that tell of the swing."""
        return self._posterior.counts.hour if self._swings else np.zeros(0)

    @property
    def _swings(self) -> bool:
        return self._posterior.model.residual.lasting > 0.0

    @cached_property
    def _told(self) -> swing.Told:
        if self._like is not None:
            return self._like._told  # noqa: SLF001 (of another of its own kind)
        return swing.told_by(self._posterior.counts, self._known, seed=self._seed)

    def _swung(self, counts: Floats, hours: Floats) -> Floats:
        """The model's counts (T, N) with the swing that the reports leave."""
        if not self._swings or not hours.size:
            return counts
        order = np.argsort(hours, kind="stable")
        found = self._told.at(hours[order])
        np.exp(found, out=found)
        if np.any(np.diff(order) < 0):
            found = found[np.argsort(order)]
        found *= counts
        return found


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
    """Courses drawn from a posterior, as `Draws` runs them."""
    made = Draws(posterior, seed=seed, size=draws)
    return made.course(schedule, hours=hours, courses=courses, precision=precision, threads=threads, solver=solver)
