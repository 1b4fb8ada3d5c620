"""The parts of FHIR R4 resources that are read, as msgspec types; every other field is skipped while decoding.

Numbers stay as they were written (`Raw`): in FHIR 0.70 and 0.7 are not the same statement.
Field names are FHIR's own (https://hl7.org/fhir/R4/), in snake case. `from __future__ import annotations` is left out:
msgspec would evaluate each text again, which takes longer than all else of the import.
"""

from functools import cache
from typing import Any

import msgspec
from msgspec import Raw


class _Wire(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """Base of all: unknown fields are skipped, missing ones are None."""


class Coding(_Wire):
    """One code of one system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(_Wire):
    """Codes that mean the same, and the words of the source."""

    coding: list[Coding] | None = None
    text: str | None = None


class Extension(msgspec.Struct, kw_only=True, rename="camel"):
    """A FHIR extension; only the kinds of value that are used."""

    url: str | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_date_time: str | None = None
    value_string: str | None = None
    value_code: str | None = None


class Identifier(_Wire):
    """A business identifier."""

    system: str | None = None
    value: str | None = None


class Reference(_Wire):
    """A link to another resource; `display` is kept out of notices, as it may be a person's name."""

    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Quantity(_Wire):
    """A measured amount; `value` is the number's own text."""

    value: Raw = Raw()
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Period(_Wire):
    """A stretch of time; either end may be missing."""

    start: str | None = None
    end: str | None = None


class Range(_Wire):
    """Low and high, both inclusive."""

    low: Quantity | None = None
    high: Quantity | None = None


class Repeat(_Wire):
    """The bounds of a repeated timing."""

    bounds_period: Period | None = None


class Timing(_Wire):
    """When something happens: single events, or a repetition."""

    event: list[str] | None = None
    repeat: Repeat | None = None


class ReferenceRange(_Wire):
    """A printed interval, and whom it is for."""

    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    applies_to: list[CodeableConcept] | None = None
    age: Range | None = None
    text: str | None = None


class Meta(_Wire):
    """Version of a resource on its server."""

    version_id: str | None = None
    last_updated: str | None = None


class Resource(_Wire):
    """What every resource may carry."""

    resource_type: str = ""
    id: str | None = None
    meta: Meta | None = None
    identifier: list[Identifier] | Identifier | None = None
    contained: list[Raw] | None = None
    modifier_extension: list[Raw] | None = None


class PatientLink(_Wire):
    """Another record of the same person."""

    other: Reference | None = None
    type: str | None = None


class Patient(Resource):
    """The person; names, addresses and extensions are not read."""

    birth_date: str | None = None
    gender: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None
    link: list[PatientLink] | None = None


class Valued(Resource):
    """A value of any type, or why there is none: what Observation and its components share."""

    code: CodeableConcept | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: Raw = Raw()
    value_range: Range | None = None
    value_ratio: Raw = Raw()
    value_sampled_data: Raw = Raw()
    value_time: str | None = None
    value_date_time: str | None = None
    value_period: Period | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] | CodeableConcept | None = None
    reference_range: list[ReferenceRange] | None = None


class Component(Valued):
    """One part of an Observation."""


class Observation(Valued):
    """A measurement, a panel, or both."""

    status: str | None = None
    category: list[CodeableConcept] | CodeableConcept | None = None
    subject: Reference | None = None
    focus: list[Reference] | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    effective_timing: Timing | None = None
    issued: str | None = None
    method: CodeableConcept | None = None
    specimen: Reference | None = None
    has_member: list[Reference] | None = None
    component: list[Component] | None = None


class DiagnosticReport(Resource):
    """A report over several Observations."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    specimen: list[Reference] | Reference | None = None
    result: list[Reference] | None = None


class Collection(_Wire):
    """How a specimen was taken."""

    collected_date_time: str | None = None
    collected_period: Period | None = None


class Specimen(Resource):
    """What was taken from the person."""

    status: str | None = None
    type: CodeableConcept | None = None
    subject: Reference | None = None
    collection: Collection | None = None


class Condition(Resource):
    """A diagnosis or problem."""

    code: CodeableConcept | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    clinical_status: CodeableConcept | str | None = None
    verification_status: CodeableConcept | str | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    onset_age: Quantity | None = None
    onset_range: Range | None = None
    onset_string: str | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_string: str | None = None
    recorded_date: str | None = None


class Procedure(Resource):
    """Something done to the person."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    performed_string: str | None = None


class AllergyIntolerance(Resource):
    """An allergy or intolerance."""

    code: CodeableConcept | None = None
    patient: Reference | None = None
    clinical_status: CodeableConcept | str | None = None
    verification_status: CodeableConcept | str | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    recorded_date: str | None = None


