"""What a record says of the person at the time of a draw."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from leuko.assessment import assess
from leuko.errors import Place
from leuko.knowledge import load_library
from leuko.person import person_at, statements_of
from leuko.record import Code, Count, Fact, Moment, Origin, Patient, Record, Sign

DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HERE = Origin(place=Place(source="test"))
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def at(days: float) -> Moment:
    return Moment(at=DAY + timedelta(days=days))


def fact(name="", code="", start: float | None = 0.0, end: float | None = None, detail="") -> Fact:
    codes = (Code(system=ICD, code=code),) if code else ()
    moments = [None if day is None else at(day) for day in (start, end)]
    return Fact(
        id=f"f-{name}{code}{detail}",
        kind="condition",
        name=name,
        codes=codes,
        start=moments[0],
        end=moments[1],
        detail=detail,
        origin=HERE,
    )


def sign(name: str, text: str, day: float, code: str = "") -> Sign:
    codes = (Code(system="http://loinc.org", code=code),) if code else ()
    return Sign(id=f"s-{name}{day}", name=name, codes=codes, text=text, taken=at(day), origin=HERE)


def told(*entries: Fact | Sign, day: float = 0.0, sex="female", **patient) -> Patient:
    record = Record(
        patient=Patient(id="p", sex=sex, **patient),
        facts=tuple(e for e in entries if isinstance(e, Fact)),
        signs=tuple(e for e in entries if isinstance(e, Sign)),
    )
    return person_at(record, at(day), statements_of(record, library=load_library()))


@pytest.mark.parametrize(
    ("entry", "known"),
    [
        (fact(code="Z67.A1"), True),
        (fact(code="Z67.A3"), False),
        (fact(name="Duffy-null associated neutrophil count"), True),
        (sign("Duffy phenotype", "Fy(a-b-)", 0), True),
        (sign("Duffy phenotype", "Fy(a+b-)", 0), False),
        (sign("ACKR1 genotype", "rs2814778 CC", 0), True),
        (sign("ACKR1 genotype", "rs2814778 CT", 0), False),  # one copy of the variant is not the null phenotype
        (sign("Duffy phenotype", "not determined", 0), None),
        (fact(name="African American"), None),  # never inferred from ancestry
    ],
)
def test_a_tested_duffy_phenotype_is_read_and_nothing_is_inferred(entry, known):
    assert told(entry).duffy_null is known


def test_contradictory_phenotypes_say_nothing():
    assert told(fact(code="Z67.A1"), sign("Duffy phenotype", "Fy(a+b+)", 3)).duffy_null is None


@pytest.mark.parametrize(
    ("day", "known"),
    [(0, True), (45, True), (46, None), (-45, True), (-46, None)],  # 45 days around the statement
)
def test_a_statement_of_pregnancy_holds_for_the_weeks_around_it(day, known):
    assert told(sign("Pregnancy status", "Pregnant", 0, code="82810-3"), day=day).pregnant is known


def test_a_pregnancy_with_start_and_end_holds_between_them():
    entry = fact(code="Z34.90", start=0, end=200)
    assert [told(entry, day=day).pregnant for day in (-50, 0, 100, 200, 246)] == [None, True, True, True, None]


def test_pregnant_and_not_pregnant_at_once_says_nothing():
    entries = [sign("Pregnancy status", word, 0, code="82810-3") for word in ("Pregnant", "Not pregnant")]
    assert told(*entries).pregnant is None


def test_a_man_is_not_pregnant_and_an_undated_statement_places_nothing():
    assert told(fact(code="Z33.1"), sex="male").pregnant is None
    assert told(fact(code="Z33.1", start=None)).pregnant is None


def test_what_the_patient_entry_says_comes_first():
    assert told(fact(code="Z67.A1"), duffy_null=False).duffy_null is False


def anc(value: float) -> Count:
    return Count(id="c", analyte="neutrophils", value=value, unit="10*9/L", taken=at(0), origin=HERE)


def test_a_tested_duffy_null_adult_is_held_against_their_own_interval():
    patient = Patient(id="p", born=date(1986, 1, 1), sex="female")
    plain = assess(Record(patient=patient, counts=(anc(1.4),)), as_of=date(2026, 3, 3))
    tested = assess(Record(patient=patient, counts=(anc(1.4),), facts=(fact(code="Z67.A1"),)), as_of=date(2026, 3, 3))
    assert plain.latest[0].interval.origin != "duffy_null"
    assert tested.latest[0].interval.origin == "duffy_null"
    assert tested.patient.duffy_null is True
    assert (plain.latest[0].position, tested.latest[0].position) == ("below", "within")
