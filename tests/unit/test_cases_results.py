"""Runs tests/cases/results.toml: what each test result other than a blood count answers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.entries import LIBRARY, seen_with, view_for
from fixtures.people import signs_of
from leuko.causes.ask import ask
from leuko.knowledge import Library
from leuko.knowledge.schema.causes import ResultPredicate

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "results.toml").read_text("utf-8"))["result"]
ADULT = view_for({"age_years": 40, "sex": "female", "counts": {"wbc": [[0, 3.1]], "neutrophils": [[0, 1.0]]}})


def met(row: str, result: Mapping[str, Any], days: float = 1, library: Library = LIBRARY) -> bool | None:
    record = replace(ADULT.record, signs=signs_of([{"days": days, **result}]))
    scene = seen_with(replace(ADULT, record=record, kept={}), library).scene
    assert scene is not None
    return ask(row, scene).met


def wrong(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    """What a case expects and does not find."""
    row, valid = case["row"], case["valid"]
    for expected, key in ((True, "yes"), (False, "no"), (None, "open")):
        for result in case[key]:
            found = met(row, result, library=library)
            if found is not expected:
                yield f"{result}: {found}, not {expected}"
    for expected, key in ((True, "yes"), (False, "no")):
        late = expected if case.get("lasting") and expected else None
        for days, answer in ((valid, expected), (valid + 1, late)):
            if met(row, case[key][0], days, library) is not answer:
                yield f"{key} of {days} days ago"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["row"])
def test_what_a_result_answers(case: Mapping[str, Any]) -> None:
    assert set(case) <= {"row", "yes", "no", "open", "valid", "lasting"}
    assert list(wrong(case)) == []


def test_every_question_has_a_case() -> None:
    assert sorted(case["row"] for case in CASES) == sorted(
        row.id for row in LIBRARY.rows(ResultPredicate) if row.basis.drives
    )
