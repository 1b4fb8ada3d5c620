"""The FHIR view: valid by two validators that others wrote, complete in itself, and never more than can be said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.assessments import bare, count, rich, status
from fixtures.fhir_validator import faults
from fixtures.forecasts import coming, withheld
from fixtures.parts import whole
from leuko.__main__ import main
from leuko.record import Moment
from leuko.report import view
from leuko.report.fhir import bundle, encode
from leuko.report.fhir.wire import when
from leuko.result import Assessment, DefinitionMet, Reason

ROOT = Path(__file__).resolve().parents[2]
MAKERS = {"rich": rich, "bare": bare, "whole": whole, "forecast": coming, "withheld": withheld}


def resources(assessment: Assessment, kind: str = "") -> list[dict[str, Any]]:
    found = [entry["resource"] for entry in bundle(assessment)["entry"]]
    return [each for each in found if kind in {"", each["resourceType"]}]


def one(assessment: Assessment, kind: str) -> dict[str, Any]:
    (found,) = resources(assessment, kind)
    return found


def walk(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


@pytest.mark.parametrize("name", MAKERS)
def test_fhir_resources_accepts_it(name: str) -> None:
    """R4B is the nearest that the package has; leuko sends nothing in which R4 and R4B differ."""
    read = Bundle.model_validate_json(encode(MAKERS[name]()))
    assert len(read.entry) == len(resources(MAKERS[name]()))


@pytest.mark.parametrize("name", MAKERS)
def test_the_r4_validator_of_npm_finds_no_error(name: str) -> None:
    assert faults(encode(MAKERS[name]())) == []


@pytest.mark.parametrize("name", MAKERS)
def test_every_reference_leads_to_a_resource_of_the_bundle(name: str) -> None:
    made = bundle(MAKERS[name]())
    urls = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in made["entry"]}
    assert len(urls) == len(made["entry"])
    references = [each for each in walk(made) if isinstance(each, dict) and "reference" in each]
    assert references
    assert all(urls[each["reference"]] == each["type"] for each in references)


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_empty_is_written(name: str) -> None:
    assert not [each for each in walk(bundle(MAKERS[name]())) if each in ("", None) or each in ([], {})]


def test_equal_assessments_give_equal_bytes_and_other_knowledge_other_ids() -> None:
    assert encode(whole()) == encode(whole()) == view("fhir").write(whole())
    other = {each["id"] for each in resources(replace(whole(), knowledge_hash="0" * 64))}
    assert not other & {each["id"] for each in resources(whole())}


def test_what_was_asked_otherwise_has_other_ids() -> None:
    """The same record, day and knowledge under other settings of the site: a receiver must not take it for the same."""
    first = rich()
    other = replace(first, headline=f"{first.headline} ")
    assert {each["id"] for each in resources(first)}.isdisjoint(each["id"] for each in resources(other))


def test_a_derived_count_names_method_and_origin() -> None:
    anc = count("neutrophils", 50, 0.9199999999999999, kind="derived", derived_from=("wbc-50", "percent-50"),
                derivation="WBC 2.1 × 44 %")  # fmt: skip
    base = rich()
    changed = replace(base, latest=(status(anc), base.latest[1]), history=(*base.history, status(anc)))
    sent = next(each for each in resources(changed, "Observation") if "method" in each)
    assert sent["method"]["text"] == "derived: WBC 2.1 × 44 %"
    assert sent["valueQuantity"] == {
        "value": 0.92, "unit": "×10⁹/L", "system": "http://unitsofmeasure.org", "code": "10*9/L",
    }  # fmt: skip
    known, unknown = sent["derivedFrom"]
    assert known["type"] == "Observation"
    assert unknown["identifier"]["value"] == "percent-50"
    assert sent["code"]["coding"][0]["code"] == "26499-4"
    assert sent["meta"]["tag"][0]["code"] == "derived"


def test_a_measured_count_is_sent_as_it_was_read() -> None:
    sent = next(each for each in resources(rich(), "Observation") if each["code"]["text"] == "Neutrophils")
    assert sent["meta"]["tag"][0]["code"] == "as-read"
    assert sent["valueQuantity"]["value"] == 0.38
    assert sent["interpretation"][0]["coding"][0]["code"] == "L"
    assert sent["referenceRange"][0]["low"]["value"] == 1.8
    assert sent["effectiveDateTime"] == "2026-02-24T08:30:00+00:00"


def test_a_bound_is_sent_with_its_comparator_and_a_critical_value_as_critical() -> None:
    low = status(count("neutrophils", 50, 0.1, bound="<"))
    met = DefinitionMet(
        id="SV103", name="critical neutrophil count", met=True, reason=Reason(rule="c", text="critical")
    )
    changed = replace(rich(), latest=(replace(low, critical=(met,)),), history=())
    sent = next(each for each in resources(changed, "Observation") if "valueQuantity" in each)
    assert sent["valueQuantity"]["comparator"] == "<"
    assert sent["interpretation"][0]["coding"][0]["code"] == "LL"


def test_grades_stand_beside_the_count_and_an_unknown_one_says_why() -> None:
    grades = [each for each in resources(rich(), "Observation") if each["code"]["text"].startswith("Toxicity")]
    values = {part["code"]["text"]: part.get("valueInteger") for part in grades[0]["component"]}
    assert values["CTCAE 5: Neutrophil count decreased"] == 4
    assert values["CTCAE 6: Neutrophil count decreased"] == 3


def test_a_grade_that_cannot_be_given_sends_what_remains_possible() -> None:
    changed = replace(rich(), latest=(status(count("neutrophils", 50, 0.9, bound="<")),), history=())
    (sent,) = [each for each in resources(changed, "Observation") if each["code"]["text"].startswith("Toxicity")]
    assert sent["component"][0]["valueRange"] == {"low": {"value": 3}, "high": {"value": 4}}


class TestIssues:
    def band(self, name: str) -> Assessment:
        reason = Reason(rule=name, text="0.38 ×10⁹/L is in the band")
        severity = DefinitionMet(id=name, name="severe neutropenia", met=True, reason=reason, house=True)
        latest = replace(rich().latest[0], severity=severity)
        return replace(rich(), latest=(latest,))

    @pytest.mark.parametrize(
        ("band", "severity"),
        [("SV048", "high"), ("severe-neutropenia", "high"), ("SV023", "moderate"), ("SV022", "low")],
    )
    def test_a_band_has_the_severity_that_the_knowledge_declares(self, band: str, severity: str) -> None:
        issue = one(self.band(band), "DetectedIssue")
        assert issue["severity"] == severity
        assert issue["status"] == "preliminary"
        assert {each["code"] for each in issue["code"]["coding"]} == {"D70.9", "165517008"}

    def test_a_bound_that_leaves_bands_of_different_severity_open_gets_none(self) -> None:
        assert "severity" not in one(self.band("SV022+SV048"), "DetectedIssue")
        assert one(self.band("severe-neutropenia+SV048"), "DetectedIssue")["severity"] == "high"

    def test_a_band_without_a_declared_word_gets_none(self) -> None:
        assert "severity" not in one(self.band("of-a-site"), "DetectedIssue")

    def test_no_issue_is_made_of_a_normal_or_unknown_count(self) -> None:
        normal = status(count("neutrophils", 50, 4.0))
        unknown = replace(normal, position="cannot_say", definitions=())
        assert resources(replace(rich(), latest=(normal,)), "DetectedIssue") == []
        assert resources(replace(rich(), latest=(unknown,)), "DetectedIssue") == []

    def test_the_age_of_the_count_is_told(self) -> None:
        assert "2 days before this assessment" in one(self.band("SV048"), "DetectedIssue")["detail"]


class TestParts:
    def test_fever_with_neutropenia_and_its_urgency_are_flags(self) -> None:
        words = [each["code"]["text"] for each in resources(whole(), "Flag")]
        assert words == ["Fever with neutropenia (IDSA)", "Fever with severe neutropenia: an emergency."]

    def test_no_alert_no_flag(self) -> None:
        assert resources(rich(), "Flag") == []

    def test_a_score_with_a_missing_item_predicts_nothing(self) -> None:
        mascc, qsofa, cisne = resources(whole(), "RiskAssessment")
        assert "prediction" not in mascc
        assert qsofa["prediction"] == [{"qualitativeRisk": {"text": "low"}, "rationale": "a risk of 3 % in its cohort"}]
        assert cisne["code"]["text"] == "CISNE"

    def test_a_score_that_does_not_apply_is_not_sent(self) -> None:
        assert "SPOG" not in encode(whole()).decode()

    def test_the_items_of_a_score_are_all_there(self) -> None:
        sent = next(each for each in resources(whole(), "Observation") if each["code"]["text"] == "MASCC (2000)")
        known, missing = sent["component"]
        assert known["valueInteger"] == 5
        assert "0 to 5 points remain possible" in missing["dataAbsentReason"]["text"]
        assert sent["valueRange"]["low"]["value"] == 15
        (reading,) = sent["derivedFrom"]
        temperature = next(e["resource"] for e in bundle(whole())["entry"] if e["fullUrl"] == reading["reference"])
        assert temperature["valueQuantity"]["value"] == 38.6

    def test_the_plan_is_a_proposal_and_leaves_out_what_is_done_or_no_routine(self) -> None:
        plan = one(whole(), "CarePlan")
        assert (plan["status"], plan["intent"]) == ("draft", "proposal")
        names = [each["detail"]["code"]["text"] for each in plan["activity"]]
        assert "Growth factor in later cycles" in names
        assert "Granulocyte transfusion" not in names
        assert "Repeat the count with a film" not in names
        assert any("Granulocyte transfusion: not a routine" in note["text"] for note in plan["note"])
        assert any("delay until 1.5" in note["text"] for note in plan["note"])

    def test_causes_are_possible_causes_in_words_without_a_code(self) -> None:
        impression = one(whole(), "ClinicalImpression")
        (finding,) = impression["finding"]
        assert finding["itemCodeableConcept"] == {"text": "possible cause: Cytotoxic <chemotherapy>"}
        assert "D70.1" not in json.dumps(impression)

    def test_gaps_and_notices_travel_with_the_guidance(self) -> None:
        told = " ".join(issue["diagnostics"] for issue in one(rich(), "OperationOutcome")["issue"])
        assert "LK204" in told
        assert "what would settle it: the exact count" in told.lower()
        assert one(rich(), "GuidanceResponse")["status"] == "data-requested"
        assert one(bare(), "GuidanceResponse")["status"] == "data-required"

    def test_provenance_names_leuko_the_record_and_the_knowledge(self) -> None:
        provenance = one(whole(), "Provenance")
        assert provenance["agent"][0]["who"]["display"] == "leuko 0.1.0"
        assert [each["what"]["identifier"]["value"] for each in provenance["entity"]] == [
            whole().record_digest, whole().knowledge_hash,
        ]  # fmt: skip
        kinds = {each["type"] for each in provenance["target"]}
        assert {"DetectedIssue", "RiskAssessment", "CarePlan", "Flag"} <= kinds
        assert "Patient" not in kinds


class TestTimes:
    @pytest.mark.parametrize(
        ("precision", "written"),
        [("year", "0026"), ("month", "0026-02"), ("day", "0026-02-03"), ("minute", "0026-02-03T04:05:00+01:00")],
    )
    def test_a_time_is_written_as_precisely_as_it_is_known(self, precision: str, written: str) -> None:
        at = datetime(26, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
        assert when(Moment(at=at, precision=precision)) == written  # type: ignore[arg-type]

    def test_a_zone_of_odd_seconds_is_written_in_utc(self) -> None:
        at = datetime(1890, 1, 1, 1, 0, tzinfo=timezone(timedelta(seconds=3208)))
        assert when(Moment(at=at)) == "1890-01-01T00:06:32+00:00"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=30), st.floats(0, 500))
def test_no_text_or_number_from_outside_makes_it_invalid(text: str, value: float) -> None:
    base = whole()
    latest = status(count("wbc", 50, value))
    changed = replace(
        base, latest=(latest,), headline=f"x{text}", notices=(replace(base.notices[0], text=f"x{text}"),),
        patient=replace(base.patient, id=text), signs=(replace(base.signs[0], name=f"x{text}", unit=text),),
    )  # fmt: skip
    Bundle.model_validate_json(encode(changed))


class TestCommand:
    def test_a_bundle_goes_to_stdout_and_nothing_else(self, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        assert main(["demo", "--fhir", "-"]) == 0
        made = json.loads(capfdbinary.readouterr().out)
        assert made["resourceType"] == "Bundle"

    def test_a_bundle_goes_to_a_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "demo.json"
        assert main(["demo", "-q", "--fhir", str(path)]) == 0
        Bundle.model_validate_json(path.read_bytes())

    def test_stdout_carries_one_thing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["demo", "--fhir", "-", "--json", "-"]) == 2
        assert "not both" in capsys.readouterr().err
