"""When each count was taken, as far as its source says, and on which side of a cut it lies.

A count dated to the day was drawn at some unknown instant of that day, so a point is a window of time. Counts whose
windows overlap cannot be put in order; they share one point.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from leuko.frozen import Frozen, replace
from leuko.grading import below, edges
from leuko.record import Count, Moment

Side = Literal["below", "above", "open", "mixed"]
"""Where a point lies: proven below the cut, proven at or above it, left open by a bound, or both within its window."""

_WIDTH: Final = {"day": timedelta(days=1), "hour": timedelta(hours=1)}
_LAST_INSTANT: Final = timedelta(microseconds=1)
_DAY: Final = 86_400.0


class Cut(Frozen, frozen=True, kw_only=True):
    """A limit [unit of the analyte]; a value on it lies above, unless `inclusive`."""

    value: float
    inclusive: bool = False

    def side(self, count: Count) -> Side:
        """The side that a count is proven to lie on, given its bound."""
        lowest, highest = edges(count.value, count.bound)
        if below(highest, self.value, inclusive=self.inclusive):
            return "below"
        return "open" if below(lowest, self.value, inclusive=self.inclusive) else "above"


class Point(Frozen, frozen=True, kw_only=True):
    """The counts of one window of time. `lo`, `hi` are its ends in days, on one scale for every zone."""

    counts: tuple[Count, ...]
    start: datetime
    end: datetime
    lo: float
    hi: float

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its counts."""
        return tuple(count.id for count in self.counts)

    @property
    def day(self) -> date:
        """The calendar day on which its window opens, in the source's own zone."""
        return self.start.date()

    def days_to(self, later: Point) -> float:
        """The time from the middle of this window to the middle of a later one [days]."""
        return (later.lo + later.hi - self.lo - self.hi) / 2


class Span(Frozen, frozen=True, kw_only=True):
    """The instants that a moment may mean, in days on the scale of `Point`."""

    lo: float
    hi: float


def spans_of(moments: Iterable[Moment]) -> tuple[Span, ...]:
    """Moments as spans in order of time; those without a day are left out."""
    windows = [_window(moment) for moment in moments if moment.precision not in {"year", "month"}]
    return tuple(sorted((Span(lo=_days(start), hi=_days(end)) for start, end in windows), key=lambda span: span.lo))


def points_of(counts: Iterable[Count]) -> tuple[Point, ...]:
    """The counts as points in order of time; counts without a day are left out (`placeable` tells them)."""
    found: list[Point] = []
    for point in sorted(map(_point, filter(placeable, counts)), key=_order):
        if found and _overlap(found[-1], point):
            found[-1] = _merged(found[-1], point)
        else:
            found.append(point)
    return tuple(found)


def placeable(count: Count) -> bool:
    """Whether the day of a count is known."""
    return count.taken is not None and count.taken.precision not in {"year", "month"}


def side_of(sides: Iterable[Side]) -> Side:
    """The side of a point from the sides of its counts."""
    known = set(sides)
    if "mixed" in known or {"below", "above"} <= known:
        return "mixed"
    return next((side for side in ("below", "open", "above") if side in known), "open")


def hole_between(earlier: Point, later: Point, hole_days: float) -> bool:
    """Whether two neighbouring points lie too far apart to say anything of the time between them."""
    return earlier.days_to(later) > hole_days


def any_hole(points: Iterable[Point], hole_days: float) -> bool:
    """Whether there is a hole anywhere along the points."""
    return any(hole_between(a, b, hole_days) for a, b in pairwise(points))


def _point(count: Count) -> Point:
    moment = count.taken
    assert moment is not None  # noqa: S101 (placeable)
    start, end = _window(moment)
    return Point(counts=(count,), start=start, end=end, lo=_days(start), hi=_days(end))


def _window(moment: Moment) -> tuple[datetime, datetime]:
    """The first and the last instant that a moment may mean, in its own zone.

    Wall-clock arithmetic on purpose: the day on which clocks change is 23 or 25 hours long.
    """
    width = _WIDTH.get(moment.precision)
    return moment.at, moment.at if width is None else moment.at + width - _LAST_INSTANT


def _days(instant: datetime) -> float:
    """Days since 1970; whole seconds, so that the last instant of a day ends it."""
    return round(instant.astimezone(UTC).timestamp()) / _DAY


def _order(point: Point) -> tuple[float, float, str, float, str]:
    count = point.counts[0]
    return point.lo, point.hi, count.bound, count.value, count.id


def _overlap(earlier: Point, later: Point) -> bool:
    return later.lo < earlier.hi or later.lo == earlier.lo


def _merged(earlier: Point, later: Point) -> Point:
    last = max(earlier, later, key=lambda point: point.hi)
    return replace(earlier, counts=earlier.counts + later.counts, end=last.end, hi=last.hi)
