"""Episodes of one series, interval-censored, as `leuko.course`."""

from __future__ import annotations

import math

import numpy as np

from leuko.cohort.kernel.age import day_of, nothing, whole_seconds_in_days
from leuko.cohort.kernel.compiled import apart, compiled, once
from leuko.cohort.kernel.exact import rounded
from leuko.cohort.kernel.grades import ABOVE, BELOW, MIXED, OPEN
from leuko.cohort.kernel.layout import (
    DAY_US,
    E_BOUND,
    E_KIND,
    E_PLACE,
    E_TAKEN,
    E_TIMED,
    E_VALUE,
    EP_ANALYTE,
    EP_CONFIRMED,
    EP_COUNTS,
    EP_CUT,
    EP_DAYS_LEAST,
    EP_DAYS_MOST,
    EP_NADIR,
    EP_NADIR_TAKEN,
    EP_ONSET_EARLIEST,
    EP_ONSET_LATEST,
    EP_PERSON,
    EP_RECOVERY_EARLIEST,
    EP_RECOVERY_LATEST,
    H_CYCLE_FIRST,
    MISSING,
    P_END,
    P_FIRST,
    P_HI,
    P_LO,
    P_NUMBER,
    P_SIDE,
    P_START,
    P_TOLD,
    T_HOLE_DAYS,
    T_RECOVERY_DAYS,
    T_RECOVERY_VALUES,
    W_CUT,
    W_ENTRY_ORDER,
    W_SIDE,
)

_APART = 2_000_000  # times further apart than this are apart in whole seconds too


@once
def pointed(scratch, start, end):
    """Windows of time from the counts `entry_order[start:end]`, which are put in the order of their windows."""
    entries, order, points = scratch.entries, scratch.whole[W_ENTRY_ORDER], scratch.points
    for at in range(start + 1, end):
        entry, to = order[at], at
        while to > start and _before(entries, entry, order[to - 1]):
            order[to] = order[to - 1]
            to -= 1
        order[to] = entry
    number = np.int64(0)
    for at in range(start, end):
        entry = order[at]
        first, last = _window(entries, entry)
        lo, hi = whole_seconds_in_days(first), whole_seconds_in_days(last)
        if number > 0 and (lo < points.real[P_HI, number - 1] or lo == points.real[P_LO, number - 1]):
            if hi > points.real[P_HI, number - 1]:
                points.real[P_HI, number - 1], points.whole[P_END, number - 1] = hi, last
            points.whole[P_NUMBER, number - 1] += 1
        else:
            points.real[P_LO, number], points.real[P_HI, number] = lo, hi
            points.whole[P_START, number], points.whole[P_END, number] = first, last
            points.whole[P_FIRST, number], points.whole[P_NUMBER, number] = at, 1
            number += 1
    return number


@compiled
def _window(entries, entry):
    taken = entries.whole[E_TAKEN, entry]
    return taken, taken if entries.whole[E_TIMED, entry] else taken + DAY_US - 1


@once
def _before(entries, one, other):  # noqa: PLR0911 (one return for each thing that may decide)
    taken, than_taken = entries.whole[E_TAKEN, one], entries.whole[E_TAKEN, other]
    if taken + _APART < than_taken or than_taken + _APART < taken:
        return taken < than_taken
    first, last = _window(entries, one)
    than_first, than_last = _window(entries, other)
    lo, than_lo = whole_seconds_in_days(first), whole_seconds_in_days(than_first)
    if lo != than_lo:
        return lo < than_lo
    hi, than_hi = whole_seconds_in_days(last), whole_seconds_in_days(than_last)
    if hi != than_hi:
        return hi < than_hi
    if entries.whole[E_BOUND, one] != entries.whole[E_BOUND, other]:
        return entries.whole[E_BOUND, one] < entries.whole[E_BOUND, other]
    if entries.real[E_VALUE, one] != entries.real[E_VALUE, other]:
        return entries.real[E_VALUE, one] < entries.real[E_VALUE, other]
    if entries.whole[E_KIND, one] != entries.whole[E_KIND, other]:
        return entries.whole[E_KIND, one] < entries.whole[E_KIND, other]
    return entries.whole[E_PLACE, one] < entries.whole[E_PLACE, other]


@once
def told(scratch, number):
    """The points that prove low or not low, as their numbers in `told`; how many."""
    points, many = scratch.points, np.int64(0)
    for at in range(number):
        below, above = False, False
        opened = False
        for index in range(points.whole[P_FIRST, at], points.whole[P_FIRST, at] + points.whole[P_NUMBER, at]):
            side = scratch.whole[W_SIDE, scratch.whole[W_ENTRY_ORDER, index]]
            below |= side == BELOW
            above |= side == ABOVE
            opened |= side == OPEN
        points.whole[P_SIDE, at] = MIXED if below and above else BELOW if below else OPEN if opened else ABOVE
        if points.whole[P_SIDE, at] != OPEN:
            points.whole[P_TOLD, many] = at
            many += 1
    return many


@compiled
def _gap(points, earlier, later):
    """The time between the middles of two windows [days]."""
    return (
        points.real[P_LO, later] + points.real[P_HI, later] - points.real[P_LO, earlier] - points.real[P_HI, earlier]
    ) / 2


@compiled
def _any_hole(points, first, last, hole_days):
    """Whether there is a hole anywhere from one told point to another."""
    for at in range(first, last):
        if _gap(points, points.whole[P_TOLD, at], points.whole[P_TOLD, at + 1]) > hole_days:
            return True
    return False


