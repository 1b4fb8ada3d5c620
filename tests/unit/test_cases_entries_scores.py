"""Runs tests/cases/entries-scores.toml: every item, condition, rule, measure and finding of the scores."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest

from fixtures.blood import LIBRARY, count
from leuko.knowledge.schema.scores import CriterionRow, FindingRow, ItemRow, ScoreRow
from leuko.record import Moment, Patient, Record
from leuko.result.scores import Score
from leuko.scores import scores_of

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "entries-scores.toml").read_text("utf-8"))
AS_OF = date(2026, 3, 9)
START = datetime(2026, 2, 1, 8, tzinfo=UTC)
ITEMS = {row.id: row for row in LIBRARY.rows(ItemRow)}
CRITERIA = tuple(LIBRARY.rows(CriterionRow))
FINDINGS = {row.id: row for row in LIBRARY.rows(FindingRow)}
MEASURES = {row.id: row.observable for row in LIBRARY.rows(ScoreRow)}
UNKNOWN = Patient(id="p", sex="female")


def cases(kind: str) -> list:
    return [pytest.param(case, id=f"{case['row']} {case.get('band', '')}") for case in CASES[kind]]


def own(case: dict) -> str:
    return case["row"]


def score(name: str, answers: dict | None = None, *, patient: Patient = UNKNOWN, counts: tuple = ()) -> Score:
    found = scores_of(
        Record(patient=patient, counts=counts),
        series={"neutrophils": counts} if counts else {},
        latest={},
        infection=None,
        library=LIBRARY,
        as_of=AS_OF,
        answers=answers or {},
    )
    return next(one for one in found if one.id == name)


def fitting(name: str) -> dict[str, str]:
    """Answers under which every condition for the use of a score is met."""
    return {row.asks: row.met_answers[0] for row in CRITERIA if row.score == name}


@pytest.mark.parametrize("case", cases("item"))
def test_items(case: dict) -> None:
    for answer, points in case["gives"].items():
        found = score(case["score"], {case["ask"]: answer, **case.get("answers", {})})
        item = next(one for one in found.items if one.item in {own(case), ITEMS[own(case)].label})
        assert item.points == points, (answer, item.reason.text)
        assert item.reason.citations
    open_ = next(
        one
        for one in score(case["score"], case.get("answers")).items
        if one.item in {own(case), ITEMS[own(case)].label}
    )
    assert open_.points is None
    assert (open_.least, open_.most) == (min(case["gives"].values()), max(case["gives"].values()))


@pytest.mark.parametrize("case", cases("observed"))
def test_observed(case: dict) -> None:
    found = score(case["score"], case["answers"])
    item = next(one for one in found.items if one.item in {own(case), ITEMS[own(case)].label})
    assert item.points == case["points"], item.reason.text


@pytest.mark.parametrize("case", cases("rule"))
def test_rules(case: dict) -> None:
    found = score(case["score"], {**fitting(case["score"]), **case["answers"]})
    assert found.eligible is not False or case["answers"].get("place_at_onset") == "inpatient"
    assert found.band == case["band"], found.says


@pytest.mark.parametrize("case", cases("band"))
def test_classes(case: dict) -> None:
    found = score(case["score"], {**fitting(case["score"]), **case["answers"]})
    assert (found.band, found.meaning) == (case["band"], case["tells"])
    assert found.total == case.get("total", found.total)
    nothing_known = score(case["score"], case["answers"])
    assert nothing_known.band == (None if case.get("reassures") else case["band"]), nothing_known.says


@pytest.mark.parametrize("case", cases("listed"))
def test_listed(case: dict) -> None:
    row = next(row for row in LIBRARY.rows(ScoreRow) if row.id == own(case))
    assert (row.kind, row.name, row.why_listed) == ("listed", case["name"], case["why"])
    child = Patient(id="c", born=date(2021, 3, 1), sex="male")
    neutropenia = (count("neutrophils", 0.1, taken=Moment(at=START), id="low"),)
    found = scores_of(
        Record(patient=child, counts=neutropenia),
        series={"neutrophils": neutropenia},
        latest={},
        infection=None,
        library=LIBRARY,
        as_of=AS_OF,
        answers={},
    )
    assert not any(one.id == own(case) and one.band is not None for one in found)


@pytest.mark.parametrize("case", cases("criterion"))
def test_criteria(case: dict) -> None:
    def met(answers: dict, patient: Patient = UNKNOWN) -> tuple[bool | None, bool | None]:
        found = score(case["score"], answers, patient=patient)
        return next(one.met for one in found.criteria if one.id == own(case)), found.eligible

    assert met({})[0] is None
    assert met({case["ask"]: case["met"]})[0] is True
    assert met({case["ask"]: case["unmet"]}) == (False, False)
    assert met({**fitting(case["score"])})[1] is True
    for years, expected in case.get("ages", {}).items():
        assert met({}, Patient(id="p", born=date(2026 - int(years), 2, 1)))[0] is expected, years


@pytest.mark.parametrize("case", cases("measure"))
def test_measures(case: dict) -> None:
    name = next(
        one for one in ("days-below-500", "days-below-100", "c-d-index", "d-index") if case["row"].find(one) >= 0
    )
    counts = tuple(
        count("neutrophils", value, taken=Moment(at=START + timedelta(days=float(day))), id=f"day {day}")
        for day, value in case["counts"].items()
    )
    assert MEASURES[name] == case["measures"]
    found = score(name, fitting(name), counts=counts)
    if "total" in case:
        assert found.total == pytest.approx(case["total"]), found.says
    if case.get("none"):
        assert (found.total, found.eligible) == (None, False), found.says
    if "least" in case:
        assert (found.total if found.total is not None else found.least) == pytest.approx(case["least"]), found.says
    if "band" in case:
        assert (found.band or "") == case["band"], found.says


@pytest.mark.parametrize("case", cases("finding"))
def test_findings(case: dict) -> None:
    row = FINDINGS[own(case)]
    assert (list(row.scores), row.shown) == (case["of"], case["told"])
    assert all(figure in row.text for figure in case.get("figures", [case.get("tells", "")]))
    for name in case["of"]:
        found = [one for one in _told() if one.id == name]
        texts = [text for one in found for text in (*one.validated, *one.warnings)]
        assert not found or (row.text in texts) is case["told"]


@lru_cache
def _told() -> tuple[Score, ...]:
    return scores_of(
        Record(patient=UNKNOWN), series={}, latest={}, infection=None, library=LIBRARY, as_of=AS_OF, answers={}
    )
