"""Days below a cut within episodes and within cycles of treatment, and the worst grades of an episode.

A second, small pass over the counts of a series that are already clean. The rules are those of `leuko.course.days`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numba import njit

from leuko.cohort.kernel.age import nothing, whole_seconds_in_days
from leuko.cohort.kernel.compiled import OPTIONS, compiled
from leuko.cohort.kernel.exact import rounded
from leuko.cohort.kernel.grades import ABOVE, BELOW, MIXED, OPEN
from leuko.cohort.kernel.layout import AT_LEAST, AT_MOST, LESS, MISSING, MORE


class Series(NamedTuple):
    """Counts of many series, each in order of time; those of series s begin at `first[s]`.

    `start`, `end`: the window of each [microseconds since 1970]; `least`, `most`: its grades [scheme, count], -1: none.
    """

    first: Any
    start: Any
    end: Any
    value: Any
    bound: Any
    least: Any
    most: Any


class Stretches(NamedTuple):
    """Episodes of a series, in order of time; those of series s begin at `first[s]`. MISSING: not seen."""

    first: Any
    onset_earliest: Any
    onset_latest: Any
    recovery_earliest: Any
    recovery_latest: Any
    cut: Any


class Room(NamedTuple):
    """Room for the windows of one series: times, the counts in each, lowest value, sides of two cuts."""

    start: Any
    end: Any
    lo: Any
    hi: Any
    count: Any
    lowest: Any
    own: Any
    side: Any


@compiled
def _side_of(value, bound, cut):
    """Where a count is proven to lie."""
    above_all = bound in (MORE, AT_LEAST)
    if not above_all and (value < cut or (value == cut and bound == LESS)):
        return BELOW
    if bound in (LESS, AT_MOST):
        return OPEN if cut > 0.0 else ABOVE
    return OPEN if above_all and value < cut else ABOVE


@compiled
def _points(series, number, room):
    """The windows of a series: counts whose windows overlap share one. How many; `room.count` tells where each ends."""
    many = 0
    for at in range(series.first[number], series.first[number + 1]):
        lo, hi = whole_seconds_in_days(series.start[at]), whole_seconds_in_days(series.end[at])
        if many > 0 and (lo < room.hi[many - 1] or lo == room.lo[many - 1]):
            if hi > room.hi[many - 1]:
                room.hi[many - 1], room.end[many - 1] = hi, series.end[at]
            room.lowest[many - 1] = min(room.lowest[many - 1], series.value[at])
        else:
            room.lo[many], room.hi[many] = lo, hi
            room.start[many], room.end[many] = series.start[at], series.end[at]
            room.lowest[many] = series.value[at]
            many += 1
        room.count[many - 1] = at + 1
    return many


@compiled
def _sides(series, number, room, many, cut, out):
    """Writes the side of every window for one cut."""
    at = series.first[number]
    for point in range(many):
        below, above, opened = False, False, False
        while at < room.count[point]:
            side = _side_of(series.value[at], series.bound[at], cut)
            below |= side == BELOW
            above |= side == ABOVE
            opened |= side == OPEN
            at += 1
        out[point] = MIXED if below and above else BELOW if below else OPEN if opened else ABOVE


@compiled
def _hide(room, first, last):
    """A low window above a deeper cut proves nothing of it where it is no higher than its neighbours."""
    for point in range(first + 1, last):
        low = room.own[point] == BELOW or room.own[point] == MIXED
        if low and room.side[point] == ABOVE:
            if room.lowest[point] <= room.lowest[point - 1] and room.lowest[point] <= room.lowest[point + 1]:
                room.side[point] = OPEN


@compiled
def _apart(room, earlier, later):
    return (room.lo[later] + room.hi[later] - room.lo[earlier] - room.hi[earlier]) / 2


@compiled
def _length(start, stop, from_, to):
    """How much of a stretch lies between two instants."""
    return max(0.0, min(to, stop) - max(from_, start))


@compiled
def _least(room, first, last, hole, start, stop):
    """The days proven to lie below, along windows, between two instants."""
    days, begun, ended = 0.0, -1, -1
    for point in range(first, last + 1):
        if room.side[point] == OPEN:
            continue
        if room.side[point] == BELOW and begun >= 0 and _apart(room, ended, point) <= hole:
            ended = point
            continue
        if begun >= 0:
            days += _length(start, stop, room.hi[begun], room.lo[ended])
        begun = ended = point if room.side[point] == BELOW else -1
    if begun >= 0:
        days += _length(start, stop, room.hi[begun], room.lo[ended])
    return days


@compiled
def _most(room, first, last, hole, start, stop):
    """The days not proven to lie above, along windows, between two instants that may be infinite.

    They reach from each run above the cut to the next; the window of a run that ends one stretch and begins the next
    counts once.
    """
    days, begun, ended, outer = 0.0, -1, -1, start == -math.inf
    for point in range(first, last + 1):
        if room.side[point] != ABOVE:
            continue
        if begun >= 0 and ended == point - 1 and _apart(room, ended, point) <= hole:
            ended = point
            continue
        if begun >= 0:
            days += _length(start, stop, room.lo[ended], room.hi[point])
            if not outer:
                days -= _length(start, stop, room.lo[ended], room.hi[begun])
            outer = False
        elif not outer:
            days += _length(start, stop, start, room.hi[point])
        begun = ended = point
    if begun < 0:
        return stop - start
    if stop < math.inf:
        days += _length(start, stop, room.lo[ended], stop)
        if not outer:
            days -= _length(start, stop, room.lo[ended], room.hi[begun])
    return days


@compiled
def _at(times, many, wanted):
    for point in range(many):
        if times[point] == wanted:
            return point
    return -1


@compiled
def _last_low(room, first, end):
    last = first
    for point in range(first, end):
        if room.own[point] == BELOW or room.own[point] == MIXED:
            last = point
    return last


@compiled
def _worst(series, room, first, last, cut, least, most, to, number):
    """The worst grade of each scheme over the low counts of an episode."""
    begin = series.first[number] if first == 0 else room.count[first - 1]
    for scheme in range(len(least)):
        worst, possible = -1, -1
        for at in range(begin, room.count[last]):
            if _side_of(series.value[at], series.bound[at], cut) == BELOW:
                worst = max(worst, series.least[scheme, at])
                possible = max(possible, series.most[scheme, at] if series.most[scheme, at] >= 0 else 99)
        least[scheme, to], most[scheme, to] = worst, possible if possible < 99 else -1


@compiled
def _ends(episodes, number, to, room, many):
    """The windows before, first, last and after of an episode; -1: not seen."""
    first = _at(room.end, many, episodes.onset_latest[to])
    before = -1
    if episodes.onset_earliest[to] != MISSING:
        before = _at(room.start, many, episodes.onset_earliest[to])
    if episodes.recovery_latest[to] != MISSING:
        after = _at(room.end, many, episodes.recovery_latest[to])
        return before, first, _at(room.start, many, episodes.recovery_earliest[to]), after
    end = many
    if to + 1 < episodes.first[number + 1]:
        end = _at(room.end, many, episodes.onset_latest[to + 1])
    return before, first, _last_low(room, first, end), -1


@compiled
def _severe(series, number, room, many, cuts, severe, cut, low, high, seen, hole):
    """The least and the most days below `severe` from window `low` to `high`; no number: not known."""
    least, most, ceiling = 0.0, nothing(), nothing()
    for index in range(-1, len(cuts)):  # the episode's own cut first, then the deeper ones
        value = cut if index < 0 else cuts[index]
        if index >= 0 and value >= cut:
            continue
        _sides(series, number, room, many, value, room.side)
        if index >= 0:
            _hide(room, low, high)
        if value <= severe:
            least = max(least, rounded(_least(room, low, high, hole, -math.inf, math.inf)))
        if value >= severe and seen and room.side[low] == ABOVE and room.side[high] == ABOVE:
            found = rounded(_most(room, low, high, hole, -math.inf, math.inf))
            ceiling = found if math.isnan(ceiling) else min(ceiling, found)
            most = ceiling if value == severe else most
    return least, most


@njit(**OPTIONS, nogil=True)
def depth(series, episodes, cuts, severe, hole, room, days, least, most):
    """For each episode the days below `severe` (`days` [least or most, episode]) and the worst grades.

    `cuts` descend and hold `severe`; the deeper bound the higher, as in `leuko.course.episodes`.
    """
    for number in range(len(series.first) - 1):
        many = _points(series, number, room)
        for to in range(episodes.first[number], episodes.first[number + 1]):
            cut = episodes.cut[to]
            _sides(series, number, room, many, cut, room.own)
            before, first, last, after = _ends(episodes, number, to, room, many)
            if first < 0 or last < first:  # not the counts that the episode was found in: nothing is said
                continue
            _worst(series, room, first, last, cut, least, most, to, number)
            if severe > cut:
                continue
            low, high = first if before < 0 else before, last if after < 0 else after
            seen = before >= 0 and after >= 0
            days[0, to], days[1, to] = _severe(
                series, number, room, many, cuts, severe, cut, low, high, seen, hole
            )  # fmt: skip


@njit(**OPTIONS, nogil=True)
def within(series, of, start, stop, low, severe, hole, room, days, counts):
    """For each span from `start` to `stop` [days since 1970] of series `of`: days below `severe`, and how many windows
    of counts lie in it and how many of them hold one below (`counts` [both, span]).

    Nothing is said of the time after the last count: a span ends with it, and the most is open where it is not above.
    """
    for number in range(len(of)):
        many = _points(series, of[number], room)
        _sides(series, of[number], room, many, low, room.own)
        _sides(series, of[number], room, many, severe, room.side)
        _hide(room, 0, many - 1)
        inside, low_inside = 0, 0
        for point in range(many):
            if start[number] <= room.hi[point] and room.lo[point] < stop[number]:
                inside += 1
                low_inside += room.side[point] == BELOW or room.side[point] == MIXED
        counts[0, number], counts[1, number] = inside, low_inside
        days[0, number], days[1, number] = nothing(), nothing()
        if inside == 0:
            continue
        end = min(stop[number], room.hi[many - 1])
        days[0, number] = rounded(_least(room, 0, many - 1, hole, start[number], end))
        if end == stop[number] or room.side[many - 1] == ABOVE:
            days[1, number] = rounded(_most(room, 0, many - 1, hole, start[number], end))
