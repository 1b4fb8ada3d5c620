"""White counts that may hold nucleated red cells.

    corrected WBC = WBC x 100 / (100 + nucleated red cells per 100 white cells)

A manual count holds them and is corrected where the rows of `definitions/method-nrbc.toml` say so; an analyser that
counts nucleated red cells takes them out by itself, so that an automated count, or one of unknown method, is left as it
stands with the corrected figure beside it. Nothing is corrected twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from leuko.counts.findings import Step, aside, notice
from leuko.counts.numbers import exactly
from leuko.frozen import replace
from leuko.knowledge import Library
from leuko.knowledge.schema import DefinitionRow
from leuko.record import Count
from leuko.wording import say_count, say_moment, say_number

WBC: Final = "wbc"
CORRECTED: Final = "wbc_corrected"
NRBC: Final = "nrbc_per_100_wbc"


def without_red_cells(by: Mapping[str, Count], library: Library) -> tuple[dict[str, Count], Step]:
    """The counts of a draw with the white count that stands, and what there is to say about it."""
    found = dict(by)
    reported, wbc, nrbc = found.pop(CORRECTED, None), found.get(WBC), found.get(NRBC)
    if reported is not None:
        found[WBC] = _renamed(reported, wbc)
        return found, Step() if wbc is None else _replaced(wbc, reported, library)
    if wbc is None or nrbc is None or nrbc.bound != "=" or wbc.bound != "=":
        return found, Step()
    rows = [row for row in library.definitions if row.category == "method" and row.analyte == NRBC and row.basis.drives]
    asking = [row for row in rows if _asks(row, nrbc.value)]
    if not asking:
        return found, Step()
    corrected = _corrected(wbc, nrbc)
    bodies = "" if len(asking) == len(rows) else f" ({len(asking)} of {len(rows)} sources correct at this number)"
    start = f"{say_number(nrbc.value)} nucleated red cells per 100 white cells on {say_moment(wbc.taken)}{bodies}"
    if wbc.method == "manual" and any(row.house for row in asking):
        found[WBC] = corrected
        return found, _taken_out(start, wbc, corrected, library)
    return found, _left_in(start, wbc, corrected, library)


def _renamed(reported: Count, wbc: Count | None) -> Count:
    """The laboratory's own corrected count as the white count; the printed interval of the other where it has none."""
    if wbc is not None and reported.lab_low is None and reported.lab_high is None:
        reported = replace(reported, lab_low=wbc.lab_low, lab_high=wbc.lab_high)
    return replace(reported, analyte=WBC)


def _replaced(wbc: Count, reported: Count, library: Library) -> Step:
    text = f"white count {say_count(wbc)} of {say_moment(wbc.taken)} still holds nucleated red cells"
    return aside("LK620", wbc, text, library, read=f"the laboratory's corrected {say_count(reported)} is used")


def _corrected(wbc: Count, nrbc: Count) -> Count:
    value = exactly(wbc).value * 100 / (100 + exactly(nrbc).value)
    text = (
        f"WBC {say_number(wbc.value)} x 100 / (100 + {say_number(nrbc.value)} nucleated red cells per 100 white cells) "
        f"= {say_number(float(value))}"
    )
    return replace(
        wbc,
        id=f"derived:{WBC}:{wbc.id}+{nrbc.id}",
        value=float(Fraction(value)),
        kind="derived",
        derived_from=(wbc.id, nrbc.id),
        derivation=text,
        superseded=(),
    )


def _asks(row: DefinitionRow, value: float) -> bool:
    lower = row.band.lower
    if not isinstance(lower, (int, float)):
        return True
    return value > lower or (row.band.lower_inclusive and value == lower)


def _taken_out(start: str, wbc: Count, corrected: Count, library: Library) -> Step:
    text = f"{start}: the manual white count {say_count(wbc)} holds them"
    return aside("LK612", wbc, text, library, read=f"corrected to {say_count(corrected)}: {corrected.derivation}")


def _left_in(start: str, wbc: Count, corrected: Count, library: Library) -> Step:
    known = "was made by an analyser, which may have taken them out" if wbc.method == "automated" else "may hold them"
    text = f"{start}: the white count {say_count(wbc)} {known}; if it holds them, it is {say_count(corrected)}"
    return Step(notices=(notice("LK613", wbc, text, library, read=f"{say_count(wbc)}, not corrected"),))
