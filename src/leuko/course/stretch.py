"""Which counts make up an episode.

* An episode opens somewhere between the last count that was not low and the first that was, and closes between its last
  low count and the first of those back at or above the cut that hold. A rise that does not hold ends nothing.
* A hole (`CourseRules.hole_days` without a count) is not bridged between two low counts: the episode before it is
  right-censored, the one after it left-censored. A change that falls into a hole is still bounded by the counts on its
  two sides; the hole is listed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from leuko.course.lowness import Lowness
from leuko.course.points import Point, Side, Span, any_hole
from leuko.frozen import Frozen
from leuko.knowledge.schema import CourseRules
from leuko.record import Count


class Told(Frozen, frozen=True, kw_only=True):
    """The points of one analyte that tell low from not low, in order of time, and all points beside them.

    `low_at` are the times at which the low ones open; no two points open at one time.
    """

    points: tuple[Point, ...]
    sides: tuple[Side, ...]
    every: tuple[Point, ...]
    rules: CourseRules
    lowness: Lowness
    cycles: tuple[Span, ...] = ()
    low_at: frozenset[float] = frozenset()

    def low(self, index: int) -> bool:
        """Whether a point holds a low count; a window with a low and a normal count does."""
        return self.sides[index] != "above"

    def low_point(self, point: Point) -> bool:
        """Whether a point, of those that tell, holds a low count."""
        return point.lo in self.low_at

    def between(self, start: Point, end: Point) -> tuple[Point, ...]:
        """Every point from one to another, also those that tell nothing."""
        first, last = bisect_left(self.every, start.lo, key=_opens), bisect_right(self.every, end.lo, key=_opens)
        return self.every[first:last]


class Stretch(Frozen, frozen=True, kw_only=True):
    """One episode as indices into `Told.points`: the first and the last low point, and the counts above that follow.

    `before`/`after` is the neighbouring point at or above the cut (None: not seen). `held` is whether the counts after
    it stay there long enough, `retreated` whether a new cycle of treatment came before they could. `lows` are its low
    counts, in order of time.
    """

    told: Told
    first: int
    last: int
    before: int | None
    after: int | None
    held: bool
    lows: tuple[Count, ...]
    retreated: bool = False

    def at(self, index: int | None) -> Point | None:
        """The point at an index."""
        return None if index is None else self.told.points[index]

    @property
    def inner(self) -> tuple[Point, ...]:
        """Its points, from the first low to the last."""
        return self.told.points[self.first : self.last + 1]

    @property
    def unheld(self) -> tuple[Point, ...]:
        """The points inside it that were back above the cut and did not hold."""
        return tuple(self.told.points[i] for i in range(self.first, self.last + 1) if not self.told.low(i))


def told_of(points: tuple[Point, ...], lowness: Lowness, rules: CourseRules, cycles: tuple[Span, ...] = ()) -> Told:
    """The points that prove low or not low."""
    known = [(point, side) for point, side in zip(points, lowness.sides(points), strict=True) if side != "open"]
    return Told(
        points=tuple(point for point, _ in known),
        sides=tuple(side for _, side in known),
        every=points,
        rules=rules,
        lowness=lowness,
        cycles=cycles,
        low_at=frozenset(point.lo for point, side in known if side != "above"),
    )


def _opens(point: Point) -> float:
    return point.lo


def holds(above: Sequence[Point], rules: CourseRules) -> bool:
    """Whether neighbouring counts at or above the cut count as a recovery.

    `recovery_values` of them on different days, or any two that lie `recovery_days` apart with no hole between.
    """
    if len({point.day for point in above}) >= rules.recovery_values:
        return True
    long_enough = len(above) > 1 and above[0].days_to(above[-1]) >= rules.recovery_days
    return long_enough and not any_hole(above, rules.hole_days)


def stretches_of(told: Told) -> tuple[Stretch, ...]:
    """The episodes of a series, in order of time; they never overlap."""
    lows = [index for index in range(len(told.points)) if told.low(index)]
    groups: list[list[int]] = []
    for index in lows:
        if groups and _same(told, groups[-1][-1], index):
            groups[-1].append(index)
        else:
            groups.append([index])
    following = [group[0] for group in groups[1:]] + [len(told.points)]
    return tuple(_stretch(told, group, end) for group, end in zip(groups, following, strict=bool(groups)))


def _same(told: Told, earlier: int, later: int) -> bool:
    """Whether two low points, with none between them, belong to one episode."""
    between = told.points[earlier + 1 : later]
    hole = any_hole(told.points[earlier : later + 1], told.rules.hole_days)
    return not hole and not holds(between, told.rules) and not _retreated(told, earlier, later)


def _retreated(told: Told, earlier: int, later: int) -> bool:
    """Whether counts above the cut between two low points end one cycle of treatment, and a new one brought the next.

    So it is if the first treatment after the earlier low point came with or after the first of those counts: the fall
    that follows is that treatment's own. Treatment that went on in between (every day, every week) tells nothing.
    """
    between = told.points[earlier + 1 : later]
    since = [cycle for cycle in told.cycles if told.points[earlier].hi < cycle.hi and cycle.lo < told.points[later].lo]
    return bool(between) and bool(since) and since[0].hi >= between[0].lo


def _stretch(told: Told, group: list[int], end: int) -> Stretch:
    first, last = group[0], group[-1]
    before = first - 1 if first > 0 and not told.low(first - 1) else None
    after = last + 1 if last + 1 < end else None
    held = holds(told.points[last + 1 : end], told.rules)
    return Stretch(
        told=told,
        first=first,
        last=last,
        before=before,
        after=after,
        held=held,
        lows=_low_counts(told, group),
        retreated=not held and end < len(told.points) and _retreated(told, last, end),
    )


def _low_counts(told: Told, group: Sequence[int]) -> tuple[Count, ...]:
    counts = (count for index in group for count in told.points[index].counts)
    return tuple(count for count in counts if told.lowness.side(count) == "below")
