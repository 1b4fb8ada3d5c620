"""The rows of one person in an order of their own, screened, and tied to draws (`leuko.counts.draws`)."""

from __future__ import annotations

import numpy as np

from leuko.cohort.kernel.age import day_of
from leuko.cohort.kernel.compiled import apart, compiled, once
from leuko.cohort.kernel.layout import (
    LK601,
    LK602,
    LK603,
    LK619,
    MISSING,
    R_ANALYTE,
    R_BOUND,
    R_DIGITS,
    R_DRAW,
    R_FILE,
    R_HIGH,
    R_LOW,
    R_ROW,
    R_SEQUENCE,
    R_STATUS,
    R_TAKEN,
    R_TIMED,
    R_VALUE,
    W_BUFFER,
    W_BY_DRAW,
    W_DRAW_FIRST,
    W_DRAW_STATE,
    W_GROUP,
    W_KEPT,
    W_MEMBERS,
    W_NAMED,
    W_PARENT,
)

ASSUMED, SPLIT, DROPPED = 1, 2, 4
_RUN = 24  # rows that are put in order by insertion


@compiled
def before(rows, one, other):  # noqa: PLR0911 (one return for each thing that may decide)
    """Whether one row stands before another: by time, then by all that it says, last by its place."""
    if rows.whole[R_TAKEN, one] != rows.whole[R_TAKEN, other]:
        return rows.whole[R_TAKEN, one] < rows.whole[R_TAKEN, other]
    if rows.whole[R_TIMED, one] != rows.whole[R_TIMED, other]:
        return rows.whole[R_TIMED, one] < rows.whole[R_TIMED, other]
    if rows.whole[R_ANALYTE, one] != rows.whole[R_ANALYTE, other]:
        return rows.whole[R_ANALYTE, one] < rows.whole[R_ANALYTE, other]
    if rows.real[R_VALUE, one] != rows.real[R_VALUE, other]:
        return (
            rows.real[R_VALUE, one] < rows.real[R_VALUE, other]
            or rows.real[R_VALUE, other] != rows.real[R_VALUE, other]
        )
    if rows.whole[R_BOUND, one] != rows.whole[R_BOUND, other]:
        return rows.whole[R_BOUND, one] < rows.whole[R_BOUND, other]
    if rows.whole[R_STATUS, one] != rows.whole[R_STATUS, other]:
        return rows.whole[R_STATUS, one] < rows.whole[R_STATUS, other]
    if rows.whole[R_SEQUENCE, one] != rows.whole[R_SEQUENCE, other]:
        return rows.whole[R_SEQUENCE, one] < rows.whole[R_SEQUENCE, other]
    if rows.whole[R_FILE, one] != rows.whole[R_FILE, other]:
        return rows.whole[R_FILE, one] < rows.whole[R_FILE, other]
    return rows.whole[R_ROW, one] < rows.whole[R_ROW, other]


@apart
def fetched(results, rows, first, number):
    """Brings the rows of a person together; a column of one place says the same of every row."""
    whole, real = rows.whole, rows.real
    for at in range(number):
        row = first + at
        whole[R_ANALYTE, at] = results.analyte[min(row, results.analyte.size - 1)]
        whole[R_TAKEN, at] = results.taken[min(row, results.taken.size - 1)]
        whole[R_TIMED, at] = results.timed[min(row, results.timed.size - 1)]
        whole[R_BOUND, at] = results.bound[min(row, results.bound.size - 1)]
        whole[R_DRAW, at] = results.draw[min(row, results.draw.size - 1)]
        whole[R_STATUS, at] = results.status[min(row, results.status.size - 1)]
        whole[R_SEQUENCE, at] = results.sequence[min(row, results.sequence.size - 1)]
        whole[R_DIGITS, at] = results.digits[min(row, results.digits.size - 1)]
        whole[R_FILE, at] = results.file[min(row, results.file.size - 1)]
        whole[R_ROW, at] = results.row[min(row, results.row.size - 1)]
        real[R_VALUE, at] = results.value[min(row, results.value.size - 1)]
        real[R_LOW, at] = results.low[min(row, results.low.size - 1)]
        real[R_HIGH, at] = results.high[min(row, results.high.size - 1)]


@apart
def in_order(rows, number, order, buffer):
    """The rows of a person, in order."""
    for at in range(number):
        order[at] = at
    for start in range(0, number, _RUN):
        for at in range(start + 1, min(start + _RUN, number)):
            row, to = order[at], at
            while to > start and before(rows, row, order[to - 1]):
                order[to] = order[to - 1]
                to -= 1
            order[to] = row
    width = _RUN
    while width < number:
        for start in range(0, number - width, 2 * width):
            _merge(rows, order, buffer, start, start + width, min(start + 2 * width, number))
        width *= 2


