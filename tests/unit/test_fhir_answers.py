"""Answers to the form for symptoms, read with everything else of a FHIR source."""

from __future__ import annotations

import json

import pytest

import leuko


def read(tmp_path, **response):
    source = tmp_path / "answers.json"
    answers = {
        "resourceType": "QuestionnaireResponse",
        "id": "r",
        "status": "completed",
        "subject": {"reference": "Patient/p"},
        "authored": "2026-03-09T10:00:00Z",
        "item": [{"linkId": "cough", "answer": [{"valueBoolean": True}]}],
        **response,
    }
    people = [{"resourceType": "Patient", "id": name} for name in ("p", "q")]
    entries = [{"resource": resource} for resource in (*people, answers)]
    source.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    found = leuko.read(source)
    return {record.patient.id: record for record in found.records}, found.notices


def test_a_symptom_becomes_a_sign_of_the_person_who_answered(tmp_path):
    people, _ = read(tmp_path)
    (sign,) = people["p"].signs
    assert (sign.name, sign.present, sign.taken.at.isoformat()) == ("cough", True, "2026-03-09T10:00:00+00:00")
    assert people["q"].signs == ()


def test_answers_entered_in_error_count_for_nothing(tmp_path):
    people, notices = read(tmp_path, status="entered-in-error")
    assert people["p"].signs == ()
    assert {"LK420", "LK744"} & {notice.code for notice in notices}


@pytest.mark.parametrize("item", [None, [], "cough", [{"linkId": 3}], [{"linkId": "cough", "answer": "yes"}]])
def test_answers_that_are_merely_wrong_never_stop_the_reading(tmp_path, item):
    people, _ = read(tmp_path, item=item)
    assert people["p"].signs == ()
