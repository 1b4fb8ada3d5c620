"""The distribution of times of which each is known to lie between two days, without a form assumed.

B. W. Turnbull (1976), The empirical distribution function with arbitrarily grouped, censored and truncated data,
J R Stat Soc B 38:290-295: chance lies only in the innermost intervals, from some lower end to the next upper one.
Found as by J. A. Wellner and Y. Zhan (1997), A hybrid algorithm for computation of the nonparametric maximum likelihood
estimator from censored data, J Am Stat Assoc 92:945-959: steps of self-consistency by turns with steps of the
distribution function towards where its curvature points, kept rising by isotonic regression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

_ROUNDS: Final = 2_000
_HALVINGS: Final = 20
GAP: Final = 1e-6
"""How far the mean log-likelihood of a person may be from the best there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The chance (T,) of the time to lie in each innermost interval, from `left` (T,) to `right` (T,), both within.

    `gap` bounds how far the mean log-likelihood is from that of the best distribution.
    """

    chance: Any
    left: Any
    right: Any
    gap: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Intervals that were observed, as the first and the last innermost interval in each; how many people share it."""

    first: Any
    last: Any
    weight: Any


def distribution(low: Any, high: Any, weight: Any) -> Distribution:
    """The likeliest distribution of times between `low` (N,) and `high` (N,; inf: not by the last look), both within.

    `weight` (N,) says how many people share an interval.
    """
    left, right = _innermost(low, high)
    seen = _Seen(
        first=np.searchsorted(left, low, side="left"),
        last=np.searchsorted(right, high, side="right") - 1,
        weight=weight / np.sum(weight),
    )
    chance = np.full(len(left), 1.0 / len(left))
    pull = _pull(chance, seen)
    for _ in range(_ROUNDS):
        if pull.max() - 1.0 <= GAP:
            break
        chance = _curved(chance * pull, seen)
        pull = _pull(chance, seen)
    return Distribution(chance=chance, left=left, right=right, gap=float(max(pull.max() - 1.0, 0.0)))


def _innermost(low: Any, high: Any) -> tuple[Any, Any]:
    ends = np.concatenate([low, high])
    is_high = np.repeat([False, True], [len(low), len(high)])
    order = np.lexsort((is_high, ends))  # of equal ends the lower stand first: both ends are within
    ends, is_high = ends[order], is_high[order]
    at = np.flatnonzero(~is_high[:-1] & is_high[1:])
    return ends[at], ends[at + 1]


def _within(chance: Any, seen: _Seen) -> Any:
    """The chance of each observed interval."""
    passed = np.concatenate([[0.0], np.cumsum(chance)])
    return passed[seen.last + 1] - passed[seen.first]


def _pull(chance: Any, seen: _Seen) -> Any:
    """What self-consistency multiplies each chance by: 1 at the best wherever there is chance, nowhere more.

    The greatest of them less 1 is no less than what the mean log-likelihood lacks, which is concave.
    """
    share = seen.weight / _within(chance, seen)
    size = len(chance)
    steps = np.bincount(seen.first, share, size + 1) - np.bincount(seen.last + 1, share, size + 1)
    return np.cumsum(steps)[:size]


def _likelihood(chance: Any, seen: _Seen) -> float:
    within = _within(chance, seen)
    return float(seen.weight @ np.log(within)) if within.min() > 0.0 else -np.inf


def _curved(chance: Any, seen: _Seen) -> Any:
    """A step of the distribution function by its slope and curvature at each place, as far as it gains."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 (loaded where it is used)

    size = len(chance)
    if size < 2:
        return chance / chance.sum()
    chance = chance / chance.sum()
    passed = np.cumsum(chance)
    share = 1.0 / _within(chance, seen)
    slope, curve = (
        np.bincount(seen.last + 1, seen.weight * share**power, size + 1)
        + (-1) ** power * np.bincount(seen.first, seen.weight * share**power, size + 1)
        for power in (1, 2)
    )
    curve = np.maximum(curve[1:size], np.finfo(float).tiny ** 0.5)
    towards = isotonic_regression(passed[:-1] + slope[1:size] / curve, weights=curve).x
    step = np.diff(np.concatenate([[0.0], np.clip(towards, 0.0, 1.0), [1.0]])) - chance
    best = _likelihood(chance, seen)
    for halving in range(_HALVINGS):
        tried = np.maximum(chance + step / 2**halving, 0.0)
        if _likelihood(tried, seen) > best:
            return tried / tried.sum()
    return chance
