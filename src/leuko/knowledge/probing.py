"""Points that decide: where bands and ages begin, where they end, and one point inside each stretch between.

Whether rows overlap, leave a hole or answer differently can be told exactly from these few points, because nothing
changes between two neighbouring limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from leuko.knowledge.schema import Ages, Band, Limit
from leuko.record import Sex

SEXES: tuple[Sex, ...] = ("female", "male")
LONGEST_LIFE_DAYS = 120 * 365.25


def age_points(ages: Iterable[Ages]) -> tuple[float, ...]:
    """The ages from birth to 120 years at which the answer of these bands can change [days]."""
    limits = [limit for band in ages for limit in (band.low_days, band.high_days) if limit is not None]
    return _points([0.0, *limits, LONGEST_LIFE_DAYS], 0.0, LONGEST_LIFE_DAYS)


def value_points(bands: Iterable[Band]) -> tuple[float, ...]:
    """The values from zero up at which the answer of these bands can change; the word "lab_low" is no number."""
    limits = [float(x) for band in bands for x in (band.lower, band.upper) if isinstance(x, int | float)]
    top = max(limits, default=0.0)
    return _points([0.0, *limits, top + 1.0], 0.0, top + 1.0)


def _points(limits: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    inside = sorted({limit for limit in limits if low <= limit <= high})
    return tuple(sorted({*inside, *((a + b) / 2 for a, b in pairwise(inside))}))


def holds(band: Band, value: float) -> bool:
    """Whether a number lies in a band; a limit that is no number is taken as not binding."""
    return _above(band.lower, value, inclusive=band.lower_inclusive) and _below(
        band.upper, value, inclusive=band.upper_inclusive
    )


def _above(limit: Limit | None, value: float, *, inclusive: bool) -> bool:
    return not isinstance(limit, int | float) or value > limit or (inclusive and value == limit)


def _below(limit: Limit | None, value: float, *, inclusive: bool) -> bool:
    return not isinstance(limit, int | float) or value < limit or (inclusive and value == limit)


def is_empty(band: Band) -> bool:
    """Whether no number lies in a band."""
    if not isinstance(band.lower, int | float) or not isinstance(band.upper, int | float):
        return False
    closed = band.lower_inclusive and band.upper_inclusive
    return band.lower > band.upper or (band.lower == band.upper and not closed)


def is_empty_age(ages: Ages) -> bool:
    """Whether no age lies in a band of ages."""
    if ages.low_days is None or ages.high_days is None:
        return False
    closed = ages.low_inclusive and ages.high_inclusive
    return ages.low_days > ages.high_days or (ages.low_days == ages.high_days and not closed)


def say_age(days: float) -> str:
    """An age in the largest unit that keeps it readable: 3 d, 4.5 mo, 18 y."""
    for unit, length in (("y", 365.25), ("mo", 365.25 / 12)):
        if days >= length:
            return f"{days / length:.4g} {unit}"
    return f"{days:.4g} d"


def say_band(band: Band) -> str:
    """A band in words: ">= 1 and < 1.5", "< lower limit of normal"."""
    parts = []
    if band.lower is not None:
        parts.append(f"{'>=' if band.lower_inclusive else '>'} {_say_limit(band.lower)}")
    if band.upper is not None:
        parts.append(f"{'<=' if band.upper_inclusive else '<'} {_say_limit(band.upper)}")
    return " and ".join(parts) or "any value"


def _say_limit(limit: Limit) -> str:
    return f"{limit:g}" if isinstance(limit, int | float) else "lower limit of normal"


def say_ages(ages: Ages) -> str:
    """A band of ages in words."""
    parts = []
    if ages.low_days is not None:
        parts.append(f"{'from' if ages.low_inclusive else 'over'} {say_age(ages.low_days)}")
    if ages.high_days is not None:
        parts.append(f"{'up to and including' if ages.high_inclusive else 'to under'} {say_age(ages.high_days)}")
    return " ".join(parts) or "all ages"
