"""Runs tests/cases/entries-forecast.toml and entries-cohorts.toml: what the rows behind them say, and that the models
give it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from fixtures.forecasts import assessed
from leuko.forecast.choose import Limits
from leuko.forecast.library import level_row, model_row
from leuko.forecast.score.published import Checked, checked
from leuko.forecast.wish import Wish
from leuko.knowledge import load_library
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.schema import Row
from leuko.knowledge.schema.levels import AskRow, LevelRow, PublishedRow, RecoveryRow

FOLDER = Path(__file__).resolve().parents[1] / "cases"
CASES = tomllib.loads((FOLDER / "entries-forecast.toml").read_text("utf-8"))
COHORTS = tomllib.loads((FOLDER / "entries-cohorts.toml").read_text("utf-8"))["states"]
PEOPLE = {case["name"]: case for case in tomllib.loads((FOLDER / "forecast.toml").read_text("utf-8"))["forecast_case"]}
LIBRARY = load_library()


def cases(table: str) -> list[Any]:
    return [pytest.param(case, id=case["row"]) for case in CASES[table]]


@lru_cache(maxsize=1)
def computed() -> Mapping[str, Checked]:
    return {one.id: one for one in checked(LIBRARY)}


def doses(row: PublishedRow) -> list[str]:
    times = ((f"{day:g}, {mg:g} mg, {hours:g} h", number) for day, mg, hours, number in row.doses)
    return [text if number == 1 else f"{text}, x{number}" for text, number in times]


@pytest.mark.parametrize("case", cases("check"))
def test_a_number_that_a_model_must_give(case: dict[str, Any]) -> None:
    row = next(row for row in LIBRARY.rows(PublishedRow) if row.id == case["row"])
    assert row.basis.drives
    assert (row.model, row.what, row.hour) == (case["model"], case["what"], case.get("hour", 0))
    assert doses(row) == case.get("doses", [])
    assert [f"{day:g}, {mg:g} mg" for day, mg in row.injections] == case.get("injections", [])
    assert row.factor == case.get("factor")
    one = computed()[case["row"]]
    assert (one.expected, one.tolerance, one.kind) == (case["is"], case["within"], case["kind"])
    assert (abs(one.found - case["is"]) <= case["within"]) is not case.get("misses", False), one.found
    assert bool(one.why) is case.get("misses", False)


def plain(value: Any) -> Any:
    """Tuples as the lists, and rows inside a row as the tables, that a file holds."""
    if isinstance(value, Row):
        fields = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        return {name: one for name, one in fields.items() if one is not None}
    return [plain(one) for one in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", [*cases("states"), *(pytest.param(case, id=case["row"]) for case in COHORTS)])
def test_what_a_row_says(case: dict[str, Any]) -> None:
    kind, _, name = case["row"].partition(":")
    (table,) = (one for one in further_kinds() if kind_name(one) == kind)
    row = next(row for row in LIBRARY.rows(table) if row.id == name)
    assert row.basis.drives
    assert {field: plain(getattr(row, field)) for field in case["is"]} == case["is"]
    if "mg" in case:
        (part,) = (one for one in model_row(row.model, LIBRARY).parts if one.drug == row.drug)
        assert row.amount == pytest.approx(case["mg"] * part.per_mg, rel=2e-3)
    if "claims" in case:
        assert {one.what: _claim(one) for one in row.claims} == case["claims"]


def _claim(one: Any) -> list[Any]:
    how = "at least" if one.at_least else "about"
    return [one.expected, one.tolerance, how, *(["known to miss"] if one.misses else [])]


def test_every_forecast_is_asked_the_same() -> None:
    """The cuts and the horizon that a case states are those of a forecast."""
    (case,) = (case["is"] for case in CASES["states"] if case["row"] == "ask:forecast")
    one = assessed(next(iter(PEOPLE.values()))).forecasts[0]
    assert one.outcome is not None
    assert [at.cut for at in one.outcome.cuts] == case["cuts"]
    assert len(LIBRARY.rows(AskRow)) == 1


def test_a_search_looks_where_its_rules_say() -> None:
    """Down to half of the dose and to two weeks later."""
    wish = Wish(model="docetaxel-kloft", limits=Limits(severe=0.5))
    one = assessed(next(iter(PEOPLE.values())), wish=wish).forecasts[0]
    assert "doses from 50 to 100 % of those planned, delays up to 14 days" in one.front_text


def test_each_use_has_its_level_and_each_cause_its_recovery() -> None:
    told = {case["row"]: case["is"] for case in CASES["states"]}
    for row in LIBRARY.rows(LevelRow):
        assert level_row(told[f"level:{row.id}"]["use"], LIBRARY).id == row.id
    assert {told[f"recovery:{row.id}"]["after"] for row in LIBRARY.rows(RecoveryRow)} == {"medicine", "infection"}
