"""The whole flow for one person, in the order in which a clinician would reason.

record -> clean series -> where each count stands -> its course over time -> four answers -> one Assessment
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any

from leuko.answers import Findings, answer, headline
from leuko.counts import Cleaned, clean
from leuko.course import course_of
from leuko.errors import Notice
from leuko.knowledge import Library, load_library
from leuko.person import Statement, person_at, statements_of
from leuko.record import Record, digest_of
from leuko.result import Assessment, Citation, Course, Gap, Status
from leuko.status import assessed_analytes, lines_of, status_of


def assess(
    record: Record, *, as_of: date, library: Library | None = None, notices: Iterable[Notice] = ()
) -> Assessment:
    """Assess one person's record as of a day.

    Counts dated after `as_of` are set aside, with a notice. `notices` are those of intake; they travel with the result.
    """
    library = library or load_library()
    cleaned = clean(record, library=library, as_of=as_of)
    told = statements_of(record, library=library)
    patient = person_at(record, None, told)
    history = _history(cleaned, record, told, library)
    latest = {analyte: statuses[-1] for analyte, statuses in history.items()}
    courses = _courses(cleaned, replace(record, patient=patient), library, as_of)
    lines = lines_of(latest, library=library)
    findings = Findings(latest=latest, courses=courses, lines=lines, as_of=as_of, stale_days=_stale_days(library))
    answers = answer(findings)
    every = tuple(status for statuses in history.values() for status in statuses)
    return Assessment(
        leuko_version=_version(),
        as_of=as_of,
        record_digest=record.digest or digest_of(record),
        knowledge_hash=library.hash,
        patient=patient,
        headline=headline(findings),
        answers=answers,
        latest=tuple(latest.values()),
        history=every,
        lines=lines,
        courses=tuple(courses.values()),
        doses=record.doses,
        signs=record.signs,
        facts=record.facts,
        set_aside=cleaned.set_aside,
        gaps=_gaps(cleaned, latest, courses),
        notices=(*notices, *cleaned.notices),
        sources=_sources((answers, every, lines, tuple(courses.values()))),
    )


def _version() -> str:
    from leuko import __version__  # noqa: PLC0415 (the package's own front door; a cycle at module level)

    return __version__


def _stale_days(library: Library) -> float:
    """A count speaks for as long as a low stretch would be carried on without another."""
    return min((rules.hole_days for rules in library.course.values()), default=float("inf"))


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


def _courses(cleaned: Cleaned, record: Record, library: Library, as_of: date) -> dict[str, Course]:
    return {
        analyte: course_of(
            analyte, cleaned.series[analyte], patient=record.patient, library=library, as_of=as_of, doses=record.doses
        )
        for analyte in library.course
        if cleaned.series.get(analyte)
    }


def _gaps(cleaned: Cleaned, latest: Mapping[str, Status], courses: Mapping[str, Course]) -> tuple[Gap, ...]:
    found = [
        *cleaned.gaps,
        *(gap for status in latest.values() for gap in status.gaps),
        *(gap for course in courses.values() for gap in course.gaps),
    ]
    return tuple(dict.fromkeys(found))


def _sources(value: Any) -> tuple[Citation, ...]:
    """Every citation that the conclusions rest on, once each, in order of appearance."""
    return tuple(dict.fromkeys(_citations(value)))


def _citations(value: Any) -> Iterable[Citation]:
    if isinstance(value, Citation):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _citations(getattr(value, field.name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _citations(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _citations(item)
