"""What `leuko forecast` gives for the example person: the form of the JSON and the words of the view, with the numbers
as near as other draws leave them."""

from __future__ import annotations

import json
import os
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fixtures.golden import GOLDEN
from fixtures.tolerant import apart
from leuko.cli import cli

PERSON = resources.files("leuko") / "data" / "examples" / "adult-on-docetaxel.json"
ASKED = ["--as-of", "2026-03-10", "--what-if", "delay=7", "--what-if", "dose=80%,gcsf=2"]
KEPT = 5
"""Of a course so many points are compared: the first, the last, and some between."""


@cache
def made(*more: str) -> str:
    found = CliRunner().invoke(cli, ["forecast", str(PERSON), *ASKED, *more])
    assert found.exit_code == 0, found.output
    return found.stdout


def thinned(value: Any) -> Any:
    """The same with long lists of numbers as their length and some of them; draws of single courses as their number."""
    if isinstance(value, dict) and "median" in value and "unit" in value:
        return _spread(value)
    if isinstance(value, dict):
        return {key: _thin(key, each) for key, each in value.items() if key != "version"}
    if not isinstance(value, list):
        return value
    if len(value) > 4 * KEPT and not any(isinstance(each, dict) for each in value):
        picked = [value[round(at * (len(value) - 1) / (KEPT - 1))] for at in range(KEPT)]
        return {"length": len(value), "some": thinned(picked)}
    return [thinned(each) for each in value]


def _spread(value: dict[str, Any]) -> dict[str, Any]:
    """A distribution by its middle and its shares; its ends are the draws' own, and only their form is compared."""
    ends = {key: value[key] is not None and len(value[key]) for key in ("inner", "middle", "outer")}
    middle = {"days" if value["unit"] == "d" else "median": value["median"]}
    return {"unit": value["unit"], **middle, **ends, "never": value["never"], "not_needed": value["not_needed"]}


def _thin(key: str, value: Any) -> Any:
    if key == "paths":
        return len(value)
    if key in {"quantiles", "measured"}:
        return {"rows": len(value), "middle": thinned(value[len(value) // 2]) if key == "quantiles" else []}
    return [one["source"] for one in value] if key == "citations" else thinned(value)


def compared(name: str, found: Any) -> None:
    path = GOLDEN / name
    if os.environ.get("LEUKO_GOLDEN") == "write":
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    told = list(apart(found, json.loads(path.read_text(encoding="utf-8"))))
    assert not told, f"{name} differs; if that is right: LEUKO_GOLDEN=write pytest\n" + "\n".join(told)


def without_draws(document: dict[str, Any]) -> dict[str, Any]:
    """Without what tells of the sampler and of the knowledge's edition, which any change of either moves."""
    for one in document["forecasts"]:
        for key in ("draws", "effective", "khat", "rounds", "text"):
            one["fitting"].pop(key)
    return {"forecasts": document["forecasts"], "keys": sorted(document)}


def test_the_json_of_the_example_person() -> None:
    compared("forecast.json", thinned(without_draws(json.loads(made("--json", "-")))))


def test_the_view_of_the_example_person() -> None:
    """Its words, part by part; of the plot the frame alone."""
    text = made("--width", "220")
    parts = [part for part in text.split("\n\n") if part.strip()]
    # without what any change of the sampler or of the knowledge moves
    moving = ("━", "found by:", "leuko informs professionals")
    kept = [part for part in parts if not any(words in part for words in moving)]
    plot = next(part for part in parts if "━" in part)
    rows = plot.splitlines()
    compared("forecast-view.json", {"parts": kept, "legend": rows[-1], "rows": len(rows)})


def test_the_tolerance_sees_what_is_wrong() -> None:
    one = {"a": [1.0, "about 0.40 around 4 March 2026, under 1 %"]}
    assert not list(apart(one, {"a": [1.04, "about 0.42 around 5 March 2026, 2 %"]}))
    for found, golden in (
        ({"a": 1.0}, {"b": 1.0}),
        ([1.0], [1.0, 2.0]),
        (1.0, 1.3),
        (True, 1.0),
        (None, 0.0),
        ("not below 0.5", "below 0.5"),
        ("around 4 March 2026", "around 9 March 2026"),
        ("42 %", "57 %"),
        ("0.4", "0.6"),
    ):
        assert list(apart(found, golden)), (found, golden)


@pytest.mark.parametrize("name", ["forecast.json", "forecast-view.json"])
def test_goldens_hold_no_path_of_a_machine(name: str) -> None:
    assert str(Path.home()) not in (GOLDEN / name).read_text(encoding="utf-8")
