"""One result per analyte and draw, as `leuko.counts.resolve`."""

from __future__ import annotations

from math import isnan

from leuko.cohort.kernel.compiled import apart, compiled, once
from leuko.cohort.kernel.draws import note
from leuko.cohort.kernel.exact import TENS, printed, span
from leuko.cohort.kernel.layout import (
    AT_LEAST,
    EQUAL,
    LK605,
    LK606,
    LK607,
    MISSING,
    MORE,
    R_ANALYTE,
    R_BOUND,
    R_DIGITS,
    R_HIGH,
    R_LOW,
    R_SEQUENCE,
    R_STATUS,
    R_TIMED,
    R_VALUE,
    S_HIGH,
    S_LOW,
    S_ROW,
    W_MEMBERS,
    W_SAME,
)

_CANNOT_SAY = 2


@apart
def resolved(tables, rows, scratch, start, end, notes, at):
    """Fills the slots of a draw; False where its digits are too many to compare."""
    members, slots = scratch.whole[W_MEMBERS], scratch.slots
    twice = False
    for member in range(start, end):
        row = members[member]
        analyte = rows.whole[R_ANALYTE, row]
        twice |= slots.whole[S_ROW, analyte] >= 0
        slots.whole[S_ROW, analyte] = row
        slots.real[S_LOW, analyte], slots.real[S_HIGH, analyte] = rows.real[R_LOW, row], rows.real[R_HIGH, row]
    if not twice:
        return True
    for member in range(start, end):
        analyte = rows.whole[R_ANALYTE, members[member]]
        size = 0
        for other in range(start, end):
            if rows.whole[R_ANALYTE, members[other]] == analyte:
                scratch.whole[W_SAME, size] = members[other]
                size += 1
        if size > 1 and scratch.whole[W_SAME, 0] == members[member]:
            if not _one(tables, rows, scratch, size, notes, at):
                return False
    return True


@once
def _one(tables, rows, scratch, size, notes, at):
    """The best of several results of one analyte, in an order of their own."""
    same, slots = scratch.whole[W_SAME], scratch.slots
    for index in range(1, size):
        row, to = same[index], index
        while to > 0 and _stands_before(tables, rows, row, same[to - 1]):
            same[to] = same[to - 1]
            to -= 1
        same[to] = row
    best = same[0]
    analyte = rows.whole[R_ANALYTE, best]
    slots.real[S_LOW, analyte], slots.real[S_HIGH, analyte] = rows.real[R_LOW, best], rows.real[R_HIGH, best]
    for index in range(1, size):
        best = _pair(tables, rows, slots, best, same[index], notes, at)
        if best < 0:
            return False
    slots.whole[S_ROW, analyte] = best
    return True


@compiled
def _height(bound):
    return AT_LEAST if bound == MORE else MORE if bound == AT_LEAST else bound


@compiled
def _lower(rows, one, other):
    """Whether one result is lower than another."""
    if rows.real[R_VALUE, one] != rows.real[R_VALUE, other]:
        return rows.real[R_VALUE, one] < rows.real[R_VALUE, other]
    return _height(rows.whole[R_BOUND, one]) < _height(rows.whole[R_BOUND, other])


@once
def _stands_before(tables, rows, one, other):
    """By status, then the last version, then the lowest; the order of the rows decides the rest."""
    rank, than = tables.ranks[rows.whole[R_STATUS, one]], tables.ranks[rows.whole[R_STATUS, other]]
    if rank != than:
        return rank > than
    if rows.whole[R_SEQUENCE, one] != rows.whole[R_SEQUENCE, other]:
        return rows.whole[R_SEQUENCE, one] > rows.whole[R_SEQUENCE, other]
    return _lower(rows, one, other)


@once
def _pair(tables, rows, slots, best, other, notes, at):
    """The better of two; its interval stays in the slot. -1: too many digits."""
    agree = _agree(rows, best, other)
    if agree < 0:
        return -1
    if agree:
        return _merged(tables, rows, slots, best, other, notes, at)
    analyte = rows.whole[R_ANALYTE, best]
    code, takes = LK606, False
    rank, than = tables.ranks[rows.whole[R_STATUS, best]], tables.ranks[rows.whole[R_STATUS, other]]
    dated = rows.whole[R_SEQUENCE, best] != MISSING and rows.whole[R_SEQUENCE, other] != MISSING
    if rank != than:
        takes = than > rank
    elif dated and rows.whole[R_SEQUENCE, best] != rows.whole[R_SEQUENCE, other]:
        takes = rows.whole[R_SEQUENCE, other] > rows.whole[R_SEQUENCE, best]
    else:
        code, takes = LK607, _lower(rows, other, best)
    note(notes, at, code, best if takes else other)
    if takes:
        slots.real[S_LOW, analyte], slots.real[S_HIGH, analyte] = rows.real[R_LOW, other], rows.real[R_HIGH, other]
    return other if takes else best


