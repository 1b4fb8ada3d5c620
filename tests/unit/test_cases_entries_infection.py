"""Runs tests/cases/entries-infection.toml: every fever, symptom, code, vital sign, red flag and medicine that masks."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from fixtures.infection import ADULT, CHILD, LIBRARY, anc, by, judge, moment, origin, symptom, temperature
from leuko.infection import ExpectedFall
from leuko.knowledge.schema.infection import RedFlagRow
from leuko.record import Code, Dose, Sign
from leuko.result.infection import Infection

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "entries-infection.toml").read_text("utf-8"))
SAID = {True: "met", False: "not met", None: "open"}
FLAGS = {row.id: row for row in LIBRARY.rows(RedFlagRow)}


def cases(kind: str) -> list:
    return [pytest.param(case, id=f"{case['row']} {case.get('said', '')}") for case in CASES[kind]]


def day(text: str) -> str:
    return text.replace("@T", "@2026-03-09T")


def rules(found: Infection) -> set[str]:
    return {reason.rule for reason in found.urgency.reasons}


@pytest.mark.parametrize("case", cases("fever"))
def test_fevers(case: dict) -> None:
    who = CHILD if case.get("who") == "child" else ADULT
    fall = ExpectedFall(**case["expected"]) if "expected" in case else None
    found = judge(anc(case["neutrophils"]), said=map(day, case["said"]), patient=who, expected=fall)
    verdict = by(found, case["row"])
    assert SAID[verdict.met] in case["met"].split(" or "), verdict.reason.text


@pytest.mark.parametrize("case", cases("fever_grade"))
def test_fever_grades(case: dict) -> None:
    (grade,) = [one for one in judge(said=map(day, case["said"])).fever_grades if one.edition == "6"]
    assert list(range(grade.least, grade.most + 1)) == case["grades"]
    assert case["grades"] == [0] or case["row"] in grade.reason.rule.split("+")


@pytest.mark.parametrize("case", cases("joined"))
def test_readings_and_counts(case: dict) -> None:
    assert SAID[by(judge(anc(case["neutrophils"]), said=case["said"]), case["body"]).met] == case["met"]


@pytest.mark.parametrize("case", cases("route"))
def test_routes(case: dict) -> None:
    for found in (judge(said=[day(case["said"])]), judge(signs=[temperature(38.5, loinc=case["loinc"])])):
        (reading,) = found.temperatures
        assert reading.route == case.get("route")
        told = " ".join(reason.text for reason in found.cautions)
        assert case.get("caution", "") in told
        assert "caution" in case or not found.cautions


@pytest.mark.parametrize("case", cases("symptom"))
def test_symptoms(case: dict) -> None:
    name = case["row"]
    for said in case["said"]:
        found = judge(anc(0.4), said=[f"{said}@2026-03-09"])
        own = symptom(found, name)
        assert own.present is True
        assert own.page_sign == case.get("page", "")
        assert {one.id for one in found.page_signs if one.present} == {case["page"]} - {""} if "page" in case else True
        organs = {one.id for one in (found.suspects_urinary, found.suspects_pneumonia) if one.suspected}
        assert organs == {case["points_to"]} if "points_to" in case else not organs
        assert found.urgency.level == case["urgency"], found.urgency.text
        if "flag" in case:
            # signs of sepsis with 0.4 are neutropenic sepsis, which speaks first: the flag is told where no count is
            assert case["flag"] in rules(found) | rules(judge(said=[f"{said}@2026-03-09"]))
        denied = judge(anc(0.4), said=[f"{said}=no@2026-03-09"])
        assert symptom(denied, name).present is False


@pytest.mark.parametrize("case", cases("symptom_code"))
def test_symptom_codes(case: dict) -> None:
    code = Code(system="http://snomed.info/sct", code=case["row"].partition(":")[2])
    sign = Sign(id="s", name="", codes=(code,), present=True, taken=moment("2026-03-09"), origin=origin())
    assert [one.id for one in judge(signs=[sign]).symptoms if one.present] == [case["is"]]


@pytest.mark.parametrize("case", cases("vital"))
def test_vital_signs(case: dict) -> None:
    assert (symptom(judge(said=[day(case["said"])]), case["is"]).present is True) is case["there"]


@pytest.mark.parametrize("case", cases("red_flag"))
def test_red_flags(case: dict) -> None:
    row = FLAGS[case["row"]]
    assert row.urgency == case["urgency"]
    # Where febrile neutropenia or sepsis is met, that speaks first: the flag is then told where no count is.
    low, bare = judge(anc(0.4), said=[day(case["said"])]), judge(said=[day(case["said"])])
    assert row.id in rules(low) | rules(bare), bare.urgency
    assert low.urgency.level in {"emergency", case["urgency"]}
    if "short" in case:
        assert row.id not in rules(judge(said=[day(case["short"])]))


@pytest.mark.parametrize("case", cases("mask"))
def test_masks(case: dict) -> None:
    def told(drug: str) -> set[str]:
        dose = Dose(id=drug, drug=drug, start=moment("2026-03-08"), origin=origin(), status="active")
        return {reason.rule for reason in judge(doses=[dose], as_of=date(2026, 3, 9)).cautions}

    assert all(case["row"] in told(drug) for drug in case["medicines"])
    assert not any(case["row"] in told(drug) for drug in case["not_these"])
