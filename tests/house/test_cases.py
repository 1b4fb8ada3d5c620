"""Every row that drives a conclusion has a case in tests/cases that names just it and shows it at work."""

from __future__ import annotations

from pathlib import Path

from leuko.knowledge import load_library
from leuko.knowledge.coverage import read_cases, without_case

CASES = Path(__file__).resolve().parents[1] / "cases"
LIBRARY = load_library()


def test_every_row_that_drives_has_a_case() -> None:
    bare = [row.key for row in without_case(LIBRARY, read_cases(CASES))]
    assert bare == [], "rows without a case: write one that fails when the row is broken (scripts/break_knowledge.py)"
