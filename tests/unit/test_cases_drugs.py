"""Runs the cases on medicines that a clinician can read and write: tests/cases/drugs.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fixtures.medicines import LIBRARY, dose, links
from leuko.drugs import identify

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "drugs.toml").read_text("utf-8"))


def read(line: str):
    name, kind, *days = (part.strip() for part in line.split(","))
    return dose(name, *map(float, days), kind=kind)


def schemes(link) -> dict:
    found = {one.scheme: one for one in link.causality}
    said: dict = {}
    if "naranjo" in found:
        one = found["naranjo"]
        said["naranjo"] = [one.total, one.least, one.most]
    said |= {name: list(found[name].possible) for name in ("who_umc", "benichou") if name in found}
    return said


@pytest.mark.parametrize("case", CASES["drug_case"], ids=lambda case: case["name"])
def test_medicines_on_the_time_line(case) -> None:
    assert set(case) == {"name", "doses", "counts", "expect"}
    found = links([read(line) for line in case["doses"]], [tuple(pair) for pair in case["counts"]])
    first = {link.drug_id or link.drug: link for link in found if link.episode == 0}
    assert set(first) == set(case["expect"])
    for drug, expected in case["expect"].items():
        link = first[drug]
        said = {
            "role": link.role,
            "timing": link.timing,
            "dechallenge": link.dechallenge,
            "rechallenge": link.rechallenge,
            "strength": link.strength,
            **schemes(link),
            **({"contradiction": True} if link.contradictions else {}),
        }
        assert said == expected, drug


@pytest.mark.parametrize("case", CASES["medicine"], ids=lambda case: case["said"])
def test_names(case) -> None:
    row = identify(dose(case["said"], 0), library=LIBRARY)
    assert (row.id if row is not None else "") == case["is"]
