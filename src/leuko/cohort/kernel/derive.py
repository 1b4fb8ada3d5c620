"""What the results of one draw say together, as `leuko.counts.derive` and `nucleated`."""

from __future__ import annotations

from math import isnan

import numpy as np

from leuko.cohort.kernel.age import nothing
from leuko.cohort.kernel.compiled import apart, compiled, once
from leuko.cohort.kernel.draws import note
from leuko.cohort.kernel.entries import (
    ALL,
    ANC,
    BANDS,
    BANDS_PERCENT,
    CORRECTED,
    NRBC,
    SEGMENTS,
    SEGMENTS_PERCENT,
    WBC,
    bounded,
    entry,
    has,
    measured,
)
from leuko.cohort.kernel.exact import FLOAT_TENS, TENS, above, decimal, fits, joined, printed, span
from leuko.cohort.kernel.layout import (
    AT_LEAST,
    AT_MOST,
    EQUAL,
    LK608,
    LK609,
    LK613,
    LK615,
    LK616,
    LK620,
    MORE,
    R_ANALYTE,
    R_BOUND,
    R_DIGITS,
    R_TAKEN,
    R_TIMED,
    R_VALUE,
    S_DERIVED,
    S_HIGH,
    S_LOW,
    S_ROW,
    T_ABSOLUTE,
    T_ROLE,
    W_MEMBERS,
)
from leuko.cohort.tables import LINE

_COMMON = 9  # decimals of sums of percentages
_MOST_SCALE = 17
_HUNDRED = 2 * 100 * 10**_COMMON


@apart
def derived(tables, rows, scratch, start, end, notes, at):
    """Adds the counts of a draw to the entries, with all that can be derived; False: too many digits."""
    named, slots = tables.named, scratch.slots
    _white(tables, rows, slots, notes, at)
    for member in range(start, end):
        analyte = rows.whole[R_ANALYTE, scratch.whole[W_MEMBERS, member]]
        row = slots.whole[S_ROW, analyte]
        if row >= 0 and slots.whole[S_DERIVED, analyte] < 0:
            slots.whole[S_DERIVED, analyte] = measured(rows, scratch, analyte, row, at)
    if named[CORRECTED] >= 0 and slots.whole[S_ROW, named[WBC]] >= 0 and slots.whole[S_DERIVED, named[WBC]] < 0:
        slots.whole[S_DERIVED, named[WBC]] = measured(rows, scratch, named[WBC], slots.whole[S_ROW, named[WBC]], at)
    if not _shares(tables, rows, scratch, start, end, notes, at):
        return False
    if not _neutrophils(tables, rows, scratch, notes, at):
        return False
    if not _sum_check(tables, rows, scratch, notes, at):
        return False
    bounded(tables, scratch, notes, at)
    return True


@once
def _white(tables, rows, slots, notes, at):
    """The white count that stands: the laboratory's corrected one, else the reported one."""
    wbc, corrected, nrbc = tables.named[WBC], tables.named[CORRECTED], tables.named[NRBC]
    if has(slots, corrected):
        low, high = slots.real[S_LOW, corrected], slots.real[S_HIGH, corrected]
        if has(slots, wbc):
            if isnan(low) and isnan(high):
                low, high = slots.real[S_LOW, wbc], slots.real[S_HIGH, wbc]
            note(notes, at, LK620, slots.whole[S_ROW, wbc])
        slots.whole[S_ROW, wbc], slots.real[S_LOW, wbc], slots.real[S_HIGH, wbc] = (
            slots.whole[S_ROW, corrected],
            low,
            high,
        )
        slots.whole[S_ROW, corrected] = -1
    elif has(slots, wbc) and has(slots, nrbc):
        row, cells = slots.whole[S_ROW, wbc], slots.whole[S_ROW, nrbc]
        if (
            rows.whole[R_BOUND, row] == EQUAL
            and rows.whole[R_BOUND, cells] == EQUAL
            and _asks(tables, rows.real[R_VALUE, cells])
        ):
            note(notes, at, LK613, row)


@once
def _asks(tables, value):
    """Whether any source asks for a correction at this number of nucleated red cells."""
    for index in range(tables.nrbc.shape[1]):
        lower = tables.nrbc[0, index]
        if value > lower or (tables.nrbc[1, index] != 0.0 and value == lower):
            return True
    return False


# Shares of the white count


