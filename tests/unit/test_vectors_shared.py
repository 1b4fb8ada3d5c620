"""The shared test vectors: each has a case of our own that names it and expects the same."""

from __future__ import annotations

import csv
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FACTS = Path(os.environ.get("LEUKO_SHARED") or Path(__file__).resolve().parents[2].parent / "shared") / "facts"
FILE = FACTS / "test_vectors.csv"
CASES = Path(__file__).resolve().parents[1] / "cases"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FILE.is_file(), reason="the shared test vectors do not lie beside the checkout"),
]
SERIES = {"TV58"}
"""A vector that names files of people and no expectation."""
BODIES = {
    "FN IDSA2010": "IDSA",
    "FN ESMO2016": "ESMO",
    "FN CTCAEv6": "CTCAE 6",
    "FN NICE": "NICE",
    "FN ASCO2018": "ASCO/IDSA",
    "FN IDSA2010 vs ESMO": "ESMO",
    "FN": "IDSA",
}
SCORES = {"MASCC", "CISNE", "SPOG", "RAZZ", "NEWS2", "D-index", "c-D-index", "Talcott", "Talcott (published)"}


def vectors() -> list[dict[str, str]]:
    if not FILE.is_file():
        return []
    with FILE.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["id"] not in SERIES]


def tables(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for found in content.values():
        yield from (case for case in found if isinstance(case, dict)) if isinstance(found, list) else ()


@cache
def named_cases() -> tuple[dict[str, Any], ...]:
    """Every case whose name holds the number of a vector."""
    files = (tomllib.loads(file.read_text("utf-8")) for file in sorted(CASES.glob("*.toml")))
    return tuple(case for file in files for case in tables(file) if "TV" in str(case.get("name", "")))


def cases_named(vector: str) -> list[dict[str, Any]]:
    named = re.compile(rf"{vector}\b")
    return [case for case in named_cases() if named.search(case["name"])]


def agrees(vector: Mapping[str, str], case: Mapping[str, Any]) -> bool:
    """Whether the case expects what the vector says; the case itself is run elsewhere."""
    expected, module = vector["expected"], vector["module"]
    number = re.search(r"\d+", expected)
    if module in BODIES:
        met = "met" if expected.startswith(("FN", "same decision")) else "not met"
        return bool(case["bodies"][BODIES[module]] == met)
    if module.startswith("CTCAE"):
        editions = re.findall(r"v(\d)", module) or ["5", "6"]
        assert number is not None
        return {case["grades"][f"ctcae-{edition}"] for edition in editions} == {number[0]}
    if module.startswith("clozapine"):
        (band,) = case["band"].values()
        return bool(set(band.lower().split()) & set(expected.lower().split()))
    if module in {"lenalidomide", "cabazitaxel", "docetaxel"}:
        words = {"interrupt": "withhold", "no interrupt": "not_barred"}
        return words.get(expected, expected) in case["treat"].values()
    if module == "Kuderer":
        return all(figure in " ".join(case["says"]) for figure in vector["input"].split("/"))
    assert module in SCORES, module
    return agrees_score(expected, number[0] if number else "", case)


def agrees_score(expected: str, number: str, case: Mapping[str, Any]) -> bool:
    if expected.startswith("not applicable"):
        return bool(case["applies"] == "no")
    if expected.startswith("cannot score"):
        return case["band"] == "" and case["least"] < case["most"]
    if expected.startswith("group"):
        return str(case["band"]).startswith(" ".join(expected.split()[:2]))
    if case.get("none"):
        return number == "0"
    risk = {"low": "low risk", "high": "high risk"}.get(expected.rsplit(maxsplit=1)[-1])
    given = case.get("total", case.get("most"))
    return str(given) == number and (risk is None or case["band"] in {risk, "adverse event predicted", ""})


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["id"])
def test_a_vector_holds_as_one_of_our_cases(vector: dict[str, str]) -> None:
    found = cases_named(vector["id"])
    assert found, "no case names it"
    assert all(agrees(vector, case) for case in found if vector["module"] != "Talcott (published)")
