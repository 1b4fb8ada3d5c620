"""Runs the cases of forecasts that a clinician can read and write: tests/cases/forecast.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from fixtures.forecasts import assessed, texts
from leuko.knowledge import load_library
from leuko.knowledge.schema.choices import BarRow, OptionRow

FOLDER = Path(__file__).resolve().parents[1] / "cases"
CASES = tomllib.loads((FOLDER / "forecast.toml").read_text("utf-8"))["forecast_case"]
KEYS = {
    *("name", "person", "doses", "counts", "facts", "regimen", "model", "as_of", "method", "models", "shows"),
    *("lowest", "lowest_day", "back", "severe", "says", "withheld", "options", "option"),
}


def between(value: float | None, limits: list[float]) -> bool:
    return value is not None and limits[0] <= value <= limits[1]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_forecast(case: dict[str, Any]) -> None:
    assert set(case) <= KEYS
    made = assessed(case)
    if case["method"] == "none":
        assert made.forecasts == ()
        return
    one = made.forecasts[0]
    assert one.method == case["method"]
    said = list(texts(made))
    for piece in (*case.get("says", ()), *case.get("withheld", ())):
        assert any(piece in text for text in said), (piece, said)
    if "withheld" in case:
        assert (one.outcome, one.fan, one.options) == (None, None, ())
        assert one.gaps
        return
    assert one.outcome is not None, said
    assert [model.id for model in one.models] == case.get("models", [model.id for model in one.models])
    cuts = {at.cut: at for at in one.outcome.cuts}
    assert between(one.outcome.nadir.median, case.get("lowest", [0, 1e9]))
    assert between(one.outcome.nadir_day.median, case.get("lowest_day", [-1, 1e9]))
    assert between(cuts[0.5].below, case.get("severe", [0, 1]))
    if "back" in case:
        assert between(cuts[1.5].recovery.median, case["back"])
    if "options" in case:
        assert [option.text for option in one.options] == case["options"]
    assert any(case.get("option", "") in option.text for option in one.options) or "option" not in case


@pytest.mark.parametrize("kind", [BarRow, OptionRow], ids=lambda kind: kind.KEY)
def test_every_bar_and_option_has_a_case(kind: Any) -> None:
    rows = {row.id for row in load_library().rows(kind)}
    shown = {name for case in CASES for name in case.get("shows", ())}
    assert rows <= shown, rows - shown