@once
def _merge(rows, order, buffer, start, middle, end):
    if not before(rows, order[middle], order[middle - 1]):
        return
    for at in range(start, middle):
        buffer[at] = order[at]
    left, right = start, middle
    for to in range(start, end):
        if left < middle and (right >= end or not before(rows, order[right], buffer[left])):
            order[to] = buffer[left]
            left += 1
        elif right < end:
            order[to] = order[right]
            right += 1


@once
def screened(rows, order, number, born_first, as_of, kept, notes, at):
    """The rows that can stand in a series; every other one has its notice."""
    keep = np.int64(0)
    for position in range(number):
        row = order[position]
        value, taken = rows.real[R_VALUE, row], rows.whole[R_TAKEN, row]
        code = -1
        if not np.isfinite(value) or value < 0.0:
            code = LK619
        elif taken == MISSING:
            code = LK601
        elif day_of(taken) > as_of:
            code = LK602
        elif born_first != MISSING and day_of(taken) < born_first:
            code = LK603
        if code >= 0:
            note(notes, at, code, row)
        else:
            kept[keep] = row
            keep += 1
    return keep


@once
def note(notes, at, code, row):
    """One notice more; at[2] counts them."""
    notes.code[at[2]] = code
    notes.source[at[2]] = row
    at[2] += 1


@compiled
def _root(parent, one):
    while parent[one] != one:
        one = parent[one]
    return one


@compiled
def _join(parent, one, other):
    one, other = _root(parent, one), _root(parent, other)
    # the earliest stands for all
    if one < other:
        parent[other] = one
    elif other < one:
        parent[one] = other


@compiled
def _same_instant(rows, one, other):
    return (
        rows.whole[R_TAKEN, one] == rows.whole[R_TAKEN, other]
        and rows.whole[R_TIMED, one] == rows.whole[R_TIMED, other]
    )


@apart
def tied(rows, scratch, number):
    """Ties the kept rows to draws: `parent` leads to the first row of each, `named` tells whose name ties them."""
    kept, parent, named = scratch.whole[W_KEPT], scratch.whole[W_PARENT], scratch.whole[W_NAMED]
    any_named = False
    for at in range(number):
        named[at] = False
        parent[at] = at
        any_named |= rows.whole[R_DRAW, kept[at]] >= 0
    if any_named:
        _by_name(rows, scratch, number)
    for at in range(number):
        for earlier in range(at - 1, -1, -1):
            if not _same_instant(rows, kept[at], kept[earlier]):
                break
            if rows.whole[R_TIMED, kept[at]]:
                _join(parent, earlier, at)
                break
            if (
                not named[at]
                and not named[earlier]
                and rows.whole[R_DRAW, kept[at]] == rows.whole[R_DRAW, kept[earlier]]
            ):
                _join(parent, earlier, at)
                break
    for at in range(number):
        parent[at] = _root(parent, at)


@once
def _by_name(rows, scratch, number):
    """Ties rows by the name of their draw, unless that name cannot be one sample."""
    kept, order = scratch.whole[W_KEPT], scratch.whole[W_BY_DRAW]
    size = 0
    for at in range(number):
        name = rows.whole[R_DRAW, kept[at]]
        if name < 0:
            continue
        to = size
        while to > 0 and rows.whole[R_DRAW, kept[order[to - 1]]] > name:
            order[to] = order[to - 1]
            to -= 1
        order[to] = at
        size += 1
    start = 0
    while start < size:
        end = start + 1
        while end < size and rows.whole[R_DRAW, kept[order[end]]] == rows.whole[R_DRAW, kept[order[start]]]:
            end += 1
        if not _cumulative(rows, kept, order, start, end):
            for at in range(start, end):
                scratch.whole[W_NAMED, order[at]] = True
                _join(scratch.whole[W_PARENT], order[start], order[at])
        start = end


@once
def _cumulative(rows, kept, order, start, end):
    """Whether a name spans several days, or holds one analyte at several times."""
    first, last = kept[order[start]], kept[order[end - 1]]
    if _same_instant(rows, first, last):
        return False
    if day_of(rows.whole[R_TAKEN, first]) != day_of(rows.whole[R_TAKEN, last]):
        return True
    for one in range(start, end):
        for other in range(one + 1, end):
            left, right = kept[order[one]], kept[order[other]]
            timed = rows.whole[R_TIMED, left] and rows.whole[R_TIMED, right]
            if (
                timed
                and rows.whole[R_ANALYTE, left] == rows.whole[R_ANALYTE, right]
                and rows.whole[R_TAKEN, left] != rows.whole[R_TAKEN, right]
            ):
                return True
    return False


