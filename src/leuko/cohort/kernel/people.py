"""The pass over people: each one screened, cleaned, graded and followed, with what is found written as it comes."""

from __future__ import annotations

from hashlib import sha256
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np

from leuko.cohort.kernel.age import cells_on, day_of, nothing
from leuko.cohort.kernel.compiled import OPTIONS, apart, cached, once
from leuko.cohort.kernel.course import episodes, pointed, told
from leuko.cohort.kernel.derive import derived
from leuko.cohort.kernel.draws import (
    ASSUMED,
    DROPPED,
    SPLIT,
    fetched,
    grouped,
    in_order,
    note,
    repeats_another,
    screened,
    several_samples,
    tied,
)
from leuko.cohort.kernel.entries import WBC
from leuko.cohort.kernel.grades import BELOW, OPEN, case_of, grade, low_of_rows, rows_at, rows_of, side_of, side_of_rows
from leuko.cohort.kernel.layout import (
    E_ANALYTE,
    E_BOUND,
    E_HIGH,
    E_KIND,
    E_LEAST_CELL,
    E_LOW,
    E_MOST_CELL,
    E_PLACE,
    E_SOURCE,
    E_TAKEN,
    E_TIMED,
    E_VALUE,
    H_BORN_FIRST,
    H_BORN_LAST,
    H_FIRST,
    H_SEX,
    LK605,
    LK610,
    LK611,
    LK617,
    MISSING,
    R_ANALYTE,
    R_TAKEN,
    S_DERIVED,
    S_ROW,
    T_COURSE,
    UNMET,
    W_BUFFER,
    W_CUT,
    W_DRAW_FIRST,
    W_DRAW_STATE,
    W_ENTRY_ORDER,
    W_FIRST_OF,
    W_KEPT,
    W_MEMBERS,
    W_ORDER,
    W_PLACE,
    W_SIDE,
    Flag,
)
from leuko.cohort.kernel.resolve import resolved

_SAMPLES, _DIGITS = int(Flag.SAMPLES), int(Flag.DIGITS)


@once
def _one(tables, results, people, person, as_of, scratch, counts, out, found, notes, at):
    """One person; the flag says whether the answer stands."""
    first, rows = people.whole[H_FIRST, person], scratch.rows
    many = people.whole[H_FIRST, person + 1] - first
    fetched(results, rows, first, many)
    in_order(rows, many, scratch.whole[W_ORDER], scratch.whole[W_BUFFER])
    for place in range(many):
        scratch.whole[W_PLACE, scratch.whole[W_ORDER, place]] = place
    number = screened(
        rows,
        scratch.whole[W_ORDER],
        many,
        people.whole[H_BORN_FIRST, person],
        as_of,
        scratch.whole[W_KEPT],
        notes,
        at,
    )
    at[3] = 0
    if number == 0:
        return 0
    tied(rows, scratch, number)
    draws = grouped(rows, scratch, number)
    _repeats(rows, scratch, draws, notes, at)
    _unsure(rows, scratch, draws, notes, at)
    flag = _cleaned(tables, rows, scratch, draws, notes, at)
    if flag == 0:
        for entry in range(at[3]):
            scratch.entries.whole[E_PLACE, entry] = scratch.whole[W_PLACE, scratch.entries.whole[E_SOURCE, entry]]
        _by_analyte(scratch, tables.whole.shape[1], at[3])
        _series(tables, people, person, scratch, counts, out, found, notes, at)
    return flag


@once
def _repeats(rows, scratch, draws, notes, at):
    """Leaves out draws that only repeat another draw of the day without its time."""
    for draw in range(draws):
        if repeats_another(rows, scratch, draws, draw):
            scratch.whole[W_DRAW_STATE, draw] |= DROPPED
            for member in range(scratch.whole[W_DRAW_FIRST, draw], scratch.whole[W_DRAW_FIRST, draw + 1]):
                note(notes, at, LK605, scratch.whole[W_MEMBERS, member])


