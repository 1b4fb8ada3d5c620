"""Conditions, procedures, allergies, adverse events and medicines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from leuko.frozen import Frozen
from leuko.intake.fhir.pool import Item, Pool
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.times import moment
from leuko.intake.fhir.versions import status_of
from leuko.intake.fhir.wire import (
    AdverseEvent,
    AllergyIntolerance,
    CodeableConcept,
    Condition,
    Dosage,
    Medication,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Medicine,
    Period,
    Procedure,
    Quantity,
    Timing,
)
from leuko.intake.fhir.words import clean, code_of, codes, label, number, number_text, unit
from leuko.record import Dose, Fact, FactKind, Moment, Origin

REFUTED = frozenset({"refuted", "entered-in-error"})
HAPPENED = frozenset({"completed", "in-progress", "stopped", "on-hold"})


class Reading(Frozen, frozen=True, kw_only=True):
    """What every function here needs: the resources, the assumed zone, and whom to tell."""

    pool: Pool
    zone: tzinfo
    tell: Teller

    def moment(self, text: str | None, item: Item, below: str) -> Moment | None:
        """A time; told where it cannot be read."""
        found = moment(text, self.zone)
        if text and found is None:
            self.tell.say("LK432", "the date or time cannot be read", item.found.place(below), lost=True)
        return found

    def span(
        self, instant: str | None, period: Period | None, item: Item, name: str
    ) -> tuple[Moment | None, Moment | None]:
        """Start and end from the two FHIR forms `nameDateTime` and `namePeriod`."""
        if instant or period is None:
            return self.moment(instant, item, f"/{name}DateTime"), None
        below = f"/{name}Period"
        return self.moment(period.start, item, f"{below}/start"), self.moment(period.end, item, f"{below}/end")


# ---- facts ----------------------------------------------------------------------------------------------------------


def fact(item: Item, reading: Reading) -> Fact | None:
    """A fact about the person; None where the source says that it is none."""
    resource = item.resource
    if isinstance(resource, Condition):
        return _condition(item, resource, reading)
    if isinstance(resource, Procedure):
        return _procedure(item, resource, reading)
    if isinstance(resource, AllergyIntolerance):
        return _allergy(item, resource, reading)
    return _adverse_event(item, resource, reading) if isinstance(resource, AdverseEvent) else None


def _condition(item: Item, condition: Condition, reading: Reading) -> Fact | None:
    verification = code_of(condition.verification_status)
    if verification in REFUTED:
        _tell_refuted(item, verification, reading)
        return None
    start, end = reading.span(condition.onset_date_time, condition.onset_period, item, "onset")
    gone, _ = reading.span(condition.abatement_date_time, condition.abatement_period, item, "abatement")
    return Fact(
        id=item.key,
        kind="condition",
        name=label(condition.code) or "condition without a name",
        codes=codes(condition.code),
        start=start,
        end=gone or end,
        status=_both(code_of(condition.clinical_status), verification),
        detail=_onset_words(condition),
        recorded=reading.moment(condition.recorded_date, item, "/recordedDate"),
        origin=_origin(item, condition.code),
    )


def _tell_refuted(item: Item, status: str, reading: Reading) -> None:
    text = f"{{n}} {item.kind} marked {status}; they count for nothing"
    one = f"1 {item.kind} marked {status}; it counts for nothing"
    reading.tell.add("LK450", text, item.found.place("/verificationStatus"), one=one)


def _both(clinical: str, verification: str) -> str:
    """The clinical status; how far it is verified only where it is not confirmed."""
    doubt = verification if verification not in {"", "confirmed"} else ""
    return ", ".join(part for part in (clinical or "unknown", doubt) if part)


def _onset_words(condition: Condition) -> str:
    """An onset or end that is no date, in the source's words."""
    said = [clean(condition.onset_string)]
    if condition.onset_age is not None:
        said.append(f"at the age of {number_text(condition.onset_age.value)} {unit(condition.onset_age) or ''}")
    if condition.onset_range is not None:
        ends = (condition.onset_range.low, condition.onset_range.high)
        said.append("at the age of " + " to ".join(number_text(end.value) if end is not None else "?" for end in ends))
    if condition.abatement_string:
        said.append(f"ended {clean(condition.abatement_string)}")
    return "; ".join(text.strip() for text in said if text)


