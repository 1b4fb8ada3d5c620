"""Grades of one count (`leuko.grading`) and the side of what is low that it lies on (`leuko.course.lowness`)."""

from __future__ import annotations

import math

import numpy as np

from leuko.cohort.kernel.age import nothing
from leuko.cohort.kernel.compiled import apart, compiled, once
from leuko.cohort.kernel.layout import AT_MOST, EQUAL, LESS, MORE
from leuko.cohort.tables import (
    GRADE,
    LOWER,
    LOWER_INCLUSIVE,
    LOWER_KIND,
    SEX_UNKNOWN,
    UPPER,
    UPPER_INCLUSIVE,
    UPPER_KIND,
)

OPEN, BELOW, ABOVE, MIXED = 0, 1, 2, 3


@compiled
def lowest(value, bound):
    """The lowest value that a bounded one may have: (value, side)."""
    if bound <= AT_MOST:
        return 0.0, 0
    return value, 1 if bound == MORE else 0


@compiled
def highest(value, bound):
    """The highest value that a bounded one may have: (value, side)."""
    if bound > EQUAL:
        return math.inf, 0
    return value, -1 if bound == LESS else 0


@compiled
def is_below(value, side, upper, inclusive):
    """Whether an edge of a set of values lies below an upper limit."""
    return value < upper or (value == upper and (side < 0 or (side == 0 and inclusive)))


@compiled
def _is_above(value, side, lower, inclusive):
    return value > lower or (value == lower and (side > 0 or (side == 0 and inclusive)))


@compiled
def _grade_at(grades, rule, value, side, lab_low):
    worst = 0
    if value > grades.top[rule] and (not grades.to_low[rule] or value > lab_low):
        return worst
    for band in range(grades.first[rule], grades.first[rule + 1]):
        kind = grades.whole[LOWER_KIND, band]
        if kind and not _is_above(value, side, grades.real[LOWER, band], grades.whole[LOWER_INCLUSIVE, band]):
            continue
        kind = grades.whole[UPPER_KIND, band]
        upper = lab_low if kind == 2 else grades.real[UPPER, band]
        if kind and not is_below(value, side, upper, grades.whole[UPPER_INCLUSIVE, band]):
            continue
        worst = max(worst, grades.whole[GRADE, band])
    return worst


@compiled
def _place(grades, analyte, value):
    """Between which two steps of an analyte a value lies (even), or on which one (odd)."""
    place = np.int64(0)
    for step in range(grades.first_step[analyte], grades.first_step[analyte + 1]):
        place += np.int64(value > grades.steps[step]) + np.int64(value >= grades.steps[step])
    return place


@compiled
def _kind_of(grades, analyte, cell, last_cell, ageless):
    """The kind of the cells of an age, -1 where several kinds are possible."""
    if cell == last_cell:
        return grades.kind[analyte, cell]
    return grades.kind[analyte, grades.kind.shape[1] - 1] if ageless else np.int64(-1)


@once
def case_of(grades, analyte, sex, cell, last_cell, ageless, value, bound, low):
    """A number that two counts share only if every edition grades them alike; -1: the age leaves several open.

    What decides are comparisons of a value with the limits of bands and with the laboratory's limit.
    """
    kind = _kind_of(grades, analyte, cell, last_cell, ageless)
    if kind < 0:
        return np.int64(-1)
    known = np.isfinite(low) and low > 0.0
    beside = 0 if not known else 1 if value < low else 2 if value == low else 3
    steps = grades.first_step[analyte + 1] - grades.first_step[analyte]
    place = kind * (2 * steps + 1) + _place(grades, analyte, value)
    return grades.first_case[analyte] + ((place * 3 + sex) * 5 + bound) * 4 + beside


