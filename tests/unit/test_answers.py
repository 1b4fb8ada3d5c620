"""The headline and the four answers, for people a clinician would recognise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from leuko.assessment import Asked, assess
from leuko.errors import Place
from leuko.infection import parse_symptom
from leuko.knowledge import load_library
from leuko.record import Count, Moment, Origin, Patient, Record
from leuko.site import SiteSettings

ADULT = Patient(id="p", born=date(1980, 5, 1), sex="female")
TODAY = date(2026, 3, 10)
HERE = Origin(place=Place(source="test"))


def count(analyte: str, value: float, days_ago: float = 1, **more) -> Count:
    at = datetime(2026, 3, 10, 8, tzinfo=UTC) - timedelta(days=days_ago)
    unit = "g/L" if analyte == "haemoglobin" else "10*9/L"
    name = f"{analyte}-{days_ago}"
    return Count(
        id=name, analyte=analyte, value=value, unit=unit, taken=Moment(at=at), origin=HERE, draw=str(days_ago), **more
    )


def told(*counts: Count, patient: Patient = ADULT, **how):
    found = assess(Record(patient=patient, counts=counts), as_of=TODAY, **how)
    return found, {answer.question: answer for answer in found.answers}


def test_a_low_count_is_named_graded_and_dated():
    found, answers = told(count("wbc", 1.9), count("neutrophils", 0.6))
    assert found.headline.startswith("Moderate neutropenia: Neutrophils 0.6 ×10⁹/L on 9 March 2026")
    assert answers["is_it_low"].text.startswith("Yes: White blood cells 1.9")
    assert "CTCAE 5 grade 3, CTCAE 6 grade 2" in answers["how_bad"].text
    assert "the first count on record is already low" in answers["since_when"].text


def test_a_normal_white_count_without_neutrophils_does_not_reassure():
    found, answers = told(count("wbc", 6.7))
    assert "whether neutrophils are low cannot be said" in found.headline
    assert answers["is_it_low"].text.startswith("No: White blood cells 6.7")
    assert answers["which_line"].text.startswith("Cannot say")


def test_a_white_count_so_low_that_it_proves_the_neutrophils_low_says_so():
    found, _ = told(count("wbc", 0.4))
    assert found.headline.startswith("Severe neutropenia: Neutrophils ≤0.4") or "≤0.4" in found.headline


def test_an_old_count_answers_for_its_own_day():
    found, answers = told(count("wbc", 6.7, 400), count("neutrophils", 4.0, 400))
    assert found.headline.endswith("How it stands on 10 March 2026 cannot be said.")
    assert answers["is_it_low"].text.startswith("No, at the last count")
    assert not answers["is_it_low"].known


def test_nothing_usable_is_said_plainly():
    found, answers = told(count("platelets", 200))
    assert found.headline.startswith("Cannot say")
    assert not any(answers[name].known for name in ("is_it_low", "which_line", "how_bad", "since_when"))


def test_below_the_interval_and_above_the_definition_is_no_neutropenia():
    found, _ = told(count("wbc", 5.0), count("neutrophils", 1.6, lab_low=1.8, lab_high=7.7))
    assert "below the reference interval, but not below the limit that defines neutropenia" in found.headline


def test_what_is_usual_for_a_duffy_null_person_is_said_to_be():
    duffy_null = replace(ADULT, duffy_null=True)
    printed = count("neutrophils", 1.4, lab_low=1.8, lab_high=7.7)
    found, answers = told(count("wbc", 4.5), printed, patient=duffy_null)
    assert "inside the reference interval of adults with the Duffy-null phenotype" in found.headline
    assert answers["is_it_low"].text.endswith("usual for this person.")
    general, _ = told(count("wbc", 4.5), printed)
    assert general.headline.startswith("Mild neutropenia")


def test_an_emergency_comes_before_the_count():
    fever = parse_symptom("fever=38.6@2026-03-10T07:00", library=load_library())
    found, _ = told(count("wbc", 0.9), count("neutrophils", 0.3), asked=Asked(symptoms=(fever,)))
    assert found.headline.startswith("Febrile neutropenia")
    assert found.headline.index("emergency") < found.headline.index("neutropenia:")
    assert found.infection is not None
    assert found.infection.urgency.level == "emergency"


def test_the_site_chooses_whose_definition_alerts():
    library = load_library()
    fever = parse_symptom("fever=38.2@2026-03-10T07:00", library=library)  # once: a fever for some bodies only
    counts = (count("wbc", 0.9), count("neutrophils", 0.3))
    by_any, _ = told(*counts, asked=Asked(symptoms=(fever,)))
    by_idsa, _ = told(*counts, asked=Asked(symptoms=(fever,), site=SiteSettings(bodies=("IDSA",))))
    assert by_any.infection is not None
    assert by_idsa.infection is not None
    assert by_idsa.infection.alert_body == "IDSA"
    assert by_any.infection.alert is True
    assert by_idsa.infection.alert is not True
