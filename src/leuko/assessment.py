"""The whole flow for one person, in the order in which a clinician would reason.

record -> where the counts stand -> medicines, infection, causes -> four answers -> one Assessment
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Any

from leuko.answers import Findings, answer, headline
from leuko.causes import causes_of
from leuko.drugs import links_of
from leuko.errors import Notice
from leuko.infection import infection_of
from leuko.knowledge import Library, load_library
from leuko.record import Record, Sign, digest_of
from leuko.result import Assessment, Citation
from leuko.result.causes import Cause
from leuko.result.drugs import DrugLink
from leuko.result.infection import Infection
from leuko.standing import Standing, standing_of


def assess(
    record: Record,
    *,
    as_of: date,
    library: Library | None = None,
    notices: Iterable[Notice] = (),
    symptoms: Iterable[Sign] = (),
) -> Assessment:
    """Assess one person's record as of a day.

    Counts dated after `as_of` are set aside, with a notice. `notices` are those of intake; they travel with the result.
    `symptoms` are signs beside the record's own, from the command line or a form.
    """
    library = library or load_library()
    standing = standing_of(record, library=library, as_of=as_of)
    parts = _parts(record, standing, tuple(symptoms), library, as_of)
    findings = Findings(
        latest=standing.latest,
        courses=standing.courses,
        lines=standing.lines,
        as_of=as_of,
        stale_days=_stale_days(library),
    )
    answers, courses = answer(findings), tuple(standing.courses.values())
    return Assessment(
        leuko_version=_version(),
        as_of=as_of,
        record_digest=record.digest or digest_of(record),
        knowledge_hash=library.hash,
        patient=standing.patient,
        headline=headline(findings),
        answers=answers,
        latest=tuple(standing.latest.values()),
        history=standing.every,
        lines=standing.lines,
        courses=courses,
        doses=record.doses,
        signs=(*record.signs, *symptoms),
        facts=record.facts,
        drug_links=parts.drug_links,
        causes=parts.causes,
        infection=parts.infection,
        set_aside=standing.cleaned.set_aside,
        gaps=standing.gaps,
        notices=(*notices, *standing.cleaned.notices),
        sources=_sources((answers, standing.every, standing.lines, courses, parts)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What is concluded from the counts and the rest of the record together."""

    drug_links: tuple[DrugLink, ...]
    infection: Infection
    causes: tuple[Cause, ...]


def _parts(record: Record, standing: Standing, symptoms: tuple[Sign, ...], library: Library, as_of: date) -> _Parts:
    series, latest, courses = standing.cleaned.series, standing.latest, standing.courses
    links = links_of(record, series=series, courses=courses, library=library, as_of=as_of)
    infection = infection_of(record, series=series, latest=latest, library=library, as_of=as_of, symptoms=symptoms)
    causes = causes_of(
        record,
        series=series,
        latest=latest,
        courses=courses,
        lines=standing.lines,
        drug_links=links,
        library=library,
        as_of=as_of,
    )
    return _Parts(drug_links=links, infection=infection, causes=causes)


def _version() -> str:
    from leuko import __version__  # noqa: PLC0415 (the package's own front door; a cycle at module level)

    return __version__


def _stale_days(library: Library) -> float:
    """A count speaks for as long as a low stretch would be carried on without another."""
    return min((rules.hole_days for rules in library.course.values()), default=float("inf"))


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
