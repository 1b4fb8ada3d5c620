"""Counts that come back after a cause has gone: a medicine was stopped, an infection is over.

The logarithm of the count rises from the depth reached to the person's own level along a logistic curve of the days
since the cause has gone. When it has come half of the way, how steep the rise is, how deep the count had gone and the
level are uncertain; each of many draws is weighed by how well it fits the counts since (importance sampling).
"""

from __future__ import annotations

import numpy as np

from leuko.forecast.model import Floats
from leuko.forecast.normal import log_normal_below
from leuko.forecast.state_space import FLOOR, Series
from leuko.frozen import Frozen


class Recovery(Frozen, frozen=True, kw_only=True):
    """What is known before the counts: half of the way at `half` days (its logarithm varies by `half_sd`), over about
    `width` days (`width_sd`), to a `level` (logarithm of 10*9/L) known to `level_sd`, a count's own SD `noise`."""

    half: float
    half_sd: float
    width: float
    width_sd: float
    level: float
    level_sd: float
    depth: float
    depth_sd: float
    noise: float


class Recovering(Frozen, frozen=True, kw_only=True):
    """Equally likely draws (N,) of the curve, and the effective sample size behind them."""

    half: Floats
    width: Floats
    level: Floats
    depth: Floats
    effective: float

    def courses(self, days: Floats) -> Floats:
        """The true count (T, N) [10*9/L] at days since the cause has gone."""
        return np.exp(_curve(days, self.half, self.width, self.level, self.depth))


def _curve(days: Floats, half: Floats, width: Floats, level: Floats, depth: Floats) -> Floats:
    share = 0.5 + 0.5 * np.tanh(0.5 * (days[:, None] - half) / width)  # the logistic curve
    curve: Floats = depth + (level - depth) * share
    return curve


def recovering(
    prior: Recovery, since: Series, *, draws: int, rng: np.random.Generator, tries: int = 40_000
) -> Recovering:
    """The curves that agree with the counts `since` the cause has gone (days from that day on)."""
    half = np.exp(np.log(prior.half) + prior.half_sd * rng.standard_normal(tries))
    width = np.exp(np.log(prior.width) + prior.width_sd * rng.standard_normal(tries))
    level = prior.level + prior.level_sd * rng.standard_normal(tries)
    depth = np.minimum(prior.depth + prior.depth_sd * rng.standard_normal(tries), level)
    fit = _log_weight(prior, since, _curve(since.days, half, width, level, depth))
    weight = np.exp(fit - fit.max())
    weight /= weight.sum()
    kept = rng.choice(tries, size=draws, p=weight)
    return Recovering(
        half=half[kept],
        width=width[kept],
        level=level[kept],
        depth=depth[kept],
        effective=float(1.0 / np.square(weight).sum()),
    )


def _log_weight(prior: Recovery, since: Series, curve: Floats) -> Floats:
    """The log density of the counts on each curve; a bound by its probability."""
    total = np.zeros(curve.shape[1])
    for k in range(len(since)):
        extra = 0.0 if since.extra is None else float(since.extra[k])
        sd = np.hypot(prior.noise, extra)
        z = (np.log(max(float(since.values[k]), FLOOR)) - curve[k]) / sd
        bound = since.bound(k)
        total += -0.5 * z * z - np.log(sd) if bound == "=" else log_normal_below(z if bound.startswith("<") else -z)
    return total
