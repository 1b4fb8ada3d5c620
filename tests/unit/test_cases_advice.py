"""The clinician-readable cases of the advice, each through the whole flow."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.advised import AS_OF, LIBRARY, count, dose, record, symptom, temperature
from leuko.advice import advice_for
from leuko.assessment import assess
from leuko.record import Record
from leuko.report.leaflet import leaflet
from leuko.site import site_of

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "advice.toml").read_text("utf-8"))["case"]


def record_of(known: dict[str, Any]) -> Record:
    day = AS_OF - timedelta(days=known.get("days_ago", 1))
    given = AS_OF - timedelta(days=known.get("given_days_ago", 10))
    names = {"neutrophils": "neutrophils", "white": "wbc"}
    signs = [temperature(known["temperature"])] if "temperature" in known else []
    signs += [symptom(known["symptom"])] if "symptom" in known else []
    past = "given_days_ago" in known
    return record(
        "case",
        [count(names[key], known[key], day) for key in names if key in known],
        born=AS_OF.replace(year=AS_OF.year - known["age"]) - timedelta(days=30),
        doses=[
            dose(drug, given, given if past else None, status="completed" if past else "active", given=past)
            for drug in known.get("medicines", [])
        ],
        signs=signs,
        duffy_null=known.get("duffy_null"),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case(case: dict[str, Any]) -> None:
    expect = case["expect"]
    assessment = assess(record_of(case["known"]), as_of=AS_OF, library=LIBRARY)
    advice = advice_for(assessment, library=LIBRARY, site=site_of(case.get("site", {})))
    made = leaflet(assessment, advice, library=LIBRARY)
    situation = advice.situation
    assert situation.tier == expect["tier"], situation.reason.text
    assert situation.level == expect.get("level", situation.level)
    assert advice.fever_limit == expect.get("fever", advice.fever_limit)
    assert set(expect.get("calls", [])) <= {rule.id for rule in advice.calls}
    active = [rule.id for rule in advice.calls if rule.active]
    assert active == expect.get("active", active)
    assert set(expect.get("outlook", [])) <= {one.cause for one in advice.outlook}
    assert not set(expect.get("not_outlook", [])) & {one.cause for one in advice.outlook}
    assert (made.card is not None) is expect.get("card", made.card is not None)
    assert expect.get("title", "") in made.title
    assert expect.get("lead", "") in " ".join(made.lead)
    asks = any("treatment for cancer" in hint for hint in (made.call.hints if made.call else ()))
    assert asks is expect.get("asks_treatment", asks)
