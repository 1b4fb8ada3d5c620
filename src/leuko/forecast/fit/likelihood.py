"""How probable a reported count is, given the true one.

The error of a count joins the model's residual (on the log scale, relative, absolute, or after a Box-Cox transform)
with the noise of the counting itself (`Observed.noise`, an SD on the log scale). A bound ("<0.1"; a WBC above which
the neutrophils cannot lie) enters as the probability of a report beyond it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.errors import UsageError
from leuko.forecast.model import Floats, Observed, Residual
from leuko.forecast.normal import log_normal_below, normal_below
from leuko.frozen import Frozen

BELOW: Final = ("<", "<=", "≤")
ABOVE: Final = (">", ">=", "≥")
EXACT: Final = ("=", "")
_STRAIGHT: Final = 1e-6
"""A Box-Cox power nearer to zero is taken as the logarithm: the difference is less than the arithmetic's own error."""
_LOG_TWO_PI: Final = float(np.log(2.0 * np.pi))


class Counts(Frozen, frozen=True, kw_only=True):
    """Counts made ready: hour (K,) in time order, value (K,), side (K,): -1 below a bound, 1 above one, 0 as it stands;
    noise (K,)."""

    hour: Floats
    value: Floats
    side: NDArray[np.int8]
    noise: Floats
    residual: Residual

    @property
    def size(self) -> int:
        """How many counts."""
        return int(self.hour.size)

    @property
    def all_bounds(self) -> bool:
        """Whether there are counts and none of them is more than a bound."""
        return self.size > 0 and bool(np.all(self.side != 0))


def counts_of(observed: Observed, residual: Residual) -> Counts:
    """Counts in time order, checked. Raises UsageError for what no likelihood can take, and says which count."""
    size = len(observed.hour)
    bound = observed.bound or ("=",) * size
    noise = observed.noise if len(observed.noise) else np.zeros(size)
    if not (len(observed.value) == len(bound) == len(noise) == size):
        raise UsageError("hours, values, bounds and noise of the counts differ in number")
    if not residual.sd > 0.0:
        raise UsageError(f"the residual error of the model is {residual.sd}, and has to be above zero")
    order = np.argsort(np.asarray(observed.hour, dtype=np.float64), kind="stable")
    found = Counts(
        hour=np.asarray(observed.hour, dtype=np.float64)[order],
        value=np.asarray(observed.value, dtype=np.float64)[order],
        side=np.array([_side(bound[at]) for at in order], dtype=np.int8),
        noise=np.asarray(noise, dtype=np.float64)[order],
        residual=residual,
    )
    _check(found)
    return found


def _side(bound: str) -> int:
    if bound in EXACT:
        return 0
    if bound in BELOW:
        return -1
    if bound in ABOVE:
        return 1
    raise UsageError(f"the bound {bound!r} of a count is not understood", do="use =, <, <=, > or >=")


def _check(counts: Counts) -> None:
    usable = np.isfinite(counts.hour) & np.isfinite(counts.value) & np.isfinite(counts.noise) & (counts.noise >= 0.0)
    least = np.finfo(float).tiny if counts.residual.kind in ("log", "box-cox") else 0.0
    for at in np.flatnonzero(~(usable & (counts.value >= least))):
        where = f"count {at + 1}, hour {counts.hour[at]:g}"
        if not usable[at]:
            raise UsageError("a count has no usable hour, value or noise", where=where)
        raise UsageError(
            f"a count of {counts.value[at]:g} cannot be taken as it stands",
            where=where,
            why="its logarithm does not exist",
            do='report it as "<" the lowest value that the method prints',
        )


def transform(value: Floats, residual: Residual) -> Floats:
    """The scale on which the residual is normal."""
    if _logarithmic(residual):
        return np.log(value)
    if residual.kind == "box-cox":
        found: Floats = np.expm1(residual.power * np.log(value)) / residual.power
        return found
    return value


def spread(log_true: Floats, counts: Counts) -> Floats:
    """SD (K, N) of a report on that scale, for true counts exp(log_true) (K, N)."""
    noise, residual = counts.noise[:, None], counts.residual
    if _logarithmic(residual):
        found: Floats = np.hypot(residual.sd, noise)
        return found
    if residual.kind == "box-cox":
        scaled: Floats = np.hypot(residual.sd, noise * np.exp(residual.power * log_true))
        return scaled
    true = np.exp(log_true)
    if residual.kind == "proportional":
        relative: Floats = np.hypot(residual.sd, noise) * true
        return relative
    absolute: Floats = np.hypot(residual.sd, noise * true)
    return absolute


def away(log_true: Floats, counts: Counts) -> tuple[Floats, Floats]:
    """How far each report lies from the true count, in SD (K, N), and that SD."""
    sd = spread(log_true, counts)
    true = log_true if _logarithmic(counts.residual) else transform(np.exp(log_true), counts.residual)
    return (transform(counts.value, counts.residual)[:, None] - true) / sd, sd


def _logarithmic(residual: Residual) -> bool:
    return residual.kind == "log" or (residual.kind == "box-cox" and abs(residual.power) < _STRAIGHT)


def log_likelihood(log_true: Floats, counts: Counts) -> Floats:
    """Logarithm of the density (10*9/L)^-1 of each report, or of the probability of each bound: (K, N).

    A true count that is not a number (the solver failed) has likelihood zero.
    """
    far, sd = away(log_true, counts)
    found = -0.5 * far * far - np.log(sd) - 0.5 * _LOG_TWO_PI + _jacobian(counts)[:, None]
    bounds = np.flatnonzero(counts.side)
    if bounds.size:
        found[bounds] = log_normal_below(-counts.side[bounds, None] * far[bounds])
    found[~np.isfinite(log_true)] = -np.inf
    return found


def _jacobian(counts: Counts) -> Floats:
    """Logarithm of d transform / d value at each report."""
    with np.errstate(divide="ignore"):
        log_value = np.log(counts.value)
    if _logarithmic(counts.residual):
        return np.where(counts.side == 0, -log_value, 0.0)
    if counts.residual.kind == "box-cox":
        return np.where(counts.side == 0, (counts.residual.power - 1.0) * log_value, 0.0)
    return np.zeros(counts.size)


def below(log_true: Floats, counts: Counts) -> Floats:
    """Probability (K, N) that a new report would lie below the one that was made."""
    return normal_below(away(log_true, counts)[0])


def reports(log_true: Floats, hours: Floats, residual: Residual, rng: np.random.Generator) -> Floats:
    """New reports (K, N) [10*9/L] of true counts; a normal residual that falls below zero gives zero."""
    return reports_by(rng.standard_normal(log_true.shape), log_true, hours, residual)


def reports_by(normal: Floats, log_true: Floats, hours: Floats, residual: Residual) -> Floats:
    """The same with errors that stand where `normal` (K, N) draws of a standard normal do."""
    made = Counts(
        hour=hours,
        value=np.ones(hours.size),
        side=np.zeros(hours.size, dtype=np.int8),
        noise=np.zeros(hours.size),
        residual=residual,
    )
    drawn = normal * spread(log_true, made)
    if _logarithmic(residual):
        drawn += log_true
        return np.exp(drawn, out=drawn)
    moved = transform(np.exp(log_true), residual) + drawn
    if residual.kind == "box-cox":
        return np.asarray(np.clip(residual.power * moved + 1.0, 0.0, None) ** (1.0 / residual.power))
    return np.clip(moved, 0.0, None)
