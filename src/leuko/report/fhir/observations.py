"""Counts, grades and readings as Observation: what was read as it was read, what leuko derived with its method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.knowledge import Library
from leuko.record import Count, Sign
from leuko.report.fhir.wire import (
    HL7,
    LOINC,
    MADE,
    RECORD,
    Json,
    Naming,
    coding,
    concept,
    filled,
    measured,
    narrative,
    notes,
    number,
    quantity,
    sent,
    text,
    when,
)
from leuko.report.outline import grade_words, interval_origin, scheme_words
from leuko.result import Assessment, Grade, ReferenceInterval, Status
from leuko.wording import say_count, say_moment, say_unit

_INTERPRETATIONS: Final = {"below": ("L", "Low"), "within": ("N", "Normal"), "above": ("H", "High")}
_LABORATORY: Final = [concept("Laboratory", [coding(f"{HL7}/observation-category", "laboratory", "Laboratory")])]
_VITAL: Final = [concept("Vital signs", [coding(f"{HL7}/observation-category", "vital-signs", "Vital Signs")])]
_UNKNOWN: Final = "unknown"


def count_observation(status: Status, naming: Naming, library: Library) -> Json:
    """One count: measured ones as they were read, derived ones with what they were derived from and how."""
    count = status.count
    derived = count.kind == "derived"
    return filled(
        {
            "resourceType": "Observation",
            "id": naming.id(f"count/{count.id}"),
            "meta": {"tag": [coding(MADE, "derived" if derived else "as-read")]},
            "text": narrative(f"{status.label} {say_count(count)}, {say_moment(count.taken)}"),
            "identifier": [{"system": RECORD, "value": text(count.id)}],
            "status": count.status,
            "category": _LABORATORY,
            "code": concept(status.label, _codes(count, library)),
            "subject": naming.to("patient", "Patient"),
            "effectiveDateTime": when(count.taken),
            "issued": when(count.issued) if count.issued is not None and count.issued.has_time else None,
            "valueQuantity": quantity(count.value, count.unit, count.bound),
            "interpretation": _interpretation(status),
            "note": notes(*_count_notes(status)),
            "method": concept(_method(count)) if _method(count) else None,
            "referenceRange": _range(status.interval, count.unit),
            "derivedFrom": naming.evidence(count.derived_from),
        }
    )


def _codes(count: Count, library: Library) -> list[Json]:
    """The source's own codes of a measured count; of a derived one the code without a method, as none was used."""
    if count.kind != "derived":
        return sent(count.origin.codes)
    rows = [row for row in library.codes.values() if row.system == LOINC and row.analyte == count.analyte]
    plain = next((row for row in rows if row.method is None and not row.panel and not row.refuse), None)
    return [] if plain is None else [coding(LOINC, plain.code, plain.basis.says)]


def _method(count: Count) -> str:
    if count.kind == "derived":
        return f"derived: {count.derivation}" if count.derivation else "derived"
    return count.method or ""


def _interpretation(status: Status) -> list[Json]:
    """Low, normal or high against the interval; critically low where a critical value is met. Unknown says nothing."""
    found = _INTERPRETATIONS.get(status.position)
    critical = any(met.met for met in status.critical)
    code = ("LL", "Critical low") if critical and status.position == "below" else found
    return [] if code is None else [concept(code[1], [coding(f"{HL7}/v3-ObservationInterpretation", *code)])]


def _count_notes(status: Status) -> Iterator[str]:
    count = status.count
    yield from (reason.text for reason in status.conflicts)
    yield from (f"earlier version: {say_count(old)}" for old in count.superseded)
    if count.taken is not None and count.taken.zone_assumed:
        yield "the source names no time zone; the zone of this time is assumed"


def _range(interval: ReferenceInterval, unit: str) -> list[Json]:
    if interval.low is None and interval.high is None:
        return []
    ends = {
        name: {"value": number(end), "unit": say_unit(unit), "system": "http://unitsofmeasure.org", "code": unit}
        for name, end in (("low", interval.low), ("high", interval.high))
        if end is not None
    }
    return [{**ends, "text": text(f"{interval.label} ({interval_origin(interval)})")}]


def grade_observation(status: Status, naming: Naming) -> Json:
    """The grades of one count in every scheme and edition; a grade that cannot be given says why."""
    return filled(
        {
            "resourceType": "Observation",
            "id": naming.id(f"grades/{status.count.id}"),
            "meta": {"tag": [coding(MADE, "concluded")]},
            "text": narrative(*(_grade_line(status, grade) for grade in status.grades)),
            "status": "preliminary",
            "code": concept(f"Toxicity grades of {status.label}"),
            "subject": naming.to("patient", "Patient"),
            "effectiveDateTime": when(status.count.taken),
            "device": naming.to("leuko", "Device"),
            "derivedFrom": naming.evidence([status.count.id]),
            "component": [_grade(grade) for grade in status.grades],
        }
    )


def _grade_line(status: Status, grade: Grade) -> str:
    return f"{status.label}: {scheme_words(grade.scheme, grade.edition)} grade {grade_words(grade)}"


def _grade(grade: Grade) -> Json:
    code = concept(f"{scheme_words(grade.scheme, grade.edition)}: {grade.term}")
    if grade.value is not None:
        return {"code": code, "valueInteger": grade.value}
    if grade.least is not None and grade.most is not None:
        return {"code": code, "valueRange": {"low": {"value": grade.least}, "high": {"value": grade.most}}}
    return {"code": code, "dataAbsentReason": absent(grade.gap.why if grade.gap is not None else grade.reason.text)}


def absent(why: str) -> Json:
    """Why a value is not there."""
    return concept(why, [coding(f"{HL7}/data-absent-reason", _UNKNOWN, "Unknown")])


def sign_observation(sign: Sign, naming: Naming) -> Json:
    """A reading or symptom that a conclusion rests on, as it was read."""
    value = {} if sign.value is None else {"valueQuantity": measured(sign.value, sign.unit)}
    if not value and sign.present is not None:
        value = {"valueBoolean": sign.present}  # type: ignore[dict-item]
    elif not value and sign.text and text(sign.text):
        value = {"valueString": text(sign.text)}  # type: ignore[dict-item]
    return filled(
        {
            "resourceType": "Observation",
            "id": naming.id(f"sign/{sign.id}"),
            "meta": {"tag": [coding(MADE, "as-read")]},
            "text": narrative(f"{sign.name}, {say_moment(sign.taken)}"),
            "identifier": [{"system": RECORD, "value": text(sign.id)}],
            "status": _UNKNOWN,
            "category": _VITAL if sign.value is not None else None,
            "code": concept(sign.name, sent(sign.codes)),
            "subject": naming.to("patient", "Patient"),
            "effectiveDateTime": when(sign.taken),
            **(value or {"dataAbsentReason": absent("the source gives no value")}),
        }
    )


def measured_by(assessment: Assessment) -> dict[str, Status]:
    """Every count of the assessment that is used, by its id."""
    return {status.count.id: status for status in (*assessment.history, *assessment.latest)}