@once
def _graded(grades, scheme, analyte, sex, cell, last_cell, value, bound, low):
    """The least and the most severe grade of one edition that remain possible; -1, -1: cannot be graded."""
    if value == 0.0 and bound == LESS:
        return -1, -1
    known = np.isfinite(low) and low > 0.0
    least_limit, most_limit = (low, low) if known else (0.0, math.inf)
    low_value, low_side = lowest(value, bound)
    high_value, high_side = highest(value, bound)
    single = known and bound == EQUAL
    least, most = 99, -1
    first_sex, last_sex = (0, 1) if sex == SEX_UNKNOWN else (sex, sex)
    if grades.alike[scheme, analyte]:
        last_sex = first_sex
    for one in range(first_sex, last_sex + 1):
        at = cell
        while at <= last_cell:
            if grades.rule_at[scheme, analyte, one, at, 0] < 0:
                return -1, -1
            for nth in range(grades.rule_at.shape[4]):
                rule = grades.rule_at[scheme, analyte, one, at, nth]
                if rule < 0:
                    break
                found = _grade_at(grades, rule, high_value, high_side, least_limit)
                least = min(least, found)
                if not single:
                    found = _grade_at(grades, rule, low_value, low_side, most_limit)
                most = max(most, found)
            at = grades.until[scheme, analyte, one, at]
    return least, most


@apart
def grade(grades, memo, case, analyte, sex, cell, last_cell, value, bound, low):
    """Writes the least and the most severe grade of every edition into a row of `memo`."""
    for scheme in range(len(grades.pair)):
        least, most = np.int64(-1), np.int64(-1)
        if grades.pair[scheme, analyte] >= 0:
            least, most = _graded(grades, scheme, analyte, sex, cell, last_cell, value, bound, low)
        memo[case, 2 * scheme], memo[case, 2 * scheme + 1] = least, most


# What is low


@compiled
def rows_at(limits, analyte, sex, cell, last_cell, ageless):
    """The rows that may hold at an age, a bit each."""
    if ageless:
        return limits.rows[analyte, sex, limits.rows.shape[2] - 1]
    bits = limits.rows[analyte, sex, cell]
    for at in range(cell + 1, last_cell + 1):
        bits |= limits.rows[analyte, sex, at]
    return bits


@compiled
def side_of(value, bound, cut, inclusive):
    """Where a count lies, held against one cut."""
    at, side = highest(value, bound)
    if is_below(at, side, cut, inclusive):
        return BELOW
    at, side = lowest(value, bound)
    return OPEN if is_below(at, side, cut, inclusive) else ABOVE


@compiled
def rows_of(limits, analyte, sex, cell, last_cell, ageless):
    """The rows that may hold at an age: (bits, the lowest cut, whether all of them cut alike, the one end they share).

    The cut is NaN where there is no row.
    """
    bits = rows_at(limits, analyte, sex, cell, last_cell, ageless)
    cut, inclusive, alike, number, rest = nothing(), False, True, limits.first[analyte], bits
    while rest != 0:
        if rest & np.uint64(1):
            own, own_inclusive = limits.cut[0, number], limits.cut[1, number] != 0.0
            alike &= np.isnan(cut) or (own == cut and own_inclusive == inclusive)
            cut, inclusive = own if np.isnan(cut) else min(cut, own), own_inclusive
        rest >>= np.uint64(1)
        number += 1
    return bits, cut, alike, inclusive


@once
def side_of_rows(limits, analyte, bits, value, bound):
    """Where a count lies by rows that cut apart: open where they disagree."""
    side, number = -1, limits.first[analyte]
    while bits != 0:
        if bits & np.uint64(1):
            found = side_of(value, bound, limits.cut[0, number], limits.cut[1, number] != 0.0)
            if side not in (-1, found):
                return OPEN
            side = found
        bits >>= np.uint64(1)
        number += 1
    return side


@compiled
def low_of_rows(limits, analyte, bits):
    """The lowest lower end of the intervals that may hold; NaN where there is none, or one of them has none."""
    found, number = nothing(), limits.first[analyte]
    while bits != 0:
        if bits & np.uint64(1):
            if np.isnan(limits.cut[0, number]):
                return nothing()
            found = limits.cut[0, number] if np.isnan(found) else min(found, limits.cut[0, number])
        bits >>= np.uint64(1)
        number += 1
    return found
