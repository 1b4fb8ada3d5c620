"""Runs tests/cases/entries-counts.toml: every definition, interval, code, analyte and number of the course."""

from __future__ import annotations

import math
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures.blood import LIBRARY, MORNING, count
from leuko.course import course_of
from leuko.errors import Place
from leuko.intake.base import ReadOptions
from leuko.intake.checks import interpret
from leuko.intake.identity import claim_of
from leuko.intake.names import index_of
from leuko.intake.raw import RawResult
from leuko.record import Code, Moment, Patient
from leuko.status import status_of
from leuko.status.knownness import inside

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "entries-counts.toml").read_text("utf-8"))
DEFINITIONS = {row.id: row for row in LIBRARY.definitions}
INTERVALS = {row.id: row for row in LIBRARY.intervals}
GROWN = 9000
"""An age in days at which a row of all ages is tried: 24 years."""


def cases(kind: str) -> list:
    return [pytest.param(case, id=case["row"]) for case in CASES[kind]]


def person(days: int, **known: object) -> Patient:
    return Patient(id="p", born=(MORNING - timedelta(days=days)).date(), **{"sex": "female", **known})


def told(case: dict, value: float, days: int) -> str:
    """How the status of a count names the row: its own answer, a band, a critical value, beside others, or not met."""
    found = status_of(count(case["of"], value), patient=person(days, sex=case.get("sex", "female")), library=LIBRARY)
    if found.severity is not None and found.severity.id == case["row"]:
        return "severity"
    if case["row"] in {one.id for one in found.critical}:
        return "critical"
    one = next((one for one in found.definitions if one.id == case["row"]), None)
    return "" if one is None or not one.met else "house" if one.house else "shown"


@pytest.mark.parametrize("case", cases("definition"))
def test_definitions(case: dict) -> None:
    row = DEFINITIONS[case["row"]]
    assert row.basis.drives
    assert (row.concept, row.analyte, row.authority) == (case["is"], case["of"], case["body"])
    assert (row.condition, row.sex) == (case.get("only_if", ""), case.get("sex"))
    for value in case["met"]:
        assert inside(count("wbc", value), row.band) is True, value
    for value in case["not_met"]:
        assert inside(count("wbc", value), row.band) is False, value
    assert all(row.ages.holds(day) for day in case.get("days", [GROWN]))
    assert not any(row.ages.holds(day) for day in case.get("not_days", []))


@pytest.mark.parametrize("case", [one for one in cases("definition") if one.values[0]["of"] in LIBRARY.analytes])
def test_definitions_in_a_status(case: dict) -> None:
    if case["of"] == "nrbc_per_100_wbc":
        return
    shown = case["told"] if case["told"] in {"house", "severity", "critical", "shown"} else ""
    for day in case.get("days", [GROWN]):
        assert {told(case, value, day) for value in case["met"]} == {shown}
        assert {told(case, value, day) for value in case["not_met"]} == {""}
    for day in case.get("not_days", []):
        assert {told(case, value, day) for value in case["met"]} == {""}


@pytest.mark.parametrize("case", cases("interval"))
def test_intervals(case: dict) -> None:
    row = INTERVALS[case["row"]]
    assert row.basis.drives
    assert (row.analyte, row.low, row.high) == (case["of"], case.get("low"), case.get("high"))
    assert (row.sex, row.pregnancy, row.duffy_null) == (
        case.get("sex"),
        case.get("pregnancy", "no"),
        case.get("duffy_null"),
    )
    first, last = case.get("first_day"), case.get("last_day")
    assert all(row.ages.holds(day) for day in (first, last) if day is not None)
    assert not (first and row.ages.holds(first - 1))
    assert last is None or not row.ages.holds(last + 1)
    pregnant = True if row.pregnancy != "no" else None
    day = 10000 if pregnant else next((day for day in (first, last) if day is not None), GROWN)
    who = person(day, sex=case.get("sex", "female"), pregnant=pregnant, duffy_null=row.duffy_null)
    used = _held(case, who, 1.0)
    assert (case["row"] in used.interval.id.split("+")) is case["used"]
    if not case["used"]:
        return
    if case.get("low"):
        assert _held(case, who, case["low"]).position in {"within", "cannot_say"}
        assert _held(case, who, math.nextafter(case["low"], 0)).position in {"below", "cannot_say"}
    if "high" in case:
        assert _held(case, who, case["high"]).position in {"within", "cannot_say"}
        assert _held(case, who, math.nextafter(case["high"], math.inf)).position in {"above", "cannot_say"}
    alone = used.interval.id == case["row"]
    assert not alone or (used.interval.low, used.interval.high) == (case.get("low"), case.get("high"))


