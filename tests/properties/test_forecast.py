"""What has to hold of every forecast, whoever it is for: at the public surface, from a record to its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leuko
from fixtures.forecasts import assessed
from leuko.forecast.wish import Change, Wish
from leuko.result.forecast import Forecast

MODEL = "docetaxel-kloft"
BASE: Mapping[str, Any] = {
    "person": {"age": 55, "sex": "female", "height": 165, "weight": 60},
    "doses": ["docetaxel, given, 0, 165 mg"],
    "regimen": "docetaxel 100",
    "model": MODEL,
    "as_of": 10,
}
FEW = settings(max_examples=4, deadline=None)

baseline = st.floats(2.5, 9.0).map(lambda value: round(value, 2))
low = st.floats(0.15, 2.0).map(lambda value: round(value, 2))
day = st.integers(7, 10)


def forecast(counts: list[str], *changes: Change, **more: Any) -> Forecast:
    found = assessed({**BASE, "counts": counts, **more}, wish=Wish(model=MODEL, changes=changes))
    return found.forecasts[0]


def tomorrow(one: Forecast) -> float:
    """The median a day after the assessment."""
    assert one.fan is not None
    middle = one.fan.quantiles[one.fan.levels.index(0.5)]
    at = next(k for k, when in enumerate(one.fan.times) if when.date() > date(2026, 1, 11))
    return middle[at]


@FEW
@given(baseline, low, day, st.lists(st.floats(0.4, 1.6), min_size=2, max_size=2, unique=True))
def test_more_dose_never_raises_the_nadir(before: float, after: float, on: int, shares: list[float]) -> None:
    one = forecast([f"-1 {before}", f"{on} {after}"], *(Change(dose={"": share}) for share in sorted(shares)))
    if one.outcome is None:  # such a person is none of the model's: said, and no number given
        assert one.gaps
        return
    less, more = one.options[1:]
    assert less.outcome.nadir.median is not None
    assert more.outcome.nadir.median is not None
    assert more.outcome.nadir.median <= less.outcome.nadir.median * 1.005
    assert more.severe >= less.severe - 0.005


@FEW
@given(baseline, low, day, st.integers(1, 14))
def test_a_delay_hardly_lowers_the_chance_of_a_count_that_suffices(
    before: float, after: float, on: int, d: int
) -> None:
    """A marrow that comes back is further on a later day; one that overshoots comes down to its own count."""
    one = forecast([f"-1 {before}", f"{on} {after}"], Change(delay=float(d)))
    if one.outcome is None:
        assert one.gaps
        return
    plan, later = one.options
    assert plan.ready is not None
    assert later.ready is not None
    assert later.ready >= plan.ready - 0.05


@FEW
@given(baseline, low, st.floats(1.5, 3.0))
def test_a_higher_last_count_is_carried_forward(before: float, after: float, times: float) -> None:
    found = [forecast([f"-1 {before}", f"10 {value:.2f}"]) for value in (after, after * times)]
    if any(one.outcome is None for one in found):
        return
    assert tomorrow(found[0]) < tomorrow(found[1])


@FEW
@given(baseline, low)
def test_a_count_of_today_narrows_tomorrow(before: float, after: float) -> None:
    without, known = forecast([f"-1 {before}"]), forecast([f"-1 {before}", f"10 {after}"])
    if known.fan is None or without.fan is None:
        return

    def width(one: Forecast) -> float:
        assert one.fan is not None
        at = next(k for k, when in enumerate(one.fan.times) if when.date() > date(2026, 1, 11))
        bottom, top = (one.fan.quantiles[one.fan.levels.index(level)][at] for level in (0.1, 0.9))
        return top / bottom

    assert width(known) < width(without)


@FEW
@given(baseline, low, st.integers(1, 700))
def test_another_day_in_the_calendar_changes_nothing_but_the_dates(before: float, after: float, by: int) -> None:
    """The draws are others, as the record is another; so the answers agree to within what draws differ by."""
    here = forecast([f"-1 {before}", f"9 {after}"])
    moved = forecast(
        [f"{by - 1} {before}", f"{by + 9} {after}"], doses=[f"docetaxel, given, {by}, 165 mg"], as_of=by + 10
    )
    assert (here.outcome is None) == (moved.outcome is None)
    if here.outcome is None or moved.outcome is None:
        return
    assert here.outcome.nadir.median == pytest.approx(moved.outcome.nadir.median, rel=0.1)
    assert here.outcome.nadir_day.median == pytest.approx(moved.outcome.nadir_day.median, abs=0.6)


def test_the_unit_of_the_counts_changes_nothing(tmp_path: Path) -> None:
    """The example person, with every count printed per microlitre."""
    source = resources.files("leuko") / "data" / "examples" / "adult-on-docetaxel.json"
    document = json.loads(source.read_text(encoding="utf-8"))
    changed = 0
    for entry in document["entry"]:
        changed += _per_microlitre(entry["resource"])
    assert changed > 10
    other = tmp_path / "other.json"
    other.write_text(json.dumps(document), encoding="utf-8")
    ours, theirs = (
        leuko.assess(leuko.read(path).records[0], as_of=date(2026, 3, 10)).forecasts[0] for path in (str(source), other)
    )
    assert ours.outcome is not None
    assert theirs.outcome is not None
    assert theirs.outcome.nadir.median == pytest.approx(ours.outcome.nadir.median, rel=0.05)
    for mine, other_cut in zip(ours.outcome.cuts, theirs.outcome.cuts, strict=True):
        assert mine.below == pytest.approx(other_cut.below, abs=0.03)


def _per_microlitre(resource: dict[str, Any]) -> int:
    """Counts in 10*9/L as numbers per microlitre; how many there were."""
    found = 0
    for part in (resource, *resource.get("component", ())):
        quantity = part.get("valueQuantity")
        if quantity is None or quantity.get("code") != "10*9/L":
            continue
        for one in (quantity, *(side for band in part.get("referenceRange", ()) for side in _sides(band))):
            one.update(value=round(one["value"] * 1000), unit="/µL", code="/uL")
            found += 1
    return found


def _sides(band: dict[str, Any]) -> list[dict[str, Any]]:
    return [band[side] for side in ("low", "high") if side in band]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"doses": ["docetaxel, given, ?, 165 mg"]}, "have no day"),
        ({"doses": ["docetaxel, given, 0"], "regimen": None}, "the dose of docetaxel is not known"),
        ({"doses": ["docetaxel, given, 0"], "regimen": "no such regimen"}, "the dose of docetaxel is not known"),
        ({"doses": ["docetaxel, given, 0, -165 mg"]}, "is no dose"),
        ({"doses": ["docetaxel, given, 0, 165 g"]}, "cannot be right"),
        ({"doses": ["docetaxel, given, 0, 16 mL"]}, "none of a dose"),
        ({"counts": ["7 <1", "9 <1"]}, "bounds"),
        ({"counts": ["-1 4.6", "7 0.2", "8 38", "9 0.2"]}, "38"),
    ],
)
def test_without_what_it_takes_it_is_withheld_and_says_why(change: dict[str, Any], why: str) -> None:
    one = assessed({**BASE, "counts": ["-1 4.6", "8 0.4"], **change}).forecasts[0]
    assert (one.outcome, one.fan, one.options) == (None, None, ())
    assert any(why in gap.why for gap in one.gaps), [gap.why for gap in one.gaps]
    assert all(gap.settle for gap in one.gaps)


@pytest.mark.parametrize(
    "treated", [BASE, {**BASE, "doses": [], "regimen": None, "counts": ["-60 1.2", "-30 1.1", "-1 1.0", "8 0.9"]}]
)
def test_a_count_from_before_birth_is_set_aside_and_said_and_the_forecast_withheld(treated: dict[str, Any]) -> None:
    counts = treated.get("counts", ["-1 4.6", "8 0.4"])
    assert assessed({**treated, "counts": counts}).forecasts[0].outcome is not None
    found = assessed({**treated, "counts": ["-30000 4.6", *counts]})
    assert "LK603" in {notice.code for notice in found.notices}
    (one,) = found.forecasts
    assert (one.outcome, one.fan, one.options) == (None, None, ())
    assert "counts are another person's" in one.gaps[0].why
    assert one.gaps[0].settle
