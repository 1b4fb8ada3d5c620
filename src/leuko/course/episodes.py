"""An episode, measured: onset, nadir and recovery as intervals, and the days below each cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leuko.course.days import days_below
from leuko.course.points import Cut, Point, Side, hole_between, side_of
from leuko.course.stretch import Stretch
from leuko.course.words import recovery_gap, say_episode
from leuko.course.worst import worst_grades
from leuko.frozen import replace
from leuko.knowledge.schema import CourseRules
from leuko.record import Count
from leuko.result import Between, Censoring, DaysBelow, Episode

Span = tuple[float | None, float | None]


def episode_of(stretch: Stretch) -> Episode:
    """The episode, measured: every time as an interval [days, unit of the analyte]."""
    told = stretch.told
    first, last = told.points[stretch.first], told.points[stretch.last]
    before, after = stretch.at(stretch.before), stretch.at(stretch.after)
    lows = stretch.lows
    nadir = min(lows, key=_depth)
    around = _around(stretch, nadir)
    onset_days, recovery_days = _window(before, first), _window(last, after)
    cut = told.lowness.cut(lows[0])
    return Episode(
        analyte=told.lowness.analyte,
        cut=cut,
        cut_reason=told.lowness.reason(lows),
        onset=Between(earliest=before.start if before else None, latest=first.end),
        nadir_count=nadir,
        nadir=Between(earliest=around[0].start if around[0] else None, latest=around[1].end if around[1] else None),
        recovery=Between(earliest=last.start, latest=after.end) if after else None,
        recovery_confirmed=stretch.held,
        recovery_gap=None if stretch.held else recovery_gap(stretch),
        censoring=_censoring(before, after),
        counts=tuple(count.id for point in _all_inside(stretch) for count in point.counts),
        duration=(round(max(0.0, last.lo - first.hi), 6), _less(_window(last, after)[1], _window(before, first)[0])),
        days_below=_nested([_days_below(stretch, value, cut) for value in _cuts(told.rules, cut)]),
        days_to_nadir=_apart(onset_days, _window(*around)),
        days_nadir_to_recovery=_apart(_window(*around), recovery_days),
        worst=worst_grades(lows, told.lowness),
        holes=tuple(_holes(stretch)),
        reason=say_episode(stretch, nadir),
    )


def _censoring(before: Point | None, after: Point | None) -> Censoring:
    if before is None and after is None:
        return "both"
    return "left" if before is None else "right" if after is None else "none"


def _depth(count: Count) -> tuple[float, int]:
    """How low a count reaches: of equal numbers, "<" lies below "≤", and that may lie below a measured value."""
    return count.value, {"<": 0, "<=": 1}.get(count.bound, 2)


def _around(stretch: Stretch, nadir: Count) -> tuple[Point | None, Point | None]:
    """The neighbours of the lowest count within the episode and its two edges: the true nadir may lie between them."""
    told = stretch.told
    index = next(i for i in range(stretch.first, stretch.last + 1) if nadir in told.points[i].counts)
    earlier = stretch.before if index == stretch.first else index - 1
    later = stretch.after if index == stretch.last else index + 1
    return stretch.at(earlier), stretch.at(later)


def _window(start: Point | None, end: Point | None) -> Span:
    return (start.lo if start else None, end.hi if end else None)


def _apart(earlier: Span, later: Span) -> Span:
    """The least and the most days from a time in one window to a time in another that is not before it."""
    least = 0.0 if later[0] is None or earlier[1] is None else round(max(0.0, later[0] - earlier[1]), 6)
    return least, _less(later[1], earlier[0])


def _less(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else round(later - earlier, 6)


def _all_inside(stretch: Stretch) -> tuple[Point, ...]:
    """Every point of the episode, also those whose bound proves nothing."""
    told = stretch.told
    return told.between(told.points[stretch.first], told.points[stretch.last])


def _cuts(rules: CourseRules, cut: float) -> list[float]:
    """The cut of the episode and the deeper ones that its days are counted for, highest first."""
    return sorted({cut, *(value for value in rules.cuts if value < cut)}, reverse=True)


def _sides(stretch: Stretch, points: Sequence[Point], cut: Cut) -> list[Side]:
    sides = [side_of(map(cut.side, point.counts)) for point in points]
    return ["open" if side == "above" and _may_hide(stretch, points, i) else side for i, side in enumerate(sides)]


def _days_below(stretch: Stretch, value: float, own: float) -> DaysBelow:
    """Days below a cut, from the last count before the episode to the first after it.

    The episode's `own` cut may change with age along it; every other cut is one number.
    """
    told = stretch.told
    low = stretch.first if stretch.before is None else stretch.before
    high = stretch.last if stretch.after is None else stretch.after
    points = told.between(told.points[low], told.points[high])
    sides = told.lowness.sides(points) if value == own else _sides(stretch, points, Cut(value=value))
    seen = stretch.before is not None and stretch.after is not None
    least, most = days_below(points, sides, hole_days=told.rules.hole_days, seen_whole=seen)
    return DaysBelow(cut=value, least=least, most=most)


def _nested(found: Sequence[DaysBelow]) -> tuple[DaysBelow, ...]:
    """The days below each cut, highest first, made to fit: time below a deeper cut is time below the higher one too.

    They can only disagree where two results of one draw contradict each other.
    """
    fitted: list[DaysBelow] = []
    for days in reversed(found):
        deeper = fitted[-1] if fitted else days
        fitted.append(replace(days, least=max(days.least, deeper.least)))
    for index in range(len(fitted) - 2, -1, -1):
        higher, days = fitted[index + 1], fitted[index]
        known = [most for most in (days.most, higher.most) if most is not None]
        fitted[index] = replace(days, most=min(known) if days.most is not None and known else days.most)
    return tuple(reversed(fitted))


def _may_hide(stretch: Stretch, points: Sequence[Point], index: int) -> bool:
    """Whether a deeper fall may have been missed on either side of a point: a low count that is no deeper beside it.

    The lowest counts seen are rarely the true nadir, so they prove nothing of a deeper cut.
    """
    if not 0 < index < len(points) - 1 or not stretch.told.low_point(points[index]):
        return False
    return all(_lowest(points[index]) <= _lowest(points[beside]) for beside in (index - 1, index + 1))


def _lowest(point: Point) -> float:
    return min(count.value for count in point.counts)


def _holes(stretch: Stretch) -> Iterator[Between]:
    """The holes at the edges of the episode: it holds none inside."""
    told = stretch.told
    for left, right in ((stretch.first - 1, stretch.first), (stretch.last, stretch.last + 1)):
        if left >= 0 and right < len(told.points):
            earlier, later = told.points[left], told.points[right]
            if hole_between(earlier, later, told.rules.hole_days):
                yield Between(earliest=earlier.start, latest=later.end)
