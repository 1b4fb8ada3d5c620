"""Risk scores from a record: which readings count, what is missing, what contradicts, the area over the curve."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from leuko.errors import Place, UsageError
from leuko.infection import infection_of
from leuko.intake import read
from leuko.knowledge import load_library
from leuko.knowledge.schema.scores import BandRow, CriterionRow, FindingRow, ItemRow, ObservableRow, Option, ScoreRow
from leuko.record import Code, Count, Dose, Fact, Moment, Origin, Patient, Record, Sign
from leuko.result.scores import Score
from leuko.scores import area_over, latest_area, scores_of

LIBRARY = load_library()
NOW = datetime(2026, 1, 5, 14, 0, tzinfo=UTC)
AS_OF = NOW.date()
HERE = Origin(place=Place(source="a test"))
ADULT = Patient(id="p", born=date(1980, 6, 1), sex="male")
VITALS = {
    "systolic": ("8480-6", "mm[Hg]"),
    "pulse": ("8867-4", "/min"),
    "breathing": ("9279-1", "/min"),
    "saturation": ("59408-5", "%"),
    "temperature": ("8310-5", "Cel"),
    "flow": ("3151-8", "L/min"),
    "gcs": ("9269-2", "{score}"),
    "glucose": ("2345-7", "mg/dL"),
    "ecog": ("89247-1", ""),
}


def sign(name: str, value: float | None, *, hours: float = 0.0, unit: str | None = None, **more: object) -> Sign:
    code, usual = VITALS[name]
    known: dict = {
        "id": f"{name}{value}@{hours}",
        "name": name,
        "codes": (Code(system="http://loinc.org", code=code),),
        "value": value,
        "unit": usual if unit is None else unit,
        "taken": Moment(at=NOW + timedelta(hours=hours)),
        "origin": HERE,
    }
    return Sign(**{**known, **more})


def count(analyte: str, value: float, *, days: float = 0.0, **more: object) -> Count:
    known: dict = {
        "id": f"{analyte}{value}@{days}",
        "analyte": analyte,
        "value": value,
        "unit": LIBRARY.analytes[analyte].unit,
        "taken": Moment(at=NOW + timedelta(days=days)),
        "origin": HERE,
    }
    return Count(**{**known, **more})


def condition(name: str, code: str = "", **more: object) -> Fact:
    codes = (Code(system="http://hl7.org/fhir/sid/icd-10-cm", code=code),) if code else ()
    known: dict = {"id": name, "kind": "condition", "name": name, "codes": codes, "status": "active", "origin": HERE}
    return Fact(**{**known, **more})


def scores(record: Record, *counts: Count, answers: dict[str, str] | None = None, as_of: date = AS_OF) -> dict:
    series: dict[str, tuple[Count, ...]] = {}
    for one in counts:
        series[one.analyte] = (*series.get(one.analyte, ()), one)
    infection = infection_of(record, series=series, latest={}, library=LIBRARY, as_of=as_of)
    found = scores_of(
        record, series=series, latest={}, infection=infection, library=LIBRARY, as_of=as_of, answers=answers
    )
    return {score.id: score for score in found}


def item(score: Score, name: str):
    return next(one for one in score.items if one.item == name)


def person(
    *signs: Sign, facts: tuple[Fact, ...] = (), patient: Patient = ADULT, doses: tuple[Dose, ...] = ()
) -> Record:
    return Record(patient=patient, signs=signs, facts=facts, doses=doses)


WELL = (
    sign("systolic", 118),
    sign("pulse", 84),
    sign("breathing", 16),
    sign("saturation", 97),
    sign("temperature", 38.6),
    sign("flow", 0),
    sign("gcs", 15),
)


class TestFromTheRecord:
    def test_vital_signs_make_news2(self) -> None:
        score = scores(person(*WELL))["news2"]
        assert (score.eligible, score.total, score.band) == (True, 1, "below 5, no item of 3")
        assert score.says == "NEWS2: 1 of 20; below 5, no item of 3."
        assert item(score, "NEWS2-temperature_C").evidence == ("temperature38.6@0.0",)

    def test_fever_and_neutrophils_make_mascc_apply(self) -> None:
        record = person(*WELL, facts=(condition("Breast cancer", "C50.9"),))
        score = scores(record, count("neutrophils", 0.3))["mascc"]
        assert score.eligible is True
        assert "IDSA" in next(one for one in score.criteria if one.id == "mascc-fn").reason.text

    def test_no_fever_means_that_mascc_does_not_apply(self) -> None:
        record = person(sign("temperature", 36.8), facts=(condition("Breast cancer", "C50.9"),))
        score = scores(record, count("neutrophils", 3.0))["mascc"]
        assert (score.eligible, score.total, score.items) == (False, None, ())
        assert score.says.startswith("MASCC risk index: does not apply.")

    def test_every_item_is_shown_with_its_reason(self) -> None:
        score = scores(person(*WELL), answers={"febrile_neutropenia": "yes", "cancer": "yes"})["mascc"]
        rows = [row.id for row in LIBRARY.rows(ItemRow) if row.score == "mascc"]
        assert [one.item for one in score.items] == rows
        assert all(one.reason.text and one.reason.citations for one in score.items)

    def test_an_empty_record_scores_nothing(self) -> None:
        for score in scores(Record(patient=Patient(id="p"))).values():
            assert score.eligible is not True or score.total is None
            assert score.band is None
            assert score.gap is not None or score.eligible is False

    def test_a_missing_item_widens_the_range(self) -> None:
        score = scores(person(*WELL[1:]))["news2"]
        assert (score.total, score.least, score.most) == (None, 1, 4)
        assert score.says.startswith("NEWS2: cannot score: systolic blood pressure missing (range 1-4 of 20)")
        assert score.gap is not None
        assert score.gap.settle == "Systolic blood pressure"

    def test_one_reading_serves_every_score(self) -> None:
        found = scores(person(*WELL), answers={"suspected_infection": "yes"})
        assert item(found["qsofa"], "qsofa-pressure").points == 0
        assert item(found["news2"], "NEWS2-systolic_BP").points == 0


def observation(name: str, code: str, value: float, unit: str, **more: object) -> dict:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "subject": {"reference": "Patient/a"},
        "effectiveDateTime": "2026-01-05T10:00:00+01:00",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        **coded(code, value, unit),
        **more,
    }


def coded(code: str, value: float, unit: str) -> dict:
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": quantity}


def test_vital_signs_from_a_fhir_bundle(tmp_path: Path) -> None:
    pressure = observation("bp", "85354-9", 0, "mm[Hg]", component=[coded("8480-6", 88, "mm[Hg]")])
    del pressure["valueQuantity"]
    oxygen = observation("ox", "59408-5", 95, "%", component=[coded("3151-8", 2, "L/min")])
    resources = [
        {"resourceType": "Patient", "id": "a", "gender": "male", "birthDate": "1970-03-01"},
        pressure,
        oxygen,
        observation("t", "8310-5", 101.8, "[degF]"),
        observation("rr", "9279-1", 26, "/min"),
        observation("hr", "8867-4", 120, "/min"),
        observation("gcs", "9269-2", 15, "{score}"),
    ]
    file = tmp_path / "person.json"
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
    file.write_text(json.dumps(bundle))
    (record,) = read(file).records
    score = scores(record)["news2"]
    assert score.total == 3 + 1 + 2 + 3 + 2 + 0 + 1  # 101.8 °F is 38.8 °C
    assert score.band == "emergency (7 or more)"


class TestReadings:
    def pressure(self, *signs: Sign):
        return item(scores(person(*signs))["news2"], "NEWS2-systolic_BP")

    def test_the_latest_counts(self) -> None:
        found = self.pressure(sign("systolic", 85, hours=-3), sign("systolic", 118))
        assert (found.points, found.value) == (0, "systolic blood pressure 118 mm[Hg] on 5 January 2026, 14:00")

    def test_yesterdays_counts_and_the_one_before_does_not(self) -> None:
        assert self.pressure(sign("systolic", 118, hours=-24)).points == 0
        old = self.pressure(sign("systolic", 118, hours=-48))
        assert old.points is None
        assert "2 days old, too old to score" in old.reason.text

    def test_a_pressure_of_the_morning_makes_no_score_with_a_fever_of_the_night(self) -> None:
        found = self.pressure(sign("systolic", 118, hours=-13), sign("temperature", 39.2))
        assert found.points is None
        assert "too old beside the newest vital sign" in found.reason.text
        assert self.pressure(sign("systolic", 118, hours=-12), sign("temperature", 39.2)).points == 0

    def test_a_later_reading_is_not_known_yet(self) -> None:
        assert self.pressure(sign("systolic", 118, hours=24)).points is None

    def test_a_reading_without_a_day_does_not_count(self) -> None:
        found = self.pressure(sign("systolic", 118, taken=None))
        assert found.points is None
        assert "without a day" in found.reason.text

    def test_two_readings_of_one_moment_that_contradict_leave_the_item_open(self) -> None:
        found = self.pressure(sign("systolic", 85), sign("systolic", 118, id="other"))
        assert (found.points, found.possible) == (None, (0, 3))
        assert "contradict" in found.reason.text

    def test_readings_of_a_day_without_times_stand_side_by_side(self) -> None:
        day = Moment(at=NOW.replace(hour=0), precision="day")
        found = self.pressure(sign("systolic", 85, taken=day, id="a"), sign("systolic", 118, taken=day, id="b"))
        assert found.possible == (0, 3)

    def test_a_bound_that_decides_counts(self) -> None:
        found = self.pressure(sign("systolic", None, text="<80"))
        assert found.points == 3

    def test_a_bound_across_a_limit_leaves_two(self) -> None:
        assert self.pressure(sign("systolic", None, text="<95")).possible == (2, 3)

    @pytest.mark.parametrize(("value", "unit"), [(118.0, None), (15.7, "kPa")])
    def test_units(self, value: float, unit: str | None) -> None:
        assert self.pressure(sign("systolic", value, unit=unit)).points == 0

    @pytest.mark.parametrize("unit", ["", "cmH2O"])
    def test_an_unknown_unit_is_told(self, unit: str) -> None:
        found = self.pressure(sign("systolic", 118, unit=unit))
        assert found.points is None
        assert "cannot be read" in found.reason.text

    def test_what_nobody_can_have_is_not_believed(self) -> None:
        found = self.pressure(sign("systolic", 1180))
        assert found.points is None
        assert "not believed" in found.reason.text

    def test_words_are_no_number(self) -> None:
        assert "no number" in self.pressure(sign("systolic", None, text="normal")).reason.text

    def test_glucose_in_millimoles(self) -> None:
        facts = (condition("Breast cancer", "C50.9"),)
        answers = {"febrile_neutropenia": "yes"}
        high = scores(person(sign("glucose", 7.0, unit="mmol/L"), facts=facts), answers=answers)["cisne"]
        assert item(high, "cisne-glucose").points == 2  # 126 mg/dL
        low = scores(person(sign("glucose", 6.5, unit="mmol/L"), facts=facts), answers=answers)["cisne"]
        assert item(low, "cisne-glucose").points == 0  # 117 mg/dL

    @pytest.mark.parametrize(("saturation", "flow", "points"), [(97, 0.0, 0), (97, 2.0, 2), (97, None, None)])
    def test_oxygen_is_read_from_the_flow_and_never_assumed(self, saturation: float, flow: float, points: int) -> None:
        signs = [sign("saturation", saturation), *([sign("flow", flow)] if flow is not None else [])]
        assert item(scores(person(*signs))["news2"], "NEWS2-air_or_oxygen").points == points

    def test_a_coma_scale_below_15_is_not_alert(self) -> None:
        assert item(scores(person(sign("gcs", 14)))["news2"], "NEWS2-consciousness").points == 3

    def test_ecog_as_an_integer_or_in_words(self) -> None:
        facts, answers = (condition("Breast cancer", "C50.9"),), {"febrile_neutropenia": "yes"}
        for one in (sign("ecog", 2), sign("ecog", None, text="ECOG 2")):
            found = scores(person(one, facts=facts), answers=answers)["cisne"]
            assert item(found, "cisne-ecog").points == 2

    def test_a_reported_grade_of_mucositis(self) -> None:
        when = Moment(at=NOW - timedelta(days=2))
        event = condition("Mucositis oral", kind="adverse_event", detail="CTCAE grade 2, as reported", start=when)
        facts, answers = (condition("Breast cancer", "C50.9"), event), {"febrile_neutropenia": "yes"}
        found = scores(person(facts=facts), answers=answers)["cisne"]
        assert item(found, "cisne-mucositis").points == 1
        bare = scores(person(facts=(facts[0], condition("Mucositis", "K12.3"))), answers=answers)["cisne"]
        assert item(bare, "cisne-mucositis").points is None


class TestNames:
    def heart(self, *facts: Fact, **more: object):
        record = person(facts=(condition("Breast cancer", "C50.9"), *facts))
        return item(scores(replace(record, **more), answers={"febrile_neutropenia": "yes"})["cisne"], "cisne-heart")

    def test_a_code_or_a_name_is_enough(self) -> None:
        assert self.heart(condition("I42.0 as coded", "I42.0")).points == 1
        assert self.heart(condition("Dilated cardiomyopathy")).points == 1

    @pytest.mark.parametrize("status", ["active, provisional", "active, differential", "resolved"])
    def test_a_doubt_leaves_the_item_open(self, status: str) -> None:
        found = self.heart(condition("Cardiomyopathy", "I42.0", status=status))
        assert found.points is None
        assert "may or may not be meant" in found.reason.text

    def test_family_history_is_not_the_person(self) -> None:
        found = self.heart(condition("Family history of cardiomyopathy"))
        assert found.points is None
        assert "not named" in found.reason.text

    def test_a_condition_that_begins_later_is_not_there_yet(self) -> None:
        later = Moment(at=NOW + timedelta(days=3))
        assert self.heart(condition("Cardiomyopathy", "I42.0", start=later)).points is None

    def test_corticosteroids_keep_glucose_from_deciding(self) -> None:
        given = Moment(at=NOW - timedelta(days=2))
        dose = Dose(id="d", drug="Dexamethasone 8 mg", start=given, given=True, status="completed", origin=HERE)
        record = person(sign("glucose", 190), facts=(condition("Breast cancer", "C50.9"),), doses=(dose,))
        found = item(scores(record, answers={"febrile_neutropenia": "yes"})["cisne"], "cisne-glucose")
        assert found.possible == (0, 2)
        assert "Dexamethasone" in found.reason.text
        long_ago = replace(dose, start=Moment(at=NOW - timedelta(days=30)))
        found = item(
            scores(replace(record, doses=(long_ago,)), answers={"febrile_neutropenia": "yes"})["cisne"], "cisne-glucose"
        )
        assert found.points == 2


class TestAnswers:
    @pytest.mark.parametrize(
        ("answers", "told"),
        [
            ({"systolic": "118"}, "systolic_pressure"),
            ({"systolic_pressure": "normal"}, "a number from 30 to 320"),
            ({"systolic_pressure": "1180"}, "a number from 30 to 320"),
            ({"glucose": "6.7 pounds"}, "mg/dl or mmol/l"),
            ({"burden_of_illness": "so so"}, "mild, moderate, severe"),
            ({"copd": "perhaps"}, "yes, no"),
            ({"first_mould_sign": "yesterday"}, "2026-03-31"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, answers: dict[str, str], told: str) -> None:
        with pytest.raises(UsageError) as raised:
            scores(person(), answers=answers)
        assert told in str(raised.value)

    @pytest.mark.parametrize("value", ["", "  ", "?", "unknown", "Unknown"])
    def test_unknown_is_no_answer(self, value: str) -> None:
        assert scores(person(), answers={"copd": value}) == scores(person())

    def test_a_hand_reading_goes_before_the_record(self) -> None:
        found = scores(person(*WELL), answers={"systolic_pressure": "88 mmHg"})["news2"]
        assert item(found, "NEWS2-systolic_BP").points == 3
        assert "given by hand" in item(found, "NEWS2-systolic_BP").value

    def test_one_item_can_be_answered_alone(self) -> None:
        answers = {"febrile_neutropenia": "yes", "cancer": "yes", "mascc-copd": "no"}
        assert item(scores(person(*WELL), answers=answers)["mascc"], "mascc-copd").points == 4

    def test_every_item_names_the_key_and_the_choices_that_it_takes(self) -> None:
        answers = {"febrile_neutropenia": "yes", "cancer": "yes", "adult": "yes", "suspected_infection": "yes"}
        nobody = person(patient=Patient(id="p", sex="male"))
        for score in scores(nobody, answers=answers).values():
            for one in score.items:
                for choice in one.choices:
                    again = scores(nobody, answers={**answers, one.asked: choice})[score.id]
                    if again.eligible is not False:
                        assert len({*item(again, one.item).possible}) == 1, (one.item, choice)

    def test_an_adult_of_twelve_is_a_contradiction(self) -> None:
        record = person(patient=Patient(id="p", born=date(2013, 6, 1)))
        score = scores(record, answers={"adult": "yes", "febrile_neutropenia": "yes", "cancer": "yes"})["mascc"]
        assert score.eligible is None
        assert "contradictory" in next(one for one in score.criteria if one.id == "mascc-adult").reason.text


class TestArea:
    @pytest.mark.parametrize(
        ("values", "area"),
        [
            ([0.0] * 11, 5000.0),  # TV37: eleven daily counts are ten days
            ([0.0] * 10, 4500.0),  # ten counts are nine
            ([500, 300, 100, 0, 0, 100, 300, 500], 2200.0),  # TV38: 3500 - 1300
            ([500.0] * 8, 0.0),  # TV39
            ([500, 300, 100, 0, 0], 1350.0),  # TV40: 2000 - 650
        ],
    )
    def test_the_vectors(self, values: list[float], area: float) -> None:
        assert area_over(list(range(len(values))), values, cut=500.0) == area

    def counts(self, values: list[float], **more: object) -> list[Count]:
        return [
            count("neutrophils", value, days=float(day - len(values) + 1), **more) for day, value in enumerate(values)
        ]

    def test_from_counts_in_litres(self) -> None:
        area = latest_area(self.counts([2.0, 0.5, 0.3, 0.1, 0.0, 0.0, 0.1, 0.3, 0.5, 0.9]), cut=0.5)
        assert area is not None
        assert (area.least, area.most, area.span, area.over) == (2200.0, 2200.0, 7, True)

    def test_several_counts_of_a_day_are_one(self) -> None:
        twice = [*self.counts([0.0] * 11), count("neutrophils", 0.4, days=0.1)]
        area = latest_area(twice, cut=0.5)
        assert area is not None
        assert area.least == 5000.0

    def test_a_bound_makes_a_least_and_a_most(self) -> None:
        area = latest_area(self.counts([0.1] * 11, bound="<"), cut=0.5)
        assert area is not None
        assert (area.least, area.most) == (4000.0, 5000.0)

    def test_nothing_below_the_cut_has_no_area(self) -> None:
        assert latest_area(self.counts([0.5] * 8), cut=0.5) is None

    def aml(self, counts: list[Count], answers: dict[str, str] | None = None) -> dict[str, Score]:
        return scores(person(facts=(condition("AML", "C92.0"),)), *counts, answers=answers)

    def test_an_episode_that_is_not_over_has_only_the_cumulative_index(self) -> None:
        found = self.aml(self.counts([2.0, 0.5, 0.3, *([0.0] * 12)]))
        assert found["d-index"].total is None
        assert found["c-d-index"].total == 100 + 350 + 11 * 500  # 500 to 300, 300 to 0, then eleven days at 0
        assert (found["c-d-index"].band, found["c-d-index"].eligible) == ("5,800 or more", True)

    def test_just_below_the_cut(self) -> None:
        found = self.aml(self.counts([2.0, *([0.0] * 12), 2.0]))
        assert found["d-index"].total == 5500
        assert found["c-d-index"].band == "below 5,800"

    def test_the_index_stops_at_the_first_sign_of_mould(self) -> None:
        counts = self.counts([2.0, 0.5, 0.3, 0.1, 0.0, 0.0, 0.1, 0.3, 0.5, 0.9])
        found = self.aml(counts, {"first_mould_sign": (AS_OF - timedelta(days=4)).isoformat()})
        assert found["c-d-index"].total == 1350

    def test_a_long_hole_is_not_drawn_over(self) -> None:
        found = self.aml([count("neutrophils", 0.1, days=-9), count("neutrophils", 0.1, days=0)])["c-d-index"]
        assert found.total is None
        assert found.gap is not None
        assert "9 days lie between two counts" in found.gap.why

    def test_it_was_made_in_acute_myeloid_leukaemia(self) -> None:
        counts = self.counts([0.0] * 11)
        assert scores(person(facts=(condition("Breast cancer", "C50.9"),)), *counts)["c-d-index"].eligible is False
        unknown = scores(person(), *counts)["c-d-index"]
        assert (unknown.eligible, unknown.total, unknown.band) == (None, 5000, None)


class TestDays:
    def test_days_below_a_limit_are_a_least_and_a_most(self) -> None:
        values = {0: 2.0, 2: 0.08, 5: 0.05, 10: 0.09, 12: 1.0, 13: 2.0, 14: 2.5}
        counts = [count("neutrophils", value, days=float(day - 14)) for day, value in values.items()]
        found = scores(person(), *counts)["days-below-100"]
        assert (found.total, found.least, found.most) == (None, 8.0, 12.0)
        assert found.band == "7 days or longer"
        assert found.says == "Days of profound neutropenia: 8 to 12 days; 7 days or longer."
        assert any("39 %" in text for text in found.validated)

    def test_no_count_that_low(self) -> None:
        counts = [count("neutrophils", value, days=float(day)) for day, value in [(-3, 2.0), (-2, 0.4), (0, 0.3)]]
        found = scores(person(), *counts)["days-below-100"]
        assert (found.total, found.band) == (None, None)
        assert found.gap is not None
        assert "cannot be excluded" in found.gap.why

    def test_one_low_count_proves_no_length(self) -> None:
        found = scores(person(), count("neutrophils", 0.2))["days-below-500"]
        assert (found.least, found.most, found.band) == (None, None, None)
        assert found.gap is not None
        assert "prove no length yet" in found.gap.why

    def test_never_low(self) -> None:
        found = scores(person(), count("neutrophils", 4.0))["days-below-500"]
        assert found.eligible is False


class TestTables:
    """Typed a second time from the published tables, so that a slip of the hand in the data shows."""

    @pytest.mark.parametrize(
        ("score", "highest"),
        [
            ("mascc", 26),
            ("cisne", 8),
            ("news2", 20),
            ("qsofa", 3),
            ("spog", 15),
            ("aus", 3),
            ("bbsi", 5),
            ("razzaghdoust", 12),
            ("high-risk", 10),
        ],
    )
    def test_the_points_add_up_to_the_published_range(self, score: str, highest: int) -> None:
        items = [row for row in LIBRARY.rows(ItemRow) if row.score == score and not row.scale_with]
        row = next(row for row in LIBRARY.rows(ScoreRow) if row.id == score)
        assert sum(max(option.points for option in one.options) for one in items) == highest == row.highest
        assert sum(min(option.points for option in one.options) for one in items) == row.lowest == 0

    @pytest.mark.parametrize(
        ("name", "limits"),
        [
            ("NEWS2-respiration_rate", [(8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3)]),
            ("NEWS2-SpO2_scale_1", [(91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0)]),
            ("NEWS2-systolic_BP", [(90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3)]),
            (
                "NEWS2-pulse",
                [(40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3)],
            ),
            (
                "NEWS2-temperature_C",
                [(35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.0, 1), (39.1, 2)],
            ),
        ],
    )
    def test_both_sides_of_every_limit_of_news2(self, name: str, limits: list[tuple[float, int]]) -> None:
        row = next(row for row in LIBRARY.rows(ItemRow) if row.id == name)
        for value, points in limits:
            found = scores(person(), answers={row.asks: f"{value}"})["news2"]
            assert item(found, name).points == points, value

    def test_rows_point_at_rows_that_exist(self) -> None:
        known = {row.id for row in LIBRARY.rows(ScoreRow)}
        items = {row.id: {option.value for option in row.options} for row in LIBRARY.rows(ItemRow)}
        observables = {row.id for row in LIBRARY.rows(ObservableRow)}
        for row in (*LIBRARY.rows(ItemRow), *LIBRARY.rows(BandRow), *LIBRARY.rows(CriterionRow)):
            assert row.score in known
        for finding in LIBRARY.rows(FindingRow):
            assert set(finding.scores) <= known
        for option in (option for row in LIBRARY.rows(ItemRow) for option in row.options):
            assert set(option.bands) <= observables
        for band in LIBRARY.rows(BandRow):
            assert all(value in items[name] for name, value in band.when.items())
        options: list[Option] = [option for row in LIBRARY.rows(ItemRow) for option in row.options]
        assert all(value in items[name] for option in options for name, value in option.needs.items())

    @pytest.mark.parametrize("score", [row.id for row in LIBRARY.rows(ScoreRow) if row.kind == "points"])
    def test_the_bands_leave_no_total_without_one(self, score: str) -> None:
        bands = [row for row in LIBRARY.rows(BandRow) if row.score == score and not row.when]
        row = next(row for row in LIBRARY.rows(ScoreRow) if row.id == score)
        if bands and row.highest is not None:
            for total in range(row.highest + 1):
                fits = [
                    b for b in bands if (b.least is None or total >= b.least) and (b.most is None or total <= b.most)
                ]
                assert fits, total

    def test_what_is_not_confirmed_never_shows(self) -> None:
        hidden = [row.text for row in LIBRARY.rows(FindingRow) if not (row.basis.drives and row.shown)]
        assert hidden
        said = [text for score in scores(person(*WELL)).values() for text in (*score.validated, *score.warnings)]
        assert not set(hidden) & set(said)

    def test_the_authors_warning_of_cisne_travels_with_it(self) -> None:
        score = scores(person(*WELL))["cisne"]
        assert any("not to be used to choose people for treatment by mouth at home" in text for text in score.warnings)
