"""The assessment as FHIR R4: one Bundle of type collection, complete in itself, for another program to read.

What was read (counts and readings that conclusions rest on) is tagged `as-read`, so that a receiver which holds it
already can leave it out; what leuko made is tagged `derived` or `concluded`. Conclusions are `preliminary`, plans are
proposals: a person decides. Ids and times are made from the content, so equal assessments give equal bundles.
docs/reference/fhir.md lists every resource.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from leuko.frozen import names_of
from leuko.knowledge import Library, load_library
from leuko.record import Patient
from leuko.report.fhir.forecasts import forecast_assessments
from leuko.report.fhir.guidance import care_plan, guidance, impression, outcome
from leuko.report.fhir.issues import detected_issue, flags, low_issues
from leuko.report.fhir.observations import count_observation, grade_observation, measured_by, sign_observation
from leuko.report.fhir.risks import risk_assessment, score_observation, sendable
from leuko.report.fhir.wire import (
    HL7,
    MADE,
    Json,
    Naming,
    coding,
    concept,
    day_as_instant,
    filled,
    logical,
    narrative,
    text,
)
from leuko.report.outline import PURPOSE, patient_words
from leuko.result import Assessment


def encode(assessment: Assessment, *, library: Library | None = None, pretty: bool = True) -> bytes:
    """The bundle as JSON (UTF-8); on one line where it is not `pretty`."""
    made = bundle(assessment, library=library)
    separators = None if pretty else (",", ":")
    written = json.dumps(made, ensure_ascii=False, indent=2 if pretty else None, separators=separators)
    return written.encode() + b"\n"


def bundle(assessment: Assessment, *, library: Library | None = None) -> Json:
    """The Bundle with everything that the assessment says, Provenance last."""
    library = library or load_library()
    naming = Naming.of(assessment)
    naming = naming.holding(_held(assessment))
    resources = list(_resources(assessment, naming, library))
    resources.append(_provenance(assessment, naming, resources))
    return {
        "resourceType": "Bundle",
        "id": naming.id("bundle"),
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{naming.id('bundle')}"},
        "type": "collection",
        "timestamp": day_as_instant(assessment.as_of),
        "entry": [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in resources],
    }


def _held(assessment: Assessment) -> dict[str, str]:
    """What of the record is sent: the latest counts, and every count and reading that something sent rests on."""
    counts, signs = measured_by(assessment), {sign.id: sign for sign in assessment.signs}
    sent = (assessment.latest, assessment.infection, sendable(assessment), _supported(assessment))
    wanted = [*(status.count.id for status in assessment.latest), *(each for part in sent for each in _evidence(part))]
    for each in wanted:  # grows: what a derived count was derived from is wanted too
        wanted += [more for more in _sources(counts, each) if more not in wanted]
    names = {each: f"count/{each}" for each in wanted if each in counts}
    return names | {each: f"sign/{each}" for each in wanted if each in signs and each not in counts}


def _supported(assessment: Assessment) -> tuple[Any, ...]:
    return tuple(cause.clues_for for cause in assessment.causes if cause.standing == "supported")


def _sources(counts: dict[str, Any], each: str) -> tuple[str, ...]:
    return counts[each].count.derived_from if each in counts else ()


def _evidence(value: Any) -> Iterator[str]:
    """The ids in every field called `evidence` of a result, and of the results in it."""
    if isinstance(value, tuple):
        for item in value:
            yield from _evidence(item)
    else:
        kind: Any = type(value)
        for name in names_of(kind):
            inner = getattr(value, name)
            if name == "evidence":
                yield from inner
            else:
                yield from _evidence(inner)


def _resources(assessment: Assessment, naming: Naming, library: Library) -> Iterator[Json]:
    yield _patient(assessment.patient, naming)
    yield _device(assessment, naming)
    counts = measured_by(assessment)
    held = [each for each in naming.held if each in counts]
    yield from (count_observation(counts[each], naming, library) for each in held)
    signs = (sign for sign in assessment.signs if sign.id in naming.held and sign.id not in counts)
    yield from (sign_observation(sign, naming) for sign in signs)
    yield from (grade_observation(status, naming) for status in assessment.latest if status.grades)
    yield from (detected_issue(status, assessment, naming, library) for status in low_issues(assessment))
    yield from flags(assessment, naming)
    for score in sendable(assessment):
        yield score_observation(score, assessment, naming)
        yield risk_assessment(score, assessment, naming)
    yield from forecast_assessments(assessment, naming)
    whole = (impression(assessment, naming), care_plan(assessment, naming), outcome(assessment, naming))
    yield from (each for each in whole if each is not None)
    yield guidance(assessment, naming)


def _patient(patient: Patient, naming: Naming) -> Json:
    born = patient.born.isoformat() if patient.born is not None else ""
    length = {"year": 4, "month": 7}.get(patient.born_precision, 10)
    return filled(
        {
            "resourceType": "Patient",
            "id": naming.id("patient"),
            "meta": {"tag": [coding(MADE, "as-read")]},
            "text": narrative(patient_words(patient)),
            "identifier": [{"value": text(patient.id)}] if text(patient.id) else None,
            "gender": patient.sex,
            "birthDate": born[:length],
            "deceasedDateTime": patient.died.isoformat() if patient.died is not None else None,
        }
    )


def _device(assessment: Assessment, naming: Naming) -> Json:
    """leuko itself, as the author of what it concludes."""
    return {
        "resourceType": "Device",
        "id": naming.id("leuko"),
        "text": narrative(f"leuko {assessment.leuko_version}. {PURPOSE}"),
        "status": "active",
        "deviceName": [{"name": "leuko", "type": "model-name"}],
        "type": concept("software that assesses blood counts"),
        "version": [{"value": assessment.leuko_version}],
    }


def _provenance(assessment: Assessment, naming: Naming, resources: list[Json]) -> Json:
    """Who made the conclusions, from which record and with which knowledge. The day of assessment is the only clock."""
    made = [each for each in resources if each["resourceType"] not in {"Patient", "Device"} and not _as_read(each)]
    author = f"{HL7}/provenance-participant-type"
    return {
        "resourceType": "Provenance",
        "id": naming.id("provenance"),
        "text": narrative(f"Made by leuko {assessment.leuko_version} as of {assessment.as_of.isoformat()}"),
        "target": [{"reference": f"urn:uuid:{each['id']}", "type": each["resourceType"]} for each in made],
        "occurredDateTime": assessment.as_of.isoformat(),
        "recorded": day_as_instant(assessment.as_of),
        "activity": concept("assessment of blood counts"),
        "agent": [
            {
                "type": concept("Author", [coding(author, "author", "Author")]),
                "who": {**naming.to("leuko", "Device"), "display": f"leuko {assessment.leuko_version}"},
            }
        ],
        "entity": [
            {"role": "source", "what": logical("urn:leuko:record-digest", assessment.record_digest, display="record")},
            {"role": "source", "what": logical("urn:leuko:knowledge", assessment.knowledge_hash, display="knowledge")},
        ],
    }


def _as_read(resource: Json) -> bool:
    tags = resource.get("meta", {}).get("tag", [])
    return any(tag["system"] == MADE and tag["code"] == "as-read" for tag in tags)


__all__ = ["bundle", "encode"]