@once
def _merged(tables, rows, slots, best, other, notes, at):
    """The fuller of two equal results, with the printed interval of the other where it has none of its own."""
    analyte = rows.whole[R_ANALYTE, best]
    low, high = slots.real[S_LOW, analyte], slots.real[S_HIGH, analyte]
    fuller = _fuller(tables, rows, low, best, other)
    if fuller < 0:
        return -1
    own_low, own_high = (rows.real[R_LOW, other], rows.real[R_HIGH, other]) if fuller else (low, high)
    if isnan(own_low) and isnan(own_high):
        own_low, own_high = (low, high) if fuller else (rows.real[R_LOW, other], rows.real[R_HIGH, other])
    slots.real[S_LOW, analyte], slots.real[S_HIGH, analyte] = own_low, own_high
    note(notes, at, LK605, best if fuller else other)
    return other if fuller else best


@once
def _agree(rows, one, other):
    """Whether two results are one, perhaps printed with different numbers of digits; -1: too many digits."""
    if rows.whole[R_BOUND, one] != rows.whole[R_BOUND, other]:
        return 0
    if rows.real[R_VALUE, one] == rows.real[R_VALUE, other]:
        return 1
    if rows.whole[R_BOUND, one] != EQUAL:
        return 0
    least, most, other_least, other_most, able = _spans(rows, one, other)
    if not able:
        return -1
    if other_most - other_least < most - least:
        least, most, other_least, other_most = other_least, other_most, least, most
    return 1 if 2 * other_least <= least + most <= 2 * other_most else 0


@once
def _spans(rows, one, other):
    """What two printed numbers may stand for, in halves of the finer last digit."""
    whole, digits = printed(rows.real[R_VALUE, one], rows.whole[R_DIGITS, one])
    than, others = printed(rows.real[R_VALUE, other], rows.whole[R_DIGITS, other])
    if digits < 0 or others < 0:
        return 0, 0, 0, 0, False
    least, most = span(whole, EQUAL)
    other_least, other_most = span(than, EQUAL)
    factor, other_factor = TENS[max(others - digits, 0)], TENS[max(digits - others, 0)]
    if float(most) * float(factor) > 4e18 or float(other_most) * float(other_factor) > 4e18:
        return 0, 0, 0, 0, False
    return least * factor, most * factor, other_least * other_factor, other_most * other_factor, True


@once
def _fuller(tables, rows, low, best, other):
    """Whether the other one of two equal results says more: by status, digits, interval, a time of day."""
    rank, than = tables.ranks[rows.whole[R_STATUS, best]], tables.ranks[rows.whole[R_STATUS, other]]
    if rank != than:
        return 1 if than > rank else 0
    finer = _finer(rows, best, other)
    if finer == _CANNOT_SAY:
        return -1
    if finer != 0:
        return 1 if finer > 0 else 0
    has, others = not isnan(low), not isnan(rows.real[R_LOW, other])
    if has != others:
        return 1 if others else 0
    return 1 if rows.whole[R_TIMED, other] and not rows.whole[R_TIMED, best] else 0


@once
def _finer(rows, best, other):
    """1 where the other one is printed more finely, -1 where the better one is."""
    if rows.whole[R_BOUND, best] >= MORE:
        return 0
    whole, digits = printed(rows.real[R_VALUE, best], rows.whole[R_DIGITS, best])
    than, others = printed(rows.real[R_VALUE, other], rows.whole[R_DIGITS, other])
    if digits < 0 or others < 0:
        return 0 if rows.whole[R_DIGITS, best] == rows.whole[R_DIGITS, other] else _CANNOT_SAY
    least, most = span(whole, rows.whole[R_BOUND, best])
    other_least, other_most = span(than, rows.whole[R_BOUND, other])
    width = float(most - least) * float(TENS[max(others - digits, 0)])
    other_width = float(other_most - other_least) * float(TENS[max(digits - others, 0)])
    return 1 if other_width < width else -1 if other_width > width else 0
