"""Forecasters to be held against each other: leuko's own level, and three that need no model.

Each learns from people who are not those it is judged on, and tells equally likely logarithms of a measured count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np
from msgspec import field

from leuko.forecast.model import Floats
from leuko.forecast.state_space import FLOOR, Level, Series, after, expect, move, refit, spread
from leuko.frozen import Frozen, replace

# So many equally likely draws, at the middles of equal shares of the distribution.
DRAWS: Final = 200
SHARES: Final = (np.arange(DRAWS) + 0.5) / DRAWS


class Forecaster(Protocol):
    """Tells a later count from those before it."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def learned(self, people: Sequence[Series], pairs: Sequence[Pair]) -> Forecaster:
        """The same, after learning from people and the forecasts that would have been asked about them."""
        ...

    def tell(self, history: Series, day: float) -> Floats:
        """Draws (M,) of the logarithm of a count measured on `day`."""
        ...


class Pair(Frozen, frozen=True, kw_only=True):
    """One forecast that is asked: the counts before, the day and the count [10*9/L] that came."""

    history: Series
    day: float
    seen: float


class OwnLevel(Frozen, frozen=True, kw_only=True):
    """The state-space forecaster; `penalty` holds what it learns near the level where it begins."""

    level: Level
    name: str = "leuko, own level"
    fixed: bool = False
    penalty: float = 0.01

    def learned(self, people: Sequence[Series], pairs: Sequence[Pair]) -> OwnLevel:
        """With the movement of these people's counts, unless it is to stay as shipped."""
        del pairs
        return self if self.fixed else replace(self, level=refit(people, self.level, penalty=self.penalty))

    def tell(self, history: Series, day: float) -> Floats:
        """Student's t at the middles of equal shares."""
        ahead = expect(self.level, move(self.level, after(self.level, history), day))
        return ahead.mean + spread(ahead) * _student(ahead.tails)


_STUDENT: dict[float, Floats] = {}


def _student(tails: float) -> Floats:
    """The quantiles of Student's t at the middles of equal shares; kept, as they cost more than a filter."""
    if tails not in _STUDENT:
        from scipy.stats import t as student  # noqa: PLC0415 (heavy)

        _STUDENT[tails] = np.asarray(student.ppf(SHARES, tails))
    return _STUDENT[tails]


class Naive(Frozen, frozen=True, kw_only=True):
    """A point from the counts before, and about it the errors that it made with other people."""

    name: str
    point: Callable[[Floats], float]
    errors: Floats = field(default_factory=lambda: np.zeros(1))

    def learned(self, people: Sequence[Series], pairs: Sequence[Pair]) -> Naive:
        """With the errors that it makes with these people."""
        del people
        made = [np.log(max(pair.seen, FLOOR)) - self.point(_logs(pair.history)) for pair in pairs]
        return replace(self, errors=np.quantile(made, SHARES)) if made else self

    def tell(self, history: Series, day: float) -> Floats:
        """The point and the errors about it."""
        del day
        told: Floats = self.point(_logs(history)) + self.errors
        return told


def _logs(history: Series) -> Floats:
    logs: Floats = np.log(np.maximum(history.values, FLOOR))
    return logs


def smoothed(logs: Floats, share: float) -> float:
    """The exponentially weighted mean: each new count moves it by `share` of the way."""
    mean = float(logs[0])
    for value in logs[1:]:
        mean += share * (float(value) - mean)
    return mean


def naive_forecasters(share: float) -> tuple[Naive, ...]:
    """Last value, running mean and the exponentially weighted mean with this share of the newest."""
    return (
        Naive(name="last value", point=lambda logs: float(logs[-1])),
        Naive(name="running mean", point=lambda logs: float(logs.mean())),
        Naive(name=f"weighted mean ({share:g})", point=lambda logs: smoothed(logs, share)),
    )