@apart
def grouped(rows, scratch, number):
    """The draws, the earliest first: how many; `members` holds their rows, `draw_first` where each begins."""
    parent, members, first = scratch.whole[W_PARENT], scratch.whole[W_MEMBERS], scratch.whole[W_DRAW_FIRST]
    groups = np.int64(0)
    for at in range(number):
        if parent[at] == at:
            scratch.whole[W_GROUP, at] = groups
            first[groups] = 0
            groups += 1
        else:
            scratch.whole[W_GROUP, at] = scratch.whole[W_GROUP, parent[at]]
        first[scratch.whole[W_GROUP, at]] += 1
    total = 0
    for group in range(groups):
        size = first[group]
        first[group] = total
        total += size
    first[groups] = total
    for at in range(number):
        scratch.whole[W_BUFFER, scratch.whole[W_GROUP, at]] = first[scratch.whole[W_GROUP, at]]
    for at in range(number):
        group = scratch.whole[W_GROUP, at]
        members[scratch.whole[W_BUFFER, group]] = at
        scratch.whole[W_BUFFER, group] += 1
    return _split(rows, scratch, groups, number)


@once
def _split(rows, scratch, groups, number):
    """Days of several samples that nothing tells apart are taken apart, row by row."""
    first, state, members = scratch.whole[W_DRAW_FIRST], scratch.whole[W_DRAW_STATE], scratch.whole[W_MEMBERS]
    any_split = False
    for group in range(groups):
        head = members[first[group]]
        by_day = not rows.whole[R_TIMED, scratch.whole[W_KEPT, head]] and not scratch.whole[W_NAMED, head]
        state[group] = 0
        if by_day and first[group + 1] - first[group] > 1:
            state[group] = ASSUMED if one_sample(rows, scratch, group) else SPLIT
            any_split |= state[group] == SPLIT
    for at in range(number):
        row = members[at]
        members[at] = scratch.whole[W_KEPT, row]
    if not any_split:
        return groups
    draws = np.int64(0)
    for group in range(groups):
        apart = state[group] == SPLIT
        for at in range(first[group], first[group + 1]):
            if apart or at == first[group]:
                scratch.whole[W_PARENT, draws] = at
                scratch.whole[W_GROUP, draws] = state[group]
                draws += 1
    for draw in range(draws):
        first[draw] = scratch.whole[W_PARENT, draw]
        state[draw] = scratch.whole[W_GROUP, draw]
    first[draws] = number
    return draws


@once
def one_sample(rows, scratch, group):
    """Whether no analyte comes twice with different results; members are places among the kept rows here."""
    first, members, kept = scratch.whole[W_DRAW_FIRST], scratch.whole[W_MEMBERS], scratch.whole[W_KEPT]
    for at in range(first[group] + 1, first[group + 1]):
        for earlier in range(first[group], at):
            if differ(rows, kept[members[at]], kept[members[earlier]]):
                return False
    return True


@compiled
def differ(rows, one, other):
    """Whether two rows give different results for one analyte."""
    return rows.whole[R_ANALYTE, one] == rows.whole[R_ANALYTE, other] and (
        rows.real[R_VALUE, one] != rows.real[R_VALUE, other] or rows.whole[R_BOUND, one] != rows.whole[R_BOUND, other]
    )


@once
def several_samples(rows, members, start, end):
    """Whether samples of different names in one draw contradict each other."""
    names = False
    for at in range(start + 1, end):
        names |= rows.whole[R_DRAW, members[at]] != rows.whole[R_DRAW, members[start]]
    if not names:
        return False
    for at in range(start + 1, end):
        for earlier in range(start, at):
            if differ(rows, members[at], members[earlier]):
                return True
    return False


@once
def repeats_another(rows, scratch, draws, draw):
    """Whether a draw without a time of day says nothing that another draw of the day does not say already."""
    first, members, state = scratch.whole[W_DRAW_FIRST], scratch.whole[W_MEMBERS], scratch.whole[W_DRAW_STATE]
    for at in range(first[draw], first[draw + 1]):
        if rows.whole[R_TIMED, members[at]]:
            return False
    day = day_of(rows.whole[R_TAKEN, members[first[draw]]])
    other = draw - 1
    while other >= 0 and day_of(rows.whole[R_TAKEN, members[first[other]]]) == day:
        if not state[other] & DROPPED and _says(rows, members, first, draw, other):
            return True
        other -= 1
    other = draw + 1
    while other < draws and day_of(rows.whole[R_TAKEN, members[first[other]]]) == day:
        if _says(rows, members, first, draw, other):
            return True
        other += 1
    return False


@apart
def _says(rows, members, first, draw, other):
    """Whether a draw says all that another one says."""
    for at in range(first[draw], first[draw + 1]):
        told = False
        for beside in range(first[other], first[other + 1]):
            one, two = members[at], members[beside]
            same = (
                rows.whole[R_ANALYTE, one] == rows.whole[R_ANALYTE, two]
                and rows.whole[R_BOUND, one] == rows.whole[R_BOUND, two]
            )
            told |= same and rows.real[R_VALUE, one] == rows.real[R_VALUE, two]
        if not told:
            return False
    return True
