"""Symptoms, fever joined to the neutrophils, suspicions and urgency."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from fixtures.infection import CHILD, LIBRARY, anc, by, judge, moment, origin, symptom, temperature
from leuko.errors import UsageError
from leuko.knowledge.schema.infection import FeverRow, PageSignRow, RedFlagRow, SymptomRow
from leuko.record import Code, Dose, Fact, Sign

PAGE = [row.id for row in sorted(LIBRARY.rows(PageSignRow), key=lambda row: row.order)]


def condition(name: str, start: str | None = "2026-03-08", status: str = "active", **more: object) -> Fact:
    known: dict[str, object] = {"id": f"c {name}", "kind": "condition", "name": name, "status": status}
    known |= {"start": moment(start) if start else None, "origin": origin(name)}
    return Fact(**{**known, **more})


def observed(name: str, text: str | None = None, present: bool | None = None, **more: object) -> Sign:
    known: dict[str, object] = {"id": f"s {name}", "name": name, "text": text, "present": present}
    return Sign(**{**known, "taken": moment("2026-03-09T10:00"), "origin": origin(text or ""), **more})


class TestDefinitions:
    def test_guidelines_in_force_alert_and_the_others_do_not(self) -> None:
        found = judge(anc(0.3), said=["fever=38.9@2026-03-09T14:00"])
        alerting = {one.body for one in found.verdicts if one.alerts}
        assert alerting == {"IDSA", "ASCO/IDSA", "NCCN", "ESMO", "NICE", "SEOM"}
        assert found.alert is True

    def test_a_site_chooses_whose_definition_alerts(self) -> None:
        found = judge(anc(0.3), said=["fever=38.3@2026-03-09T14:00"], alert_body="esmo")
        assert [one.body for one in found.verdicts if one.alerts] == ["ESMO"]
        assert found.alert is False
        assert by(found, "IDSA").met is True

    def test_an_unknown_body_is_an_error_that_names_the_known(self) -> None:
        with pytest.raises(UsageError, match="no definition") as error:
            judge(anc(0.3), alert_body="WHO")
        assert "ESMO 2010" in str(error.value)

    def test_rows_that_are_not_confirmed_give_no_verdict(self) -> None:
        unreviewed = {row.id for row in LIBRARY.rows(FeverRow) if not row.basis.drives}
        assert unreviewed == {"FN-CTCAEv4"}
        assert not unreviewed & {one.id for one in judge(anc(0.3), signs=[temperature(39.0)]).verdicts}

    def test_definitions_of_studies_of_children_are_not_held_against_an_adult(self) -> None:
        adult = {one.body for one in judge(anc(0.3), signs=[temperature(39.0)]).verdicts}
        child = judge(anc(0.3), signs=[temperature(39.0)], patient=CHILD)
        assert "Madsen 2002" not in adult
        assert by(child, "Madsen 2002").met is True
        assert by(child, "ESMO").applies is False
        assert by(child, "ESMO").alerts is False
        assert by(child, "NICE").alerts is True

    def test_three_readings_within_a_day_for_the_studies_that_ask_for_three(self) -> None:
        times = ["2026-03-08T20:00", "2026-03-09T04:00", "2026-03-09T12:00"]
        signs = [temperature(38.1, taken) for taken in times]
        assert by(judge(anc(0.3), signs=signs, patient=CHILD), "Rackoff 1996").met is True
        assert by(judge(anc(0.3), signs=signs[:2], patient=CHILD), "Rackoff 1996").met is False

    def test_a_second_reading_is_named_as_what_would_change_it(self) -> None:
        found = judge(anc(0.3), said=["temperature=38.1@2026-03-09T14:00"])
        assert by(found, "IDSA").would_change[0] == "a second reading of 38.0 °C or more, an hour later"
        assert "one reading above 38.3 °C" in by(found, "ESMO").would_change

    def test_readings_of_one_day_without_times_leave_the_length_open(self) -> None:
        signs = [temperature(38.1, "2026-03-09"), replace(temperature(38.2, "2026-03-09"), id="second")]
        assert by(judge(anc(0.3), signs=signs), "IDSA").met is None

    def test_an_infection_a_week_ago_is_not_now(self) -> None:
        found = judge(anc(0.3, "2026-02-20T08:00"), signs=[temperature(39.0, "2026-02-20T14:00")])
        assert found.alert is None
        assert any("lies too far before" in gap.why for gap in found.gaps)

    def test_the_count_nearest_in_time_is_joined(self) -> None:
        counts = (anc(4.0, "2026-03-06T08:00"), anc(0.3, "2026-03-09T02:00"), anc(0.9, "2026-03-09T20:00"))
        verdict = by(judge(*counts, signs=[temperature(38.6, "2026-03-09T08:00")]), "IDSA")
        assert verdict.count == counts[1].id
        assert verdict.met is True

    def test_a_count_three_days_old_is_not_joined(self) -> None:
        verdict = by(judge(anc(0.3, "2026-03-06T08:00"), signs=[temperature(38.6)]), "IDSA")
        assert verdict.met is None
        assert "the nearest is 0.3" in verdict.reason.text
        assert "a neutrophil count now" in verdict.would_change

    def test_rectal_readings_count_and_are_warned_of(self) -> None:
        found = judge(anc(0.3), signs=[temperature(38.6, loinc="8332-9")])
        assert by(found, "IDSA").met is True
        assert any("avoided in neutropenia" in caution.text for caution in found.cautions)

    def test_an_impossible_temperature_is_told_and_not_used(self) -> None:
        found = judge(anc(0.3), signs=[temperature(384.0)])
        assert found.temperatures == ()
        assert any("384" in gap.what for gap in found.gaps)

    def test_a_reading_without_a_unit_has_the_one_it_can_have(self) -> None:
        reading = replace(temperature(101.2), unit=None)
        found = judge(anc(0.3), signs=[reading])
        assert found.temperatures[0].celsius == pytest.approx(38.444, abs=0.001)
        assert found.temperatures[0].note

    def test_a_temperature_after_the_assessment_is_not_used(self) -> None:
        assert judge(anc(0.3), signs=[temperature(39.0, "2026-03-11T08:00")]).temperatures == ()

    @pytest.mark.parametrize(("celsius", "grade"), [(37.9, 0), (38.0, 1), (39.0, 1), (39.1, 2), (40.0, 2)])
    def test_fever_is_graded(self, celsius: float, grade: int) -> None:
        (found,) = judge(signs=[temperature(celsius)]).fever_grades
        assert (found.edition, found.value) == ("6", grade)

    def test_the_grade_above_forty_depends_on_how_long(self) -> None:
        (one,) = judge(signs=[temperature(40.5)]).fever_grades
        assert (one.value, one.least, one.most) == (None, 3, 4)
        assert one.gap is not None
        days = [temperature(40.5, f"2026-03-0{day}T{hour}:00") for day in (7, 8, 9) for hour in ("08", "18")]
        (long,) = judge(signs=days).fever_grades
        assert long.value == 4


class TestSymptoms:
    def test_every_sign_of_the_page_can_be_said_in_english_and_german(self) -> None:
        for name in PAGE:
            rows = [row for row in LIBRARY.rows(SymptomRow) if row.page_sign == name]
            assert rows, name
            assert any(row.question and row.question_de for row in rows), name
            for row in rows:
                for word in (row.words[0], row.words_de[0]):
                    found = judge(said=[f"{word}@2026-03-09"])
                    assert next(one for one in found.page_signs if one.id == name).present is True, word

    def test_the_ten_signs_of_the_page(self) -> None:
        assert [sign.id for sign in judge().page_signs] == PAGE
        assert len(PAGE) == 10

    def test_a_word_means_one_symptom(self) -> None:
        seen: dict[str, str] = {}
        for row in LIBRARY.rows(SymptomRow):
            for word in (*row.words, *row.words_de):
                assert seen.setdefault(word.casefold(), row.id) == row.id, word

    def test_what_was_not_asked_is_unknown(self) -> None:
        assert {one.present for one in judge().symptoms} == {None}

    def test_a_denied_symptom_is_absent(self) -> None:
        assert symptom(judge(said=["no cough@2026-03-09"]), "cough").present is False

    @pytest.mark.parametrize(
        ("sign", "name", "present"),
        [
            (observed("Cough", present=True), "cough", True),
            (observed("Cough", text="No"), "cough", False),
            (observed("Cough", text="perhaps"), "cough", None),
            (observed("Symptom", text="Dysuria"), "painful_urination", True),
            (
                observed("x", present=True, codes=(Code(system="http://snomed.info/sct", code="62315008"),)),
                "diarrhoea",
                True,
            ),
        ],
    )
    def test_symptoms_of_the_record(self, sign: Sign, name: str, present: bool | None) -> None:
        assert symptom(judge(signs=[sign]), name).present is present

    def test_a_condition_by_its_code(self) -> None:
        codes = (Code(system="http://hl7.org/fhir/sid/icd-10-cm", code="J18.9"),)
        found = judge(facts=[condition("something", codes=codes)])
        assert symptom(found, "pneumonia").present is True
        assert found.suspects_pneumonia.suspected is True

    @pytest.mark.parametrize(
        "fact",
        [
            condition("Cough", "2023-01-01"),
            condition("Cough", status="resolved"),
            condition("Cough", status="active, provisional"),
            condition("Cough", end=moment("2026-03-08")),
            condition("Cough", "2026-03-12"),
            condition("Cough", kind="allergy"),
        ],
        ids=["old", "over", "doubted", "ended", "future", "no condition"],
    )
    def test_conditions_that_say_nothing_of_now(self, fact: Fact) -> None:
        assert symptom(judge(facts=[fact]), "cough").present is None

    def test_a_symptom_without_a_day_is_said_and_not_placed(self) -> None:
        found = judge(anc(0.3), said=["confusion"])
        assert symptom(found, "confusion").present is True
        assert symptom(found, "confusion").placed is False
        assert by(found, "NICE").met is None
        assert any("without a day" in gap.why for gap in found.gaps)
        assert found.urgency.level == "emergency"

    def test_yesterdays_fever_is_not_taken_back_by_a_normal_reading_today(self) -> None:
        signs = [temperature(38.6, "2026-03-08T14:00"), temperature(36.8, "2026-03-09T08:00")]
        fever = symptom(judge(anc(0.3), signs=signs), "fever")
        assert fever.present is True
        assert "but 36.8 °C" in fever.reason.text

    def test_a_fever_two_days_ago_is_over_with_a_normal_reading(self) -> None:
        signs = [temperature(38.6, "2026-03-06T14:00"), temperature(36.8, "2026-03-09T08:00")]
        assert symptom(judge(signs=signs), "fever").present is False

    def test_vital_signs_of_an_adult(self) -> None:
        low = judge(said=["systolic blood pressure=89@2026-03-09"])
        assert symptom(low, "hypotension").present is True
        assert symptom(judge(said=["systolic blood pressure=90@2026-03-09"]), "hypotension").present is False

    def test_limits_of_adults_are_not_held_against_a_child(self) -> None:
        found = judge(said=["systolic blood pressure=85@2026-03-09", "heart rate=120@2026-03-09"], patient=CHILD)
        assert symptom(found, "hypotension").present is None
        assert symptom(found, "fast_heart").present is None


class TestSuspicions:
    @pytest.mark.parametrize("said", ["painful urination", "urine smells bad", "trüber Urin", "uti"])
    def test_urine(self, said: str) -> None:
        found = judge(said=[f"{said}@2026-03-09"])
        assert found.suspects_urinary.suspected is True
        assert found.suspects_urinary.reason.citations
        assert found.suspects_pneumonia.suspected is None

    @pytest.mark.parametrize("said", ["cough", "short of breath", "Atemnot", "chest pain"])
    def test_lungs(self, said: str) -> None:
        assert judge(said=[f"{said}@2026-03-09"]).suspects_pneumonia.suspected is True

    def test_denied(self) -> None:
        found = judge(said=["no cough@2026-03-09", "no shortness of breath@2026-03-09"])
        assert found.suspects_pneumonia.suspected is False


class TestUrgency:
    def test_symptoms_with_a_low_count(self) -> None:
        found = judge(anc(0.9), said=["sore throat@2026-03-09"])
        assert found.urgency.level == "urgent"
        assert any(reason.rule == "RF-low-count" for reason in found.urgency.reasons)

    def test_symptoms_with_a_normal_count(self) -> None:
        assert judge(anc(4.0), said=["sore throat@2026-03-09"]).urgency.level == "routine"

    def test_an_old_normal_count_does_not_reassure(self) -> None:
        found = judge(anc(4.0, "2026-02-20T08:00"), said=["sore throat@2026-03-09"])
        assert found.urgency.level == "urgent"
        assert "too old" in found.urgency.text

    def test_a_severe_sign_is_an_emergency_at_any_count(self) -> None:
        assert judge(anc(4.0), said=["confusion@2026-03-09"]).urgency.level == "emergency"

    def test_a_diagnosis_of_fever_with_neutropenia_is_an_emergency_with_a_low_count(self) -> None:
        found = judge(anc(0.3), facts=[condition("Febrile neutropenia")])
        assert symptom(found, "fever").present is True
        assert found.urgency.level == "emergency"

    def test_nothing_found_is_said_only_where_everything_was_asked(self) -> None:
        denied = [f"no {row.id}@2026-03-09" for row in LIBRARY.rows(SymptomRow)]
        some = judge(anc(0.9), said=[*denied[:5], "temperature=36.8@2026-03-09T08:00"])
        every = judge(anc(0.9), said=[*denied, "temperature=36.8@2026-03-09T08:00"])
        assert some.urgency.level == "cannot_say"
        assert every.urgency.level == "none_found"
        assert "first and only sign" in every.urgency.text

    def test_everything_that_raises_it_is_cited(self) -> None:
        found = judge(anc(0.9), said=["pus@2026-03-09", "fever=37.6@2026-03-09T08:00"])
        rules = {reason.rule for reason in found.urgency.reasons}
        assert {"RF28", "RF36"} <= rules
        assert all(reason.citations for reason in found.urgency.reasons)

    def test_sources_that_disagree_are_shown(self) -> None:
        found = judge(anc(0.9), said=["fever=37.6@2026-03-09T08:00"])
        assert any("sources disagree" in gap.why for gap in found.gaps)

    def test_red_flags_name_known_symptoms(self) -> None:
        known = {row.id for row in LIBRARY.rows(SymptomRow)}
        for row in LIBRARY.rows(RedFlagRow):
            assert set(row.symptoms) <= known, row.id

    def test_medicines_that_hide_a_fever_are_named(self) -> None:
        dose = Dose(id="d", drug="Paracetamol 500 mg", start=moment("2026-03-08"), origin=origin())
        found = judge(anc(0.3), doses=[dose], signs=[temperature(36.9)])
        assert any("can hide a fever" in caution.text for caution in found.cautions)
        old = replace(dose, start=moment("2025-03-08"))
        assert judge(anc(0.3), doses=[old], signs=[temperature(36.9)]).cautions == ()


def test_the_day_of_the_assessment_decides_what_is_now() -> None:
    signs = [temperature(38.6, "2026-03-09T14:00")]
    assert judge(anc(0.3), signs=signs, as_of=date(2026, 3, 9)).alert is True
    assert judge(anc(0.3), signs=signs, as_of=date(2026, 3, 8)).alert is not True
    assert judge(anc(0.3), signs=signs, as_of=date(2026, 4, 9)).alert is not True


def test_an_old_low_count_is_neither_low_nor_normal_today() -> None:
    found = judge(anc(0.9, "2025-03-09T08:00"), said=["fever=37.6@2026-03-09T08:00"])
    assert "was low, but is too old" in found.urgency.text
    assert found.urgency.text.startswith("Call at once, also at night")
    assert "A neutrophil count now decides" in found.urgency.text


def test_names_as_terminologies_print_them() -> None:
    assert symptom(judge(facts=[condition("Cough (finding)")]), "cough").present is True


def test_what_a_measurement_rules_out_is_not_said_to_be_denied() -> None:
    found = judge(anc(0.3), signs=[observed("cough", "no"), observed("shortness of breath", "no"), temperature(36.7)])
    text = found.suspects_pneumonia.reason.text
    assert found.suspects_pneumonia.suspected is False
    assert "denied" not in text
    assert text.startswith("nothing points to pneumonia: no ")