def _procedure(item: Item, procedure: Procedure, reading: Reading) -> Fact | None:
    status = status_of(item)
    if status == "not-done":
        text = "{n} Procedures marked not-done; they count for nothing"
        one = "1 Procedure marked not-done; it counts for nothing"
        reading.tell.add("LK450", text, item.found.place("/status"), one=one)
        return None
    start, end = reading.span(procedure.performed_date_time, procedure.performed_period, item, "performed")
    return Fact(
        id=item.key,
        kind="procedure",
        name=label(procedure.code) or "procedure without a name",
        codes=codes(procedure.code),
        start=start,
        end=end,
        status=status or "unknown",
        detail=clean(procedure.performed_string),
        origin=_origin(item, procedure.code),
    )


def _allergy(item: Item, allergy: AllergyIntolerance, reading: Reading) -> Fact | None:
    verification = code_of(allergy.verification_status)
    if verification in REFUTED:
        _tell_refuted(item, verification, reading)
        return None
    start, end = reading.span(allergy.onset_date_time, allergy.onset_period, item, "onset")
    return Fact(
        id=item.key,
        kind="allergy",
        name=label(allergy.code) or "allergy without a name",
        codes=codes(allergy.code),
        start=start,
        end=end,
        status=_both(code_of(allergy.clinical_status), verification),
        recorded=reading.moment(allergy.recorded_date, item, "/recordedDate"),
        origin=_origin(item, allergy.code),
    )


def _adverse_event(item: Item, event: AdverseEvent, reading: Reading) -> Fact:
    resolved = next((one.value_date_time for one in event.extension or [] if _ends(one.url, "resolved-date")), None)
    kind: FactKind = "adverse_event"
    return Fact(
        id=item.key,
        kind=kind,
        name=_event_name(event.event),
        codes=codes(event.event),
        start=reading.moment(event.date or event.detected, item, "/date" if event.date else "/detected"),
        end=reading.moment(resolved, item, "/extension"),
        status=clean(event.actuality) or "unknown",
        detail=_grade_words(event),
        recorded=reading.moment(event.recorded_date, item, "/recordedDate"),
        origin=_origin(item, event.event),
    )


def _event_name(concept: CodeableConcept | None) -> str:
    """The coded term, as the free text of an event is often a sentence."""
    displays = [code.display for code in codes(concept) if code.display]
    return displays[0] if displays else label(concept) or "adverse event without a name"


def _grade_words(event: AdverseEvent) -> str:
    """The grade that the source itself gives, and what it adds in words."""
    grade = next((one.value_codeable_concept for one in event.extension or [] if _ends(one.url, "ctcae-grade")), None)
    said = [f"CTCAE grade {code.code}, as reported" for code in codes(grade)[:1]]
    words = clean(event.event.text) if event.event is not None else ""
    outcome = label(event.outcome)
    return "; ".join([*said, *([words] if words else []), *([f"outcome: {outcome}"] if outcome else [])])


def _ends(url: str | None, name: str) -> bool:
    return url is not None and url.rstrip("/").endswith(name)


def _origin(item: Item, concept: CodeableConcept | None, text: str = "") -> Origin:
    return Origin(
        place=item.found.place(),
        value_text=text,
        name_text=label(concept),
        codes=codes(concept),
        resource_id=item.key,
    )


# ---- medicines ------------------------------------------------------------------------------------------------------


def dose(item: Item, reading: Reading) -> Dose | None:
    """A medicine given, ordered, stated or dispensed; None where it must not be taken."""
    resource = item.resource
    if isinstance(resource, MedicationAdministration):
        return _administration(item, resource, reading)
    if isinstance(resource, MedicationRequest):
        return _request(item, resource, reading)
    if isinstance(resource, MedicationStatement):
        return _statement(item, resource, reading)
    return _dispense(item, resource, reading) if isinstance(resource, MedicationDispense) else None


def _administration(item: Item, given: MedicationAdministration, reading: Reading) -> Dose:
    start, end = reading.span(given.effective_date_time, given.effective_period, item, "effective")
    dosage = given.dosage
    return _dose(
        item,
        reading,
        times=(start, end),
        amount=dosage.dose if dosage is not None else None,
        route=dosage.route if dosage is not None else None,
        text=clean(dosage.text) if dosage is not None else "",
        given=status_of(item) in HAPPENED,
    )


