"""What is wrong now: DetectedIssue for a low count, Flag for a person who must be seen soon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from leuko.answers import is_low
from leuko.knowledge import Library
from leuko.knowledge.schema.outputs import CodeSent, IssueSeverity
from leuko.report.fhir.wire import (
    HL7,
    MADE,
    Json,
    Naming,
    coding,
    concept,
    filled,
    narrative,
    text,
    when,
)
from leuko.result import Assessment, DefinitionMet, Reason, Status
from leuko.wording import say_count, say_date, say_days, say_moment

WHITE: Final = ("wbc", "neutrophils", "lymphocytes")
_RANK: Final = ("low", "moderate", "high")
_PRESSING: Final = ("emergency", "urgent")


def low_issues(assessment: Assessment) -> tuple[Status, ...]:
    """The latest white counts that are low; what cannot be said is no issue, and no all-clear either."""
    return tuple(status for status in assessment.latest if status.count.analyte in WHITE and is_low(status))


def detected_issue(status: Status, assessment: Assessment, naming: Naming, library: Library) -> Json:
    """A low count, with its severity where house rules name one (knowledge: outputs)."""
    name, reason = _named(status)
    where = f"{status.label} {say_count(status.count)} on {say_moment(status.count.taken)}{_age(status, assessment)}"
    detail = [where, reason.text, *([status.severity.reason.text] if status.severity is not None else [])]
    rests = naming.evidence([status.count.id, *reason.evidence])
    return filled(
        {
            "resourceType": "DetectedIssue",
            "id": naming.id(f"issue/{status.count.analyte}"),
            "meta": {"tag": [coding(MADE, "concluded")]},
            "text": narrative(f"{name}: {where}"),
            "status": "preliminary",
            "code": concept(name, _codes(status, library)),
            "severity": _severity(status, library),
            "patient": naming.to("patient", "Patient"),
            "identifiedDateTime": assessment.as_of.isoformat(),
            "author": naming.to("leuko", "Device"),
            "implicated": rests[:1],
            "evidence": [{"detail": rests}],
            "detail": text("; ".join(dict.fromkeys(detail))),
        }
    )


def _age(status: Status, assessment: Assessment) -> str:
    """How old the count is: an issue may be known today and rest on a count of last year."""
    if status.count.taken is None:
        return ""
    days = (assessment.as_of - status.count.taken.day).days
    return f" ({say_days(days)} before this assessment)" if days > 0 else ""


def _named(status: Status) -> tuple[str, Reason]:
    """The severity band, else the house definition, else where the count stands."""
    if status.severity is not None and status.severity.met:
        return status.severity.name, status.severity.reason
    house = _house(status)
    if house is not None and house.met:
        return house.name, house.reason
    return f"{status.label} below the reference interval", status.position_reason


def _house(status: Status) -> DefinitionMet | None:
    return next((met for met in status.definitions if met.house), None)


def _codes(status: Status, library: Library) -> list[Json]:
    """Codes of the finding, only where the house definition itself is met: they name it and nothing more."""
    house = _house(status)
    if house is None or not house.met:
        return []
    rows = [row for row in library.rows(CodeSent) if row.basis.drives and row.concept == house.name.lower()]
    return [coding(row.system, row.code, row.display) for row in rows]


def _severity(status: Status, library: Library) -> str | None:
    """The declared word; none where a bound leaves bands of different words open."""
    words = {row.definition: row.severity for row in library.rows(IssueSeverity) if row.basis.drives}
    critical = [words[met.id] for met in status.critical if met.met and met.id in words]
    bands = _band_words(status.severity, words)
    agreed = set(bands) if len(set(bands)) == 1 else set()
    return max([*critical, *(agreed - {""})], key=_RANK.index, default=None)


def _band_words(severity: DefinitionMet | None, words: Mapping[str, str]) -> list[str]:
    """The words of the band; of one that is open downwards (`a+b`), those of both its ends."""
    if severity is None or not severity.met:
        return []
    return [words.get(each, "") for each in severity.id.split("+")]


def flags(assessment: Assessment, naming: Naming) -> Iterator[Json]:
    """Why somebody must look at once: the infection's urgency and a definition of febrile neutropenia that is met."""
    infection = assessment.infection
    if infection is None:
        return
    if infection.alert:
        met = [verdict for verdict in infection.verdicts if verdict.met and verdict.alerts]
        bodies = ", ".join(dict.fromkeys(verdict.body for verdict in met))
        at = next((verdict.at for verdict in met if verdict.at is not None), None)
        yield _flag("fever", f"Fever with neutropenia ({bodies})", when(at), assessment, naming)
    if infection.urgency.level in _PRESSING:
        yield _flag("urgency", infection.urgency.text, None, assessment, naming)


def _flag(name: str, words: str, start: str | None, assessment: Assessment, naming: Naming) -> Json:
    return {
        "resourceType": "Flag",
        "id": naming.id(f"flag/{name}"),
        "meta": {"tag": [coding(MADE, "concluded")]},
        "text": narrative(f"{words} (as of {say_date(assessment.as_of)})"),
        "status": "active",
        "category": [concept("Safety", [coding(f"{HL7}/flag-category", "safety", "Safety")])],
        "code": concept(words),
        "subject": naming.to("patient", "Patient"),
        "period": {"start": start or assessment.as_of.isoformat()},
        "author": naming.to("leuko", "Device"),
    }
