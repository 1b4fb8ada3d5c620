"""Writes the example people: `python scripts/people.py`. The persons, their names and their values are invented.

Each person is a short table of what was found on which day, so that the story can be read and changed in one place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

PEOPLE = Path(__file__).parents[1] / "src" / "leuko" / "data" / "examples" / "people"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"

# name: LOINC code, what the laboratory prints, unit printed, UCUM unit
TESTS: dict[str, tuple[str, str, str, str]] = {
    "WBC": ("6690-2", "Leukocytes", "10*9/L", "10*9/L"),
    "NEUT": ("751-8", "Neutrophils, absolute", "10*9/L", "10*9/L"),
    "LYM": ("731-0", "Lymphocytes, absolute", "10*9/L", "10*9/L"),
    "MONO": ("742-7", "Monocytes, absolute", "10*9/L", "10*9/L"),
    "HB": ("718-7", "Haemoglobin", "g/dL", "g/dL"),
    "MCV": ("787-2", "Mean corpuscular volume", "fL", "fL"),
    "PLT": ("777-3", "Platelets", "10*9/L", "10*9/L"),
    "RET": ("60474-4", "Reticulocytes", "10*9/L", "10*9/L"),
    "FILM": ("5909-7", "Blood film", "", ""),
    "DUFFY": ("", "Duffy phenotype of red cells", "", ""),
    "TEMP": ("8310-5", "Body temperature", "°C", "Cel"),
    "PULSE": ("8867-4", "Heart rate", "/min", "/min"),
    "RESP": ("9279-1", "Respiratory rate", "/min", "/min"),
    "SPO2": ("59408-5", "Oxygen saturation", "%", "%"),
    "SBP": ("8480-6", "Systolic blood pressure", "mmHg", "mm[Hg]"),
    "CREA": ("2160-0", "Creatinine", "mg/dL", "mg/dL"),
}
VITAL = frozenset({"TEMP", "PULSE", "RESP", "SPO2", "SBP"})
ADULT = {
    "WBC": (3.9, 10.2),
    "NEUT": (1.8, 7.7),
    "LYM": (1.1, 4.5),
    "HB": (11.7, 15.5),
    "MCV": (80, 96),
    "PLT": (150, 370),
}
MAN = ADULT | {"HB": (13.5, 17.2)}
CHILD = {
    "WBC": (5.0, 15.5),
    "NEUT": (1.5, 8.5),
    "LYM": (2.0, 8.0),
    "HB": (11.0, 14.0),
    "MCV": (75, 87),
    "PLT": (150, 450),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """A medicine: given on days of its own (`given`), or taken from `since` to `until` (none: still taken)."""

    name: str
    rxnorm: str
    given: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    dose: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One invented person: conditions as (ICD-10-CM, words, onset, end), findings by the moment they were taken."""

    id: str
    given: str
    family: str
    gender: str
    born: str
    zone: str
    normal: Mapping[str, tuple[float, float]]
    findings: Mapping[str, Mapping[str, float | str]]
    conditions: tuple[tuple[str, str, str, str], ...] = ()
    medicines: tuple[Medicine, ...] = ()


BREAST_CANCER = Person(
    id="chemotherapy-fever",
    given="Marit",
    family="Osterlind",
    gender="female",
    born="1971-03-22",
    zone="+02:00",
    normal=ADULT,
    conditions=(("C50.412", "Cancer of the left breast", "2026-03-02", ""),),
    medicines=(
        Medicine(name="Docetaxel", rxnorm="72962", given=("2026-04-13", "2026-05-04"), dose=(132, "mg")),
        Medicine(name="Doxorubicin", rxnorm="3639", given=("2026-04-13", "2026-05-04"), dose=(88, "mg")),
        Medicine(name="Cyclophosphamide", rxnorm="3002", given=("2026-04-13", "2026-05-04"), dose=(880, "mg")),
    ),
    findings={
        "2026-04-09T08:20": {"WBC": 6.8, "NEUT": 4.3, "LYM": 1.7, "HB": 12.8, "MCV": 89, "PLT": 264, "CREA": 0.8},
        "2026-04-22T09:05": {"WBC": 1.9, "NEUT": 0.9, "LYM": 0.7, "HB": 12.0, "MCV": 89, "PLT": 171},
        "2026-05-04T08:10": {"WBC": 5.6, "NEUT": 3.6, "LYM": 1.2, "HB": 11.8, "MCV": 90, "PLT": 238, "CREA": 0.8},
        "2026-05-13T20:40": {"WBC": 0.9, "NEUT": 0.3, "LYM": 0.4, "HB": 10.9, "MCV": 90, "PLT": 112, "CREA": 0.9},
        "2026-05-13T20:25": {"TEMP": 38.6, "PULSE": 104, "RESP": 18},
    },
)

