"""Which cut makes a count low: the house definition of the analyte at the age of each draw.

Where no definition is on file for the age, the lower limit that the laboratory printed with the count stands in. Where
the age is not known at all, the definitions for adults do, and the reason says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from leuko.ages import UNKNOWN, AgeSpan, age_span
from leuko.course.points import Cut, Point, Side, side_of
from leuko.grading import known_low
from leuko.knowledge import Library
from leuko.knowledge.schema import Ages, DefinitionRow
from leuko.record import Count, Patient
from leuko.result import Reason
from leuko.wording import say_list, say_number, say_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A cut and where it comes from: a row of knowledge, or (None) the laboratory."""

    cut: Cut
    row: DefinitionRow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowness:
    """The definition rows of one analyte, for one person."""

    analyte: str
    label: str
    unit: str
    rows: tuple[DefinitionRow, ...]
    patient: Patient
    library: Library

    def limits(self, count: Count) -> tuple[Limit, ...]:
        """Every limit that may apply at the draw, given what is known of age and sex; empty where there is none."""
        ages = age_span(self.patient, count.taken)
        found = tuple(_limit(row) for row in self.rows if self._fits(row, ages))
        low = known_low(count.lab_low)
        return found or (() if low is None else (Limit(cut=Cut(value=low)),))

    def side(self, count: Count) -> Side:
        """Where a count lies; open where the limits that may apply disagree, or where there is none."""
        sides = {limit.cut.side(count) for limit in self.limits(count)}
        return sides.pop() if len(sides) == 1 else "open"

    def sides(self, points: Sequence[Point]) -> list[Side]:
        """Where each point lies."""
        return [side_of(map(self.side, point.counts)) for point in points]

    def cut(self, count: Count) -> float:
        """The cut at a draw [unit of the analyte]; the lowest where several may apply."""
        return min(limit.cut.value for limit in self.limits(count))

    def reason(self, counts: Sequence[Count]) -> Reason:
        """Why these cuts: the limits that applied over the counts, with their sources."""
        limits = tuple(dict.fromkeys(limit for count in counts for limit in self.limits(count)))
        rows = [limit.row for limit in limits if limit.row is not None]
        said = say_list([self._words(limit, alone=len(limits) == 1) for limit in limits], "or")
        return Reason(
            rule="+".join(row.id for row in rows) or f"course:{self.analyte}:laboratory-limit",
            text=" ".join([f"Low is {said}.", *self._remarks(counts, limits)]),
            citations=tuple(dict.fromkeys(self.library.cite(row.basis) for row in rows)),
        )

    def _words(self, limit: Limit, *, alone: bool) -> str:
        below = "at or below" if limit.cut.inclusive else "below"
        said = f"{below} {say_number(limit.cut.value)} {say_unit(self.unit)}"
        if limit.row is None:
            return f"{said} (the laboratory's own lower limit)"
        ages = f", {limit.row.ages.text}" if limit.row.ages.text and not alone else ""
        return f"{said} ({limit.row.concept}{ages}; {limit.row.authority})"

    def _remarks(self, counts: Sequence[Count], limits: Sequence[Limit]) -> list[str]:
        found = []
        if self.rows and any(limit.row is None for limit in limits):
            found.append(f"No definition of low {self.label} is on file for the age.")
        if self._assumes_adult:
            found.append(
                "The date of birth is not known: the limit for adults is used, and that of a child may differ."
            )
        if any(len(self.limits(count)) > 1 for count in counts):
            found.append("Which of them applies is not known; what lies between them is left open.")
        elif len({limit.cut for limit in limits}) > 1:
            found.append("The limit changes along these counts: each is held against that of its own day.")
        return found

    @property
    def _assumes_adult(self) -> bool:
        return self.patient.born is None and any(row.ages != Ages() for row in self.rows)

    def _fits(self, row: DefinitionRow, ages: AgeSpan) -> bool:
        if row.sex is not None and self.patient.sex not in {None, row.sex}:
            return False
        return row.ages.high_days is None if ages == UNKNOWN else _may_hold(row.ages, ages)


def lowness_of(analyte: str, *, patient: Patient, library: Library) -> Lowness:
    """The house definition of low for an analyte."""
    known = library.analytes.get(analyte)
    rows = tuple(
        row
        for row in library.definitions
        if (row.analyte, row.category, row.house) == (analyte, "definition", True)
        and row.basis.drives
        and isinstance(row.band.upper, (int, float))
    )
    return Lowness(
        analyte=analyte,
        label=known.label if known is not None else analyte,
        unit=known.unit if known is not None else "",
        rows=rows,
        patient=patient,
        library=library,
    )


def _limit(row: DefinitionRow) -> Limit:
    upper = row.band.upper
    assert isinstance(upper, (int, float))  # noqa: S101 (lowness_of)
    return Limit(cut=Cut(value=float(upper), inclusive=row.band.upper_inclusive), row=row)


def _may_hold(band: Ages, span: AgeSpan) -> bool:
    """Whether a band of ages holds for some age that the span leaves possible."""
    limits = (limit for limit in (band.low_days, band.high_days) if limit is not None)
    inside = sorted({span.least, span.most, *(limit for limit in limits if span.least < limit < span.most)})
    between = ((a + b) / 2 if math.isfinite(b) else a + 1.0 for a, b in pairwise(inside))
    return any(band.holds(age) for age in (*inside, *between))
