"""One person's problem made ready: the prior, the counts, the doses that matter to them, and the solver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.fit.likelihood import Counts, counts_of
from leuko.forecast.fit.prior import Prior, by_course, courses_of, prior_of
from leuko.forecast.fit.swing import log_joint
from leuko.forecast.model import Floats, Model, Observed, Run, Schedule
from leuko.frozen import Frozen, replace

Solver = Callable[..., Run]
Precision = Literal["float32", "float64"]
# A true count below this [10*9/L] is less than one cell in a microlitre a thousand times over: kept off the logarithm.
_LEAST: Final = 1e-9


class Task(Frozen, frozen=True, kw_only=True):
    """`hours` (H,) are the distinct hours of counts, `where` (K,) the row of each count in them, both from the first
    thing that happens (dose or count); `shift` is that instant in the caller's hours."""

    prior: Prior
    counts: Counts
    schedule: Schedule
    courses: tuple[float, ...]
    hours: Floats
    where: np.ndarray[tuple[int], np.dtype[np.int64]]
    shift: float
    solver: Solver
    precision: Precision
    threads: int | None

    def log_true(self, z: Floats) -> Floats:
        """Logarithms of the true counts (K, N) for people at z (Z, N); not a number where the solver failed."""
        if not self.counts.size:
            return np.zeros((0, z.shape[1]))
        run = solved(
            self.solver,
            self.prior.model,
            self.prior.theta(z),
            self.schedule,
            hours=self.hours,
            precision=self.precision,
            threads=self.threads,
        )
        found: Floats = np.log(np.maximum(run.counts, _LEAST)).astype(np.float64)
        found[:, run.failed] = np.nan
        return found if self.where.size == self.hours.size else found[self.where]

    def near(self) -> Callable[[Floats], Floats]:
        """`log_true` for few people near one another, called again and again: the batch solver keeps its grid."""
        if not self.counts.size or self.solver is not batch_solver():
            return self.log_true
        from leuko.forecast.solve.repeated import Repeated  # noqa: PLC0415 (it compiles: loaded where it is used)

        try:
            repeated = Repeated(self.prior.model, self.schedule, self.hours, self.precision)
        except ValueError as error:
            raise _unreadable(self.prior.model, error) from error

        def log_true(z: Floats) -> Floats:
            found: Floats = np.log(np.maximum(repeated.counts(self.prior.theta(z)), _LEAST)).astype(np.float64)
            return found if self.where.size == self.hours.size else found[self.where]

        return log_true

    def log_target(self, z: Floats, log_true: Floats) -> Floats:
        """Logarithm of prior times likelihood (N,)."""
        found: Floats = self.prior.log_density(z) + log_joint(log_true, self.counts)
        return found


def task_of(
    model: Model,
    schedule: Schedule,
    observed: Observed,
    *,
    courses: Sequence[float] = (),
    precision: Precision = "float32",
    threads: int | None = 1,
    solver: Solver | None = None,
) -> Task:
    """Make a problem ready: only doses before the last count are kept, and time starts at the first dose or count.

    Raises UsageError for counts that no likelihood can take, and for a model without variation between people.
    """
    counts = counts_of(observed, model.residual)
    past = _before(schedule, float(counts.hour[-1]) if counts.size else -np.inf)
    begun = _begun(courses_of(schedule, courses), past, counts)
    prior = prior_of(model, len(begun))
    if not prior.size:
        raise UsageError(
            f"{model.id} has no variation between people",
            why="it can draw the course of a typical person, never the posterior of one",
            do="choose a model whose variation is known",
        )
    first = [float(part[0]) for part in (past.hour, counts.hour) if part.size]
    shift = min(first, default=0.0)
    hours, where = counts.hour - shift, np.arange(counts.size)
    if (hours[1:] == hours[:-1]).any():
        hours, where = np.unique(hours, return_inverse=True)
    return Task(
        prior=prior,
        counts=counts,
        schedule=replace(by_course(past, prior, begun), hour=past.hour - shift),
        courses=begun,
        hours=hours,
        where=where.astype(np.int64),
        shift=shift,
        solver=solver or batch_solver(),
        precision=precision,
        threads=threads,
    )


def _begun(starts: tuple[float, ...], past: Schedule, counts: Counts) -> tuple[float, ...]:
    """The courses that have begun by the last count that they can act on; at least one."""
    if not past.hour.size or not counts.size:
        return starts[:1]
    return tuple(start for start in starts if start < counts.hour[-1]) or starts[:1]


def _before(schedule: Schedule, hour: float) -> Schedule:
    kept = np.flatnonzero(schedule.hour < hour)
    return Schedule(
        hour=np.asarray(schedule.hour, dtype=np.float64)[kept],
        drug=tuple(schedule.drug[at] for at in kept),
        amount=np.asarray(schedule.amount, dtype=np.float64)[kept],
        hours=np.asarray(schedule.hours, dtype=np.float64)[kept],
    )


def solved(solver: Solver, model: Model, theta: Floats, schedule: Schedule, **given: Any) -> Run:
    """A run of the solver; what it cannot read (a medicine that the model does not know) is a UsageError."""
    try:
        return solver(model, theta, schedule, **given)
    except ValueError as error:
        raise _unreadable(model, error) from error


def _unreadable(model: Model, error: ValueError) -> UsageError:
    return UsageError(f"the doses cannot be run through {model.id}", why=str(error))


def batch_solver() -> Solver:
    """The batch solver, imported when first needed: it compiles."""
    from leuko.forecast.solve import simulate  # noqa: PLC0415 (it compiles: loaded where it is used)

    return simulate