@once
def _shares(tables, rows, scratch, start, end, notes, at):
    slots = scratch.slots
    if not has(slots, tables.named[WBC]):
        return True
    for member in range(start, end):
        percent = rows.whole[R_ANALYTE, scratch.whole[W_MEMBERS, member]]
        absolute = tables.whole[T_ABSOLUTE, percent]
        if absolute < 0 or scratch.whole[W_MEMBERS, member] != slots.whole[S_ROW, percent]:
            continue
        if not _share(
            rows,
            scratch,
            absolute,
            slots.whole[S_ROW, tables.named[WBC]],
            slots.whole[S_ROW, percent],
            np.int64(-1),
            np.int64(0),
            notes,
            at,
        ):
            return False
    return True


@apart
def _share(rows, scratch, analyte, wbc, part, other, at_least, notes, at):
    """WBC x percentages / 100; a measured count stands, and a disagreement is told. False: too many digits."""
    bound, able = rows.whole[R_BOUND, part], True
    whole, decimals = decimal(rows.real[R_VALUE, part])
    if other >= 0:
        bound = joined(bound, rows.whole[R_BOUND, other])
        whole, decimals, able = _sum(whole, decimals, *decimal(rows.real[R_VALUE, other]))
    white, white_decimals = decimal(rows.real[R_VALUE, wbc])
    if bound >= 0:
        bound = joined(rows.whole[R_BOUND, wbc], bound)
    if bound < 0:
        return True
    if not able or decimals < 0 or white_decimals < 0 or not fits(whole, white):
        return False
    product = whole * white
    if product == 0 and bound <= AT_MOST:
        bound = EQUAL
    value = float(product) / FLOAT_TENS[decimals + white_decimals + 2]
    slots = scratch.slots
    if slots.whole[S_ROW, analyte] >= 0:
        apart = _apart(rows, slots.whole[S_ROW, analyte], wbc, part, other, at_least and _opens(bound))
        if apart > 0:
            note(notes, at, LK608, slots.whole[S_ROW, analyte])
        return apart >= 0
    if at_least and _opens(bound):
        bound = AT_LEAST if bound == EQUAL else bound
        note(notes, at, LK616, wbc)
    timed = _first_timed(rows, wbc, part, other)
    slots.whole[S_DERIVED, analyte] = entry(
        scratch,
        at,
        analyte,
        rows.whole[R_TAKEN, timed],
        rows.whole[R_TIMED, timed],
        value,
        bound,
        nothing(),
        nothing(),
        1,
        wbc,
    )
    return True


@compiled
def _opens(bound):
    """Whether a count that may hold more than it says is a lower bound."""
    return bound == EQUAL or bound >= MORE


@compiled
def _first_timed(rows, one, other, third):
    if rows.whole[R_TIMED, one]:
        return one
    if other >= 0 and rows.whole[R_TIMED, other]:
        return other
    return third if third >= 0 and rows.whole[R_TIMED, third] else one


@compiled
def _sum(whole, decimals, than, others):
    """The exact sum of two decimals."""
    if decimals < 0 or others < 0:
        return whole, -1, False
    common = max(decimals, others)
    one, other = TENS[common - decimals], TENS[common - others]
    if not fits(whole, one) or not fits(than, other):
        return whole, -1, False
    return whole * one + than * other, common, True


@compiled
def _span_of(rows, row):
    """What a printed result may stand for: ends in halves of the last digit, decimals."""
    whole, decimals = printed(rows.real[R_VALUE, row], rows.whole[R_DIGITS, row])
    least, most = span(whole, rows.whole[R_BOUND, row])
    return least, most, decimals


@compiled
def _plus(one, decimals, other, others):
    """The sum of two ends; -1 where one is open, -2 where the digits are too many."""
    if one == -1 or other == -1:
        return -1
    common = max(decimals, others)
    factor, than = TENS[common - decimals], TENS[common - others]
    if not fits(one, factor) or not fits(other, than):
        return -2
    return one * factor + other * than


@once
def _apart(rows, measured, wbc, part, other, open_above):
    """Whether no value lies both in a measured count and in its share of the white count: 1, 0, -1: many digits."""
    least, most, decimals = _span_of(rows, part)
    if other >= 0:
        more_least, more_most, more = _span_of(rows, other)
        if decimals < 0 or more < 0:
            return -1
        least, most = _plus(least, decimals, more_least, more), _plus(most, decimals, more_most, more)
        decimals = max(decimals, more)
    white_least, white_most, white = _span_of(rows, wbc)
    own_least, own_most, own = _span_of(rows, measured)
    if decimals < 0 or white < 0 or own < 0 or least < -1 or most < -1:
        return -1
    # halves times halves of hundredths
    scale = decimals + white + 2 - own
    if scale > _MOST_SCALE:
        return -1
    factor = 2 * TENS[scale] if scale >= 0 else 2
    than = TENS[-scale] if scale < 0 else 1
    if not fits(least, white_least):
        return -1
    found = 0
    if own_most >= 0:
        found = above(least * white_least, than, own_most, factor)
    if found == 0 and most >= 0 and white_most >= 0 and not open_above:
        if not fits(most, white_most):
            return -1
        found = above(own_least, factor, most * white_most, than)
    return found


