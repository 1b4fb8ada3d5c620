"""Time to an event: Kaplan and Meier where its day is taken as known, Turnbull where it lies between two days.

Both by lifelines, of the extra `survival`.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

_TOLERANCE: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of each person: the days to the event or to the last look, whether it was seen, and the days it lies between."""

    observed: tuple[float, ...]
    event: tuple[bool, ...]
    low: tuple[float, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A step curve as points, and its median in words."""

    points: tuple[dict[str, Any], ...]
    median: str


def estimated(times: Times, arm: str) -> tuple[Curve, Curve]:
    """The curves of Kaplan-Meier and of Turnbull. Raises ModuleNotFoundError without lifelines."""
    from lifelines import KaplanMeierFitter  # noqa: PLC0415 (heavy, and an extra)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas and numpy inside lifelines
        plain = KaplanMeierFitter().fit(np.array(times.observed), np.array(times.event))
        low, high, weights = _grouped(times)
        between = KaplanMeierFitter().fit_interval_censoring(low, high, weights=weights, tol=_TOLERANCE)
        return _kaplan_meier(plain, arm), _turnbull(between, arm)


def _grouped(times: Times) -> tuple[Any, Any, Any]:
    """The intervals in whole days, each once, with how many people share it."""
    lows = [math.floor(low) for low in times.low]
    highs = [math.inf if high is None else float(math.ceil(high)) for high in times.high]
    pairs, numbers = np.unique(np.array([lows, np.maximum(highs, lows)], dtype=float).T, axis=0, return_counts=True)
    return pairs[:, 0], pairs[:, 1], numbers.astype(float)


def _kaplan_meier(fitted: Any, arm: str) -> Curve:
    from lifelines.utils import median_survival_times  # noqa: PLC0415

    curve, limits = fitted.survival_function_.iloc[:, 0], fitted.confidence_interval_
    points = tuple(
        {
            "day": float(day),
            "share": float(value),
            "low": _known(low),
            "high": _known(high),
            "arm": arm,
            "way": "Kaplan-Meier",
        }
        for day, value, low, high in zip(curve.index, curve, limits.iloc[:, 0], limits.iloc[:, 1], strict=True)
    )
    ends = median_survival_times(limits).to_numpy().ravel()
    low, high = sorted(float(end) for end in ends)
    return Curve(points=points, median=f"{_day(fitted.median_survival_time_)} ({_day(low)} to {_day(high)})")


def _turnbull(fitted: Any, arm: str) -> Curve:
    """The middle of the lower and the upper curve, and both medians where they differ."""
    curve = fitted.survival_function_
    points = tuple(
        {
            "day": float(day),
            "share": float(row.mean()),
            "low": float(row.min()),
            "high": float(row.max()),
            "arm": arm,
            "way": "Turnbull",
        }
        for day, row in zip(curve.index, curve.to_numpy(), strict=True)
        if math.isfinite(day)
    )
    medians = sorted(_median(curve.index, curve.iloc[:, column]) for column in range(curve.shape[1]))
    text = _day(medians[0]) if medians[0] == medians[-1] else f"{_day(medians[0])} to {_day(medians[-1])}"
    return Curve(points=points, median=text)


def _median(days: Any, curve: Any) -> float:
    return next((float(day) for day, value in zip(days, curve, strict=True) if value <= 0.5), math.inf)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _day(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "not reached"
