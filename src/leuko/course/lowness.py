"""Which cut makes a count low: the house definition of the analyte, at the age of each draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from leuko.ages import AgeSpan, age_span
from leuko.course.points import Cut, Point, Side, side_of
from leuko.knowledge import Library
from leuko.knowledge.schema import Ages, DefinitionRow
from leuko.record import Count, Patient
from leuko.result import Reason
from leuko.wording import say_list, say_number, say_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowness:
    """The definition rows of one analyte, for one person."""

    analyte: str
    label: str
    unit: str
    rows: tuple[DefinitionRow, ...]
    patient: Patient
    library: Library

    def rows_at(self, count: Count) -> tuple[DefinitionRow, ...]:
        """Every row that may apply at the draw, given what is known of age and sex."""
        ages = age_span(self.patient, count.taken)
        return tuple(row for row in self.rows if _may_hold(row.ages, ages) and self._sex_fits(row))

    def side(self, count: Count) -> Side:
        """Where a count lies; open where the rows that may apply disagree, or where there is none."""
        sides = {Cut(value=_cut(row), inclusive=row.band.upper_inclusive).side(count) for row in self.rows_at(count)}
        return sides.pop() if len(sides) == 1 else "open"

    def sides(self, points: Sequence[Point]) -> list[Side]:
        """Where each point lies."""
        return [side_of(map(self.side, point.counts)) for point in points]

    def cut(self, count: Count) -> float:
        """The cut at a draw [unit of the analyte]; the lowest where several may apply."""
        return min(map(_cut, self.rows_at(count)))

    def reason(self, counts: Sequence[Count]) -> Reason:
        """Why these cuts: the definitions that applied over the counts, with their sources."""
        rows = tuple(dict.fromkeys(row for count in counts for row in self.rows_at(count)))
        said = say_list([self._row_words(row, alone=len(rows) == 1) for row in rows], "or")
        text = f"Low is {said}."
        if len({_cut(row) for row in rows}) > 1:
            text += " " + self._change_words(counts)
        citations = tuple(dict.fromkeys(self.library.cite(row.basis) for row in rows))
        return Reason(rule="+".join(row.id for row in rows), text=text, citations=citations)

    def _row_words(self, row: DefinitionRow, *, alone: bool) -> str:
        ages = f" at age {row.ages.text}" if row.ages.text and not alone else ""
        below = "at or below" if row.band.upper_inclusive else "below"
        return f"{below} {say_number(_cut(row))} {say_unit(self.unit)}{ages} ({row.concept}, {row.authority})"

    def _change_words(self, counts: Sequence[Count]) -> str:
        if any(len(self.rows_at(count)) > 1 for count in counts):
            return "Which applies hangs on what is not known of age or sex: a count between the limits is left open."
        return "The limit changes with age along these counts: each is held against that of its own day."

    def _sex_fits(self, row: DefinitionRow) -> bool:
        return row.sex is None or self.patient.sex in {None, row.sex}


def lowness_of(analyte: str, *, patient: Patient, library: Library) -> Lowness:
    """The house definition of low for an analyte; without rows, no count can be called low."""
    known = library.analytes.get(analyte)
    rows = tuple(
        row
        for row in library.definitions
        if row.analyte == analyte
        and row.category == "definition"
        and row.house
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


def _cut(row: DefinitionRow) -> float:
    assert isinstance(row.band.upper, (int, float))  # noqa: S101 (lowness_of)
    return float(row.band.upper)


def _may_hold(band: Ages, span: AgeSpan) -> bool:
    """Whether a band of ages holds for some age that the span leaves possible."""
    ends = (span.least, span.most)
    limits = (limit for limit in (band.low_days, band.high_days) if limit is not None)
    inside = sorted({*ends, *(limit for limit in limits if span.least < limit < span.most)})
    between = ((a + b) / 2 if b != float("inf") else a + 1.0 for a, b in pairwise(inside))
    return any(band.holds(age) for age in (*inside, *between))