CLOZAPINE = Person(
    id="clozapine",
    given="Deniz",
    family="Karaman",
    gender="male",
    born="1991-11-08",
    zone="+01:00",
    normal=MAN,
    conditions=(("F20.0", "Schizophrenia", "2017-05-01", ""),),
    medicines=(
        Medicine(name="Clozapine", rxnorm="2626", since="2026-01-12", dose=(300, "mg")),
        Medicine(name="Valproate", rxnorm="11118", since="2025-06-02", dose=(1000, "mg")),
    ),
    findings={
        "2026-01-09T08:00": {"WBC": 6.1, "NEUT": 3.6, "LYM": 1.8, "HB": 14.9, "MCV": 91, "PLT": 244},
        "2026-02-09T08:10": {"WBC": 5.8, "NEUT": 3.4, "LYM": 1.7, "HB": 14.8, "MCV": 91, "PLT": 240},
        "2026-02-23T08:05": {"WBC": 5.4, "NEUT": 3.1, "LYM": 1.7, "HB": 14.7, "MCV": 91, "PLT": 238},
        "2026-03-09T08:15": {"WBC": 3.5, "NEUT": 1.4, "LYM": 1.6, "HB": 14.6, "MCV": 91, "PLT": 231},
        "2026-03-12T09:00": {"WBC": 2.8, "NEUT": 0.8, "LYM": 1.6, "HB": 14.6, "MCV": 91, "PLT": 229},
        "2026-03-12T09:05": {"TEMP": 36.7},
    },
)

PANCYTOPENIA = Person(
    id="pancytopenia",
    given="Ilse",
    family="Vandermolen",
    gender="female",
    born="1954-08-30",
    zone="+02:00",
    normal=ADULT,
    conditions=(("E11.9", "Type 2 diabetes", "2011-02-01", ""),),
    medicines=(Medicine(name="Metformin", rxnorm="6809", since="2011-03-01", dose=(2000, "mg")),),
    findings={
        "2024-04-15T08:30": {"WBC": 5.6, "NEUT": 3.3, "LYM": 1.7, "HB": 12.9, "MCV": 97, "PLT": 214, "CREA": 0.9},
        "2025-10-20T08:40": {"WBC": 4.1, "NEUT": 2.1, "LYM": 1.5, "HB": 11.2, "MCV": 109, "PLT": 168, "CREA": 0.9},
        "2026-06-16T08:25": {
            "WBC": 2.7,
            "NEUT": 1.2,
            "LYM": 1.2,
            "HB": 8.4,
            "MCV": 118,
            "PLT": 94,
            "RET": 28,
            "CREA": 0.9,
            "FILM": "Oval macrocytes, hypersegmented neutrophils. No blasts seen. Platelets truly low, no clumps.",
        },
    },
)

DUFFY_NULL = Person(
    id="duffy-null",
    given="Samuel",
    family="Adeyinka-Brandt",
    gender="male",
    born="1987-02-19",
    zone="+01:00",
    normal=MAN,
    findings={
        "2019-05-06T09:00": {"WBC": 3.6, "NEUT": 1.4, "LYM": 1.7, "HB": 14.8, "MCV": 88, "PLT": 221},
        "2021-09-13T09:00": {"WBC": 3.3, "NEUT": 1.2, "LYM": 1.7, "HB": 14.6, "MCV": 88, "PLT": 213},
        "2023-03-20T09:00": {"WBC": 3.4, "NEUT": 1.3, "LYM": 1.7, "HB": 14.9, "MCV": 87, "PLT": 226},
        "2024-11-11T09:00": {"WBC": 3.1, "NEUT": 1.1, "LYM": 1.6, "HB": 14.7, "MCV": 88, "PLT": 218},
        "2026-02-02T09:00": {
            "WBC": 3.4,
            "NEUT": 1.3,
            "LYM": 1.7,
            "HB": 14.8,
            "MCV": 88,
            "PLT": 219,
            "DUFFY": "Fy(a-b-)",
        },
    },
)

CHILD_AFTER_VIRUS = Person(
    id="child-after-virus",
    given="Lotte",
    family="Fenwick",
    gender="female",
    born="2022-01-14",
    zone="+01:00",
    normal=CHILD,
    conditions=(("B34.9", "Viral infection", "2026-02-14", "2026-02-20"),),
    findings={
        "2026-02-24T10:10": {"WBC": 3.8, "NEUT": 0.6, "LYM": 2.7, "HB": 11.9, "MCV": 80, "PLT": 265, "TEMP": 36.9},
        "2026-03-10T10:00": {"WBC": 6.4, "NEUT": 1.9, "LYM": 3.8, "HB": 12.0, "MCV": 80, "PLT": 301},
    },
)


def untested(person: Person) -> Person:
    """The same person, had the Duffy phenotype never been tested."""
    findings = {when: {n: v for n, v in found.items() if n != "DUFFY"} for when, found in person.findings.items()}
    return replace(person, id=person.id.replace("null", "untested"), findings=findings)


