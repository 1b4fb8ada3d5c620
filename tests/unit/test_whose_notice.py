"""A notice about one person's result never reaches another's assessment."""

from __future__ import annotations

import json

from leuko.__main__ import main


def bundle() -> dict:
    people = [{"resource": {"resourceType": "Patient", "id": name, "birthDate": "1980-01-01"}} for name in ("a", "b")]
    results = [
        {
            "resource": {
                "resourceType": "Observation",
                "id": f"o-{name}",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "6690-2"}]},
                "subject": {"reference": f"Patient/{name}"},
                "effectiveDateTime": "2026-03-01T08:00:00Z",
                "valueQuantity": {"value": value, "unit": "10*3/uL", "code": "10*3/uL"},
            }
        }
        for name, value in (("a", 5.0), ("b", -4.0))
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": [*people, *results]}


def test_a_set_aside_result_of_one_person_is_not_told_of_another(tmp_path, capsys):
    source = tmp_path / "two.json"
    source.write_text(json.dumps(bundle()))
    assert main(["assess", str(source), "--as-of", "2026-03-02", "--json", "-"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    codes = {person["patient"]["id"]: {n["code"] for n in person["notices"]} for person in (first, second)}
    assert "LK214" in codes["b"]  # a negative count
    assert "LK214" not in codes["a"]


def test_the_same_in_a_table(tmp_path, capsys):
    source = tmp_path / "two.csv"
    source.write_text("patient,date,WBC (10^9/L)\na,2026-03-01,5.0\nb,2026-03-01,-4.0\n")
    assert main(["assess", str(source), "--as-of", "2026-03-02", "--json", "-"]) == 0
    people = json.loads(capsys.readouterr().out)
    codes = {person["patient"]["id"]: {n["code"] for n in person["notices"]} for person in people}
    assert "LK214" in codes["b"]
    assert "LK214" not in codes["a"]
