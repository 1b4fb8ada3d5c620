"""Writes the shipped examples: `python scripts/examples.py`. The persons, names and values are invented.

The adult's bundle is written from the short tables below, so that its story can be read and changed in one place.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "src" / "leuko" / "data" / "examples"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
PERSON = "example-adult"
START = date(2026, 1, 12)

# name: LOINC code, what the laboratory prints, unit printed, UCUM unit, low, high
TESTS: dict[str, tuple[str, str, str, str, float | None, float | None]] = {
    "WBC": ("6690-2", "Leukocytes", "10*9/L", "10*9/L", 3.9, 10.2),
    "NEUT": ("751-8", "Neutrophils, absolute", "10*9/L", "10*9/L", 1.8, 7.7),
    "NEUT%": ("770-8", "Neutrophils", "%", "%", None, None),
    "SEG%": ("769-0", "Segmented neutrophils, manual", "%", "%", None, None),
    "BAND%": ("764-1", "Band neutrophils, manual", "%", "%", None, None),
    "META%": ("28541-1", "Metamyelocytes", "%", "%", None, None),
    "LYM": ("731-0", "Lymphocytes, absolute", "10*9/L", "10*9/L", 1.1, 4.5),
    "HB": ("718-7", "Haemoglobin", "g/dL", "g/dL", 11.7, 15.5),
    "PLT": ("777-3", "Platelets", "10*9/L", "10*9/L", 150, 370),
}

# The day of treatment (0 = first dose) and what was found on it. The traps stand in TRAPS.
DRAWS: dict[int, dict[str, float | str]] = {
    -4: {"WBC": 6.4, "NEUT": 3.97, "LYM": 1.68, "HB": 12.9, "PLT": 262},
    7: {"WBC": 2.1, "NEUT%": 38, "HB": 12.1, "PLT": 198},
    9: {"WBC": 1.1, "NEUT": 0.31, "LYM": 0.62, "HB": 11.9, "PLT": 171},
    11: {"WBC": 0.9, "NEUT": "<0.1", "LYM": 0.58, "HB": 11.6, "PLT": 158},
    14: {"WBC": 2.4, "NEUT": 1.08, "LYM": 0.94, "HB": 11.5, "PLT": 166},
    20: {"WBC": 5.2, "NEUT": 3.3, "LYM": 1.31, "HB": 11.8, "PLT": 241},
    28: {"WBC": 1.9, "NEUT": 1.9, "LYM": 0.88, "HB": 11.2, "PLT": 179},
    30: {"WBC": 0.8, "HB": 11.0, "PLT": 148},
    33: {"WBC": 1.5, "SEG%": 30, "BAND%": 8, "META%": 4, "HB": 10.8, "PLT": 139},
    36: {"WBC": 3.1, "NEUT": 1.62, "LYM": 1.02, "HB": 10.9, "PLT": 162},
    41: {"WBC": 4.9, "NEUT": 3.0, "LYM": 1.21, "HB": 11.1, "PLT": 233},
    49: {"WBC": 2.3, "NEUT%": 41, "HB": 10.7, "PLT": 171},
    52: {"WBC": 1.7, "NEUT": 0.49, "LYM": 0.83, "HB": 10.5, "PLT": 144},
    56: {"WBC": 2.2, "NEUT": 0.84, "LYM": 0.91, "HB": 10.4, "PLT": 151},
}

DOSES = {0: (130, "cycle 1"), 21: (130, "cycle 2"), 42: (104, "cycle 3, reduced")}


def adult() -> dict[str, Any]:
    """The bundle of an adult in the third cycle of docetaxel."""
    resources = [_patient(), _condition(), *(_dose(day) for day in DOSES)]
    for day, values in DRAWS.items():
        resources += _draw(day, values)
    resources += _traps()
    return {
        "resourceType": "Bundle",
        "id": "leuko-example-adult",
        "type": "collection",
        "entry": [
            {"fullUrl": f"https://example.org/fhir/{item['resourceType']}/{item['id']}", "resource": item}
            for item in resources
        ],
    }


def _patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": PERSON,
        "identifier": [{"system": "https://example.org/mrn", "value": "EX-0001"}],
        "name": [{"use": "official", "family": "Example", "given": ["Alma"]}],
        "gender": "female",
        "birthDate": "1968-05-14",
    }


def _condition() -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "breast-cancer",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "C50.9"}],
            "text": "Breast cancer",
        },
        "subject": {"reference": f"Patient/{PERSON}"},
        "onsetDateTime": "2025-11-20",
    }


def _dose(day: int) -> dict[str, Any]:
    amount, note = DOSES[day]
    return {
        "resourceType": "MedicationAdministration",
        "id": f"docetaxel-day-{day}",
        "status": "completed",
        "medicationCodeableConcept": {
            "coding": [
                {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "72962", "display": "docetaxel"}
            ],
            "text": "Docetaxel",
        },
        "subject": {"reference": f"Patient/{PERSON}"},
        "effectivePeriod": {"start": _time(day, "10:00"), "end": _time(day, "11:00")},
        "note": [{"text": note}],
        "dosage": {
            "route": {"text": "intravenous"},
            "dose": {"value": amount, "unit": "mg", "system": UCUM, "code": "mg"},
        },
    }


def _draw(day: int, values: dict[str, float | str]) -> list[dict[str, Any]]:
    results = [_result(day, name, value) for name, value in values.items()]
    report = {
        "resourceType": "DiagnosticReport",
        "id": f"cbc-{_label(day)}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "58410-2"}], "text": "Blood count"},
        "subject": {"reference": f"Patient/{PERSON}"},
        "effectiveDateTime": _time(day),
        "result": [{"reference": f"Observation/{result['id']}"} for result in results],
    }
    return [report, *results]


def _result(day: int, name: str, value: float | str, **changes: Any) -> dict[str, Any]:
    code, label, unit, ucum, low, high = TESTS[name]
    bound, number = ("<", float(value[1:])) if isinstance(value, str) else (None, value)
    quantity = {"value": number, "unit": unit, "system": UCUM, "code": ucum}
    result: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"{name.lower().replace('%', '-percent')}-{_label(day)}",
        "meta": {"versionId": "1", "lastUpdated": _time(day, "11:30")},
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}], "text": label},
        "subject": {"reference": f"Patient/{PERSON}"},
        "effectiveDateTime": _time(day),
        "valueQuantity": quantity if bound is None else {"value": number, "comparator": bound, **quantity},
    }
    if low is not None:
        result["referenceRange"] = [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}]
    return result | changes


def _traps() -> list[dict[str, Any]]:
    """What real data do: a corrected result, one of another person, a code that contradicts its label, another unit."""
    corrected = _result(
        28,
        "NEUT",
        0.62,
        status="corrected",
        meta={"versionId": "2", "lastUpdated": _time(28, "15:40")},
        note=[{"text": "Corrected after a manual differential; first reported as 1.9"}],
    )
    wrong_person = _result(33, "NEUT", 6.1, id="neut-wrong-person", status="entered-in-error")
    contradicted = _result(
        49,
        "NEUT",
        0.86,
        id="lym-coded-as-neutrophils",
        code={"coding": [{"system": LOINC, "code": "751-8", "display": "LYM#"}], "text": "LYM#"},
    )
    per_microlitre = _result(
        36,
        "NEUT",
        1620,
        id="neut-day-36-per-microlitre",
        valueQuantity={"value": 1620, "unit": "cells/uL", "system": UCUM, "code": "{cells}/uL"},
        referenceRange=[{"low": {"value": 1800, "unit": "cells/uL"}, "high": {"value": 7700, "unit": "cells/uL"}}],
    )
    return [corrected, wrong_person, contradicted, per_microlitre]


def _label(day: int) -> str:
    return f"day-{day}" if day >= 0 else f"before-{-day}"


def _time(day: int, hour: str = "08:15") -> str:
    return f"{START + timedelta(days=day)}T{hour}:00+01:00"


GERMAN = """\
PatientenNr;Geburtsdatum;Geschlecht;Abnahme;Leukozyten (G/l);Neutrophile (%);Lymphozyten (%);Hämoglobin (g/dl);\
Thrombozyten (G/l)
BEISPIEL-2;03.09.1957;m;05.01.2026 07:50;3,4;44,0;41,0;13,9;184
BEISPIEL-2;03.09.1957;m;02.02.2026 08:05;2,9;39,5;45,0;13,8;176
BEISPIEL-2;03.09.1957;m;09.03.2026 07:55;2,7;36,0;48,5;13,6;171
BEISPIEL-2;03.09.1957;m;13.04.2026 08:00;2,8;37,5;47,0;13,7;180
BEISPIEL-2;03.09.1957;m;11.05.2026 08:10;2,6;35,0;49,0;13,5;169
"""

CHILD = """\
patient_id,birth_date,sex,collected,test,value,unit,low,high
example-child,2024-09-02,female,2026-01-19T09:30:00+01:00,WBC,4.1,10*9/L,6.0,17.5
example-child,2024-09-02,female,2026-01-19T09:30:00+01:00,Neutrophils,0.42,10*9/L,1.5,8.5
example-child,2024-09-02,female,2026-01-19T09:30:00+01:00,Lymphocytes,3.2,10*9/L,3.0,9.5
example-child,2024-09-02,female,2026-01-19T09:30:00+01:00,Hemoglobin,11.4,g/dL,10.5,13.5
example-child,2024-09-02,female,2026-01-19T09:30:00+01:00,Platelets,322,10*9/L,150,450
example-child,2024-09-02,female,2026-01-26T09:10:00+01:00,WBC,6.6,10*9/L,6.0,17.5
example-child,2024-09-02,female,2026-01-26T09:10:00+01:00,Neutrophils,0.95,10*9/L,1.5,8.5
example-child,2024-09-02,female,2026-01-26T09:10:00+01:00,Lymphocytes,4.9,10*9/L,3.0,9.5
example-child,2024-09-02,female,2026-02-09T09:20:00+01:00,WBC,9.1,10*9/L,6.0,17.5
example-child,2024-09-02,female,2026-02-09T09:20:00+01:00,Neutrophils,2.6,10*9/L,1.5,8.5
example-child,2024-09-02,female,2026-02-09T09:20:00+01:00,Lymphocytes,5.6,10*9/L,3.0,9.5
"""


def files() -> dict[Path, str]:
    """Each example's path and content."""
    return {
        EXAMPLES / "adult-on-docetaxel.json": json.dumps(adult(), indent=1, ensure_ascii=False) + "\n",
        EXAMPLES / "grown-up-wide-german.csv": GERMAN,
        EXAMPLES / "child-long.csv": CHILD,
    }


def main() -> int:
    """Write the examples, or with --check say which differ from what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        stale = [path for path, text in files().items() if not path.exists() or path.read_text("utf-8") != text]
        for path in stale:
            sys.stderr.write(f"{path.name} is not what scripts/examples.py writes\n")
        return int(bool(stale))
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
