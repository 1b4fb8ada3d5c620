"""Every row that drives a conclusion has a case in tests/cases that shows it at work."""

from __future__ import annotations

from pathlib import Path

from leuko.knowledge import load_library
from leuko.knowledge.coverage import read_cases, rows, without_case

CASES = Path(__file__).resolve().parents[1] / "cases"
LIBRARY = load_library()
FINISHED = {
    "advice",
    "analyte",
    "antimicrobial",
    "block",
    "call",
    "callrules.rules",
    "causality_category",
    "causality_exclusion",
    "causality_item",
    "causes.cause",
    "causes.combined",
    "causes.course",
    "causes.fact",
    "causes.medicine",
    "causes.person",
    "causes.rules",
    "clue",
    "code",
    "code_sent",
    "concept",
    "count",
    "course",
    "criterion",
    "definition",
    "drug",
    "drug_rule",
    "drug_window",
    "drug_words",
    "factor",
    "fever",
    "fever.rules",
    "fever_grade",
    "fever_limit",
    "finding",
    "flag",
    "grade",
    "growth",
    "infection",
    "interval",
    "issue_severity",
    "item",
    "known",
    "language",
    "lasted",
    "latest",
    "low",
    "mask",
    "monitoring.band",
    "monitoring.interval",
    "name",
    "next_count",
    "note",
    "observable",
    "outlook",
    "page_sign",
    "page_statement",
    "path",
    "pattern",
    "red_flag",
    "regimen",
    "repeat",
    "result",
    "route",
    "scheme",
    "score",
    "scores.band",
    "situation",
    "snomed",
    "standard",
    "statement",
    "step",
    "steps.cause",
    "steps.combined",
    "steps.fact",
    "steps.medicine",
    "steps.person",
    "symptom",
    "symptom_code",
    "test",
    "treat_day",
    "treatday.rules",
    "triage",
    "tumour",
    "vital",
}
"""The kinds of row of which every one has a case; a kind stays here once it is finished."""


def test_every_row_that_drives_has_a_case() -> None:
    bare = [row.key for row in without_case(LIBRARY, read_cases(CASES)) if row.kind in FINISHED]
    assert bare == [], "rows without a case: write one that fails when the row is broken"


def test_the_finished_kinds_exist() -> None:
    assert {row.kind for row in rows(LIBRARY)} >= FINISHED
