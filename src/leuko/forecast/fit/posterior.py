"""The posterior of one person's parameters, given the doses and the counts so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.fit.checks import CountCheck, Finding, check_counts, findings_of
from leuko.forecast.fit.cloud import Cloud, explore, normalised
from leuko.forecast.fit.likelihood import Counts
from leuko.forecast.fit.mixture import Mixture, fitted, log_sum, systematic
from leuko.forecast.fit.mode import Mode, find_mode
from leuko.forecast.fit.pareto import effective, khat
from leuko.forecast.fit.prior import Prior
from leuko.forecast.fit.task import Precision, Solver, Task, task_of
from leuko.forecast.model import Floats, Model, Observed, Schedule
from leuko.frozen import Frozen
from leuko.result.forecast import Fitting

METHOD: Final = "adaptive multiple importance sampling"
LEAST_EFFECTIVE: Final = 1000.0
MOST_DRAWS: Final = 60_000


class Posterior(Frozen, frozen=True, kw_only=True):
    """Weighted draws of one person's parameters.

    `z` (Z, N) are the draws in standardised form, `weights` (N,) sum to 1; `theta` gives parameters. `model` is the
    population model as it was given, `courses` the hours at which its courses of treatment began, `counts` what was
    fitted, in the caller's hours, and `log_true` (K, N) the logarithms of the model's counts there: a swing that lasts
    goes on from them. `effective` is the effective sample size, `khat` the shape of the weights' tail, `draws` and
    `rounds` what it took. `log_evidence` is the logarithm of the counts' marginal likelihood, with its standard error.
    `sound` is false where a finding withholds the forecast.
    """

    model: Model
    prior: Prior
    courses: tuple[float, ...]
    z: Floats
    weights: Floats
    effective: float
    khat: float
    rounds: int
    seed: int
    counts: Counts
    log_true: Floats
    log_evidence: float
    evidence_error: float
    checks: tuple[CountCheck, ...]
    findings: tuple[Finding, ...]

    @property
    def draws(self) -> int:
        """How many weighted draws there are."""
        return int(self.weights.size)

    @property
    def counts_used(self) -> int:
        """How many counts were fitted."""
        return self.counts.size

    @property
    def sound(self) -> bool:
        """Whether a forecast may be drawn from it."""
        return not any(finding.withholds for finding in self.findings)

    @property
    def theta(self) -> Floats:
        """Parameters (P, N) of all draws, in the order of `prior.model.names`."""
        return self.prior.theta(self.z)

    def picked(self, size: int, *, seed: int) -> NDArray[np.int64]:
        """Which draws (size,) stand for all with equal weight, by systematic resampling, in random order."""
        rng = np.random.default_rng(seed)
        return rng.permutation(systematic(self.weights, size, rng))

    def resampled(self, size: int, *, seed: int) -> Floats:
        """Equally weighted draws z (Z, size)."""
        return self.z[:, self.picked(size, seed=seed)]

    def quantiles(self, name: str, levels: Sequence[float]) -> tuple[float, ...]:
        """Posterior quantiles of one parameter."""
        row = self.prior.model.at(name)
        value = self.prior.model.typical[row] * np.exp(self.prior.loading[row] @ self.z)
        return tuple(float(each) for each in weighted_quantiles(value, self.weights, levels))

    @property
    def fitting(self) -> Fitting:
        """The same, as a result prints it."""
        return Fitting(
            method=METHOD,
            draws=self.draws,
            effective=self.effective,
            khat=self.khat,
            rounds=self.rounds,
            seed=self.seed,
            counts_used=self.counts_used,
            sound=self.sound,
            text=self.text,
        )

    @property
    def text(self) -> str:
        """In words."""
        many = f"{self.counts_used} count{'' if self.counts_used == 1 else 's'}"
        made = (
            f"{many}; {self.draws} draws in {self.rounds} rounds, worth {self.effective:.0f}; Pareto k {self.khat:.2f}."
        )
        return " ".join([made, *(finding.text for finding in self.findings)])


def weighted_quantiles(values: Floats, weights: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles of weighted values (N,), linear between the middles of the weights."""
    order = np.argsort(values)
    share = np.cumsum(weights[order])
    middle = (share - 0.5 * weights[order]) / share[-1]
    found: Floats = np.interp(np.asarray(levels), middle, values[order])
    return found


def fit(
    model: Model,
    schedule: Schedule,
    observed: Observed,
    *,
    seed: int,
    least_effective: float = LEAST_EFFECTIVE,
    most_draws: int = MOST_DRAWS,
    courses: Sequence[float] = (),
    previous: Posterior | None = None,
    precision: Precision = "float32",
    threads: int | None = 1,
    solver: Solver | None = None,
) -> Posterior:
    """The posterior given all doses and counts so far.

    `courses` are the hours at which courses of treatment begin, for models with variation between them. `previous` is
    an earlier posterior of the same person and model: the search starts from it, and ends where a fit of all counts
    from nothing ends. Draws are determined by `seed`. Raises UsageError for counts that cannot be taken as they stand.
    """
    task = task_of(
        model, schedule, observed, courses=courses, precision=precision, threads=threads, solver=solver
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    start = None if previous is None else _earlier(previous, task, rng)
    cloud = explore(task, rng, least_effective=least_effective, most_draws=most_draws, start=start)
    return _posterior(model, task, cloud, seed=seed, least=least_effective)


def mode_of(
    model: Model,
    schedule: Schedule,
    observed: Observed,
    *,
    courses: Sequence[float] = (),
    precision: Precision = "float32",
    solver: Solver | None = None,
) -> Mode:
    """The most probable parameters (MAP). A course drawn from them alone is no forecast: it misplaces quantiles."""
    return find_mode(task_of(model, schedule, observed, courses=courses, precision=precision, solver=solver))


def _earlier(previous: Posterior, task: Task, rng: np.random.Generator) -> Mixture | None:
    """The earlier posterior as a mixture, with a dimension for whatever has been added since; None if it is no help."""
    same = previous.z.shape[0] <= task.prior.size and np.any(previous.weights)
    return fitted(previous.z, previous.weights, rng).wider(task.prior.size) if same else None


def _posterior(model: Model, task: Task, cloud: Cloud, *, seed: int, least: float) -> Posterior:
    log_weights = cloud.log_weights
    weights, tail = normalised(log_weights), khat(log_weights)
    found = effective(weights)
    checks = check_counts(cloud, weights, task.counts)
    mean = float(log_sum(log_weights[:, None].copy())[0] - np.log(weights.size)) if found > 0 else -np.inf
    return Posterior(
        model=model,
        prior=task.prior,
        courses=task.courses,
        z=cloud.z,
        weights=weights,
        effective=found,
        khat=tail,
        rounds=len(cloud.proposals),
        seed=seed,
        counts=task.counts,
        log_true=cloud.log_true,
        log_evidence=mean,
        evidence_error=float(np.sqrt(max(1.0 / found - 1.0 / weights.size, 0.0))) if found > 0 else float("inf"),
        checks=checks,
        findings=findings_of(cloud, weights, task.counts, checks, found=found, least=least, khat=tail),
    )
