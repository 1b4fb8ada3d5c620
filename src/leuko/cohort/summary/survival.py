"""Time to an event: Kaplan and Meier where its day is taken as known, Turnbull where it lies between two days.

The former by lifelines, of the extra `survival`; its Turnbull takes minutes for the people of a large cohort.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from leuko.cohort.summary.turnbull import Distribution, distribution

_TOLERANCE: Final = 1e-4
KAPLAN_MEIER: Final = "Kaplan-Meier"
TURNBULL: Final = "Turnbull"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of each person: the days to the event or to the last look, whether it was seen, and the days it lies between."""

    observed: tuple[float, ...]
    event: tuple[bool, ...]
    low: tuple[float, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A step curve as points (`day`, `share`, `low`, `high`, `arm`, `way`), and its median in words.

    `share` is None where only `low` and `high` are known (Turnbull: between two counts the curve is not determined).
    `observed` holds each person's days to the event or the last look, where those tell who is still at risk.
    """

    points: tuple[dict[str, Any], ...]
    median: str
    observed: tuple[float, ...] = ()

    def at(self, day: float) -> dict[str, Any] | None:
        """The curve on a day: the last point no later; None beyond the last of those observed."""
        if self.observed and day > max(self.observed):
            return None
        return next((point for point in reversed(self.points) if point["day"] <= day), None)

    def at_risk(self, day: float) -> int:
        """How many are still looked at on a day and have not recovered before it."""
        return sum(one >= day for one in self.observed)


def estimated(times: Times, arm: str) -> tuple[Curve, Curve]:
    """The curves of Kaplan-Meier and of Turnbull. Raises ModuleNotFoundError without lifelines."""
    from lifelines import KaplanMeierFitter  # noqa: PLC0415 (heavy, and an extra)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas and numpy inside lifelines
        plain = KaplanMeierFitter().fit(np.array(times.observed), np.array(times.event))
        return _kaplan_meier(plain, arm, times.observed), _turnbull(distribution(*_grouped(times)), arm)


def _grouped(times: Times) -> tuple[Any, Any, Any]:
    """The intervals in whole days, each once, with how many people share it."""
    lows = [math.floor(low) for low in times.low]
    highs = [math.inf if high is None else float(math.ceil(high)) for high in times.high]
    pairs, numbers = np.unique(np.array([lows, np.maximum(highs, lows)], dtype=float).T, axis=0, return_counts=True)
    return pairs[:, 0], pairs[:, 1], numbers.astype(float)


def _kaplan_meier(fitted: Any, arm: str, observed: tuple[float, ...]) -> Curve:
    from lifelines.utils import median_survival_times  # noqa: PLC0415

    curve, limits = fitted.survival_function_.iloc[:, 0], fitted.confidence_interval_
    points = tuple(
        {
            "day": float(day),
            "share": float(value),
            "low": _known(low),
            "high": _known(high),
            "arm": arm,
            "way": KAPLAN_MEIER,
        }
        for day, value, low, high in zip(curve.index, curve, limits.iloc[:, 0], limits.iloc[:, 1], strict=True)
    )
    ends = median_survival_times(limits).to_numpy().ravel()
    low, high = sorted(float(end) for end in ends)
    median = f"{_day(fitted.median_survival_time_)} ({_day(low)} to {_day(high)})"
    return Curve(points=points, median=median, observed=observed)


def _turnbull(found: Distribution, arm: str) -> Curve:
    """Between the events as early and as late in their intervals as they may lie; the median likewise."""
    ends = np.concatenate([[0.0], found.left, found.right])
    days = np.unique(ends[np.isfinite(ends)])
    low, high = (np.maximum(0.0, 1.0 - _passed(side, found.chance, days)) for side in (found.left, found.right))
    points = tuple(
        {"day": float(day), "share": None, "low": float(least), "high": float(most), "arm": arm, "way": TURNBULL}
        for day, least, most in zip(days, low, high, strict=True)
    )
    first, last = (_median(found.chance, side) for side in (found.left, found.right))
    text = _day(first) if first == last else f"{_day(first)} to {_day(last)}"
    return Curve(points=points, median=text)


def _passed(at: Any, chance: Any, days: Any) -> Any:
    """The chance that lies at places no later than each day; places rise."""
    return np.concatenate([[0.0], np.cumsum(chance)])[np.searchsorted(at, days, side="right")]


def _median(chance: Any, days: Any) -> float:
    """The first day by which half of the chance has passed."""
    reached = np.flatnonzero(np.cumsum(chance) >= 0.5 - _TOLERANCE)
    return float(days[reached[0]]) if len(reached) else math.inf


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _day(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "not reached"