@apart
def _holds(tables, points, analyte, first, end):
    """Whether the told points from first up to end, all at or above the cut, count as a recovery."""
    days, before = 0, math.inf
    for at in range(first, end):
        day = day_of(points.whole[P_START, points.whole[P_TOLD, at]])
        days += 1 if day != before else 0
        before = day
    if days >= tables.whole[T_RECOVERY_VALUES, analyte]:
        return True
    long = (
        end - first > 1
        and _gap(points, points.whole[P_TOLD, first], points.whole[P_TOLD, end - 1])
        >= tables.real[T_RECOVERY_DAYS, analyte]
    )
    return long and not _any_hole(points, first, end - 1, tables.real[T_HOLE_DAYS, analyte])


@once
def _retreated(points, people, cycles, cycles_end, earlier, later):
    """Whether the counts above the cut between two low told points end one cycle of treatment."""
    if later - earlier < 2:
        return False
    low, next_low = points.whole[P_TOLD, earlier], points.whole[P_TOLD, later]
    for cycle in range(cycles, cycles_end):
        if points.real[P_HI, low] < people.cycle_hi[cycle] and people.cycle_lo[cycle] < points.real[P_LO, next_low]:
            return people.cycle_hi[cycle] >= points.real[P_LO, points.whole[P_TOLD, earlier + 1]]
    return False


@once
def _one_episode(tables, people, points, analyte, person, earlier, later):
    """Whether two low told points, with none between them, belong to one episode."""
    if _any_hole(points, earlier, later, tables.real[T_HOLE_DAYS, analyte]):
        return False
    if _holds(tables, points, analyte, earlier + 1, later):
        return False
    return not _retreated(
        points, people, people.whole[H_CYCLE_FIRST, person], people.whole[H_CYCLE_FIRST, person + 1], earlier, later
    )


@apart
def episodes(tables, people, scratch, analyte, person, many, out, at):
    """Writes the episodes of one series; at[1] counts them."""
    points, low = scratch.points, 0
    while low < many:
        if points.whole[P_SIDE, points.whole[P_TOLD, low]] == ABOVE:
            low += 1
            continue
        first, last, end = low, low, many
        later = low + 1
        while later < many:
            if points.whole[P_SIDE, points.whole[P_TOLD, later]] != ABOVE:
                if not _one_episode(tables, people, points, analyte, person, last, later):
                    end = later
                    break
                last = later
            later += 1
        _measured(tables, scratch, analyte, person, first, last, end, out, at)
        low = end


@once
def _measured(tables, scratch, analyte, person, first, last, end, out, at):
    points, to = scratch.points, at[1]
    start, stop = points.whole[P_TOLD, first], points.whole[P_TOLD, last]
    before = (
        points.whole[P_TOLD, first - 1]
        if first > 0 and points.whole[P_SIDE, points.whole[P_TOLD, first - 1]] == ABOVE
        else -1
    )
    after = points.whole[P_TOLD, last + 1] if last + 1 < end else -1
    nadir, cut = _nadir(scratch, first, last)
    out.whole[to, EP_PERSON], out.whole[to, EP_ANALYTE], out.real[to, EP_CUT] = person, analyte, cut
    out.whole[to, EP_ONSET_EARLIEST] = points.whole[P_START, before] if before >= 0 else MISSING
    out.whole[to, EP_ONSET_LATEST] = points.whole[P_END, start]
    out.real[to, EP_NADIR], out.whole[to, EP_NADIR_TAKEN] = (
        scratch.entries.real[E_VALUE, nadir],
        scratch.entries.whole[E_TAKEN, nadir],
    )
    out.whole[to, EP_RECOVERY_EARLIEST] = points.whole[P_START, stop] if after >= 0 else MISSING
    out.whole[to, EP_RECOVERY_LATEST] = points.whole[P_END, after] if after >= 0 else MISSING
    out.whole[to, EP_CONFIRMED] = _holds(tables, points, analyte, last + 1, end)
    out.real[to, EP_DAYS_LEAST] = rounded(max(0.0, points.real[P_LO, stop] - points.real[P_HI, start]))
    out.real[to, EP_DAYS_MOST] = (
        rounded(points.real[P_HI, after] - points.real[P_LO, before]) if after >= 0 and before >= 0 else nothing()
    )
    out.whole[to, EP_COUNTS] = points.whole[P_FIRST, stop] + points.whole[P_NUMBER, stop] - points.whole[P_FIRST, start]
    at[1] += 1


@once
def _nadir(scratch, first, last):
    """The lowest of the low counts of an episode, the first of equals, and the cut of the first low count."""
    points, entries, order = scratch.points, scratch.entries, scratch.whole[W_ENTRY_ORDER]
    nadir, cut = -1, nothing()
    for told_at in range(first, last + 1):
        point = points.whole[P_TOLD, told_at]
        for index in range(points.whole[P_FIRST, point], points.whole[P_FIRST, point] + points.whole[P_NUMBER, point]):
            entry = order[index]
            if scratch.whole[W_SIDE, entry] != BELOW:
                continue
            if nadir < 0:
                nadir, cut = entry, scratch.real[W_CUT, entry]
            elif _deeper(entries, entry, nadir):
                nadir = entry
    return nadir, cut


@once
def _deeper(entries, one, other):
    if entries.real[E_VALUE, one] != entries.real[E_VALUE, other]:
        return entries.real[E_VALUE, one] < entries.real[E_VALUE, other]
    return min(entries.whole[E_BOUND, one], 2) < min(entries.whole[E_BOUND, other], 2)