# The neutrophils


@once
def _neutrophils(tables, rows, scratch, notes, at):
    named, slots = tables.named, scratch.slots
    wbc, anc = slots.whole[S_ROW, named[WBC]], named[ANC]
    bands = slots.whole[S_ROW, named[BANDS_PERCENT]]
    if wbc >= 0 and has(slots, named[ALL]):
        whole = slots.whole[S_ROW, named[ALL]]
        add = 0
        if bands >= 0 and rows.real[R_VALUE, bands] != 0.0:
            add = _add_bands(tables, rows, slots, whole, bands)
            if add < 0:
                return False
            if add == 2 and slots.whole[S_ROW, anc] < 0:
                bound = joined(rows.whole[R_BOUND, wbc], rows.whole[R_BOUND, whole])
                if bound >= 0:
                    note(notes, at, LK615, whole)
        return _share(rows, scratch, anc, wbc, whole, bands if add == 1 else np.int64(-1), np.int64(0), notes, at)
    if wbc >= 0 and has(slots, named[SEGMENTS_PERCENT]):
        segments = slots.whole[S_ROW, named[SEGMENTS_PERCENT]]
        if bands >= 0:
            return _share(rows, scratch, anc, wbc, segments, bands, np.int64(0), notes, at)
        adds = _adds_up(tables, rows, slots, segments, np.int64(-1))
        return adds >= 0 and _share(rows, scratch, anc, wbc, segments, np.int64(-1), np.int64(adds == 0), notes, at)
    if has(slots, named[SEGMENTS]):
        return _from_absolute(tables, rows, scratch, notes, at)
    return True


@once
def _add_bands(tables, rows, slots, whole, bands):
    """Whether the bands are added to all neutrophils: 1 yes, 0 no, 2 not shown by the record, -1 many digits."""
    segments = slots.whole[S_ROW, tables.named[SEGMENTS_PERCENT]]
    if segments >= 0:
        held, apart = _meets(rows, whole, segments, bands), _meets(rows, whole, segments, np.int64(-1))
    else:
        held, apart = _adds_up(tables, rows, slots, whole, np.int64(-1)), _adds_up(tables, rows, slots, whole, bands)
    if held < 0 or apart < 0:
        return -1
    return 2 if held == apart else apart


@apart
def _meets(rows, whole, one, other):
    """Whether a whole and the sum of its parts can be the same: 1, 0, -1: many digits."""
    least, most, able = _added(rows, one, np.int64(0), np.int64(0), True)
    if other >= 0:
        least, most, able = _added(rows, other, least, most, able)
    own_least, own_most, can = _added(rows, whole, np.int64(0), np.int64(0), True)
    if not able or not can:
        return -1
    return 0 if (most >= 0 and own_least > most) or (own_most >= 0 and least > own_most) else 1


@compiled
def _added(rows, row, least, most, able):
    """A sum of spans with one more, in halves of the common last digit; most -1: open."""
    own_least, own_most, decimals = _span_of(rows, row)
    if decimals < 0 or not able:
        return least, most, False
    factor = TENS[_COMMON - decimals]
    if not fits(max(own_most, own_least), factor) or least > _HUNDRED * 100:
        return least, most, False
    return least + own_least * factor, -1 if most < 0 or own_most < 0 else most + own_most * factor, True


@apart
def _adds_up(tables, rows, slots, one, other):
    """Whether a whole differential makes 100 %, within rounding, with these as its neutrophils."""
    for line in tables.lines:
        if slots.whole[S_ROW, line] < 0:
            return 0
    least, most, able = _added(rows, one, np.int64(0), np.int64(0), True)
    if other >= 0:
        least, most, able = _added(rows, other, least, most, able)
    least, most, able = _with_lines(tables, rows, slots, least, most, able)
    if not able:
        return -1
    return 1 if least <= _HUNDRED and (most < 0 or most >= _HUNDRED) else 0


@apart
def _with_lines(tables, rows, slots, least, most, able):
    """A sum with all other lines; those that may stand within others widen it upwards only."""
    for analyte in tables.parts:
        row = slots.whole[S_ROW, analyte]
        if row >= 0 and tables.whole[T_ROLE, analyte] & LINE:
            least, most, able = _added(rows, row, least, most, able)
        elif row >= 0:
            _, most, able = _added(rows, row, least, most, able)
    return least, most, able