ALL = (BREAST_CANCER, CLOZAPINE, PANCYTOPENIA, DUFFY_NULL, untested(DUFFY_NULL), CHILD_AFTER_VIRUS)


def bundle(person: Person) -> dict[str, Any]:
    """The FHIR R4 bundle of one person."""
    resources = [_patient(person), *_conditions(person), *_medicines(person), *_draws(person)]
    return {
        "resourceType": "Bundle",
        "id": f"leuko-{person.id}",
        "type": "collection",
        "entry": [
            {"fullUrl": f"https://example.org/fhir/{one['resourceType']}/{one['id']}", "resource": one}
            for one in resources
        ],
    }


def _patient(person: Person) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": person.id,
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "gender": person.gender,
        "birthDate": person.born,
    }


def _subject(person: Person) -> dict[str, str]:
    return {"reference": f"Patient/{person.id}"}


def _conditions(person: Person) -> Iterable[dict[str, Any]]:
    for number, (code, words, onset, end) in enumerate(person.conditions, start=1):
        status = "resolved" if end else "active"
        yield {
            "resourceType": "Condition",
            "id": f"{person.id}-condition-{number}",
            "clinicalStatus": {"coding": [{"system": CLINICAL, "code": status}]},
            "code": {"coding": [{"system": ICD10, "code": code}], "text": words},
            "subject": _subject(person),
            "onsetDateTime": onset,
        } | ({"abatementDateTime": end} if end else {})


def _medicines(person: Person) -> Iterable[dict[str, Any]]:
    for medicine in person.medicines:
        yield from (_given(person, medicine, day) for day in medicine.given)
        if medicine.since:
            yield _taken(person, medicine)


def _concept(medicine: Medicine) -> dict[str, Any]:
    return {"coding": [{"system": RXNORM, "code": medicine.rxnorm}], "text": medicine.name}


def _amount(medicine: Medicine) -> dict[str, Any]:
    value, unit = medicine.dose or (0, "")
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _given(person: Person, medicine: Medicine, day: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationAdministration",
        "id": f"{person.id}-{medicine.name.lower()}-{day}",
        "status": "completed",
        "medicationCodeableConcept": _concept(medicine),
        "subject": _subject(person),
        "effectivePeriod": {"start": f"{day}T10:00:00{person.zone}", "end": f"{day}T11:00:00{person.zone}"},
        "dosage": {"route": {"text": "intravenous"}, "dose": _amount(medicine)},
    }


def _taken(person: Person, medicine: Medicine) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": f"{person.id}-{medicine.name.lower()}",
        "status": "stopped" if medicine.until else "active",
        "medicationCodeableConcept": _concept(medicine),
        "subject": _subject(person),
        "effectivePeriod": {"start": medicine.since} | ({"end": medicine.until} if medicine.until else {}),
        "dosage": [{"text": "a day, by mouth", "doseAndRate": [{"doseQuantity": _amount(medicine)}]}],
    }


def _draws(person: Person) -> Iterable[dict[str, Any]]:
    for when, found in person.findings.items():
        results = [_result(person, when, name, value) for name, value in found.items()]
        blood = [one for name, one in zip(found, results, strict=True) if name not in VITAL]
        if blood:
            yield _report(person, when, blood)
        yield from results


def _report(person: Person, when: str, results: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": f"{person.id}-cbc-{when[:10]}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "58410-2"}], "text": "Blood count"},
        "subject": _subject(person),
        "effectiveDateTime": f"{when}:00{person.zone}",
        "result": [{"reference": f"Observation/{one['id']}"} for one in results],
    }


def _result(person: Person, when: str, name: str, value: float | str) -> dict[str, Any]:
    code, label, unit, ucum = TESTS[name]
    concept: dict[str, Any] = {"text": label} | ({"coding": [{"system": LOINC, "code": code}]} if code else {})
    result: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"{person.id}-{name.lower()}-{when[:10]}",
        "status": "final",
        "code": concept,
        "subject": _subject(person),
        "effectiveDateTime": f"{when}:00{person.zone}",
    }
    if isinstance(value, str):
        return result | {"valueString": value}
    result["valueQuantity"] = {"value": value, "unit": unit, "system": UCUM, "code": ucum}
    if name in person.normal:
        low, high = person.normal[name]
        result["referenceRange"] = [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}]
    return result


def files() -> dict[Path, str]:
    """Each person's path and content."""
    return {PEOPLE / f"{one.id}.json": json.dumps(bundle(one), indent=1, ensure_ascii=False) + "\n" for one in ALL}


def main() -> int:
    """Write the people, or with --check say which differ from what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        stale = [path for path, text in files().items() if not path.exists() or path.read_text("utf-8") != text]
        for path in stale:
            sys.stderr.write(f"{path.name} is not what scripts/people.py writes\n")
        return int(bool(stale))
    PEOPLE.mkdir(parents=True, exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
