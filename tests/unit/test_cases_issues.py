"""Runs tests/cases/issues.toml: the word for how bad a low count is, and that each row alone gives it."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.leaflets import changed
from fixtures.people import LIBRARY, TODAY, person
from leuko.assessment import assess
from leuko.knowledge import Library
from leuko.knowledge.schema.outputs import IssueSeverity
from leuko.report.fhir import bundle
from leuko.result import Assessment

FILE = Path(__file__).resolve().parents[1] / "cases" / "issues.toml"
CONTENT = tomllib.loads(FILE.read_text("utf-8"))
CASES = [pytest.param(case, id=case["row"]) for case in CONTENT["issue"]]
CODES = [pytest.param(case, id=case["row"]) for case in CONTENT["code"]]


def assessed(case: dict) -> Assessment:
    """The person with the band of the case alone, or with the telephoned value alone: each must give the word."""
    found = assess(person({"age_years": 50, "counts": {case["of"]: [[0, case["count"]]]}}), as_of=TODAY)
    (latest,) = (status for status in found.latest if status.count.analyte == case["of"])
    if "band" in case:
        assert latest.severity is not None
        assert latest.severity.id == case["band"]
        return replace(found, latest=(replace(latest, critical=()),))
    assert case["telephoned"] in {met.id for met in latest.critical if met.met}
    return replace(found, latest=(replace(latest, severity=None),))


def severity(case: dict, library: Library) -> str | None:
    return severity_of(assessed(case), library)


def severity_of(assessment: Assessment, library: Library) -> str | None:
    entries = bundle(assessment, library=library)["entry"]
    (issue,) = (one["resource"] for one in entries if one["resource"]["resourceType"] == "DetectedIssue")
    return issue.get("severity")


@pytest.mark.parametrize("case", CASES)
def test_issue(case: dict) -> None:
    assert severity(case, LIBRARY) == case["is"]
    assert severity(case, changed(IssueSeverity, case["row"])) is None
    other = "low" if case["is"] != "low" else "high"
    assert severity(case, changed(IssueSeverity, case["row"], severity=other)) == other


def codes(analyte: str, value: float) -> set[str]:
    """The codes that are sent with the issues of an adult with one count."""
    found = assess(person({"age_years": 50, "counts": {analyte: [[0, value]]}}), as_of=TODAY)
    issues = [one["resource"] for one in bundle(found, library=LIBRARY)["entry"]]
    sent = [one["code"].get("coding", ()) for one in issues if one["resourceType"] == "DetectedIssue"]
    return {f"{code['system']}|{code['code']} {code.get('display', '')}" for each in sent for code in each}


@pytest.mark.parametrize("case", CODES)
def test_the_code_of_the_finding(case: dict) -> None:
    assert case["sent"] in codes(case["of"], case["count"])
    assert case["sent"] not in codes(case["of"], case["not"])


def test_a_count_without_a_band_has_no_word() -> None:
    assert severity_of(assess(person({"age_years": 50, "counts": {"wbc": [[0, 3.0]]}}), as_of=TODAY), LIBRARY) is None