@once
def _unsure(rows, scratch, draws, notes, at):
    """Says where only the day joins results, and where a day's results could not be told apart."""
    day = MISSING
    for draw in range(draws):
        start, end = scratch.whole[W_DRAW_FIRST, draw], scratch.whole[W_DRAW_FIRST, draw + 1]
        state, row = scratch.whole[W_DRAW_STATE, draw], scratch.whole[W_MEMBERS, start]
        if state & DROPPED:
            continue
        if state & ASSUMED and _several_analytes(rows, scratch.whole[W_MEMBERS], start, end):
            note(notes, at, LK611, row)
        if state & SPLIT and day_of(rows.whole[R_TAKEN, row]) != day:
            day = day_of(rows.whole[R_TAKEN, row])
            note(notes, at, LK610, row)


@once
def _several_analytes(rows, members, start, end):
    for member in range(start + 1, end):
        if rows.whole[R_ANALYTE, members[member]] != rows.whole[R_ANALYTE, members[start]]:
            return True
    return False


@once
def _cleaned(tables, rows, scratch, draws, notes, at):
    """Every draw resolved, with what can be derived from it."""
    for draw in range(draws):
        start, end = scratch.whole[W_DRAW_FIRST, draw], scratch.whole[W_DRAW_FIRST, draw + 1]
        if scratch.whole[W_DRAW_STATE, draw] & DROPPED:
            continue
        if several_samples(rows, scratch.whole[W_MEMBERS], start, end):
            return _SAMPLES
        before = at[3]
        if not resolved(tables, rows, scratch, start, end, notes, at):
            return _DIGITS
        if not derived(tables, rows, scratch, start, end, notes, at):
            return _DIGITS
        _emptied(tables, rows, scratch, start, end, before, at[3])
    return 0


@once
def _emptied(tables, rows, scratch, start, end, entry, last_entry):
    """Empties the slots of a draw: those of its rows, of the entries made from them, and of the white count."""
    slots = scratch.slots
    for member in range(start, end):
        analyte = rows.whole[R_ANALYTE, scratch.whole[W_MEMBERS, member]]
        slots.whole[S_ROW, analyte], slots.whole[S_DERIVED, analyte] = -1, -1
    for made in range(entry, last_entry):
        slots.whole[S_DERIVED, scratch.entries.whole[E_ANALYTE, made]] = -1
    slots.whole[S_ROW, tables.named[WBC]] = -1


@once
def _by_analyte(scratch, analytes, number):
    """Puts the entries in order of analyte, time, measured before derived, and their own rows."""
    entries, order, first = scratch.entries, scratch.whole[W_ENTRY_ORDER], scratch.whole[W_FIRST_OF]
    for analyte in range(analytes + 1):
        first[analyte] = 0
    for entry in range(number):
        first[entries.whole[E_ANALYTE, entry] + 1] += 1
    for analyte in range(analytes):
        first[analyte + 1] += first[analyte]
    for entry in range(number):
        analyte = entries.whole[E_ANALYTE, entry]
        to = first[analyte]
        first[analyte] += 1
        order[to] = entry
    for analyte in range(analytes, 0, -1):
        first[analyte] = first[analyte - 1]
    first[0] = 0
    for analyte in range(analytes):
        for index in range(first[analyte] + 1, first[analyte + 1]):
            entry, to = order[index], index
            while to > first[analyte] and _earlier(entries, entry, order[to - 1]):
                order[to] = order[to - 1]
                to -= 1
            order[to] = entry


@once
def _earlier(entries, one, other):
    if entries.whole[E_TAKEN, one] != entries.whole[E_TAKEN, other]:
        return entries.whole[E_TAKEN, one] < entries.whole[E_TAKEN, other]
    if entries.whole[E_KIND, one] != entries.whole[E_KIND, other]:
        return entries.whole[E_KIND, one] < entries.whole[E_KIND, other]
    return entries.whole[E_PLACE, one] < entries.whole[E_PLACE, other]