@once
def _from_absolute(tables, rows, scratch, notes, at):
    """Segments, perhaps with bands, as absolute counts."""
    named, slots = tables.named, scratch.slots
    segments, bands, anc = slots.whole[S_ROW, named[SEGMENTS]], slots.whole[S_ROW, named[BANDS]], named[ANC]
    bound, able = rows.whole[R_BOUND, segments], True
    whole, decimals = decimal(rows.real[R_VALUE, segments])
    if bands >= 0:
        bound = joined(bound, rows.whole[R_BOUND, bands])
        whole, decimals, able = _sum(whole, decimals, *decimal(rows.real[R_VALUE, bands]))
    if bound < 0:
        return True
    if not able or decimals < 0:
        return False
    alone = bands < 0 and _opens(bound)
    if slots.whole[S_ROW, anc] >= 0:
        apart = _sum_apart(rows, slots.whole[S_ROW, anc], segments, bands, alone)
        if apart > 0:
            note(notes, at, LK608, slots.whole[S_ROW, anc])
        return apart >= 0
    if alone:
        bound = AT_LEAST if bound == EQUAL else bound
        note(notes, at, LK616, segments)
    timed = _first_timed(rows, segments, bands, -1)
    slots.whole[S_DERIVED, anc] = entry(
        scratch,
        at,
        anc,
        rows.whole[R_TAKEN, timed],
        rows.whole[R_TIMED, timed],
        float(whole) / FLOAT_TENS[decimals],
        bound,
        nothing(),
        nothing(),
        1,
        segments,
    )
    return True


@once
def _sum_apart(rows, measured, one, other, open_above):
    least, most, able = _added(rows, one, np.int64(0), np.int64(0), True)
    if other >= 0:
        least, most, able = _added(rows, other, least, most, able)
    own_least, own_most, can = _added(rows, measured, np.int64(0), np.int64(0), True)
    if not able or not can:
        return -1
    over = most >= 0 and not open_above and own_least > most
    return 1 if over or (own_most >= 0 and least > own_most) else 0


# What is told of a draw


@once
def _sum_check(tables, rows, scratch, notes, at):
    """Tells a differential whose lines add up to more than everything, or leave cells unnamed."""
    named, slots = tables.named, scratch.slots
    whole = slots.whole[S_ROW, named[ALL]]
    first = whole if whole >= 0 else slots.whole[S_ROW, named[SEGMENTS_PERCENT]]
    second = -1 if whole >= 0 else slots.whole[S_ROW, named[BANDS_PERCENT]]
    if first < 0:
        first, second = second, -1
    source = first if first >= 0 else _first_line(tables, scratch)
    if source < 0 or _any_bound(tables, rows, slots, first, second):
        return True
    least, most, able = np.int64(0), np.int64(0), True
    for row in (first, second):
        if row >= 0:
            least, most, able = _added(rows, row, least, most, able)
    least, most, able = _with_lines(tables, rows, slots, least, most, able)
    if whole >= 0 and slots.whole[S_ROW, named[BANDS_PERCENT]] >= 0:
        _, most, able = _added(rows, slots.whole[S_ROW, named[BANDS_PERCENT]], least, most, able)
    if not able:
        return False
    every = True
    for line in tables.lines:
        every &= slots.whole[S_ROW, line] >= 0
    if least > _HUNDRED or (first >= 0 and every and 0 <= most < _HUNDRED):
        note(notes, at, LK609, source)
    return True


@once
def _first_line(tables, scratch):
    """The row that a differential without neutrophils is named by: its first line in the order of the rules."""
    for line in tables.line_order:
        if scratch.slots.whole[S_ROW, line] >= 0:
            return scratch.slots.whole[S_ROW, line]
    return -1


@once
def _any_bound(tables, rows, slots, first, second):
    found = (first >= 0 and rows.whole[R_BOUND, first] != EQUAL) or (
        second >= 0 and rows.whole[R_BOUND, second] != EQUAL
    )
    for analyte in tables.parts:
        row = slots.whole[S_ROW, analyte]
        if row >= 0:
            found |= rows.whole[R_BOUND, row] != EQUAL
    bands = slots.whole[S_ROW, tables.named[BANDS_PERCENT]]
    if bands >= 0 and slots.whole[S_ROW, tables.named[ALL]] >= 0:
        found |= rows.whole[R_BOUND, bands] != EQUAL
    return found
