"""The area over the neutrophil curve (D-index): how deep and how long at once.

As published (Portugal 2009): days are calendar days, one count each, straight lines between them. The area runs from
the first to the last count of a stretch that is not above the cut, so that N daily counts make N-1 days. Where a bound
leaves a count open, the area is a least and a most.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from leuko.frozen import Frozen
from leuko.grading import edges
from leuko.record import Count

PER_MICROLITRE = 1000.0
"""Cells per microlitre in 10*9/L: a unit, no limit."""


class Day(Frozen, frozen=True, kw_only=True):
    """The lowest count of a day [cells/uL]: the least and the most that it may be."""

    day: date
    low: float
    high: float
    id: str


class Area(Frozen, frozen=True, kw_only=True):
    """An area over the curve [cells/uL x days], as the least and the most it may be; `over` once the counts rose."""

    least: float
    most: float
    days: tuple[Day, ...]
    over: bool
    longest_gap: int

    @property
    def span(self) -> int:
        """Its length [days], as published: one less than the number of daily counts."""
        return (self.days[-1].day - self.days[0].day).days


def area_over(days: Sequence[float], values: Sequence[float], *, cut: float) -> float:
    """The area between the cut and the straight lines through the values: days in days, the rest in one unit."""
    height = [max(0.0, cut - value) for value in values]
    pairs = zip(pairwise(days), pairwise(height), strict=True)
    return sum((end - start) * (left + right) / 2 for (start, end), (left, right) in pairs)


def latest_area(counts: Sequence[Count], *, cut: float, until: date | None = None) -> Area | None:
    """The area of the latest stretch with counts below the cut [10*9/L]; None where there is none.

    With `until`, only counts up to that day are looked at, and the stretch is the one that holds it.
    """
    days = [day for day in _daily(counts) if until is None or day.day <= until]
    limit = cut * PER_MICROLITRE
    stretch, over = _latest_stretch(days, limit)
    if until is not None and over:
        return None
    if not any(day.high < limit for day in stretch):
        return None
    numbers = [float((day.day - stretch[0].day).days) for day in stretch]
    return Area(
        least=round(area_over(numbers, [day.high for day in stretch], cut=limit), 3),
        most=round(area_over(numbers, [day.low for day in stretch], cut=limit), 3),
        days=tuple(stretch),
        over=over,
        longest_gap=max((int(end - start) for start, end in pairwise(numbers)), default=0),
    )


def _daily(counts: Sequence[Count]) -> list[Day]:
    """One count a day: the lowest."""
    found: dict[date, Day] = {}
    for count in counts:
        if count.taken is None or count.taken.precision in {"year", "month"} or count.bound in {">", ">="}:
            continue
        low, high = edges(count.value, count.bound)
        day = Day(
            day=count.taken.day,
            low=round(low.value * PER_MICROLITRE, 6),
            high=round(high.value * PER_MICROLITRE, 6),
            id=count.id,
        )
        known = found.get(day.day)
        if known is None or day.high < known.high:
            found[day.day] = day
    return [found[day] for day in sorted(found)]


def _latest_stretch(days: Sequence[Day], limit: float) -> tuple[list[Day], bool]:
    """The last run of days that are not above the limit and hold one below it; whether counts above it follow."""
    last = next((index for index in reversed(range(len(days))) if days[index].high < limit), None)
    if last is None:
        return [], False
    first = last
    while first > 0 and days[first - 1].high <= limit:
        first -= 1
    end = last
    while end + 1 < len(days) and days[end + 1].high <= limit:
        end += 1
    return list(days[first : end + 1]), end + 1 < len(days)
