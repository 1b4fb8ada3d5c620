"""Runs tests/cases/entries-rules.toml: rules of whole parts, each also broken to see it noticed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.entries import another, changed
from fixtures.people import LIBRARY, TODAY, person
from leuko.assessment import Asked, assess
from leuko.knowledge import Library
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.schema.scores import ConceptRow
from leuko.result import Assessment

FILE = Path(__file__).resolve().parents[1] / "cases" / "entries-rules.toml"
CASES = tomllib.loads(FILE.read_text("utf-8"))
CANCER = {"name": "breast cancer", "icd": "C50.9", "days": 100}


def cases(table: str) -> list[Any]:
    return [pytest.param(case, id=f"{case['row']} {n}") for n, case in enumerate(CASES[table])]


def other(case: Mapping[str, Any]) -> Library:
    """The library with the case's `broken` in the row."""
    name, _, row = case["row"].partition(":")
    (kind,) = (one for one in further_kinds() if kind_name(one) == name)
    (old,) = (one for one in LIBRARY.rows(kind) if one.id == row)
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in case["broken"].items()}
    return changed(kind, row, another(old, **fields))


def assessed(told: dict[str, Any], library: Library, **answers: str) -> Assessment:
    return assess(person(told | {"age_years": 60}), as_of=TODAY, library=library, asked=Asked(answers=answers))


def verdict(case: Mapping[str, Any], library: Library = LIBRARY) -> str:
    day, value = case["neutrophils"]
    told = {"counts": {"neutrophils": [[day, value]]}, "medicines": [{"drug": case["drug"], "days": case["given"]}]}
    plan = assessed({**told, "facts": [CANCER]}, library).plan
    return next(one.verdict for one in plan.treat_days if one.id == case["drug"])


@pytest.mark.parametrize("case", cases("day_of_treatment"))
def test_how_old_the_count_of_the_day_may_be(case: Mapping[str, Any]) -> None:
    assert verdict(case) == case["verdict"]
    assert verdict(case, other(case)) != case["verdict"]


def told(case: Mapping[str, Any], library: Library = LIBRARY) -> bool:
    record = {"counts": {"neutrophils": [[0, 1.2]]}, "medicines": [{"drug": case["drug"], "days": case["given"]}]}
    return case["drug"] in assessed(record, library).plan.regimen.drugs


@pytest.mark.parametrize("case", cases("present_regimen"))
def test_how_long_a_regimen_is_the_present_one(case: Mapping[str, Any]) -> None:
    assert told(case) is case["told"]
    assert told(case, other(case)) is not case["told"]


def strength(case: Mapping[str, Any], library: Library = LIBRARY) -> str:
    facts = [{"name": "an entry", "icd": case["icd"], "days": 300}]
    causes = assessed({"counts": {"neutrophils": [[0, 1.2]]}, "facts": facts}, library).causes
    return next(one.strength for one in causes if one.id == case["cause"])


@pytest.mark.parametrize("case", cases("strength"))
def test_how_strong_the_evidence_is_called(case: Mapping[str, Any]) -> None:
    assert strength(case) == case["is"]
    assert strength(case, other(case)) != case["is"]


def points(case: Mapping[str, Any], library: Library = LIBRARY) -> int | str:
    entry = {"name": case["has"], "days": 900, **({"icd": case["icd"]} if "icd" in case else {})}
    record = {"counts": {"neutrophils": [[0, 0.3]]}, "facts": [CANCER, entry]}
    scores = assessed(record, library, glucose=f"{case['mg_dl']} mg/dL").scores
    (cisne,) = (one for one in scores if one.id == "cisne")
    (item,) = (one for one in cisne.items if one.reason.rule == "score:item:cisne-glucose")
    return "open" if item.points is None else item.points


@pytest.mark.parametrize("case", cases("glucose"))
def test_diabetes_leaves_the_glucose_open(case: Mapping[str, Any]) -> None:
    assert points(case) == case["points"]
    assert points(case, other(case)) != case["points"]


@pytest.mark.parametrize("case", cases("unconfirmed"))
def test_a_concept_that_is_not_confirmed_is_silent(case: Mapping[str, Any]) -> None:
    entry = {"name": case["has"], "icd": case["icd"], "days": 90}
    record = {"counts": {"neutrophils": [[0, 0.3]]}, "facts": [entry]}
    library = changed(ConceptRow, case["row"].partition(":")[2])
    told = {one.id for one in assessed(record, library).scores}
    assert told == {one.id for one in assessed(record, LIBRARY).scores}
