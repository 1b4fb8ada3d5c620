"""Runs the cases of causes that a clinician can read and write: tests/cases/causes*.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fixtures.blood import LIBRARY
from fixtures.causes_people import causes, record_of
from leuko.knowledge.schema.causes import CauseRow

CASES = Path(__file__).resolve().parents[1] / "cases"
PERSON = {"name", "age_years", "age_days", "sex", "duffy_null", "pregnant", "counts"}
PERSON |= {"earlier", "facts", "results", "doses"}
CAUSE = {"cause", "clue", "strength"}
PEOPLE = {"known", "supported", "strongest", "open", "most_open", "not_supported"}
PEOPLE |= {"ruled_out", "against", "missing", "nothing"}
STANDINGS = ("supported", "open", "against", "ruled_out")


def cases(kind: str) -> list:
    tables = [tomllib.loads(file.read_text()) for file in sorted(CASES.glob("causes*.toml"))]
    found = [case for table in tables for case in table.get(kind, [])]
    assert found
    return [pytest.param(case, id=f"{case.get('cause', '')} {case['name']}".strip()) for case in found]


@pytest.mark.parametrize("case", cases("cause"))
def test_what_is_known_makes_the_cause_one_of_those_told(case) -> None:
    assert set(case) <= PERSON | CAUSE
    told = {cause.id: cause for cause in causes(record_of(case))}
    assert case["cause"] in told, sorted(told)
    cause = told[case["cause"]]
    assert cause.standing == "supported", cause.reason.text
    assert case["clue"] in {clue.predicate for clue in cause.clues_for}
    if "strength" in case:
        assert cause.strength == case["strength"], cause.reason.text


@pytest.mark.parametrize("case", cases("person"))
def test_causes_that_compete(case) -> None:
    assert set(case) <= PERSON | PEOPLE
    told = causes(record_of(case))
    if case.get("nothing"):
        assert told == ()
        return
    by = {standing: [cause.id for cause in told if cause.standing == standing] for standing in STANDINGS}
    assert set(case.get("supported", [])) <= set(by["supported"]), by
    assert not set(case.get("not_supported", [])) & set(by["supported"]), by
    assert set(case.get("open", [])) <= set(by["open"]), by
    assert set(case.get("against", [])) <= set(by["against"]), by
    assert set(case.get("ruled_out", [])) <= set(by["ruled_out"]), by
    if "strongest" in case:
        assert by["supported"][0] == case["strongest"], by
    assert len(by["open"]) <= case.get("most_open", len(by["open"]))
    for name, settle in case.get("missing", {}).items():
        cause = next(cause for cause in told if cause.id == name)
        assert any(settle in clue.settle for clue in cause.missing), [clue.settle for clue in cause.missing]


def test_every_reviewed_cause_has_a_case() -> None:
    covered = {case.values[0]["cause"] for case in cases("cause")}
    reviewed = {row.id for row in LIBRARY.rows(CauseRow) if row.basis.drives}
    assert reviewed <= covered, sorted(reviewed - covered)
