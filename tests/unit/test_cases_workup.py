"""Runs the cases of the work-up that a clinician can read and write: tests/cases/workup.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fixtures.people import LIBRARY, person, steps_for
from leuko.workup.view import tables_of

FILE = Path(__file__).resolve().parents[1] / "cases" / "workup.toml"
CASES = tomllib.loads(FILE.read_text())["workup"]
INPUT = {"age_years", "age_days", "sex", "duffy_null", "pregnant", "counts", "results", "facts", "medicines"}
EXPECTED = {"says", "silent", "steps", "without", "only", "asks", "not_asks", "path", "already", "conflict"}
EXPECTED |= {"separates", "gap"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_workup(case) -> None:
    assert set(case) <= {"name"} | INPUT | EXPECTED
    assert set(case) & EXPECTED
    found = {step.id: step for step in steps_for(person(case))}
    said = {body.id for step in found.values() for body in step.bodies}
    asked = {test for step in found.values() for test in step.test_ids}
    assert set(case.get("says", ())) <= said
    assert not set(case.get("silent", ())) & said
    assert {name: found[name].urgency for name in case.get("steps", {})} == case.get("steps", {})
    assert not set(case.get("without", ())) & set(found)
    assert "only" not in case or list(found) == case["only"]
    assert set(case.get("asks", ())) <= asked
    assert not set(case.get("not_asks", ())) & asked
    assert "path" not in case or {step.path for step in found.values()} == {case["path"]}
    held = "\n".join(one.text for step in found.values() for one in step.already)
    assert all(words in held for words in case.get("already", ()))
    assert all(found[name].conflict is not None for name in case.get("conflict", ()))
    assert set(case.get("separates", ())) <= {cause for step in found.values() for cause in step.separates}
    assert "gap" not in case or case["gap"] in {step.gap.what for step in found.values() if step.gap}


def test_every_driving_statement_has_a_case() -> None:
    driving = {row.id for row in tables_of(LIBRARY).statements if row.basis.drives}
    assert driving == {name for case in CASES for name in case.get("says", ())}
