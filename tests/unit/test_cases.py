"""Runs the cases that a clinician can read and write: tests/cases/*.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fixtures.blood import ADULT, LIBRARY, count, record
from leuko.counts import clean
from leuko.grading import grade
from leuko.result import Grade
from leuko.status import status_of

CASES = Path(__file__).resolve().parents[1] / "cases"
SIGNED = re.compile(r"(<=|>=|<|>|)(.+)")


def cases(kind: str) -> list:
    found = [case for file in sorted(CASES.glob("*.toml")) for case in tomllib.loads(file.read_text()).get(kind, [])]
    assert found
    return [pytest.param(case, id=case["name"]) for case in found]


def said(found: Grade) -> str:
    if found.value is not None:
        return str(found.value)
    return "none" if found.most is None else f"{found.least}-{found.most}"


@pytest.mark.parametrize("case", cases("grade"))
def test_grades(case) -> None:
    assert set(case) <= {"name", "analyte", "value", "bound", "low", "age_days", "sex", "grades"}
    found = {
        f"{scheme.id}-{scheme.edition}": said(
            grade(
                case["value"],
                analyte=case["analyte"],
                scheme=scheme.id,
                edition=scheme.edition,
                lab_low=case.get("low"),
                age_days=case.get("age_days"),
                sex=case.get("sex"),
                bound=case.get("bound", "="),
            )
        )
        for scheme in LIBRARY.schemes
    }
    assert found == case["grades"]


@pytest.mark.parametrize("case", cases("draw"))
def test_draws(case) -> None:
    assert set(case) == {"name", "reported", "anc", "notices", "severity"}
    counts = []
    for analyte, printed in case["reported"].items():
        bound, number = SIGNED.fullmatch(printed).groups()
        counts.append(count(analyte, float(number), bound=bound or "=", text=number))
    result = clean(record(*counts), library=LIBRARY)
    assert sorted(notice.code for notice in result.notices) == case["notices"]
    if case["anc"] == "none":
        assert "neutrophils" not in result.series
        return
    bound, number = SIGNED.fullmatch(case["anc"]).groups()
    (anc,) = result.series["neutrophils"]
    assert (anc.value, anc.bound) == (float(number), bound or "=")
    severity = status_of(anc, patient=ADULT, library=LIBRARY).severity
    assert (severity.name if severity else "") == case["severity"]
