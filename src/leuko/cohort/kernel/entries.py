"""The entries that a draw makes, and the bound that stands in where there is no differential."""

from __future__ import annotations

from leuko.cohort.kernel.age import nothing
from leuko.cohort.kernel.compiled import compiled, once
from leuko.cohort.kernel.draws import note
from leuko.cohort.kernel.layout import (
    AT_MOST,
    E_ANALYTE,
    E_BOUND,
    E_HIGH,
    E_KIND,
    E_LOW,
    E_SOURCE,
    E_TAKEN,
    E_TIMED,
    E_VALUE,
    EQUAL,
    LESS,
    LK614,
    R_BOUND,
    R_TAKEN,
    R_TIMED,
    R_VALUE,
    S_DERIVED,
    S_HIGH,
    S_LOW,
    S_ROW,
)

# Places of the analytes that rules name, in `Tables.named`.
WBC, CORRECTED, ANC, ALL, SEGMENTS, SEGMENTS_PERCENT, BANDS, BANDS_PERCENT, GRANULOCYTES, NRBC = range(10)


@compiled
def measured(rows, scratch, analyte, row, at):
    """The entry of a result as it was reported."""
    return entry(
        scratch,
        at,
        analyte,
        rows.whole[R_TAKEN, row],
        rows.whole[R_TIMED, row],
        rows.real[R_VALUE, row],
        rows.whole[R_BOUND, row],
        scratch.slots.real[S_LOW, analyte],
        scratch.slots.real[S_HIGH, analyte],
        0,
        row,
    )


@compiled
def entry(scratch, at, analyte, taken, timed, value, bound, low, high, kind, source):
    """One count more of the person; at[3] counts them."""
    entries, to = scratch.entries, at[3]
    entries.whole[E_ANALYTE, to], entries.whole[E_TAKEN, to], entries.whole[E_TIMED, to] = analyte, taken, timed
    entries.real[E_VALUE, to], entries.whole[E_BOUND, to] = value, bound
    entries.real[E_LOW, to], entries.real[E_HIGH, to] = low, high
    entries.whole[E_KIND, to], entries.whole[E_SOURCE, to] = kind, source
    at[3] += 1
    return to


@once
def has(slots, analyte):
    """Whether the draw has a result of an analyte."""
    return analyte >= 0 and slots.whole[S_ROW, analyte] >= 0


@once
def bounded(tables, scratch, notes, at):
    """Without a differential, neutrophils are at most the white count, or the granulocytes they are part of."""
    named, slots, entries = tables.named, scratch.slots, scratch.entries
    if slots.whole[S_DERIVED, named[ANC]] >= 0:
        return
    top = -1
    for analyte in (named[WBC], named[GRANULOCYTES]):
        made = slots.whole[S_DERIVED, analyte] if analyte >= 0 else -1
        if (
            made >= 0
            and entries.whole[E_BOUND, made] <= EQUAL
            and (top < 0 or entries.real[E_VALUE, made] < entries.real[E_VALUE, top])
        ):
            top = made
    if top < 0:
        return
    bound = LESS if entries.whole[E_BOUND, top] == LESS else AT_MOST
    slots.whole[S_DERIVED, named[ANC]] = entry(
        scratch,
        at,
        named[ANC],
        entries.whole[E_TAKEN, top],
        entries.whole[E_TIMED, top],
        entries.real[E_VALUE, top],
        bound,
        nothing(),
        nothing(),
        1 + entries.whole[E_KIND, top],
        entries.whole[E_SOURCE, top],
    )
    if entries.whole[E_ANALYTE, top] == named[GRANULOCYTES]:
        note(notes, at, LK614, entries.whole[E_SOURCE, top])