@apart
def _series(tables, people, person, scratch, counts, out, found, notes, at):
    """Writes the counts of each series with their grades, then its episodes."""
    first = scratch.whole[W_FIRST_OF]
    before = at[1]
    for analyte in range(tables.whole.shape[1]):
        start, end = first[analyte], first[analyte + 1]
        if start == end:
            continue
        _order_unknown(scratch, start, end, notes, at)
        _aged(tables, people, person, scratch, start, end)
        _written(tables, people, person, scratch, analyte, start, end, counts, found, at)
        if tables.whole[T_COURSE, analyte]:
            if _sides(tables, people, person, scratch, analyte, start, end):
                many = told(scratch, pointed(scratch, start, end))
                episodes(tables, people, scratch, analyte, person, many, out, at)
    found.counts[person] = at[3]
    found.episodes[person] = at[1] - before


@once
def _order_unknown(scratch, start, end, notes, at):
    """Says where a day holds several counts of one analyte and one of them has no time of day."""
    entries, order = scratch.entries, scratch.whole[W_ENTRY_ORDER]
    index = start
    while index < end and entries.whole[E_TIMED, order[index]]:
        index += 1
    if index == end:
        return
    index = start
    while index < end:
        day, untimed, to = day_of(entries.whole[E_TAKEN, order[index]]), False, index
        while to < end and day_of(entries.whole[E_TAKEN, order[to]]) == day:
            untimed |= not entries.whole[E_TIMED, order[to]]
            to += 1
        if untimed and to - index > 1:
            note(notes, at, LK617, entries.whole[E_SOURCE, order[index]])
        index = to


@once
def _aged(tables, people, person, scratch, start, end):
    """The cells of the age at each count of a series; ages only rise."""
    entries, order = scratch.entries, scratch.whole[W_ENTRY_ORDER]
    born_first, born_last = people.whole[H_BORN_FIRST, person], people.whole[H_BORN_LAST, person]
    day = day_of(entries.whole[E_TAKEN, order[start]])
    last_day = day_of(entries.whole[E_TAKEN, order[end - 1]])
    cell, last_cell = cells_on(tables.age_limits, born_first, born_last, day)
    steady = born_first == MISSING or (cell, last_cell) == cells_on(tables.age_limits, born_first, born_last, last_day)
    for index in range(start, end):
        if not steady and day_of(entries.whole[E_TAKEN, order[index]]) != day:
            day = day_of(entries.whole[E_TAKEN, order[index]])
            cell, last_cell = cells_on(tables.age_limits, born_first, born_last, day)
        entries.whole[E_LEAST_CELL, order[index]], entries.whole[E_MOST_CELL, order[index]] = cell, last_cell


@once
def _written(tables, people, person, scratch, analyte, start, end, counts, found, at):
    """Writes the counts of a series with their grades, and the worst of them."""
    entries, memo, last, first = scratch.entries, scratch.memo, np.int64(-1), people.whole[H_FIRST, person]
    for index in range(start, end):
        entry, to = scratch.whole[W_ENTRY_ORDER, index], at[0]
        counts.person[to], counts.analyte[to], counts.source[to] = (
            person,
            analyte,
            first + entries.whole[E_SOURCE, entry],
        )
        counts.taken[to], counts.timed[to] = entries.whole[E_TAKEN, entry], entries.whole[E_TIMED, entry] != 0
        counts.derived[to] = entries.whole[E_KIND, entry] > 0
        counts.value[to], counts.bound[to] = entries.real[E_VALUE, entry], entries.whole[E_BOUND, entry]
        if counts.low.size > 1:
            counts.low[to], counts.high[to] = entries.real[E_LOW, entry], entries.real[E_HIGH, entry]
        case = _case(tables.grades, people, person, scratch, analyte, entry)
        for scheme in range(len(tables.grades.pair)):
            counts.least[scheme, to], counts.most[scheme, to] = memo[case, 2 * scheme], memo[case, 2 * scheme + 1]
        if case != last or case == len(memo) - 1:
            _worst(tables.grades, memo, case, analyte, person, found)
        last = case
        at[0] += 1


