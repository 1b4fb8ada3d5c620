"""What the counts of one person say by themselves: clean series, where each stands, its course, which lines fall."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from leuko.counts import Cleaned, clean
from leuko.course import course_of
from leuko.drugs import identify
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.person import Statement, person_at, statements_of
from leuko.record import Moment, Patient, Record
from leuko.result import Course, Gap, Lines, Status
from leuko.status import assessed_analytes, lines_of, status_of


class Standing(Frozen, frozen=True, kw_only=True):
    """The counts, cleaned, and what they say; `latest` holds the last status of each analyte."""

    patient: Patient
    cleaned: Cleaned
    history: Mapping[str, tuple[Status, ...]]
    latest: Mapping[str, Status]
    courses: Mapping[str, Course]
    lines: Lines

    @property
    def every(self) -> tuple[Status, ...]:
        """Every status, analyte by analyte, in order of time."""
        return tuple(status for statuses in self.history.values() for status in statuses)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What the counts leave open, once each."""
        found = [
            *self.cleaned.gaps,
            *(gap for status in self.latest.values() for gap in status.gaps),
            *(gap for course in self.courses.values() for gap in course.gaps),
        ]
        return tuple(dict.fromkeys(found))


def standing_of(record: Record, *, library: Library, as_of: date) -> Standing:
    """Clean the counts, hold each against its interval, definitions and grades, and follow each analyte over time."""
    cleaned = clean(record, library=library, as_of=as_of)
    told = statements_of(record, library=library)
    patient = person_at(record, None, told)
    history = _history(cleaned, record, told, library)
    latest = {analyte: statuses[-1] for analyte, statuses in history.items()}
    return Standing(
        patient=patient,
        cleaned=cleaned,
        history=history,
        latest=latest,
        courses=_courses(cleaned, replace(record, patient=patient), library, as_of, told),
        lines=lines_of(latest, library=library),
    )


def _history(
    cleaned: Cleaned, record: Record, told: tuple[Statement, ...], library: Library
) -> dict[str, tuple[Status, ...]]:
    return {
        analyte: tuple(
            status_of(count, patient=person_at(record, count.taken, told), library=library)
            for count in cleaned.series[analyte]
        )
        for analyte in assessed_analytes(library)
        if cleaned.series.get(analyte)
    }


def _courses(
    cleaned: Cleaned, record: Record, library: Library, as_of: date, told: tuple[Statement, ...]
) -> dict[str, Course]:
    cycles = _cycles(record, library)
    return {
        analyte: course_of(
            analyte,
            cleaned.series[analyte],
            patient=record.patient,
            library=library,
            as_of=as_of,
            doses=record.doses,
            cycles=cycles,
            at=lambda moment: person_at(record, moment, told),
        )
        for analyte in library.course
        if cleaned.series.get(analyte)
    }


def _cycles(record: Record, library: Library) -> tuple[Moment, ...]:
    """When cytotoxic treatment was given; orders and statements tell of no day on which it was."""
    given = [dose for dose in record.doses if dose.given and dose.start is not None]
    rows = {dose.id: identify(dose, library=library) for dose in given}
    return tuple(
        dose.start
        for dose in given
        if dose.start is not None and (row := rows[dose.id]) is not None and row.pattern == "cytotoxic"
    )
