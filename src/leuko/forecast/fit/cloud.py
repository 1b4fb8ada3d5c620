"""Adaptive multiple importance sampling: a cloud of draws that grows round by round, weighted as one mixture.

Cornuet JM, Marin JM, Mira A, Robert CP. Adaptive multiple importance sampling. Scand J Stat 2012;39:798-812. Every
draw of every round is weighted by the density of the mixture of all proposals so far (deterministic mixture weights,
Owen and Zhou 2000), so that no draw is lost and no weight runs away: the prior stays a part of the mixture.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from leuko.forecast.fit.mixture import Mixture, at, fitted, joined, log_sum
from leuko.forecast.fit.mode import find_mode
from leuko.forecast.fit.pareto import effective
from leuko.forecast.fit.swing import log_joint
from leuko.forecast.fit.task import Task
from leuko.forecast.model import Floats
from leuko.frozen import Frozen

PRIOR_DRAWS: Final = 3000
ROUND_DRAWS: Final = 1500
# With an earlier posterior to start from fewer draws of the prior are needed.
_KEPT_PRIOR: Final = 1000
# A cloud of fewer effective draws than this is too thin to fit a mixture to: its weights are flattened. Of fewer than
# the second, the mode is looked for.
_THIN: Final = 25.0
_MODE_BELOW: Final = 12.0
_MODE_SHARE: Final = 0.5
_LARGER_AFTER: Final = 5
_FLATTENED: Final = 24


class Cloud(Frozen, frozen=True, kw_only=True):
    """Draws z (Z, N), their log prior times likelihood (N,), log prior (N,), true counts' logarithms (K, N), the log of
    the summed density of all proposals (each times its number of draws), and those proposals (None: the prior)."""

    z: Floats
    log_target: Floats
    log_prior: Floats
    log_true: Floats
    log_mixed: Floats
    proposals: tuple[tuple[int, Mixture | None], ...]

    @property
    def log_weights(self) -> Floats:
        """Logarithms of the importance weights (N,); their mean is the evidence."""
        found: Floats = self.log_target - self.log_mixed + np.log(self.z.shape[1])
        return found

    @property
    def weights(self) -> Floats:
        """The same, summing to 1; all zero where no draw has any."""
        return normalised(self.log_weights)


def normalised(log_weights: Floats) -> Floats:
    """Weights that sum to 1; all zero where no draw has any."""
    most = float(log_weights.max())
    if not np.isfinite(most):
        return np.zeros(log_weights.size)
    found = np.exp(log_weights - most)
    scaled: Floats = found / found.sum()
    return scaled


def explore(
    task: Task,
    rng: np.random.Generator,
    *,
    least_effective: float,
    most_draws: int,
    start: Mixture | None = None,
) -> Cloud:
    """Draw from the prior (and from `start`, an earlier posterior), then from mixtures fitted to the weighted cloud,
    until the effective sample size is reached or the draws are spent."""
    cloud = _begun(task, rng.standard_normal((task.prior.size, PRIOR_DRAWS if start is None else _KEPT_PRIOR)))
    if start is not None:
        cloud = _grown(task, cloud, start, ROUND_DRAWS, rng)
    rounds = 0
    while cloud.z.shape[1] < most_draws:
        weights = cloud.weights
        found = effective(weights)
        if found >= least_effective:
            break
        rounds += 1
        size = ROUND_DRAWS * (1 if rounds < _LARGER_AFTER else 2)
        cloud = _grown(task, cloud, _proposal(task, cloud, found, rng), size, rng)
    return cloud


def _begun(task: Task, z: Floats) -> Cloud:
    size, log_true, log_prior = z.shape[1], task.log_true(z), task.prior.log_density(z)
    return Cloud(
        z=z,
        log_target=_target(task, log_prior, log_true),
        log_prior=log_prior,
        log_true=log_true,
        log_mixed=_density(None, z) + np.log(size),
        proposals=((size, None),),
    )


def _target(task: Task, log_prior: Floats, log_true: Floats) -> Floats:
    found: Floats = log_prior + log_joint(log_true, task.counts)
    found[np.isnan(found)] = -np.inf
    return found


def _density(proposal: Mixture | None, z: Floats) -> Floats:
    """The prior is drawn from without its ceilings, and its density as a proposal is that of the uncut normal."""
    if proposal is None:
        uncut: Floats = -0.5 * np.einsum("zn,zn->n", z, z) - 0.5 * len(z) * np.log(2.0 * np.pi)
        return uncut
    return proposal.log_density(z)


def _grown(task: Task, cloud: Cloud, proposal: Mixture, size: int, rng: np.random.Generator) -> Cloud:
    """The cloud with one more round of draws, all weighted anew."""
    z = proposal.draw(size, rng)
    log_true, log_prior = task.log_true(z), task.prior.log_density(z)
    proposals = (*cloud.proposals, (size, proposal))
    mixed = log_sum(np.stack([np.log(count) + _density(each, z) for count, each in proposals]))
    before = log_sum(np.stack([cloud.log_mixed, np.log(size) + proposal.log_density(cloud.z)]))
    return Cloud(
        z=np.concatenate([cloud.z, z], axis=1),
        log_target=np.concatenate([cloud.log_target, _target(task, log_prior, log_true)]),
        log_prior=np.concatenate([cloud.log_prior, log_prior]),
        log_true=np.concatenate([cloud.log_true, log_true], axis=1),
        log_mixed=np.concatenate([before, mixed]),
        proposals=proposals,
    )


def _proposal(task: Task, cloud: Cloud, found: float, rng: np.random.Generator) -> Mixture:
    if found >= _THIN:
        return fitted(cloud.z, cloud.weights, rng)
    cloudy = fitted(cloud.z, flattened(cloud.log_weights), rng)
    best = int(np.argmax(cloud.log_target))
    if found >= _MODE_BELOW or not np.isfinite(cloud.log_target[best]):
        return cloudy
    mode = find_mode(task, cloud.z[:, best])
    return joined(cloudy, at(mode.z, mode.covariance), _MODE_SHARE) if np.isfinite(mode.log_target) else cloudy


def flattened(log_weights: Floats) -> Floats:
    """Weights raised to the highest power at which they are not too thin; all alike where none has any weight."""
    if not np.isfinite(log_weights.max()):
        return np.full(log_weights.size, 1.0 / log_weights.size)
    low, high = 0.0, 1.0
    for _ in range(_FLATTENED):
        middle = 0.5 * (low + high)
        enough = effective(_power(log_weights, middle)) >= _THIN
        low, high = (middle, high) if enough else (low, middle)
    return _power(log_weights, low)


def _power(log_weights: Floats, power: float) -> Floats:
    with np.errstate(invalid="ignore"):
        scaled = np.where(np.isfinite(log_weights), power * (log_weights - log_weights.max()), -np.inf)
    return normalised(scaled)
