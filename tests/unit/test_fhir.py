"""FHIR R4 at the public surface: what a reader of `leuko.read` gets from invented resources."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_build import ANC, GLUCOSE, WBC, Json, bundle, concept, observation, patient, quantity, write
from leuko.errors import UnreadableInput
from leuko.intake import Intake, ReadOptions, read
from leuko.record import Count, Record

Load = Callable[..., Intake]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_(*contents: Any, options: ReadOptions | None = None) -> Intake:
        paths = [write(tmp_path / f"file{index}.json", content) for index, content in enumerate(contents)]
        return read(*paths, options=options)

    return load_


def only(intake: Intake) -> Record:
    (record,) = intake.records
    return record


def count(intake: Intake) -> Count:
    (found,) = only(intake).counts
    return found


def told(intake: Intake) -> list[str]:
    return [notice.code for notice in intake.notices]


# ---- containers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["searchset", "collection", "transaction", "batch", "history", "document", "message"])
def test_a_bundle_of_any_type(load: Load, kind: str) -> None:
    found = count(load(bundle(patient(), observation(), kind=kind)))
    assert (found.analyte, found.value, found.unit) == ("wbc", 3.2, "10*9/L")
    assert found.id == "Observation/w1"
    assert found.origin.place.source == "file0.json"
    assert found.origin.place.pointer == "/entry/1/resource/valueQuantity"


def test_a_single_resource_has_a_pointer_of_its_own(load: Load) -> None:
    got = load(observation())
    assert count(got).origin.place.pointer == "/valueQuantity"
    assert "LK410" in told(got)


def test_ndjson_names_line_and_pointer(load: Load) -> None:
    lines = "\n".join(json.dumps(one) for one in (patient(), observation()))
    place = count(load(lines + "\n")).origin.place
    assert (place.line, place.pointer) == (2, "/valueQuantity")


def test_a_broken_line_of_ndjson_costs_only_that_line(load: Load) -> None:
    lines = [json.dumps(patient()), '{"resourceType": "Observation", ', json.dumps(observation())]
    got = load("\n".join(lines))
    assert count(got).value == 3.2
    (notice,) = [notice for notice in got.notices if notice.code == "LK119"]
    assert (notice.place.line, notice.severity, notice.data_lost) == (2, "error", True)


def test_the_first_line_of_ndjson_may_be_the_broken_one(load: Load) -> None:
    lines = ['{"resourceType": "Pat', json.dumps(patient()), json.dumps(observation())]
    assert count(load("\n".join(lines))).value == 3.2


def test_a_list_of_resources(load: Load) -> None:
    assert count(load([patient(), observation()])).origin.place.pointer == "/1/valueQuantity"


def test_parameters_and_bundles_within(load: Load) -> None:
    inner = bundle(patient(), observation())
    body = {"resourceType": "Parameters", "parameter": [{"name": "r", "part": [{"name": "b", "resource": inner}]}]}
    assert count(load(body)).origin.place.pointer == "/parameter/0/part/0/resource/entry/1/resource/valueQuantity"


def test_references_cross_files(load: Load) -> None:
    record = only(load(patient(), observation()))
    assert (record.patient.born, record.patient.sex, len(record.counts)) == (date(1980, 5, 1), "female", 1)
    assert record.sources == ("file0.json", "file1.json")


def test_contained_resources(load: Load) -> None:
    contained = [
        {"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:mrn", "value": "17"}], "gender": "male"},
        {"resourceType": "Specimen", "id": "s", "type": {"text": "Venous blood"}},
    ]
    body = observation(contained=contained, subject={"reference": "#p"}, specimen={"reference": "#s"})
    record = only(load(body))
    assert (record.patient.id, record.patient.sex, len(record.counts)) == ("17", "male", 1)


def test_contained_specimens_of_one_local_id_are_not_one_draw(load: Load) -> None:
    contained = [{"resourceType": "Specimen", "id": "s", "type": {"text": "Blood"}}]
    first = observation("w1", contained=contained, specimen={"reference": "#s"})
    second = observation("n1", ANC, 1.0, contained=contained, specimen={"reference": "#s"})
    draws = {found.draw for found in only(load(bundle(patient(), first, second))).counts}
    assert draws == {None}


def test_a_page_that_is_missing_is_told_unless_it_is_there(load: Load) -> None:
    first = bundle(patient(), observation(), kind="searchset", link=[{"relation": "next", "url": "http://s/p?page=2"}])
    second = bundle(
        observation("w2", value=3.0), kind="searchset", link=[{"relation": "self", "url": "http://s/p?page=2"}]
    )
    alone = load(first)
    assert [(notice.code, notice.data_lost) for notice in alone.notices if notice.code == "LK404"] == [("LK404", True)]
    assert "LK404" not in told(load(first, second))


def test_an_operation_outcome_is_told(load: Load) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    assert "LK405" in told(load(bundle(patient(), observation(), outcome, kind="searchset")))


def test_kinds_that_are_not_used_are_summed_up_once(load: Load) -> None:
    shots = [{"resourceType": "Immunization", "id": f"i{n}", "patient": {"reference": "Patient/ada"}} for n in range(3)]
    got = load(bundle(patient(), *shots, {"resourceType": "Claim", "id": "c"}))
    (notice,) = [notice for notice in got.notices if notice.code == "LK402"]
    assert "3 Immunization" in notice.text
    assert "1 Claim" in notice.text


# ---- what breaks ----------------------------------------------------------------------------------------------------


def test_one_resource_that_breaks_fhir_costs_only_itself(load: Load) -> None:
    got = load(bundle(patient(), observation() | {"status": 7}, observation("w2", value=2.5)))
    assert count(got).value == 2.5
    (notice,) = [notice for notice in got.notices if notice.code == "LK401"]
    assert notice.place.pointer == "/entry/1/resource"
    assert "status" in notice.text
    assert notice.data_lost


def test_entries_that_are_no_entries(load: Load) -> None:
    body = bundle(patient(), observation())
    body["entry"] += [7, {"resource": {"no": "type"}}, {"resource": None}, {}]
    got = load(body)
    assert count(got).value == 3.2
    assert {"LK401", "LK403"} <= set(told(got))


def test_a_modifier_extension_is_not_passed_over(load: Load) -> None:
    body = observation(modifierExtension=[{"url": "http://example.org/not-this-person", "valueBoolean": True}])
    got = load(bundle(patient(), body))
    assert only(got).counts == ()
    assert "LK406" in told(got)


# ---- people ---------------------------------------------------------------------------------------------------------


def test_two_patients_in_one_bundle_are_two_records(load: Load) -> None:
    body = bundle(
        patient(),
        patient("bob", gender="male"),
        observation(),
        observation("w2", value=9.0, subject={"reference": "Patient/bob"}),
    )
    got = load(body)
    assert {record.patient.id: record.counts[0].value for record in got.records} == {"ada": 3.2, "bob": 9.0}


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/ada",
        "Patient/ada/_history/4",
        "http://server.example/fhir/Patient/ada",
        "urn:uuid:0c3f2d1e-1111-4222-8333-444455556666",
        "ada",
        "Patient?identifier=urn:mrn|17",
    ],
)
def test_references_to_a_patient(load: Load, reference: str) -> None:
    body = bundle(
        patient(identifier=[{"system": "urn:mrn", "value": "17"}]), observation(subject={"reference": reference})
    )
    url = reference if reference.startswith(("urn", "http")) else "http://server.example/fhir/Patient/ada"
    body["entry"][0]["fullUrl"] = url
    record = only(load(body))
    assert (record.patient.id, record.patient.sex, len(record.counts)) == ("ada", "female", 1)


def test_a_logical_reference(load: Load) -> None:
    subject = {"identifier": {"system": "urn:mrn", "value": "17"}}
    person = patient(identifier=[{"system": "urn:mrn", "value": "17"}])
    assert only(load(bundle(person, observation(subject=subject)))).patient.id == "ada"
    assert only(load(observation(subject=subject))).patient.id == "17"


def test_a_patient_elsewhere_with_the_same_id_is_another_person(load: Load) -> None:
    body = bundle(patient(), observation(subject={"reference": "http://other.example/fhir/Patient/ada"}))
    body["entry"][0]["fullUrl"] = "http://server.example/fhir/Patient/ada"
    got = load(body)
    assert {record.patient.id: len(record.counts) for record in got.records} == {
        "ada": 0,
        "http://other.example/fhir/Patient/ada": 1,
    }


def test_an_observation_without_subject_goes_to_the_only_person_and_says_so(load: Load) -> None:
    got = load(bundle(patient(), observation(subject=None)))
    assert len(only(got).counts) == 1
    assert [notice.severity for notice in got.notices if notice.code == "LK411"] == ["warning"]


def test_an_observation_without_subject_among_several_is_set_aside(load: Load) -> None:
    got = load(bundle(patient(), patient("bob"), observation(subject=None)))
    assert all(record.counts == () for record in got.records)
    (notice,) = [notice for notice in got.notices if notice.code == "LK412"]
    assert (notice.severity, notice.data_lost) == ("error", True)


def test_the_caller_may_name_the_person_of_a_file_that_names_nobody(load: Load) -> None:
    with pytest.raises(UnreadableInput, match="1 Observation names nobody"):
        load(observation(subject=None))
    assert only(load(observation(subject=None), options=ReadOptions(patient="eve"))).patient.id == "eve"


def test_the_display_of_a_reference_is_never_told(load: Load) -> None:
    subject = {"display": "Ada Secretname"}
    got = load(bundle(patient(name=[{"family": "Secretname"}]), patient("bob"), observation(subject=subject)))
    assert "Secretname" not in repr(got)


@pytest.mark.parametrize("kind", ["Group", "Device", "Location"])
def test_a_subject_that_is_no_person(load: Load, kind: str) -> None:
    got = load(bundle(patient(), observation(subject={"reference": f"{kind}/1"})))
    assert only(got).counts == ()
    assert "LK413" in told(got)


def test_a_count_of_a_fetus_or_donor_is_not_the_persons(load: Load) -> None:
    got = load(bundle(patient(), observation(focus=[{"reference": "RelatedPerson/fetus"}])))
    assert only(got).counts == ()
    assert "LK414" in told(got)


def test_a_focus_on_ones_own_disease_is_ones_own(load: Load) -> None:
    assert len(only(load(bundle(patient(), observation(focus=[{"reference": "Condition/c"}])))).counts) == 1


def test_one_id_with_two_birth_dates_is_two_people(load: Load) -> None:
    first = bundle(patient(), observation())
    second = bundle(patient(birthDate="2001-01-01"), observation("w2", value=9.0))
    got = load(first, second)
    assert {record.patient.id: [found.value for found in record.counts] for record in got.records} == {
        "ada (file0.json)": [3.2],
        "ada (file1.json)": [9.0],
    }
    assert "LK416" in told(got)


def test_two_versions_of_a_patient_that_contradict_each_other(load: Load) -> None:
    got = load(bundle(patient(), patient(birthDate="2001-01-01"), observation()))
    assert (only(got).patient.born, only(got).patient.sex) == (None, None)
    assert "LK422" in told(got)


@pytest.mark.parametrize(
    ("written", "sex"), [("male", "male"), ("female", "female"), ("other", None), ("unknown", None)]
)
def test_sex(load: Load, written: str, sex: str | None) -> None:
    got = load(bundle(patient(gender=written), observation()))
    assert only(got).patient.sex == sex
    assert ("LK417" in told(got)) is (sex is None)


def test_a_birth_date_after_the_draw_is_not_used(load: Load) -> None:
    got = load(bundle(patient(birthDate="2024-03-02"), observation()))
    assert only(got).patient.born is None
    assert len(only(got).counts) == 1
    assert [notice.severity for notice in got.notices if notice.code == "LK415"] == ["error"]
    assert only(got).born_in_doubt


def test_a_draw_on_the_day_of_birth_is_fine(load: Load) -> None:
    got = load(bundle(patient(birthDate="2024-03-01"), observation()))
    assert not only(got).born_in_doubt
    assert only(got).patient.born == date(2024, 3, 1)


def test_a_partial_birth_date_and_a_death(load: Load) -> None:
    record = only(load(bundle(patient(birthDate="1980-05", deceasedDateTime="2025-01-02"), observation())))
    assert (record.patient.born, record.patient.born_precision) == (date(1980, 5, 1), "month")
    assert record.patient.died == date(2025, 1, 2)


def test_a_linked_patient_is_told_not_joined(load: Load) -> None:
    linked = patient(link=[{"other": {"reference": "Patient/eve"}, "type": "replaced-by"}])
    assert "LK419" in told(load(bundle(linked, observation())))


# ---- values ---------------------------------------------------------------------------------------------------------


def test_the_text_of_a_number_is_kept(load: Load) -> None:
    text = json.dumps(bundle(patient(), observation(value=0.75))).replace("0.75", "0.70")
    found = count(load(text))
    assert (found.value, found.origin.value_text) == (0.7, "0.70")


@pytest.mark.parametrize(
    ("value", "expected", "bound"),
    [
        ({"valueQuantity": quantity(0.1) | {"comparator": "<"}}, 0.1, "<"),
        ({"valueString": "<0.1 10*9/L"}, 0.1, "<"),
        ({"valueString": "3.4 K/uL"}, 3.4, "="),
        ({"valueQuantity": {"value": 3400, "unit": "/uL"}}, 3.4, "="),
    ],
)
def test_forms_of_a_value(load: Load, value: Json, expected: float, bound: str) -> None:
    body = {key: item for key, item in observation().items() if key != "valueQuantity"} | value
    found = count(load(bundle(patient(), body)))
    assert (found.value, found.bound) == (expected, bound)


def test_a_value_integer_without_a_unit_uses_the_callers_unit(load: Load) -> None:
    body = observation(valueQuantity=None, valueInteger=3400)
    got = load(bundle(patient(), body), options=ReadOptions(units={"wbc": "/uL"}))
    assert count(got).value == 3.4


def test_an_unknown_comparator_is_no_value(load: Load) -> None:
    got = load(bundle(patient(), observation(valueQuantity=quantity(3.2) | {"comparator": "ad"})))
    assert only(got).counts == ()
    assert "LK441" in told(got)


def test_absent_data_is_no_count_and_is_told(load: Load) -> None:
    body = observation(valueQuantity=None, dataAbsentReason={"coding": [{"code": "error"}]})
    got = load(bundle(patient(), body))
    assert only(got).counts == ()
    assert [notice for notice in got.notices if notice.place.pointer == "/entry/1/resource"]


def test_components_stand_for_themselves(load: Load) -> None:
    parts = [
        {"code": concept(WBC), "valueQuantity": quantity(2.0)},
        {"code": concept(ANC), "valueQuantity": quantity(0.9)},
    ]
    body = observation("cbc", "58410-2", valueQuantity=None, component=parts)
    counts = only(load(bundle(patient(), body))).counts
    assert {(found.id, found.analyte, found.value) for found in counts} == {
        ("Observation/cbc:6690-2", "wbc", 2.0),
        ("Observation/cbc:751-8", "neutrophils", 0.9),
    }
    assert {found.draw for found in counts} == {"Observation/cbc"}
    assert counts[0].origin.place.pointer in {
        "/entry/1/resource/component/0/valueQuantity",
        "/entry/1/resource/component/1/valueQuantity",
    }


def test_flags_interval_specimen_and_method_arrive(load: Load) -> None:
    body = observation(
        interpretation=[{"coding": [{"code": "L"}]}],
        referenceRange=[{"low": quantity(4.0), "high": quantity(10.0), "text": "4-10"}],
        specimen={"reference": "Specimen/s"},
    )
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "Venous blood"}}
    found = count(load(bundle(patient(), specimen, body)))
    assert (found.flags, found.lab_low, found.lab_high, found.draw) == (("L",), 4.0, 10.0, "Specimen/s")


def test_blood_counts_of_other_fluids_are_refused(load: Load) -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "Cerebrospinal fluid"}}
    got = load(bundle(patient(), specimen, observation(specimen={"reference": "Specimen/s"})))
    assert only(got).counts == ()
    assert any(notice.data_lost for notice in got.notices)


def test_displays_lose_their_zero_width_spaces(load: Load) -> None:
    body = observation() | {"code": concept(WBC, "Leukocytes [#/\u200bvolume] in Blood")}
    assert count(load(bundle(patient(), body))).origin.codes[0].display == "Leukocytes [#/volume] in Blood"


# ---- printed ranges -------------------------------------------------------------------------------------------------

MALE = {
    "low": quantity(4.0),
    "high": quantity(9.0),
    "appliesTo": [concept("248153007", system="http://snomed.info/sct")],
}
FEMALE = {"low": quantity(4.5), "high": quantity(11.0), "appliesTo": [{"text": "Female"}]}
CRITICAL = {"low": quantity(1.0), "type": concept("critical")}
CHILD = {"low": quantity(5.0), "high": quantity(15.0), "age": {"high": {"value": 17, "code": "a"}}}
ADULT = {"low": quantity(4.2), "high": quantity(10.5), "age": {"low": {"value": 18, "code": "a"}}}
PLAIN = {"low": quantity(4.0), "high": quantity(10.0)}
OTHER = {"low": quantity(3.0), "high": quantity(8.0)}


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([MALE, FEMALE], (4.5, 11.0)),
        ([MALE], (None, None)),
        ([CRITICAL, PLAIN], (4.0, 10.0)),
        ([CRITICAL], (None, None)),
        ([CHILD, ADULT], (4.2, 10.5)),
        ([PLAIN, ADULT], (4.2, 10.5)),
        ([PLAIN, OTHER], (None, None)),
        ([PLAIN, PLAIN], (4.0, 10.0)),
        ([PLAIN | {"appliesTo": [{"text": "pregnant"}]}], (None, None)),
    ],
)
def test_the_range_is_this_persons_or_none(load: Load, ranges: list[Json], expected: tuple[float, float]) -> None:
    found = count(load(bundle(patient(), observation(referenceRange=ranges))))
    assert (found.lab_low, found.lab_high) == expected


def test_a_range_for_a_sex_that_is_not_known_is_not_used(load: Load) -> None:
    got = load(bundle(patient(gender="unknown"), observation(referenceRange=[MALE, FEMALE])))
    assert (count(got).lab_low, count(got).lab_high) == (None, None)
    assert "LK440" in told(got)


# ---- times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "at", "precision", "assumed"),
    [
        ("2024", datetime(2024, 1, 1, tzinfo=UTC), "year", True),
        ("2024-03", datetime(2024, 3, 1, tzinfo=UTC), "month", True),
        ("2024-03-01", datetime(2024, 3, 1, tzinfo=UTC), "day", True),
        ("2024-03-01T08:30:00Z", datetime(2024, 3, 1, 8, 30, tzinfo=UTC), "second", False),
        ("2024-03-01T08:30:00", datetime(2024, 3, 1, 8, 30, tzinfo=UTC), "second", True),
        ("2024-03-01T08:30", datetime(2024, 3, 1, 8, 30, tzinfo=UTC), "minute", True),
        (
            "2024-03-01T08:30:00.123456789-05:00",
            datetime(2024, 3, 1, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-5))),
            "second",
            False,
        ),
    ],
)
def test_times_are_as_precise_as_written(load: Load, written: str, at: datetime, precision: str, assumed: bool) -> None:
    taken = count(load(bundle(patient(), observation(effectiveDateTime=written)))).taken
    assert taken is not None
    assert (taken.at, taken.precision, taken.zone_assumed) == (at, precision, assumed)


def test_the_callers_zone_is_assumed_and_told(load: Load) -> None:
    zone = ZoneInfo("Europe/Berlin")
    got = load(bundle(patient(), observation(effectiveDateTime="2024-07-01T08:30:00")), options=ReadOptions(zone=zone))
    taken = count(got).taken
    assert taken is not None
    assert taken.at.utcoffset() == timedelta(hours=2)
    assert "LK434" in told(got)


@pytest.mark.parametrize(
    "written", ["2024-02-30", "yesterday", "2024-13-01", "0000-01-01", "2024-03-01T08:30:00+99:00"]
)
def test_a_date_that_is_none_is_told(load: Load, written: str) -> None:
    got = load(bundle(patient(), observation(effectiveDateTime=written)))
    assert count(got).taken is None
    assert "LK432" in told(got)


@pytest.mark.parametrize(
    "form",
    [
        {"effectivePeriod": {"start": "2024-03-01T08:30:00+01:00", "end": "2024-03-01T08:40:00+01:00"}},
        {"effectivePeriod": {"end": "2024-03-01T08:30:00+01:00"}},
        {"effectiveInstant": "2024-03-01T08:30:00+01:00"},
        {"effectiveTiming": {"event": ["2024-03-01T08:30:00+01:00"]}},
    ],
)
def test_other_forms_of_the_time(load: Load, form: Json) -> None:
    taken = count(load(bundle(patient(), observation(effectiveDateTime=None, **form)))).taken
    assert taken is not None
    assert taken.at == datetime(2024, 3, 1, 7, 30, tzinfo=UTC)


def test_a_future_date_is_told_and_kept(load: Load) -> None:
    options = ReadOptions(as_of=date(2024, 2, 29))
    got = load(bundle(patient(), observation()), options=options)
    assert count(got).value == 3.2
    (notice,) = [notice for notice in got.notices if notice.code == "LK433"]
    assert notice.text == "1 date of blood counts lies after 2024-02-29, the day of the assessment"


def test_several_future_dates_are_told_once_with_their_number(load: Load) -> None:
    options = ReadOptions(as_of=date(2024, 2, 29))
    got = load(bundle(patient(), observation("a"), observation("b")), options=options)
    (notice,) = [notice for notice in got.notices if notice.code == "LK433"]
    assert notice.text == "2 dates of blood counts lie after 2024-02-29, the day of the assessment"


# ---- reports, panels, specimens -------------------------------------------------------------------------------------

REPORT: Json = {
    "resourceType": "DiagnosticReport",
    "id": "r",
    "status": "final",
    "code": concept("58410-2"),
    "subject": {"reference": "Patient/ada"},
    "effectiveDateTime": "2024-03-02T09:00:00Z",
    "issued": "2024-03-02T10:00:00Z",
    "result": [{"reference": "Observation/w1"}, {"reference": "Observation/n1"}],
}


def test_a_report_lends_time_issue_and_draw(load: Load) -> None:
    results = [observation(effectiveDateTime=None), observation("n1", ANC, 0.9, effectiveDateTime=None)]
    got = load(bundle(patient(), *results, REPORT))
    for found in only(got).counts:
        assert found.taken is not None
        assert found.taken.at == datetime(2024, 3, 2, 9, tzinfo=UTC)
        assert found.issued is not None
        assert found.draw == "DiagnosticReport/r"
    (notice,) = [notice for notice in got.notices if notice.code == "LK430"]
    assert "DiagnosticReport/r" in notice.text


def test_the_results_own_time_stands_before_the_reports(load: Load) -> None:
    taken = count(load(bundle(patient(), observation(), REPORT))).taken
    assert taken is not None
    assert taken.day == date(2024, 3, 1)


def test_a_report_over_several_days_makes_no_common_draw(load: Load) -> None:
    results = [observation(), observation("n1", ANC, 0.9, effectiveDateTime="2024-03-05")]
    counts = only(load(bundle(patient(), *results, REPORT))).counts
    assert len({found.draw for found in counts}) == 2


def test_two_reports_that_disagree_about_the_time_lend_none(load: Load) -> None:
    other = REPORT | {"id": "r2", "effectiveDateTime": "2024-04-02"}
    got = load(bundle(patient(), observation(effectiveDateTime=None), REPORT, other))
    assert count(got).taken is None
    assert "LK431" in told(got)


def test_a_panel_lends_to_its_members(load: Load) -> None:
    panel = observation("cbc", "58410-2", valueQuantity=None, hasMember=[{"reference": "Observation/w1"}])
    got = load(bundle(patient(), panel, observation(effectiveDateTime=None, subject=None)))
    found = count(got)
    assert found.draw == "Observation/cbc"
    assert found.taken is not None
    assert "LK411" not in told(got)


def test_an_observation_by_itself_names_no_draw(load: Load) -> None:
    assert count(load(bundle(patient(), observation()))).draw is None


def test_a_stand_in_for_all_specimens_is_no_draw_across_days(load: Load) -> None:
    sample = {"specimen": {"reference": "Specimen/blood"}}
    first = observation("w1", **sample)
    second = observation("n1", ANC, 1.0, effectiveDateTime="2024-03-09T08:00:00Z", **sample)
    assert len({found.draw for found in only(load(bundle(patient(), first, second))).counts}) == 2


def test_panels_in_a_circle_end(load: Load) -> None:
    one = observation("a", hasMember=[{"reference": "Observation/b"}], effectiveDateTime=None)
    two = observation("b", hasMember=[{"reference": "Observation/a"}], effectiveDateTime=None)
    assert len(only(load(bundle(patient(), one, two))).counts) == 2


def test_the_specimens_time_of_collection(load: Load) -> None:
    collection = {"collectedDateTime": "2024-03-01T07:00:00Z"}
    specimen = {"resourceType": "Specimen", "id": "s", "collection": collection}
    taken = count(
        load(bundle(patient(), specimen, observation(effectiveDateTime=None, specimen={"reference": "Specimen/s"})))
    ).taken
    assert taken is not None
    assert taken.at == datetime(2024, 3, 1, 7, tzinfo=UTC)


def test_a_report_of_another_person_lends_nothing(load: Load) -> None:
    foreign = REPORT | {"subject": {"reference": "Patient/bob"}}
    got = load(bundle(patient(), patient("bob"), observation(effectiveDateTime=None), foreign))
    (found,) = next(record for record in got.records if record.patient.id == "ada").counts
    assert found.taken is None
    assert "LK443" in told(got)


def test_a_withdrawn_report_is_told(load: Load) -> None:
    got = load(bundle(patient(), observation(), REPORT | {"status": "entered-in-error"}))
    assert len(only(got).counts) == 1
    assert "LK424" in told(got)


# ---- statuses and versions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_withdrawn_results_count_for_nothing(load: Load, status: str) -> None:
    got = load(bundle(patient(), observation(status=status)))
    assert only(got).counts == ()
    assert "LK420" in told(got)


@pytest.mark.parametrize("status", ["registered", "preliminary", "final", "amended", "corrected"])
def test_other_statuses_are_kept_as_such(load: Load, status: str) -> None:
    assert count(load(bundle(patient(), observation(status=status)))).status == status


@pytest.mark.parametrize("status", [None, "bogus"])
def test_a_missing_or_unknown_status(load: Load, status: str | None) -> None:
    got = load(bundle(patient(), observation(status=status)))
    assert count(got).status == "unknown"
    assert "LK423" in told(got)


def version(number: int, value: float, status: str = "final") -> Json:
    return observation(value=value, status=status, meta={"versionId": str(number)})


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_latest_version_counts_and_history_is_kept(load: Load, order: tuple[int, ...]) -> None:
    versions = [version(1, 0.4, "preliminary"), version(2, 4.0), version(10, 4.2, "corrected")]
    got = load(bundle(patient(), *(versions[index] for index in order), kind="history"))
    found = count(got)
    assert (found.value, found.status) == (4.2, "corrected")
    assert [old.value for old in found.superseded] == [0.4, 4.0]
    assert "LK421" in told(got)


def test_a_late_preliminary_never_beats_a_final(load: Load) -> None:
    final = observation(value=4.0, meta={"lastUpdated": "2024-03-01T10:00:00Z"})
    late = observation(value=0.4, status="preliminary", meta={"lastUpdated": "2024-03-02T10:00:00Z"})
    assert count(load(bundle(patient(), final, late))).value == 4.0


def test_a_version_entered_in_error_ends_all_earlier_ones(load: Load) -> None:
    got = load(bundle(patient(), version(1, 0.4), version(2, 0.4, "entered-in-error")))
    assert only(got).counts == ()


def test_a_deletion_in_a_history_ends_the_result(load: Load) -> None:
    body = bundle(observation(meta={"lastUpdated": "2024-03-01T10:00:00Z"}), patient(), kind="history")
    body["entry"].insert(
        0,
        {
            "request": {"method": "DELETE", "url": "Observation/w1"},
            "response": {"lastModified": "2024-03-05T10:00:00Z"},
        },
    )
    got = load(body)
    assert only(got).counts == ()
    assert "LK420" in told(got)


def test_without_any_order_both_versions_stay(load: Load) -> None:
    got = load(bundle(patient(), observation(value=0.4), observation(value=4.0)))
    assert sorted(found.value for found in only(got).counts) == [0.4, 4.0]
    assert len({found.id for found in only(got).counts}) == 2
    assert "LK422" in told(got)


def test_a_correction_under_another_id_but_the_same_identifier(load: Load) -> None:
    identifier = [{"system": "urn:lab", "value": "A-17"}]
    first = observation("w1", value=0.4, identifier=identifier)
    second = observation("w2", value=4.0, status="corrected", identifier=identifier)
    found = count(load(bundle(patient(), second, first)))
    assert (found.value, [old.value for old in found.superseded]) == (4.0, [0.4])


def test_a_right_result_is_not_lost_beside_a_withdrawn_one_of_the_same_identifier(load: Load) -> None:
    identifier = [{"system": "urn:lab", "value": "A-17"}]
    wrong = observation("w1", value=0.4, status="entered-in-error", identifier=identifier)
    right = observation("w2", value=4.0, identifier=identifier)
    assert count(load(bundle(patient(), wrong, right))).value == 4.0


def test_two_results_of_one_order_are_two_results(load: Load) -> None:
    identifier = [{"system": "urn:order", "value": "O-1"}]
    first = observation("w1", value=0.4, identifier=identifier)
    second = observation("w2", value=4.0, identifier=identifier, effectiveDateTime="2024-03-09", status="corrected")
    assert len(only(load(bundle(patient(), first, second))).counts) == 2


def test_a_result_without_id_has_a_stable_one(load: Load) -> None:
    first = count(load(bundle(patient(), observation(None))))
    second = count(load(bundle(observation(None), patient())))
    assert first.id == second.id
    assert first.id.startswith("Observation/~")


# ---- other resources ------------------------------------------------------------------------------------------------


def test_other_measurements_become_signs_and_are_summed_up(load: Load) -> None:
    sugars = [observation(f"g{n}", GLUCOSE, valueQuantity=quantity(90 + n, "mg/dL")) for n in range(3)]
    vital = observation("t", "8310-5", valueQuantity=quantity(38.4, "Cel"), category=[concept("vital-signs")])
    got = load(bundle(patient(), *sugars, vital))
    assert {sign.value for sign in only(got).signs} == {90.0, 91.0, 92.0, 38.4}
    (notice,) = [notice for notice in got.notices if notice.code == "LK442"]
    assert notice.text.startswith("3 laboratory results")


def test_one_other_measurement_is_said_in_the_singular(load: Load) -> None:
    got = load(bundle(patient(), observation("g", GLUCOSE, valueQuantity=quantity(90, "mg/dL"))))
    (notice,) = [notice for notice in got.notices if notice.code == "LK442"]
    assert notice.text.startswith("1 laboratory result of ")
    assert " is no blood count: " in notice.text


def test_conditions(load: Load) -> None:
    def condition(name: str, verification: str, **more: Any) -> Json:
        return {
            "resourceType": "Condition",
            "id": name,
            "code": concept("302215000", "Thrombocytopenic disorder", "http://snomed.info/sct"),
            "subject": {"reference": "Patient/ada"},
            "clinicalStatus": concept("active"),
            "verificationStatus": concept(verification),
        } | more

    got = load(
        bundle(
            patient(),
            condition("a", "confirmed", onsetDateTime="2023-05", abatementDateTime="2024-01-01"),
            condition("b", "provisional", recordedDate="2023-06-01"),
            condition("c", "refuted"),
            condition("d", "entered-in-error"),
        )
    )
    facts = {fact.id: fact for fact in only(got).facts}
    assert set(facts) == {"Condition/a", "Condition/b"}
    first, second = facts["Condition/a"], facts["Condition/b"]
    assert first.start is not None
    assert first.end is not None
    assert (first.start.precision, first.end.day, first.status) == ("month", date(2024, 1, 1), "active")
    assert second.start is None
    assert second.recorded is not None
    assert second.status == "active, provisional"
    assert told(got).count("LK450") == 2


def medicine(kind: str, name: str, **more: Any) -> Json:
    drug = concept("3639", "doxorubicin", "http://www.nlm.nih.gov/research/umls/rxnorm")
    return {
        "resourceType": kind,
        "id": name,
        "status": "completed",
        "medicationCodeableConcept": drug,
        "subject": {"reference": "Patient/ada"},
    } | more


def test_an_administration(load: Load) -> None:
    period = {"start": "2024-02-20T10:00:00Z", "end": "2024-02-20T10:30:00Z"}
    dosage = {"dose": quantity(105.96, "mg"), "route": concept("47625008", "Intravenous route")}
    body = bundle(patient(), medicine("MedicationAdministration", "m", effectivePeriod=period, dosage=dosage))
    (dose,) = only(load(body)).doses
    assert (dose.drug, dose.amount, dose.unit, dose.route) == ("doxorubicin", 105.96, "mg", "Intravenous route")
    assert (dose.hours, dose.given, dose.status) == (0.5, True, "completed")


def test_what_was_not_done_was_not_given(load: Load) -> None:
    body = medicine("MedicationAdministration", "m", status="not-done", effectiveDateTime="2024-02-20")
    (dose,) = only(load(bundle(patient(), body))).doses
    assert (dose.given, dose.status) == (False, "not-done")


def test_orders_and_statements_are_not_given(load: Load) -> None:
    plan = medicine(
        "MedicationRequest",
        "r",
        status="active",
        intent="plan",
        authoredOn="2024-02-01",
        dosageInstruction=[{"doseAndRate": [{"doseQuantity": quantity(60, "mg")}]}],
    )
    forbidden = medicine("MedicationRequest", "n", doNotPerform=True)
    taken = medicine("MedicationStatement", "s", effectivePeriod={"start": "2024-01-01", "end": "2024-01-10"})
    got = load(bundle(patient(), plan, forbidden, taken))
    doses = {dose.id: dose for dose in only(got).doses}
    assert set(doses) == {"MedicationRequest/r", "MedicationStatement/s"}
    assert doses["MedicationRequest/r"].status == "active (plan)"
    assert doses["MedicationRequest/r"].amount == 60.0
    assert not any(dose.given for dose in doses.values())
    assert "LK452" in told(got)


def test_a_medicine_named_by_reference(load: Load) -> None:
    named = {"resourceType": "Medication", "id": "d", "code": {"text": "filgrastim"}}
    ref = {"medicationReference": {"reference": "Medication/d"}, "medicationCodeableConcept": None}
    body = medicine("MedicationAdministration", "m", effectiveDateTime="2024-02-20") | ref
    (dose,) = only(load(bundle(patient(), named, body))).doses
    assert dose.drug == "filgrastim"
    assert "LK451" in told(load(bundle(patient(), body)))


def test_procedures_allergies_and_adverse_events(load: Load) -> None:
    subject = {"reference": "Patient/ada"}
    grade = {
        "url": "http://hl7.org/fhir/us/ctcae/StructureDefinition/ctcae-grade",
        "valueCodeableConcept": concept("3"),
    }
    resources = [
        {
            "resourceType": "Procedure",
            "id": "p",
            "status": "completed",
            "code": {"text": "Splenectomy"},
            "subject": subject,
        },
        {"resourceType": "Procedure", "id": "q", "status": "not-done", "code": {"text": "Biopsy"}, "subject": subject},
        {"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": "Penicillin"}, "patient": subject},
        {
            "resourceType": "AdverseEvent",
            "id": "e",
            "actuality": "actual",
            "event": {"text": "low neutrophils on the third day", "coding": [{"code": "1", "display": "Neutropenia"}]},
            "subject": subject,
            "date": "2024-03-01",
            "extension": [grade],
        },
    ]
    facts = {fact.id: fact for fact in only(load(bundle(patient(), *resources))).facts}
    assert {key: fact.kind for key, fact in facts.items()} == {
        "Procedure/p": "procedure",
        "AllergyIntolerance/a": "allergy",
        "AdverseEvent/e": "adverse_event",
    }
    event = facts["AdverseEvent/e"]
    assert event.name == "Neutropenia"
    assert event.detail.startswith("CTCAE grade 3")


def test_a_new_version_that_says_the_same_is_no_correction(load: Load) -> None:
    got = load(bundle(patient(), version(1, 3.2), version(2, 3.2)))
    assert count(got).superseded == ()
    assert "LK421" not in told(got)


def test_many_resources_of_one_id_do_not_stall(load: Load) -> None:
    many = [observation(value=1 + n / 1000) for n in range(3000)]
    assert len(only(load(bundle(patient(), *many))).counts) == 3000


def test_the_status_of_an_answered_part(load: Load) -> None:
    body = bundle(patient(), observation(), kind="batch-response")
    body["entry"] += [{"response": {"status": "404 Not Found"}}, {"response": {"status": "201"}}]
    assert told(load(body)).count("LK405") == 1


def test_a_panel_is_no_measurement_but_a_count_without_value_is_told(load: Load) -> None:
    parts = [{"code": concept(ANC), "valueQuantity": quantity(0.9)}]
    panel = observation("cbc", "58410-2", valueQuantity=None, component=parts)
    empty = observation("w1", WBC, valueQuantity=None, component=parts)
    got = load(bundle(patient(), panel, empty))
    assert (len(only(got).counts), only(got).signs) == (2, ())
    assert [notice for notice in got.notices if notice.place.pointer == "/entry/2/resource"]
