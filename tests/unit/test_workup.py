"""The work-up at its surface: what is held, what is too old, what differs, what is left open, broken knowledge."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec.structs import replace as replace_row

from fixtures.people import LIBRARY, TODAY, person, steps_for
from leuko.errors import KnowledgeError
from leuko.knowledge.schema.steps import CombinedCondition
from leuko.workup import VOCABULARY
from leuko.workup.conditions import ask
from leuko.workup.view import View, _checked, tables_of

PANCYTOPENIA = {
    "age_years": 67,
    "counts": {
        "wbc": [[3, 2.6]],
        "neutrophils": [[3, 1.1]],
        "haemoglobin": [[3, 81]],
        "platelets": [[3, 92]],
        "mcv": [[3, 121]],
    },
}
MILD = {
    "age_years": 40,
    "counts": {"wbc": [[0, 3.6]], "neutrophils": [[0, 1.3]], "haemoglobin": [[0, 140]], "platelets": [[0, 210]]},
}


def steps(case: dict, **more):
    return {step.id: step for step in steps_for(person({**case, **more}))}


def test_a_result_is_shown_with_its_day_and_meaning() -> None:
    found = steps(
        PANCYTOPENIA, results=[{"name": "Vitamin B12", "loinc": "2132-9", "value": 140, "unit": "pg/mL", "days": 7}]
    )
    (held,) = found["pancytopenia-tests"].already
    assert held.text == "vitamin B12 already done on 3 March 2026: 140 pg/mL, low"
    assert held.evidence == ("sign:0",)
    assert held.recent
    assert held.day == TODAY - timedelta(days=7)


def test_a_result_without_a_date_is_shown_and_asked_for_again() -> None:
    found = steps(PANCYTOPENIA, results=[{"name": "Folate", "loinc": "2284-8", "value": 9, "unit": "ng/mL"}])
    step = found["pancytopenia-tests"]
    assert "folate" in step.test_ids
    assert "without a date it cannot stand for a new one" in step.already[0].text


def test_a_request_without_a_result_is_no_result() -> None:
    found = steps(PANCYTOPENIA, results=[{"name": "Vitamin B12", "loinc": "2132-9", "days": 1}])
    assert "b12" in found["pancytopenia-tests"].test_ids
    assert not found["pancytopenia-tests"].already


def test_a_result_of_tomorrow_is_not_in_hand() -> None:
    found = steps(
        PANCYTOPENIA, results=[{"name": "Vitamin B12", "loinc": "2132-9", "value": 400, "unit": "pg/mL", "days": -1}]
    )
    assert "b12" in found["pancytopenia-tests"].test_ids


def test_a_test_is_known_by_name_where_it_has_no_code() -> None:
    found = steps(PANCYTOPENIA, results=[{"name": "Serum cobalamin", "text": "140 pg/mL", "days": 1}])
    assert "b12" not in found["pancytopenia-tests"].test_ids


def test_reticulocytes_among_the_counts_are_in_hand() -> None:
    counts = {**PANCYTOPENIA["counts"], "reticulocytes": [[2, 22]]}
    found = steps({**PANCYTOPENIA, "counts": counts})
    assert "reticulocytes" not in found["pancytopenia-tests"].test_ids
    assert any(one.test == "reticulocytes" for one in found["pancytopenia-tests"].already)


def test_a_marrow_that_was_done_is_not_asked_for() -> None:
    facts = [
        {"kind": "procedure", "name": "Bone marrow biopsy", "detail": "hypocellular", "days": 20, "status": "completed"}
    ]
    step = steps(PANCYTOPENIA, facts=facts)["marrow"]
    assert step.done
    assert step.tests == ()
    assert "bone marrow aspirate" in step.already[0].text


def test_bodies_that_differ_are_shown_and_not_averaged() -> None:
    step = steps(MILD)["repeat-count"]
    assert step.conflict is not None
    assert "in 6 weeks" in step.conflict.text
    assert "in 2 weeks or later" in step.conflict.text
    assert len(step.conflict.citations) == 2
    assert {body.within_days for body in step.bodies if body.advises == "do"} == {14.0, 42.0}


def test_what_the_record_leaves_open_is_one_gap_with_questions() -> None:
    gaps = [step.gap for step in steps(MILD).values() if step.gap]
    assert len(gaps) == 1
    assert "An emergency with fever" in gaps[0].why
    assert "feel for lymph nodes" in gaps[0].settle


def test_denied_signs_are_not_asked_again() -> None:
    denied = [{"name": name, "present": False, "days": 0.1} for name in ("fever", "hypotension", "confusion")]
    before, after = steps(MILD)["look-and-ask"].gap, steps(MILD, results=denied)["look-and-ask"].gap
    assert before is not None
    assert after is not None
    assert len(after.settle) <= len(before.settle)


def test_tests_say_which_causes_they_separate() -> None:
    step = steps(PANCYTOPENIA)["pancytopenia-tests"]
    assert {"CA044", "CA045"} <= set(step.separates)


def test_the_reason_names_body_evidence_and_source() -> None:
    step = steps(MILD)["film"]
    assert "neutrophils@0" in step.why.evidence
    assert "Rohr and Rivers" in step.why.text
    assert step.why.citations[0].source == "rohr-rivers-1990"


def test_a_bound_alone_leaves_severity_open() -> None:
    found = steps({"age_years": 40, "counts": {"wbc": [[0, 0.9]]}})
    assert "severe-neutropenia" not in found
    assert found["differential"].urgency == "same_day"
    certain = steps({"age_years": 40, "counts": {"wbc": [[0, 0.4]]}})
    assert certain["severe-neutropenia"].urgency == "emergency"


def test_unreviewed_statements_are_kept_and_never_speak() -> None:
    kept = {row.id for row in tables_of(LIBRARY).statements if not row.basis.drives}
    assert kept == {"WU040", "WU041", "WU095"}


def test_every_fact_of_the_table_is_carried() -> None:
    """WU069 to WU094 are causality and stand with the medicines."""
    numbers = {int(row.id[2:5]) for row in tables_of(LIBRARY).statements if row.id.startswith("WU")}
    assert numbers == {*range(1, 69), 95}


def test_every_kind_of_condition_is_used() -> None:
    used = {type(row) for row in tables_of(LIBRARY).conditions.values()} - {CombinedCondition}
    assert used == set(VOCABULARY)


def test_every_condition_and_test_is_used() -> None:
    tables = tables_of(LIBRARY)
    named = {name for row in tables.statements for name in (*row.when, *row.unless)}
    named |= {name for row in tables.steps.values() for name in row.unless}
    named |= {name for row in tables.paths for name in row.when}
    for row in tables.conditions.values():
        named |= {name for part in ("all_of", "any_of", "none_of") for name in getattr(row, part, ())}
    assert set(tables.conditions) <= named
    assert set(tables.tests) == {test for row in tables.statements for test in row.tests}


def test_a_statement_that_names_what_does_not_exist_is_refused() -> None:
    tables = tables_of(LIBRARY)
    broken = replace_row(tables.statements[0], when=("no-such-condition",))
    with pytest.raises(KnowledgeError, match="no-such-condition"):
        _checked(replace(tables, statements=(broken,)), LIBRARY)


def test_without_an_infection_part_the_counts_still_speak() -> None:
    view = View(
        record=person(MILD),
        series={},
        latest={},
        courses={},
        lines=None,
        causes=(),
        infection=None,
        drug_links=(),
        library=LIBRARY,
        as_of=TODAY,
    )
    assert ask("febrile-neutropenia", view).met is None
    assert ask("neutrophils-low", view).met is None


def test_a_count_of_the_day_is_not_asked_for_again_in_an_emergency() -> None:
    ill = {
        "age_years": 60,
        "counts": {"wbc": [[0, 0.9]], "neutrophils": [[0, 0.3]], "haemoglobin": [[0, 100]], "platelets": [[0, 90]]},
        "medicines": [{"drug": "docetaxel", "days": 9}],
        "results": [{"name": "body temperature", "loinc": "8310-5", "value": 38.6, "unit": "Cel", "days": 0}],
    }
    found = steps(ill)["fever-emergency"]
    assert "cbc" not in found.test_ids
    assert "blood-culture" in found.test_ids
    assert any(one.test == "cbc" and one.day == TODAY for one in found.already)
    part = {name: days for name, days in ill["counts"].items() if name != "platelets"}
    assert "cbc" in steps({**ill, "counts": part})["fever-emergency"].test_ids
    before = {name: [[1, rows[0][1]]] for name, rows in ill["counts"].items()}
    assert "cbc" in steps({**ill, "counts": before})["fever-emergency"].test_ids


def test_two_counts_of_the_same_days_are_not_persistent() -> None:
    others = {"haemoglobin": [[0, 140]], "platelets": [[0, 210]]}

    def tested(days: int) -> bool:
        counts = {"wbc": [[0, 3.6]], "neutrophils": [[days, 1.2], [0, 1.3]], **others}
        return "neutropenia-tests" in steps({**MILD, "counts": counts})

    assert not tested(3)
    assert not tested(13)
    assert tested(14)
