"""Runs tests/cases/steps.toml: every path, step and test of the work-up."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.entries import LIBRARY, seen_with, steps_view, whole
from fixtures.people import signs_of
from leuko.knowledge import Library
from leuko.knowledge.schema.steps import PathRow, StepRow, TestRow
from leuko.result.steps import Already
from leuko.workup.gather import gather, path_of
from leuko.workup.held import held_of
from leuko.workup.view import tables_of

FILE = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "steps.toml").read_text("utf-8"))
LOW = steps_view({"like": "low"})


def wrong_path(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    for person in (case["is"], *case["not"]):
        found = path_of(seen_with(steps_view(person), library))
        expected = person is case["is"]
        if ((found.id, found.label) == (case["row"], case["told"]) if found else False) is not expected:
            yield f"{whole(person)}: {found.id if found else 'none'}"


def wrong_step(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    for person in (case["is"], *case["not"]):
        found = {step.id: step for step in gather(seen_with(steps_view(person), library))}
        step = found.get(case["row"])
        if (step is not None) is not (person is case["is"]):
            yield f"{whole(person)}: {sorted(found)}"
        elif step is not None and (step.urgency != case["urgency"] or case["words"] not in step.what):
            yield f"{step.urgency}: {step.what}"


def wrong_test(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    yield from wrong_renewed(case, library) if case.get("holds") == "renewed" else wrong_held(case, library)
    for result in case["not"]:
        if held(case, result, 0, library) is not None:
            yield f"{result} is taken for it"
    for value, said in case.get("reads", {}).items():
        found = held(
            case, {**case["is"][0], **({"value": float(value)} if number(value) else {"text": value})}, 0, library
        )
        if found is None or not found.text.endswith(f", {said}"):
            yield f"{value}: {found.text if found else 'not held'}"


def wrong_renewed(case: Mapping[str, Any], library: Library) -> Iterator[str]:
    yield from (f"{result} stands for it" for result in case["is"] if held(case, result, 0, library) is not None)
    steps = gather(seen_with(steps_view(case["asked"]), library))
    if case["row"] not in {test for step in steps for test in step.test_ids}:
        yield "it is not asked for"


def wrong_held(case: Mapping[str, Any], library: Library) -> Iterator[str]:
    holds = case.get("holds")
    for result in case["is"]:
        for days, recent in ((5000, True),) if holds is None else ((holds, True), (holds + 1, False)):
            found = held(case, result, days, library)
            if found is None or found.recent is not recent:
                yield f"{result} of {days} days ago"


def number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def held(case: Mapping[str, Any], result: Mapping[str, Any], days: float, library: Library) -> Already | None:
    record = replace(LOW.record, signs=signs_of([{**result, "days": days}]))
    view = seen_with(replace(LOW, record=record, kept={}), library)
    return held_of(tables_of(library).tests[case["row"]], view)


@pytest.mark.parametrize("case", FILE["path"], ids=lambda case: case["row"])
def test_a_path(case: Mapping[str, Any]) -> None:
    assert set(case) == {"row", "told", "is", "not"}
    assert list(wrong_path(case)) == []


@pytest.mark.parametrize("case", FILE["step"], ids=lambda case: case["row"])
def test_a_step(case: Mapping[str, Any]) -> None:
    assert set(case) == {"row", "urgency", "words", "is", "not"}
    assert list(wrong_step(case)) == []


@pytest.mark.parametrize("case", FILE["test"], ids=lambda case: case["row"])
def test_a_test(case: Mapping[str, Any]) -> None:
    assert {"row", "is", "not"} <= set(case) <= {"row", "holds", "is", "not", "reads", "asked"}
    assert list(wrong_test(case)) == []


@pytest.mark.parametrize("kind", [PathRow, StepRow, TestRow])
def test_every_row_has_a_case(kind: type[PathRow | StepRow | TestRow]) -> None:
    driving = [row.id for row in LIBRARY.rows(kind) if row.basis.drives]
    assert sorted(case["row"] for case in FILE[kind.KEY]) == sorted(driving)
