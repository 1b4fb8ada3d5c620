"""Runs tests/cases/entries-limits.toml: every limit of the plan's rules and schemes, on both sides of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.plans import day, plan, record
from leuko.result.plan import Monitoring, TreatDay

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "entries-limits.toml").read_text("utf-8"))
DUE = {"day_1": 21, "day_8": 7, "day_15": 14, "before_start": 0}
"""The day of a rule, and of the count, after the doses of day 0; those before a start are planned for day 1."""
TREAT = {
    "row",
    "with",
    "other",
    "rule",
    "on",
    "region",
    "setting",
    "says",
    "then",
    "tried",
    "febrile",
    "as_of",
    "facts",
}
BAND = {"row", "drug", "scheme", "band", "action", "says", "counts", "due", "at", "not_at", "at_start", "duffy_null"}
INTERVAL = {"row", "drug", "scheme", "duffy_null", "says", "on_days", "not_on_days", "due"}


def cases(table: str, keys: set[str]) -> list[Any]:
    found = CASES[table]
    assert all(set(case) <= keys for case in found)
    return [pytest.param(case, id=case["row"]) for case in found]


def rule(case: Mapping[str, Any], counts: Any, **more: Any) -> TreatDay | None:
    """What is said of the rule that the row is a line of, where the row speaks."""
    due = case.get("as_of", DUE.get(case["on"], 21))
    days = [[due, counts]] if isinstance(counts, dict) else counts
    known = record(
        counts=days,
        doses=[(int(case["on"] == "before_start"), drug) for drug in more.get("drugs", case["with"])],
        facts=more.get("facts", case.get("facts", ())),
    )
    found = plan(known, day(due))
    return next((one for one in found.treat_days if case["row"] in one.rows and one.checkpoint == case["on"]), None)


def verdict(found: TreatDay | None) -> str:
    return "silent" if found is None else found.verdict


@pytest.mark.parametrize("case", cases("treat", TREAT))
def test_the_count_that_a_dose_needs(case: dict[str, Any]) -> None:
    told = []
    for counts, expected in case["tried"]:
        told.append(rule(case, counts))
        assert verdict(told[-1]) == expected, counts
    if "febrile" in case:
        told.append(rule(case, case["tried"][-1][0], facts=[("Febrile neutropenia", 10)]))
        assert verdict(told[-1]) == case["febrile"]
    speaks = [found for found in told if found is not None]
    for found in speaks:
        assert found.text.startswith(case["rule"])
        assert (found.region, found.setting) == (case.get("region", ""), case.get("setting", ""))
        assert found.reason.citations
    assert any(case["says"] in found.text for found in speaks)
    assert any(case.get("then", "") in found.then for found in speaks)
    for other in case.get("other", ()):
        assert verdict(rule(case, case["tried"][0][0], drugs=other)) != case["tried"][0][1], other


def scheme(case: Mapping[str, Any], counts: Mapping[str, float]) -> Monitoring:
    known = record(
        counts=[(100, counts)],
        doses=[(100 if case.get("at_start") else 0, case["drug"], {"status": "active"})],
        patient={"duffy_null": case.get("duffy_null")},
    )
    return next(one for one in plan(known, day(101)).monitoring if one.scheme == case["scheme"])


@pytest.mark.parametrize("case", cases("band", BAND))
def test_a_band_of_a_schedule(case: dict[str, Any]) -> None:
    for counts in case["at"]:
        found = scheme(case, counts)
        assert (found.band, found.action) == (case["band"], case["action"]), counts
        assert case["says"] in found.text
        assert found.counts == case.get("counts", found.counts)
        assert found.due == (day(100 + case["due"]) if case.get("due") else found.due)
        assert found.reason.citations
    for counts in case["not_at"]:
        assert scheme(case, counts).band != case["band"], counts


GOOD = {"neutrophils": 5.0, "wbc": 8.0, "platelets": 250, "haemoglobin": 140, "lymphocytes": 2.0}


def every(case: Mapping[str, Any], number: int) -> Monitoring:
    """What the schedule says on a day since the start, with good counts of that day."""
    doses = [(0, case["drug"], {"status": "active"})]
    known = record(counts=[(number, GOOD)], doses=doses, patient={"duffy_null": case.get("duffy_null")})
    return next(one for one in plan(known, day(number)).monitoring if one.scheme == case["scheme"])


@pytest.mark.parametrize("case", cases("interval", INTERVAL))
def test_how_often_a_schedule_counts(case: dict[str, Any]) -> None:
    for number in case["on_days"]:
        found = every(case, number)
        assert (found.counts, found.due) == (case["says"], day(number + case["due"])), number
    for number in case.get("not_on_days", ()):
        assert every(case, number).counts != case["says"], number
