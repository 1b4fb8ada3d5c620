"""Medicines on the time line against low counts: one link for each medicine and episode, ranked, with its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from leuko.drugs.answers import answers_of
from leuko.drugs.book import Book, book_of
from leuko.drugs.causality import causality_of
from leuko.drugs.exposure import Taken, taken_of
from leuko.drugs.findings import FITTING, Finding, Low, findings_of
from leuko.drugs.record import explanations_of, growth_factors
from leuko.drugs.say import contradictions_of, missing_of, pros_and_cons, summary_of
from leuko.knowledge import Library
from leuko.record import Count, Record
from leuko.result import Course, Episode
from leuko.result.drugs import Causality, CausalityScheme, DrugLink, Exposure

LINES: Final = ("neutrophils", "lymphocytes", "monocytes", "eosinophils", "basophils", "cd4", "wbc")
"""The lines that medicines are held against; the white count only where no line of it has an episode at that time."""

_STRENGTH: Final = {"strong": 0, "moderate": 1, "weak": 2, "unknown": 3, "unreviewed": 4, "against": 6}
_UNLISTED: Final = 5
_SCHEMES: Final[tuple[CausalityScheme, ...]] = ("naranjo", "who_umc", "benichou")


def exposures_of(record: Record, *, library: Library, as_of: date) -> tuple[Exposure, ...]:
    """Every stretch of time on a medicine, in order of medicine and time; medicines never taken are left out."""
    book = book_of(library)
    taken = taken_of(record.doses, index=book.index, join_days=book.days("join"), as_of=as_of)
    return tuple(exposure for one in taken for exposure in one.exposures)


def links_of(
    record: Record,
    *,
    series: Mapping[str, Sequence[Count]],
    courses: Mapping[str, Course],
    library: Library,
    as_of: date,
) -> tuple[DrugLink, ...]:
    """Every medicine of a record against every episode of low counts of each white line.

    By line, episode and rank. No episode, no link. A medicine that is not known to lower a line has no link to it; one
    that leuko does not know is linked as "unlisted" where it ran at the onset.
    """
    book = book_of(library)
    taken = taken_of(record.doses, index=book.index, join_days=book.days("join"), as_of=as_of)
    return tuple(link for low in _lows(series, courses, book) for link in _linked(record, taken, low))


def _lows(series: Mapping[str, Sequence[Count]], courses: Mapping[str, Course], book: Book) -> list[Low]:
    return [
        Low(analyte=line, number=number, episodes=courses[line].episodes, counts=tuple(series.get(line, ())), book=book)
        for line in LINES
        if line in courses
        for number, episode in enumerate(courses[line].episodes)
        if line != "wbc" or not _told_by_a_line(episode, courses)
    ]


def _told_by_a_line(episode: Episode, courses: Mapping[str, Course]) -> bool:
    lines = (courses[line] for line in ("neutrophils", "lymphocytes") if line in courses)
    return any(_overlap(episode, other) for course in lines for other in course.episodes)


def _overlap(one: Episode, other: Episode) -> bool:
    def ends(episode: Episode) -> tuple[float, float]:
        start = episode.onset.earliest or episode.onset.latest
        end = episode.recovery.latest if episode.recovery is not None else None
        return start.timestamp() if start else 0.0, end.timestamp() if end else float("inf")

    return ends(one)[0] <= ends(other)[1] and ends(other)[0] <= ends(one)[1]


def _linked(record: Record, taken: Sequence[Taken], low: Low) -> list[DrugLink]:
    findings = findings_of(taken, low)
    scored = {id(found): _causality(found, findings, record) for found in findings}
    ranked = sorted(findings, key=lambda found: _rank(found, scored[id(found)]))
    return [_link(found, ranked, place, scored[id(found)], record) for place, found in enumerate(ranked, start=1)]


def _rank(found: Finding, causality: Sequence[Causality]) -> tuple[int, int, int, str]:
    """Strength first, then Naranjo's total, then given before ordered, then the name: nothing hidden."""
    step = _UNLISTED if found.row is None else _STRENGTH[found.strength]
    total = next((one.total for one in causality if one.scheme == "naranjo"), None)
    return step, -(total or 0), int(not found.proven), found.taken.name


def _others(found: Finding, findings: Sequence[Finding]) -> list[Finding]:
    return [one for one in findings if one is not found and one.could and not one.taken.local]


def _faint(found: Finding) -> bool:
    """Whether a medicine ran at the time but is too weak a candidate, or not reviewed, to count as another cause."""
    return found.row is not None and found.timed.timing in FITTING


def _causality(found: Finding, findings: Sequence[Finding], record: Record) -> tuple[Causality, ...]:
    if found.row is None:
        return ()
    suspects = [one for one in _others(found, findings) if one.strength in {"strong", "moderate"}]
    faint = [one.taken.name for one in findings if one is not found and one not in suspects and _faint(one)]
    answers = answers_of(
        found,
        record=record,
        others=[one.taken.name for one in suspects],
        faint=faint,
        other=explanations_of(record, found.low.episode, found.low.book),
    )
    schemes = _SCHEMES if found.low.analyte == "neutrophils" and found.row.pattern != "cytotoxic" else _SCHEMES[:2]
    return tuple(causality_of(scheme, answers, found.low.book) for scheme in schemes)


def _link(
    found: Finding, ranked: Sequence[Finding], place: int, causality: tuple[Causality, ...], record: Record
) -> DrugLink:
    row, book = found.row, found.low.book
    others = _others(found, ranked)
    growth = growth_factors(record.doses, found.low.episode, book)
    pros, cons = pros_and_cons(found, others, explanations_of(record, found.low.episode, book), growth)
    exposure = found.timed.exposure
    windows = (found.timed.window, book.window(row, "recovery")) if row is not None else ()
    return DrugLink(
        drug=found.taken.name,
        drug_id=row.id if row is not None else "",
        drug_class=row.drug_class if row is not None else "",
        analyte=found.low.analyte,
        episode=found.low.number,
        role=found.role,
        reviewed=found.reviewed,
        timing=found.timed.timing,
        latency=found.timed.latency,
        exposures=found.taken.exposures,
        running=exposure.running if exposure is not None else None,
        dechallenge=found.response.dechallenge if found.response is not None else "cannot_say",
        rechallenge=found.response.rechallenge if found.response is not None else "cannot_say",
        strength="unknown" if row is None else found.strength,
        rank=place,
        others=tuple(one.taken.name for one in others),
        clues_for=pros,
        clues_against=cons,
        contradictions=contradictions_of(found),
        missing=missing_of(found),
        causality=causality,
        mechanism=row.mechanism if row is not None and found.reviewed else "",
        incidence=row.incidence if row is not None and row.incidence_confirmed else "",
        evidence_level=_evidence(found),
        citations=book.cite(row, *windows) if row is not None else (),
        reason=summary_of(found, causality, others),
    )


def _evidence(found: Finding) -> str:
    row = found.row
    if row is None or row.evidence is None or not found.reviewed:
        return ""
    return f"{row.evidence}: {row.evidence_text}" if row.evidence_text else row.evidence