@once
def _case(grades, people, person, scratch, analyte, entry):
    """The row of `memo` with the grades of a count, which are settled once for each case."""
    entries, memo, sex = scratch.entries, scratch.memo, people.whole[H_SEX, person]
    cell, last_cell = entries.whole[E_LEAST_CELL, entry], entries.whole[E_MOST_CELL, entry]
    value, bound, low = entries.real[E_VALUE, entry], entries.whole[E_BOUND, entry], entries.real[E_LOW, entry]
    ageless = people.whole[H_BORN_FIRST, person] == MISSING
    case = case_of(grades, analyte, sex, cell, last_cell, ageless, value, bound, low)
    if case < 0:
        case = len(memo) - 1
        memo[case, 0] = UNMET
    if memo[case, 0] == UNMET:
        grade(grades, memo, case, analyte, sex, cell, last_cell, value, bound, low)
    return case


@once
def _worst(grades, memo, case, analyte, person, found):
    for scheme in range(len(grades.pair)):
        pair = grades.pair[scheme, analyte]
        if pair >= 0:
            least, most = memo[case, 2 * scheme], memo[case, 2 * scheme + 1]
            found.least[pair, person] = max(found.least[pair, person], least)
            found.most[pair, person] = max(found.most[pair, person], 99 if most < 0 else most)


@once
def _sides(tables, people, person, scratch, analyte, start, end):
    """The side that each count of a series lies on; whether any is low: without one there is no episode.

    Which rows say what is low is looked up when the age comes into other cells. A count is held against an interval
    where there is no definition: the laboratory's own, or else that of the tables.
    """
    low, entries, sex = False, scratch.entries, people.whole[H_SEX, person]
    ageless = people.whole[H_BORN_FIRST, person] == MISSING
    cell, last_cell = np.int64(-1), np.int64(-1)
    bits, cut, alike, inclusive, usual = np.uint64(0), nothing(), True, False, nothing()
    for index in range(start, end):
        entry = scratch.whole[W_ENTRY_ORDER, index]
        value, bound = entries.real[E_VALUE, entry], entries.whole[E_BOUND, entry]
        if entries.whole[E_LEAST_CELL, entry] != cell or entries.whole[E_MOST_CELL, entry] != last_cell:
            cell, last_cell = entries.whole[E_LEAST_CELL, entry], entries.whole[E_MOST_CELL, entry]
            bits, cut, alike, inclusive = rows_of(tables.definitions, analyte, sex, cell, last_cell, ageless)
            if bits == 0:
                held = rows_at(tables.intervals, analyte, sex, cell, last_cell, ageless)
                usual = low_of_rows(tables.intervals, analyte, held)
        if bits == 0:
            own = not (isnan(entries.real[E_LOW, entry]) and isnan(entries.real[E_HIGH, entry]))
            cut = entries.real[E_LOW, entry] if own else usual
            side = OPEN if isnan(cut) else side_of(value, bound, cut, False)
        elif alike:
            side = side_of(value, bound, cut, inclusive)
        else:
            side = side_of_rows(tables.definitions, analyte, bits, value, bound)
        scratch.whole[W_SIDE, entry], scratch.real[W_CUT, entry] = side, cut
        low |= side == BELOW
    return low


def _edition() -> int:
    """A number that changes with the source of the kernel: Numba's cache looks at one file only."""
    here = Path(__file__).parent
    text = b"".join(path.read_bytes() for path in (*sorted(here.glob("*.py")), here.parent / "tables.py"))
    return int.from_bytes(sha256(text).digest()[:6], "big")


def _passing(edition: int) -> Any:
    def judged(tables, results, people, as_of, scratch, counts, out, found, notes, at):
        for person in range(people.whole.shape[1] - 1):
            counted, stretches, noted = at[0], at[1], at[2]
            flag = _one(tables, results, people, person, as_of, scratch, counts, out, found, notes, at)
            found.flag[person] = flag
            if flag != 0:  # its notices were half said; the scalar path says them
                scratch.slots.whole[S_ROW, :] = -1
                scratch.slots.whole[S_DERIVED, :] = -1
                at[0], at[1], at[2] = counted, stretches, noted
            for notice in range(noted, at[2]):
                notes.source[notice] += people.whole[H_FIRST, person]
        return edition

    return judged


judge = cached(_passing(_edition()), **OPTIONS)
"""judge(tables, results, people, as_of, scratch, counts, episodes, found, notes, at); `at` counts what was written."""
