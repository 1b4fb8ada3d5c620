"""Runs the cases about fever that a clinician can read and write: tests/cases/infection.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fixtures.infection import anc, by, judge
from leuko.infection import ExpectedFall

FILE = Path(__file__).resolve().parents[1] / "cases" / "infection.toml"
CASES = tomllib.loads(FILE.read_text())["fever"]
SAID = {True: "met", False: "not met", None: "open"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fever(case: dict) -> None:
    assert set(case) <= {"name", "neutrophils", "said", "expected", "bodies", "urgency"}
    counts = []
    if "neutrophils" in case:
        bound, number = re.fullmatch(r"(<=|<|>|)(.+)", case["neutrophils"]).groups()
        counts = [anc(float(number), bound=bound or "=")]
    said = [text.replace("@T", "@2026-03-09T") for text in case["said"]]
    expected = ExpectedFall(**case["expected"]) if "expected" in case else None
    found = judge(*counts, said=said, expected=expected)
    assert {body: SAID[by(found, body).met] for body in case["bodies"]} == case["bodies"]
    assert found.urgency.level == case["urgency"]
    for verdict in found.verdicts:
        assert verdict.reason.citations
        assert verdict.met is not None or (verdict.gap is not None and verdict.would_change)
        assert verdict.met is not False or verdict.would_change