def _held(case: dict, who: Patient, value: float):
    return status_of(count(case["of"], value), patient=who, library=LIBRARY)


def result(**more: object) -> RawResult:
    return RawResult(id="r", place=Place(source="labs.csv", line=2), **more)


@pytest.mark.parametrize("case", cases("code"))
def test_codes(case: dict) -> None:
    system, _, code = case["row"].rpartition("|")
    raw = result(codes=(Code(system=system, code=code),))
    claim = claim_of(raw, index=index_of(LIBRARY), codes=LIBRARY.codes, counts_cells=False)
    if "is" in case:
        assert (claim.kind, claim.ids, claim.method) == ("ours", {case["is"]}, case.get("method"))
    elif case.get("panel"):
        assert claim.kind == "panel"
    else:
        assert claim.kind == "none"
        as_count = result(codes=(Code(system=system, code=code),), names=("WBC",))
        claim = claim_of(as_count, index=index_of(LIBRARY), codes=LIBRARY.codes, counts_cells=True)
        assert claim.kind == "refused"
        assert case["refused"] in claim.findings[0].text


@pytest.mark.parametrize("case", cases("analyte"))
def test_analytes(case: dict) -> None:
    assert LIBRARY.analytes[case["row"].removeprefix("analyte:")].basis.drives
    for name in case["called"]:
        raw = result(names=(name,), value_text=case["value"], unit_text=case["unit"])
        found = interpret(raw, library=LIBRARY, options=ReadOptions())
        assert found.count is not None, (name, found.notices)
        assert f"analyte:{found.count.analyte}" == case["row"], name


@pytest.mark.parametrize("case", cases("course"))
def test_course(case: dict) -> None:
    analyte = case["row"].removeprefix("course:").partition(".")[0]
    series = [
        count(analyte, value, taken=Moment(at=MORNING + timedelta(days=float(day))), id=f"day {day}")
        for day, value in case["counts"].items()
    ]
    last = max(one.taken.day for one in series)
    found = course_of(analyte, series, patient=person(GROWN), library=LIBRARY, as_of=last)
    told = {
        "episodes": len(found.episodes),
        "kind": found.kind,
        "trend": found.trend.direction,
        "below": [one.cut for one in found.episodes[-1].days_below] if found.episodes else [],
        "recovered": bool(found.episodes) and found.episodes[-1].recovery_confirmed,
    }
    assert {key: told[key] for key in case["expected"]} == case["expected"]


@pytest.mark.parametrize("case", cases("rhythm"))
def test_rhythm(case: dict) -> None:
    days = [case["every"] * number for number in range(case["number"])]
    series = [
        count(
            "neutrophils",
            round(1.6 + 1.5 * math.cos(2 * math.pi * day / case["period"]), 2),
            taken=Moment(at=MORNING + timedelta(days=day)),
            id=f"day {day:g}",
        )
        for day in days
    ]
    found = course_of("neutrophils", series, patient=person(GROWN), library=LIBRARY, as_of=series[-1].taken.day)
    assert found.cycle.assessable is case["assessable"], found.cycle.reason.text
    assert (found.kind == "cyclic") is case.get("cyclic", False)
    if case.get("cyclic"):
        assert found.cycle.period == pytest.approx(case["period"], abs=2.0)
    if found.cycle.false_alarm is not None:
        assert found.cycle.false_alarm <= case.get("false_alarm_most", 1.0)
        assert found.cycle.false_alarm > case.get("false_alarm_over", -1.0)
