"""Which counts can stand in a series at all: with a time, within the person's life, not in the future, and a number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

from leuko.ages import first_day, last_day
from leuko.counts.findings import Step, aside, joined, notice
from leuko.knowledge import Library
from leuko.record import Count, Moment, Patient
from leuko.wording import say_count, say_date, say_moment


def screen(counts: Iterable[Count], *, patient: Patient, as_of: date | None, library: Library) -> Step:
    """Set aside what has no place in a series, each with its notice."""
    return joined(_screened(count, patient, as_of, library) for count in counts)


def _screened(count: Count, patient: Patient, as_of: date | None, library: Library) -> Step:
    said = f"{library.analytes[count.analyte].label if count.analyte in library.analytes else count.analyte}"
    if not math.isfinite(count.value) or count.value < 0:
        return aside("LK619", count, f"{said}: {count.value:g} {count.unit} is no count", library, lost=True)
    shown = f"{said} {say_count(count)}"
    if count.taken is None:
        return aside("LK601", count, f"{shown} has no time of draw", library, lost=True)
    when = say_moment(count.taken)
    if as_of is not None and first_day(count.taken) > as_of:
        return aside("LK602", count, f"{shown} was drawn on {when}, after {say_date(as_of)}", library)
    if before_birth(patient, count.taken):
        return aside("LK603", count, f"{shown} was drawn on {when}, before the date of birth", library, lost=True)
    if patient.died is not None and first_day(count.taken) > patient.died:
        text = f"{shown} was drawn on {when}, after the date of death"
        return Step(kept=(count,), notices=(notice("LK604", count, text, library, read="used as it stands"),))
    return Step(kept=(count,))


def before_birth(patient: Patient, taken: Moment) -> bool:
    """Whether a draw was certainly before the person was born."""
    if patient.born is None:
        return False
    born = Moment(at=taken.at.replace(year=patient.born.year, month=patient.born.month, day=1), precision="month")
    earliest = patient.born if patient.born_precision not in {"year", "month"} else first_day(born)
    if patient.born_precision == "year":
        earliest = date(patient.born.year, 1, 1)
    return last_day(taken) < earliest
