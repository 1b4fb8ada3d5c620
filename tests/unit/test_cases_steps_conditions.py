"""Runs tests/cases/steps_conditions.toml: every condition of the work-up, met, not met and not to be said."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from fixtures.entries import LIBRARY, seen_with, view_for
from leuko.knowledge import Library
from leuko.knowledge.schema.steps import CONDITIONS
from leuko.workup.conditions import ask
from leuko.workup.view import View

FILE = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "steps_conditions.toml").read_text("utf-8"))
CASES, PEOPLE = FILE["condition"], FILE["person"]


def whole(person: Mapping[str, Any]) -> dict[str, Any]:
    """A person of the list with what else stands there; of counts, those that are named are replaced."""
    like = PEOPLE[person["like"]] if "like" in person else {}
    found = {**like, **person, "counts": {**like.get("counts", {}), **person.get("counts", {})}}
    return {key: value for key, value in found.items() if key != "like"}


@lru_cache(maxsize=1000)
def _view(person: str) -> View:
    return view_for(json.loads(person))


def wrong(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    """What a case expects and does not find."""
    for expected, key in ((True, "yes"), (False, "no"), (None, "open")):
        for person in case.get(key, ()):
            found = ask(case["row"], seen_with(_view(json.dumps(whole(person))), library))
            if found.met is not expected:
                yield f"{person}: {found.met}, not {expected}: {found.text}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["row"])
def test_a_condition(case: Mapping[str, Any]) -> None:
    assert {"row", "yes"} < set(case) <= {"row", "yes", "no", "open"}
    assert list(wrong(case)) == []


def test_every_condition_has_a_case() -> None:
    driving = [row.id for kind in CONDITIONS for row in LIBRARY.rows(kind) if row.basis.drives]
    assert sorted(case["row"] for case in CASES) == sorted(driving)
