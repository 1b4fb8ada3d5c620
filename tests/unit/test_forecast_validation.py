"""`leuko validate forecast`: what it computes, shows, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from leuko.cli import cli
from leuko.forecast.score.predictive import _simulated
from leuko.forecast.score.published import checked
from leuko.forecast.score.validation import Calibrated, Validation, confirmed, together
from leuko.knowledge import load_library
from leuko.knowledge.schema.truth import PredictiveRow
from leuko.report.validation import as_json, as_markdown, as_text, verdict
from leuko.report.validation_plots import write

LIBRARY = load_library()
CHECKS = checked(LIBRARY)
GOOD = Calibrated(
    model="m",
    design="d",
    quantity="circ0",
    people=100,
    coverage=((0.5, 0.52), (0.8, 0.83), (0.95, 0.94)),
    uniform_p=0.4,
    effective_median=1400.0,
    unsound=0,
    p=(0.9, 0.5, 0.7, 0.4),
)
# of 1000 people 73 % in the central 80 %: more than five standard errors away
LOOSE = replace(GOOD, coverage=((0.5, 0.52), (0.8, 0.73), (0.95, 0.94)), p=(0.9, 1e-7, 0.7, 0.4))
WHOLE = Validation(checks=CHECKS, calibration=(GOOD,), real=None, quick=True, seed=1)


@pytest.mark.parametrize("one", CHECKS, ids=lambda one: one.id)
def test_a_published_number_is_met_or_said_to_be_missed(one) -> None:
    assert one.holds
    assert one.passes != one.misses, "a miss that is known has a reason, and goes when it is mended"
    assert bool(one.why) == one.misses


def test_what_the_literature_prints_is_among_them() -> None:
    assert {one.kind for one in CHECKS} == {"published", "regression"}
    assert sum(one.kind == "published" for one in CHECKS) >= 8


def test_a_number_that_moves_does_not_hold() -> None:
    moved = replace(CHECKS[0], found=CHECKS[0].found + 2 * CHECKS[0].tolerance)
    assert not moved.holds
    assert not replace(WHOLE, checks=(moved,)).holds


def test_a_coverage_far_off_does_not_hold() -> None:
    first, second = together([GOOD, LOOSE])
    assert first.holds
    assert not second.holds
    assert second.least_p == pytest.approx(8e-7)
    found = replace(WHOLE, calibration=(first, second))
    assert not found.holds
    assert "does not hold for m circ0 (d)" in as_text(found).splitlines()[-1]


def test_an_alarm_stands_where_fresh_people_show_it_again() -> None:
    found = together([GOOD, LOOSE])
    alarmed = [one for one in found if one.alarms]
    assert alarmed == [found[1]]
    chance = confirmed(found, [replace(LOOSE)], [replace(GOOD)])
    assert chance[1].again == pytest.approx(1.0)
    assert chance[1].holds
    real = confirmed(found, alarmed, [replace(LOOSE, p=(0.9, 1e-9, 0.7, 0.4))])
    assert not real[1].holds
    assert "fresh people" in as_text(replace(WHOLE, calibration=chance))


def test_the_last_sentence_names_every_miss_known_or_not() -> None:
    missed = [one for one in CHECKS if not one.passes]
    last = verdict(WHOLE)
    assert missed
    assert all(one.dose in last for one in missed)
    assert "all known" in last
    moved = replace(CHECKS[0], found=CHECKS[0].found + 2 * CHECKS[0].tolerance)
    worse = verdict(replace(WHOLE, checks=(moved, *CHECKS[1:])))
    assert moved.dose in worse
    assert "all known" not in worse
    assert verdict(replace(WHOLE, checks=())) == "Misses: none. Calibration: holds."


def test_every_view_holds_the_same() -> None:
    text, page, data = as_text(WHOLE), as_markdown(WHOLE), json.loads(as_json(WHOLE))
    assert data["holds"] is True
    assert len(data["checks"]) == len(CHECKS)
    assert page.count("| docetaxel-kloft |") == sum(one.model == "docetaxel-kloft" for one in CHECKS)
    assert "Published numbers" in text
    assert "| pass |" in page
    assert "| miss |" in page


def test_help_names_all_three_parts() -> None:
    done = CliRunner().invoke(cli, ["validate", "forecast", "--help"])
    assert done.exit_code == 0
    for word in ("--data", "--quick", "calibration"):
        assert word in done.output.lower()


def test_pictures_are_drawn_of_all_there_is(tmp_path: Path) -> None:
    people = tuple(
        _simulated(row, LIBRARY, 30, 1, lambda _: None)
        for row in LIBRARY.rows(PredictiveRow)
        if row.model == "docetaxel-kloft"
    )
    assert people[0].marks
    assert np.all(np.diff(np.array(people[0].true), axis=0) >= 0)
    files = write(replace(WHOLE, simulated=people), tmp_path / "plots")
    assert [path.name for path in files] == ["people-docetaxel-kloft.svg", "calibration.svg", "index.html"]
    assert all(path.read_text("utf-8").startswith(("<svg", "<!doctype html>")) for path in files)
    page = files[-1].read_text("utf-8")
    assert page.count("<figure>") == 2
    assert "seed 1" in page


def test_data_without_a_table_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("leuko.forecast.score.validation._calibrated", lambda *_: [])
    done = CliRunner().invoke(cli, ["validate", "forecast", "--data", str(tmp_path)])
    assert "no table of counts" in str(done.exception)