def _request(item: Item, order: MedicationRequest, reading: Reading) -> Dose | None:
    if order.do_not_perform:
        text = "{n} MedicationRequests say that the medicine must not be given; they count as no medicine"
        one = "1 MedicationRequest says that the medicine must not be given; it counts as no medicine"
        reading.tell.add("LK452", text, item.found.place("/doNotPerform"), one=one)
        return None
    dosage = _first(order.dosage_instruction)
    start, end = _bounds(dosage, reading, item)
    start = start or reading.moment(order.authored_on, item, "/authoredOn")
    return _dosed(item, reading, dosage, (start, end))


def _statement(item: Item, statement: MedicationStatement, reading: Reading) -> Dose:
    start, end = reading.span(statement.effective_date_time, statement.effective_period, item, "effective")
    return _dosed(item, reading, _first(statement.dosage), (start, end))


def _dispense(item: Item, dispense: MedicationDispense, reading: Reading) -> Dose:
    name = "whenHandedOver" if dispense.when_handed_over else "whenPrepared"
    start = reading.moment(dispense.when_handed_over or dispense.when_prepared, item, f"/{name}")
    return _dosed(item, reading, _first(dispense.dosage_instruction), (start, None))


def _first(dosages: Sequence[Dosage] | None) -> Dosage | None:
    return dosages[0] if dosages else None


def _bounds(dosage: Dosage | None, reading: Reading, item: Item) -> tuple[Moment | None, Moment | None]:
    timing: Timing | None = dosage.timing if dosage is not None else None
    if timing is None or timing.repeat is None or timing.repeat.bounds_period is None:
        return None, None
    period, below = timing.repeat.bounds_period, "/dosageInstruction/0/timing/repeat/boundsPeriod"
    return reading.moment(period.start, item, f"{below}/start"), reading.moment(period.end, item, f"{below}/end")


def _dosed(item: Item, reading: Reading, dosage: Dosage | None, times: tuple[Moment | None, Moment | None]) -> Dose:
    amount = dosage.dose_quantity if dosage is not None else None
    if dosage is not None and dosage.dose_and_rate:
        amount = dosage.dose_and_rate[0].dose_quantity or amount
    return _dose(
        item,
        reading,
        times=times,
        amount=amount,
        route=dosage.route if dosage is not None else None,
        text=clean(dosage.text) if dosage is not None else "",
        given=False,
    )


def _dose(
    item: Item,
    reading: Reading,
    *,
    times: tuple[Moment | None, Moment | None],
    amount: Quantity | None,
    route: CodeableConcept | None,
    text: str,
    given: bool,
) -> Dose:
    concept = _medicine(item, reading)
    start, end = times
    return Dose(
        id=item.key,
        drug=label(concept) or "medicine without a name",
        codes=codes(concept),
        start=start,
        end=end,
        hours=_hours(start, end) if given else None,
        amount=number(amount),
        unit=unit(amount),
        route=label(route) or None,
        status=_status(item),
        given=given,
        origin=_origin(item, concept, text),
    )


def _status(item: Item) -> str:
    """The status as written; an order that is only proposed or planned says so."""
    status, intent = status_of(item) or "unknown", clean(getattr(item.resource, "intent", None)).lower()
    return f"{status} ({intent})" if intent in {"proposal", "plan", "option"} else status


def _hours(start: Moment | None, end: Moment | None) -> float | None:
    if start is None or end is None or not (start.has_time and end.has_time) or end.at < start.at:
        return None
    return (end.at - start.at).total_seconds() / 3600


def _medicine(item: Item, reading: Reading) -> CodeableConcept | None:
    """What was given, from the resource itself or from the Medication that it names."""
    resource: Medicine = item.resource
    if resource.medication_codeable_concept is not None:
        return resource.medication_codeable_concept
    found = reading.pool.find(resource.medication_reference, "Medication", item)
    if found is not None and (concept := _of_medication(found.resource)) is not None:
        return concept
    display = clean(resource.medication_reference.display) if resource.medication_reference is not None else ""
    if not display:
        reading.tell.say("LK451", f"this {item.kind} does not say which medicine", item.found.place(), lost=True)
    return CodeableConcept(text=display or None)


def _of_medication(medication: Medication) -> CodeableConcept | None:
    if medication.code is not None and label(medication.code):
        return medication.code
    parts = [part.item_codeable_concept for part in medication.ingredient or []]
    said = [label(part) for part in parts if label(part)]
    return CodeableConcept(text=" + ".join(said)) if said else None
