"""Grades of one count (`leuko.grading`) and the side of what is low that it lies on (`leuko.course.lowness`)."""

from __future__ import annotations

import math

import numpy as np

from leuko.cohort.kernel.age import nothing
from leuko.cohort.kernel.compiled import compiled, once
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


@once
def graded(grades, scheme, analyte, sex, cell, last_cell, value, bound, low):
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


# What is low


@compiled
def _rows_at(limits, analyte, sex, cell, last_cell, ageless):
    if ageless:
        return limits.rows[analyte, sex, limits.rows.shape[2] - 1]
    bits = limits.rows[analyte, sex, cell]
    for at in range(cell + 1, last_cell + 1):
        bits |= limits.rows[analyte, sex, at]
    return bits


@compiled
def _side(value, bound, cut, inclusive):
    at, side = highest(value, bound)
    if is_below(at, side, cut, inclusive):
        return BELOW
    at, side = lowest(value, bound)
    return OPEN if is_below(at, side, cut, inclusive) else ABOVE


@once
def side_and_cut(tables, analyte, sex, cell, last_cell, ageless, value, bound, low, high):
    """Where a count lies, and the lowest cut that may apply; open where limits disagree or there is none."""
    limits = tables.definitions
    bits = _rows_at(limits, analyte, sex, cell, last_cell, ageless)
    if bits == 0:
        cut = _interval_low(tables.intervals, analyte, sex, cell, last_cell, ageless, low, high)
        return (OPEN if np.isnan(cut) else _side(value, bound, cut, False)), cut
    cut, side, number, apart = nothing(), -1, limits.first[analyte], False
    while bits != 0:
        if bits & np.uint64(1):
            found = _side(value, bound, limits.cut[0, number], limits.cut[1, number] != 0.0)
            apart |= side not in (-1, found)
            side = found
            cut = limits.cut[0, number] if np.isnan(cut) else min(cut, limits.cut[0, number])
        bits >>= np.uint64(1)
        number += 1
    return (OPEN if apart else side), cut


@once
def _interval_low(limits, analyte, sex, cell, last_cell, ageless, low, high):
    """The lower end of the interval that a count is held against; NaN: none."""
    if not (np.isnan(low) and np.isnan(high)):
        return low
    bits = _rows_at(limits, analyte, sex, cell, last_cell, ageless)
    found, number = nothing(), limits.first[analyte]
    while bits != 0:
        if bits & np.uint64(1):
            if np.isnan(limits.cut[0, number]):
                return nothing()
            found = limits.cut[0, number] if np.isnan(found) else min(found, limits.cut[0, number])
        bits >>= np.uint64(1)
        number += 1
    return found
