"""`leuko validate forecast`: what it computes, shows, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from leuko.cli import cli
from leuko.forecast.score.published import checked
from leuko.forecast.score.validation import Calibrated, Validation
from leuko.knowledge import load_library
from leuko.report.validation import as_json, as_markdown, as_text

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
)
# of 100 people 80 % have a standard error of 4 %: 65 % is more than three of them away
LOOSE = replace(GOOD, coverage=((0.5, 0.52), (0.8, 0.65), (0.95, 0.94)))
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


def test_a_coverage_three_standard_errors_away_does_not_hold() -> None:
    assert GOOD.holds
    assert not LOOSE.holds
    found = replace(WHOLE, calibration=(LOOSE,))
    assert not found.holds
    assert "m circ0 (d)" in as_text(found).splitlines()[-1]


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


def test_data_without_a_table_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("leuko.forecast.score.validation._calibrated", lambda *_: [])
    done = CliRunner().invoke(cli, ["validate", "forecast", "--data", str(tmp_path)])
    assert "no table of counts" in str(done.exception)
