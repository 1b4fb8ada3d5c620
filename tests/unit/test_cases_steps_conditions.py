"""Runs tests/cases/steps_conditions.toml: every condition of the work-up, met, not met and not to be said."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.entries import LIBRARY, seen_with, steps_view
from leuko.knowledge import Library
from leuko.knowledge.schema.steps import CONDITIONS
from leuko.workup.conditions import ask

FILE = Path(__file__).resolve().parents[1] / "cases" / "steps_conditions.toml"
CASES = tomllib.loads(FILE.read_text("utf-8"))["condition"]


def wrong(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    """What a case expects and does not find."""
    for expected, key in ((True, "yes"), (False, "no"), (None, "open")):
        for person in case.get(key, ()):
            found = ask(case["row"], seen_with(steps_view(person), library))
            if found.met is not expected:
                yield f"{person}: {found.met}, not {expected}: {found.text}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["row"])
def test_a_condition(case: Mapping[str, Any]) -> None:
    assert {"row", "yes"} < set(case) <= {"row", "yes", "no", "open"}
    assert list(wrong(case)) == []


def test_every_condition_has_a_case() -> None:
    driving = [row.id for kind in CONDITIONS for row in LIBRARY.rows(kind) if row.basis.drives]
    assert sorted(case["row"] for case in CASES) == sorted(driving)
