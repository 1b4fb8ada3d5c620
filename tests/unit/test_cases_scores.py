"""Runs the score cases that a clinician can read and write: tests/cases/scores.toml."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from leuko.errors import Place
from leuko.knowledge import load_library
from leuko.record import Code, Fact, Moment, Origin, Patient, Record
from leuko.scores import scores_of

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "scores.toml").read_text())["score"]
KEYS = {"name", "age", "sex", "facts", "answers", "score", "total", "least", "most", "band", "left", "says", "applies"}
AS_OF = date(2026, 1, 5)


def patient(case: dict) -> Patient:
    born = date(2025 - case["age"], 12, 1) if "age" in case else None
    return Patient(id="p", born=born, sex=case.get("sex", "female"))


def fact(code: str, name: str) -> Fact:
    return Fact(
        id=code,
        kind="condition",
        name=name,
        codes=(Code(system="http://hl7.org/fhir/sid/icd-10-cm", code=code),),
        start=Moment(at=datetime(2025, 6, 1, tzinfo=UTC), precision="day"),
        status="active",
        origin=Origin(place=Place(source="a test")),
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['score']}: {case['name']}") for case in CASES])
def test_scores(case: dict) -> None:
    assert set(case) <= KEYS
    record = Record(patient=patient(case), facts=tuple(fact(*one) for one in case.get("facts", {}).items()))
    found = scores_of(
        record,
        series={},
        latest={},
        infection=None,
        library=load_library(),
        as_of=AS_OF,
        answers=case["answers"],
    )
    score = next(score for score in found if score.id == case["score"])
    assert score.eligible is {"yes": True, "no": False, "unknown": None}[case["applies"]], score.reason.text
    assert (score.band or "") == case["band"], score.says
    if "total" in case:
        assert score.total == case["total"], score.says
    if "least" in case:
        assert (score.total, score.least, score.most) == (None, case["least"], case["most"]), score.says
    if "left" in case:
        assert list(score.possible) == case["left"]
    if "says" in case:
        assert score.says == case["says"]
    if score.eligible is False:
        assert (score.total, score.least, score.items) == (None, None, ())
