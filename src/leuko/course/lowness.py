"""Which cut makes a count low: the house definition of the analyte at the age of each draw.

Where no definition is on file for the age, the lower end of the reference interval that the count is held against
stands in, the laboratory's own first. Where the age is not known at all, definitions and intervals are those of adults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from leuko.ages import age_span
from leuko.course.points import Cut, Point, Side, side_of
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema import Ages, DefinitionRow
from leuko.record import Count, Moment, Patient, Precision
from leuko.result import Citation, Reason, ReferenceInterval
from leuko.status.definitions import of_pregnancy, own_rows
from leuko.status.intervals import hold
from leuko.status.knownness import Person, rows_for
from leuko.wording import say_list, say_number, say_unit

_Day = tuple[date, Precision] | None


def _day(moment: Moment | None) -> _Day:
    """What of a moment an age turns on; one instant may lie on two days, in zones of its own."""
    return None if moment is None else (moment.day, moment.precision)


class Limit(Frozen, frozen=True, kw_only=True):
    """A cut and what it comes from: a definition, or the reference interval that stands in for one."""

    cut: Cut
    row: DefinitionRow | None = None
    interval: ReferenceInterval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowness:
    """The definition rows of one analyte, for one person. Of each day of a draw it remembers what held then.

    `at` tells who the person was at a draw (pregnant or not); without it `patient` holds for all of them.
    """

    analyte: str
    label: str
    unit: str
    rows: tuple[DefinitionRow, ...]
    patient: Patient
    library: Library
    at: Callable[[Moment | None], Patient] | None = None
    _persons: dict[_Day, Person] = field(default_factory=dict, repr=False, compare=False)
    _defined: dict[_Day, tuple[Limit, ...]] = field(default_factory=dict, repr=False, compare=False)

    def limits(self, count: Count) -> tuple[Limit, ...]:
        """Every limit that may apply at the draw, given what is known of age and sex; empty where there is none."""
        found = self._defined.get(day := _day(count.taken))
        if found is None:
            rows = own_rows(self.rows, pregnant=self._then(count).pregnant is True)
            found = tuple(_limit(row) for row in rows_for(rows, self.person(count)))
            self._defined[day] = found
        return found or self._of_interval(count)

    def _then(self, count: Count) -> Patient:
        return self.patient if self.at is None else self.at(count.taken)

    def _of_interval(self, count: Count) -> tuple[Limit, ...]:
        person = self.person(count)
        interval = hold(count, patient=self._then(count), person=person, library=self.library).interval
        return () if interval.low is None else (Limit(cut=Cut(value=interval.low), interval=interval),)

    def person(self, count: Count) -> Person:
        """What is known of the person at a draw."""
        found = self._persons.get(day := _day(count.taken))
        if found is None:
            found = Person(ages=age_span(self.patient, count.taken), sex=self.patient.sex)
            self._persons[day] = found
        return found

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
        rules = dict.fromkeys(limit.row.id if limit.row else f"interval:{self.analyte}" for limit in limits)
        said = say_list(list(dict.fromkeys(self._words(limit, alone=len(limits) == 1) for limit in limits)), "or")
        return Reason(
            rule="+".join(rules),
            text=" ".join([f"Low is {said}.", *self._remarks(counts, limits)]),
            citations=tuple(dict.fromkeys(cited for limit in limits for cited in self._cited(limit))),
        )

    def _words(self, limit: Limit, *, alone: bool) -> str:
        below = "at or below" if limit.cut.inclusive else "below"
        said = f"{below} {say_number(limit.cut.value)} {say_unit(self.unit)}"
        if limit.row is None:
            origin = limit.interval.label if limit.interval is not None else ""
            return f"{said} (the lower end of the reference interval: {origin})"
        ages = f", {limit.row.ages.text}" if limit.row.ages.text and not alone else ""
        return f"{said} ({limit.row.concept}{ages}; {limit.row.authority})"

    def _cited(self, limit: Limit) -> tuple[Citation, ...]:
        if limit.row is not None:
            return (self.library.cite(limit.row.basis),)
        return limit.interval.reason.citations if limit.interval is not None else ()

    def _remarks(self, counts: Sequence[Count], limits: Sequence[Limit]) -> list[str]:
        found = []
        if any(limit.row is None for limit in limits):
            found.append(f"No definition of low {self.label} is on file for the age.")
        if self.patient.born is None and any(row.ages != Ages() for row in self.rows):
            found.append(
                "The date of birth is not known: the limit for adults is used, and that of a child may differ."
            )
        if any(len(self.limits(count)) > 1 for count in counts):
            found.append("Which of them applies is not known; what lies between them is left open.")
        elif len({limit.cut for limit in limits}) > 1:
            found.append("The limit changes along these counts: each is held against that of its own day.")
        return found


def lowness_of(
    analyte: str,
    *,
    patient: Patient,
    library: Library,
    at: Callable[[Moment | None], Patient] | None = None,
) -> Lowness:
    """The house definition of low for an analyte; during a pregnancy that of pregnancy, where there is one."""
    known = library.analytes.get(analyte)
    rows = tuple(
        row
        for row in library.definitions
        if (row.analyte, row.category) == (analyte, "definition")
        and (row.house or of_pregnancy(row))
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
        at=at,
    )


def _limit(row: DefinitionRow) -> Limit:
    upper = row.band.upper
    assert isinstance(upper, (int, float))  # noqa: S101 (lowness_of)
    return Limit(cut=Cut(value=float(upper), inclusive=row.band.upper_inclusive), row=row)
