"""FHIR examples beside the checkout: what is read of each person, which traps are caught."""

from __future__ import annotations

import os
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from leuko.intake import Intake, read
from leuko.record import Record

SHARED = Path(os.environ.get("LEUKO_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
FHIR = SHARED / "data" / "fhir"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FHIR.is_dir(), reason="the shared FHIR examples are not beside the checkout (LEUKO_SHARED)"),
]


@lru_cache
def examples(name: str) -> Intake:
    return read(FHIR / name)


def person(name: str, who: str) -> Record:
    return next(record for record in examples(name).records if record.patient.id == who)


def analytes(record: Record) -> Counter[str]:
    return Counter(count.analyte for count in record.counts)


def told(name: str, file: str) -> set[str]:
    return {notice.code for notice in examples(name).notices if file in notice.place.source}


def test_mcode_keeps_its_people_apart() -> None:
    assert [record.patient.id for record in examples("mcode").records] == [
        "cancer-patient-adam-everyman",
        "cancer-patient-brian-l",
        "cancer-patient-eve-anyperson",
        "cancer-patient-jenny-m",
        "cancer-patient-john-anyperson",
        "cancer-patient-lucy-child",
        "gx-cancer-patient-adam-anyperson",
    ]


def test_jenny_m_has_no_neutrophil_count_of_three_million() -> None:
    jenny = person("mcode", "cancer-patient-jenny-m")
    assert analytes(jenny)["neutrophils"] == 0
    lost = [notice for notice in examples("mcode").notices if "neutrophils-jenny-m" in notice.place.source]
    assert [(notice.severity, notice.data_lost) for notice in lost] == [("error", True)]
    assert "1,000" in lost[0].text


def test_jenny_m_was_given_her_chemotherapy() -> None:
    jenny = person("mcode", "cancer-patient-jenny-m")
    given = [(dose.drug.lower(), dose.amount, dose.unit) for dose in jenny.doses if dose.given]
    assert ("cyclophosphamide", 932.59, "mg") in given
    assert [sum(name in drug for drug, _, _ in given) for name in ("cyclophosph", "doxorubicin", "paclitaxel")] == [
        1,
        1,
        1,
    ]
    ordered = [dose for dose in jenny.doses if not dose.given]
    assert [dose.drug.lower() for dose in ordered] == ["doxorubicin"]


def test_brian_ls_white_count_is_read_without_the_haematocrits_range() -> None:
    brian = person("mcode", "cancer-patient-brian-l")
    assert analytes(brian) == {"wbc": 1, "haemoglobin": 1, "haematocrit": 1}
    white = next(count for count in brian.counts if count.analyte == "wbc")
    assert (white.value, white.lab_low, white.lab_high) == (88.5, None, None)
    assert told("mcode", "white-blood-cell-brian-l")
    assert {count.draw for count in brian.counts} == {"DiagnosticReport/us-core-diagnosticreport-cbc-brian-l"}


def test_persona_2_takes_its_times_from_the_reports() -> None:
    persona = person("fsh-ae", "PatientPersona2")
    white = {count.taken.day.isoformat(): count for count in persona.counts if count.analyte == "wbc" and count.taken}
    white_draw = white["2020-12-21"].draw
    (absolute,) = (count for count in persona.counts if count.analyte == "neutrophils" and count.draw == white_draw)
    assert sorted(white) == ["2020-12-21", "2020-12-29"]
    assert white["2020-12-21"].value == 4.6
    assert absolute.value == 0.7
    assert all(count.draw in {"DiagnosticReport/201", "DiagnosticReport/202"} for count in persona.counts)
    assert "LK430" in told("fsh-ae", "Observation-r201")
    assert len(persona.counts) == 32
    assert {name for name, number in analytes(persona).items() if number != 2} == set()


def test_persona_2_has_reported_adverse_events_and_is_one_person() -> None:
    persona = person("fsh-ae", "PatientPersona2")
    events = [fact for fact in persona.facts if fact.kind == "adverse_event"]
    neutropenia = [fact for fact in events if fact.name == "Neutropenia"]
    assert len(events) == 8
    assert neutropenia
    assert all(fact.detail.startswith("CTCAE grade ") for fact in neutropenia)
    assert "LK418" in {notice.code for notice in examples("fsh-ae").notices}


@pytest.mark.parametrize(
    ("name", "draws", "doses", "facts"),
    [
        ("damion_frami", 3, 2, 16),
        ("fabian_yundt", 2, 1, 1),
        ("hunter_herman", 3, 0, 11),
        ("stanley_balistreri", 2, 1, 4),
        ("tom_goodwin", 3, 1, 11),
        ("zachary_kutch", 2, 1, 9),
    ],
)
def test_synthea(name: str, draws: int, doses: int, facts: int) -> None:
    got = examples(f"synthea-{name}.json.gz")
    (record,) = got.records
    found = analytes(record)
    assert {found[key] for key in ("wbc", "haemoglobin", "platelets", "haematocrit")} == {draws}
    assert (len(record.doses), len(record.facts)) == (doses, facts)
    assert record.patient.born is not None
    assert record.patient.sex == "male"
    assert "\u200b" not in repr(record)
    assert not [notice for notice in got.notices if notice.severity == "error"]


def test_us_cores_blood_count() -> None:
    (record,) = examples("us-core").records
    white = next(count for count in record.counts if count.analyte == "wbc")
    assert (white.value, white.lab_low, white.lab_high, white.flags) == (10.0, 4.5, 11.0, ("N",))
    assert white.draw == "Specimen/specimen-example-whole-blood"
