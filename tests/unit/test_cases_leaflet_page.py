"""Runs tests/cases/leaflet-page.toml: statements of the patient page that the leaflet tells a person."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fixtures.leaflets import changed, parts_of, told_of
from fixtures.people import LIBRARY
from leuko.knowledge import Library
from leuko.knowledge.schema.advice import BlockRow, StatementRow
from leuko.report.leaflet import leaflet

FOLDER = Path(__file__).resolve().parents[1] / "cases"
CASES = tomllib.loads((FOLDER / "leaflet-page.toml").read_text("utf-8"))["statement"]
LEAFLET = tomllib.loads((FOLDER / "leaflet.toml").read_text("utf-8"))
PEOPLE = {case["name"]: case for case in LEAFLET["person"]}


def said(name: str, library: Library) -> int:
    """How many sentences the person is told."""
    assessment, advice = told_of(PEOPLE[name])
    return sum(map(len, parts_of(leaflet(assessment, advice, library=library)).values()))


def check(case: dict, library: Library = LIBRARY) -> None:
    (row,) = (one for one in library.rows(StatementRow) if one.id == case["row"])
    assert (row.text, list(row.carried)) == (case["says"], case["carried"])


@pytest.mark.parametrize("case", [pytest.param(case, id=case["row"]) for case in CASES])
def test_statement(case: dict) -> None:
    check(case)
    blocks = [key.removeprefix("block:") for key in case["carried"] if key.startswith("block:")]
    for block, name in zip(blocks, case["told"], strict=True):
        assert said(name, changed(BlockRow, block)) == said(name, LIBRARY) - 1, (block, name)
    with pytest.raises(ValueError, match="unpack"):
        check(case, changed(StatementRow, case["row"]))
