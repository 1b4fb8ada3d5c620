"""Runs tests/cases/entries-advice.toml: every figure, piece of advice, rule of whom to call and limit of fever."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures import advised
from fixtures.blood import ADULT, LIBRARY, MORNING
from fixtures.blood import count as blood_count
from fixtures.infection import anc, judge
from leuko.advice import advice_for
from leuko.advice.limits import limits_of
from leuko.advice.outlook import outlook_of
from leuko.advice.prevention import advice_rows
from leuko.assessment import assess
from leuko.course import course_of
from leuko.knowledge.schema.advice import OutlookRow, StandardRow, TriageRow
from leuko.record import Moment
from leuko.result import Reason
from leuko.result.advice import OutlookFigure, Situation
from leuko.result.causes import Cause
from leuko.site import SiteSettings

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "entries-advice.toml").read_text("utf-8"))
SAID = Reason(rule="a test", text="")
PLAIN = Situation(
    level="severe",
    white_low=True,
    stale_days=None,
    treatment=False,
    treatments=(),
    cyclic=False,
    watched=(),
    benign=False,
    child=False,
    tier="high",
    reason=SAID,
)
PEOPLE: dict[str, tuple[Situation, set[str]]] = {
    "low": (replace(PLAIN, level="mild", tier="raised"), {"low"}),
    "high": (PLAIN, {"low", "high"}),
    "treatment": (replace(PLAIN, level="not_low", white_low=False, treatment=True), {"high", "treatment"}),
    "profound": (replace(PLAIN, level="profound"), {"low", "high", "profound"}),
    "chronic": (replace(PLAIN, level="mild", tier="raised"), {"low", "chronic"}),
    "usual": (replace(PLAIN, level="not_low", white_low=False, tier="usual"), set()),
}
"""People, and which of the conditions of the advice hold for them."""


def cases(kind: str) -> list:
    return [pytest.param(case, id=f"{case['row']} {case.get('who', case.get('sign', ''))}") for case in CASES[kind]]


def own(case: dict) -> str:
    return case["row"]


def figures(case: dict, situation: Situation, *, cause: str | None = None) -> dict[str, OutlookFigure]:
    """The figures that are told of a person with one supported cause, or with febrile neutropenia."""
    fever = judge(anc(0.4), said=["fever=38.5@2026-03-09T14:00"]) if case.get("of_fever") else None
    causes = [
        Cause(id=one, name="it", group="g", standing="supported", strength="strong", rank=1, reason=SAID)
        for one in ([cause] if cause else [])
    ]
    found = outlook_of(causes, fever, situation, library=LIBRARY)
    return {figure.id: figure for one in found for figure in one.figures}


@pytest.mark.parametrize("case", cases("outlook"))
def test_outlook(case: dict) -> None:
    row = next(row for row in LIBRARY.rows(OutlookRow) if row.id == case["row"])
    assert (row.value, row.population) == (case["value"], case["on"])
    assert all(figure in f"{row.value} {row.population}" for figure in case.get("figures", []))
    situation = replace(PLAIN, watched=tuple(case.get("on_medicine", ()))[:1], child=case.get("children", False))
    for cause in case.get("of", []) or [None] * case.get("of_fever", False):
        told = figures(case, situation, cause=cause)[case["row"]]
        assert (told.value, told.population) == (case["value"], case["on"])
        assert told.reason.citations
        if "on_medicine" in case:
            assert case["row"] not in figures(case, replace(situation, watched=()), cause=cause)
        if "at_level" in case:
            assert case["row"] not in figures(case, replace(situation, level="mild"), cause=cause)
        if "children" in case:
            assert case["row"] not in figures(case, replace(situation, child=False), cause=cause)
    assert case["row"] not in figures({}, situation)
    assert case["row"] not in figures({}, situation, cause="CA999")


@pytest.mark.parametrize("case", cases("advice"))
def test_advice(case: dict) -> None:
    series = [
        blood_count("neutrophils", 1.2, taken=Moment(at=MORNING + timedelta(days=30 * month)), id=f"{month}")
        for month in range(7)
    ]
    last = series[-1].taken.day
    months = {"neutrophils": course_of("neutrophils", series, patient=ADULT, library=LIBRARY, as_of=last)}
    for name, (situation, holds) in PEOPLE.items():
        found = advice_rows(situation, months if name == "chronic" else {}, library=LIBRARY)
        one = next(one for one in found if one.id == case["row"])
        assert one.applies is bool(set(case["when"]) & holds), (name, one.because)
        assert (one.area, one.kind, one.on_page) == (case["area"], case["kind"], case["of_page"])
        assert case["tells"] in one.text
        assert one.reason.citations


def calls(neutrophils: float, sign: str | None, medicine: str = "ibuprofen"):
    person = advised.record(
        "case",
        [advised.count("neutrophils", neutrophils)],
        doses=[advised.dose(medicine, advised.AS_OF - timedelta(days=9))],
        signs=[advised.symptom(sign)] if sign else [],
    )
    assessment = assess(person, as_of=advised.AS_OF, library=LIBRARY)
    return {one.id: one for one in advice_for(assessment, library=LIBRARY, site=SiteSettings()).calls}


@pytest.mark.parametrize("case", cases("call"))
def test_calls(case: dict) -> None:
    medicine = case.get("medicine", "ibuprofen")
    rule = calls(case["neutrophils"], case.get("sign"), medicine)[case["row"]]
    assert (rule.whom, rule.speed, rule.active) == (case["whom"], case["speed"], "sign" in case)
    assert not calls(case["neutrophils"], None, medicine)[case["row"]].active
    if "not_at" in case:
        assert case["row"] not in calls(case["not_at"], case.get("sign"), medicine)


@pytest.mark.parametrize("case", cases("fever_limit"))
def test_fever_limits(case: dict) -> None:
    for child in (True, False):
        shown = {one.id: one for one in limits_of(SiteSettings(), child=child, library=LIBRARY).bodies}
        if case["who"] != "everybody" and (case["who"] == "children") is not child:
            assert own(case) not in shown
            continue
        one = shown[own(case)]
        assert (one.body, one.side, one.celsius, one.inclusive) == (
            case["body"],
            case["side"],
            case["celsius"],
            case["itself_counts"],
        )


@pytest.mark.parametrize("case", cases("default"))
def test_the_limit_of_a_place_that_sets_none(case: dict) -> None:
    found = limits_of(SiteSettings(), child=case["who"] == "children", library=LIBRARY)
    assert (found.fever, found.low) == (case["fever"], case["low"])


@pytest.mark.parametrize("case", cases("standard"))
def test_standards(case: dict) -> None:
    row = next(row for row in LIBRARY.rows(StandardRow) if row.id == case["row"])
    assert case["body"] in row.name
    assert row.grade_most == case.get("grade_most")


@pytest.mark.parametrize("case", cases("triage"))
def test_triage(case: dict) -> None:
    row = next(row for row in LIBRARY.rows(TriageRow) if row.id == case["row"])
    assert case["tells"] in row.text
