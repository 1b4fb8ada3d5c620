"""Small FHIR resources of invented people, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
WBC, ANC, HB, GLUCOSE = "6690-2", "751-8", "718-7", "2339-0"

Json = dict[str, Any]


def concept(code: str, display: str | None = None, system: str = LOINC) -> Json:
    coding = {"system": system, "code": code}
    return {"coding": [coding | ({"display": display} if display else {})]}


def quantity(value: float | str, unit: str = "10*9/L") -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def patient(name: str = "ada", **more: Any) -> Json:
    return {"resourceType": "Patient", "id": name, "birthDate": "1980-05-01", "gender": "female"} | more


def observation(name: str | None = "w1", code: str = WBC, value: float = 3.2, **more: Any) -> Json:
    body: Json = {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept("laboratory", system="http://terminology.hl7.org/CodeSystem/observation-category")],
        "code": concept(code),
        "subject": {"reference": "Patient/ada"},
        "effectiveDateTime": "2024-03-01T08:30:00+01:00",
        "valueQuantity": quantity(value),
    }
    merged = body | ({"id": name} if name else {}) | more
    return {key: item for key, item in merged.items() if item is not None}


def bundle(*resources: Json, kind: str = "collection", **more: Any) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]} | more


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path