class AdverseEvent(Resource):
    """An adverse event; its CTCAE grade stands in an extension."""

    extension: list[Extension] | None = None
    actuality: str | None = None
    event: CodeableConcept | None = None
    subject: Reference | None = None
    date: str | None = None
    detected: str | None = None
    recorded_date: str | None = None
    severity: CodeableConcept | None = None
    outcome: CodeableConcept | None = None


class Ingredient(_Wire):
    """One substance of a medicine."""

    item_codeable_concept: CodeableConcept | None = None


class Medication(Resource):
    """A medicine that orders and administrations refer to."""

    code: CodeableConcept | None = None
    ingredient: list[Ingredient] | None = None


class DoseAndRate(_Wire):
    """One amount of an order."""

    dose_quantity: Quantity | None = None
    dose_range: Range | None = None


class Dosage(_Wire):
    """How a medicine is taken (orders, statements, dispenses)."""

    text: str | None = None
    timing: Timing | None = None
    route: CodeableConcept | None = None
    dose_and_rate: list[DoseAndRate] | None = None
    dose_quantity: Quantity | None = None


class GivenDosage(_Wire):
    """How a medicine was given."""

    text: str | None = None
    route: CodeableConcept | None = None
    dose: Quantity | None = None


class Medicine(Resource):
    """What all four medication resources share."""

    status: str | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    patient: Reference | None = None


class MedicationAdministration(Medicine):
    """A dose that was given, or not."""

    effective_date_time: str | None = None
    effective_period: Period | None = None
    dosage: GivenDosage | None = None


class MedicationRequest(Medicine):
    """An order."""

    intent: str | None = None
    do_not_perform: bool | None = None
    authored_on: str | None = None
    dosage_instruction: list[Dosage] | None = None


class MedicationStatement(Medicine):
    """What someone says the person takes."""

    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    dosage: list[Dosage] | None = None


class MedicationDispense(Medicine):
    """A medicine that was handed out."""

    when_handed_over: str | None = None
    when_prepared: str | None = None
    dosage_instruction: list[Dosage] | None = None


class OutcomeIssue(_Wire):
    """One problem that a server reported."""

    severity: str | None = None
    code: str | None = None
    diagnostics: str | None = None
    details: CodeableConcept | None = None


class OperationOutcome(Resource):
    """What a server said instead of, or beside, data."""

    issue: list[OutcomeIssue] | None = None


class Link(_Wire):
    """A link of a Bundle; `next` names a further page."""

    relation: str | None = None
    url: str | None = None


class EntryRequest(_Wire):
    """What an entry of a history or transaction asks for."""

    method: str | None = None
    url: str | None = None


class EntryResponse(_Wire):
    """What a server did with the entry, and when it changed the resource."""

    status: str | None = None
    last_modified: str | None = None


class Entry(_Wire):
    """One entry of a Bundle."""

    full_url: str | None = None
    resource: Raw = Raw()
    request: EntryRequest | None = None
    response: EntryResponse | None = None


class Bundle(_Wire):
    """A Bundle of any type."""

    type: str | None = None
    link: list[Link] | None = None
    entry: list[Raw] | None = None


class Parameter(_Wire):
    """One parameter, perhaps with parts."""

    resource: Raw = Raw()
    part: list["Parameter"] | None = None


class Parameters(_Wire):
    """The result of an operation."""

    parameter: list[Parameter] | None = None


class Head(_Wire):
    """Enough of a resource to know what it is."""

    resource_type: str | None = None
    id: str | None = None
    meta: Meta | None = None


class QuestionnaireResponse(Resource):
    """Answers to a form; only whose they are and whether they count. `leuko.intake.questionnaire` reads the rest."""

    status: str | None = None
    subject: Reference | None = None


RESOURCES: dict[str, type[Resource]] = {
    kind.__name__: kind
    for kind in (
        Patient,
        Observation,
        DiagnosticReport,
        Specimen,
        Condition,
        Procedure,
        AllergyIntolerance,
        AdverseEvent,
        Medication,
        MedicationAdministration,
        MedicationRequest,
        MedicationStatement,
        MedicationDispense,
        OperationOutcome,
        QuestionnaireResponse,
    )
}
_READ: dict[str, Any] = {**RESOURCES, "Bundle": Bundle, "Parameters": Parameters}


@cache
def _decoder(kind: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_READ[kind])


def decode(kind: str, raw: bytes | Raw) -> Any:
    """A resource, Bundle or Parameters of the named type; raises msgspec errors where it breaks FHIR."""
    return _decoder(kind).decode(raw)
