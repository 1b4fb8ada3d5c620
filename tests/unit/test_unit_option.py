"""`--unit` names an analyte by its id first: laboratories call the percentage "neutrophils" too."""

from __future__ import annotations

import json

from leuko.__main__ import main


def test_an_id_beats_a_laboratory_word_for_something_else(tmp_path, capsys):
    source = tmp_path / "one.json"
    quantity = {"value": 3000, "unit": "10*3/uL", "code": "10*3/uL", "system": "http://unitsofmeasure.org"}
    observation = {
        "resourceType": "Observation",
        "id": "anc",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "26499-4"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-03-01T08:00:00Z",
        "valueQuantity": quantity,
    }
    source.write_text(json.dumps(observation))
    call = ["assess", str(source), "--as-of", "2026-03-02", "-q", "--json", "-"]
    assert main(call) == 0
    assert json.loads(capsys.readouterr().out)["latest"] == []  # 3000 x 10*9/L cannot be: refused, not guessed
    assert main([*call, "--unit", "neutrophils=/uL"]) == 0
    (status,) = json.loads(capsys.readouterr().out)["latest"]
    assert (status["count"]["analyte"], status["count"]["value"]) == ("neutrophils", 3.0)
