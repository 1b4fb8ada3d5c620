"""Runs the cases of single questions, and breaks each row to see that they notice: causes_asked, entries-conditions."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from fixtures.asked import LIBRARY, answer, each, record_of, view_of, with_library
from fixtures.mutants import mutants
from leuko.knowledge import Library
from leuko.knowledge.schema.causes import PREDICATES
from leuko.knowledge.schema.steps import CONDITIONS
from leuko.workup.view import View

FOLDER = Path(__file__).resolve().parents[1] / "cases"
CASES = [case for name in ("causes_asked.toml",) for case in tomllib.loads((FOLDER / name).read_text("utf-8"))["asked"]]
ANSWERS = {"yes": True, "no": False, "unknown": None}
ROWS = {row.id: row for kind in (*PREDICATES, *CONDITIONS) for row in LIBRARY.rows(kind)}

SAME = {
    "transient": {"recovered: not False"},
    "cyclic": {"recovered: not False"},
    "severe-neutropenia": {"which: any"},
}
"""Breaks that change no answer: a transient low stretch is one that recovered, and so are those of a rhythm; where any
count is below a limit, the lowest is."""


def everybody(case: dict[str, Any]) -> list[tuple[str, View, bool | None]]:
    """The people of a case, as the assessment finds them, with the answer that is due."""
    return [
        (f"{word}: {person}", view_of(record_of(person)), met)
        for word, met in ANSWERS.items()
        for told in case.get(word, ())
        for person in each(told)
    ]


def wrong(people: list[tuple[str, View, bool | None]], question: str, library: Library = LIBRARY) -> list[str]:
    """The people of whom a library answers otherwise than the case says."""
    return [said for said, view, met in people if answer(question, with_library(view, library)) is not met]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_what_is_answered_and_that_a_broken_row_is_noticed(case) -> None:
    assert set(case) <= {"id", *ANSWERS}
    people = everybody(case)
    assert wrong(people, case["id"]) == []
    broken = mutants(LIBRARY, ROWS[case["id"]])
    assert {said for said, library in broken if not wrong(people, case["id"], library)} == SAME.get(case["id"], set())


def test_a_question_is_asked_once() -> None:
    ids = [case["id"] for case in CASES]
    assert len(ids) == len(set(ids))
