"""Published studies of forecasting, repeated on people made by the models: daily counts, and a population refitted."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from leuko.forecast.library import build, model_row
from leuko.forecast.score.monitored import Monitored, monitored
from leuko.forecast.score.refit import refitted
from leuko.forecast.score.variation import varied
from leuko.knowledge import load_library
from leuko.knowledge.schema.truth import MonitoredRow, RefitRow

LIBRARY = load_library()
DAILY = next(row for row in LIBRARY.rows(MonitoredRow) if row.id == "netterberg-daily")


@pytest.fixture(scope="module")
def study() -> Monitored:
    row = msgspec.structs.replace(DAILY, people=5, last=12)
    return monitored(row, LIBRARY, quick=False, seed=1)


def test_everybody_is_followed(study: Monitored) -> None:
    assert study.people == 5
    assert [one.lead for one in study.foretold] == [1, 2, 3, 5]
    fallen = {one.people + one.spared for one in study.foretold}
    assert fallen == {5}
    assert [one.day for one in study.recovered] == list(range(13))
    assert all(0 <= share <= 1 for one in study.recovered for share in (one.within, one.covered))


def test_more_counts_tell_the_day_of_recovery_better(study: Monitored) -> None:
    early, late = study.recovered[1], study.recovered[-1]
    assert late.error < early.error


def test_both_claims_become_numbers_to_check(study: Monitored) -> None:
    sensitivity, lead = study.checks
    assert sensitivity.found == study.foretold[0].sensitivity
    assert sensitivity.at_least
    # a lead in days before day 17: whole days, as forecasts are made once a day
    assert lead.found == pytest.approx(round(lead.found))


def test_at_least_is_met_from_there_upwards(study: Monitored) -> None:
    one = replace(study.checks[1], expected=6.0, tolerance=1.0)
    assert [replace(one, found=found).passes for found in (4.9, 5.0, 6.0, 12.0)] == [False, True, True, True]
    assert not replace(one, found=12.0, at_least=False).passes


def test_a_study_draws_no_variation_that_its_source_had_not() -> None:
    row = model_row("docetaxel-kloft", LIBRARY)
    assert build(varied(row, fixed=DAILY.fixed), library=LIBRARY).random == ("circ0", "mtt", "docetaxel.slope")
    freed = build(varied(row, freed=["docetaxel.v1"], sd=0.2), library=LIBRARY)
    assert freed.omega[freed.random.index("docetaxel.v1"), freed.random.index("docetaxel.v1")] == pytest.approx(0.04)
    with pytest.raises(ValueError, match="no parameter nothing"):
        varied(row, fixed=["nothing"])


def test_what_people_were_made_with_is_learned_from_them() -> None:
    row = msgspec.structs.replace(LIBRARY.rows(RefitRow)[0], quick_people=8, rounds=2)
    found, checks = refitted(row, LIBRARY, quick=True, seed=2)
    assert [one.name for one in found] == ["circ0", "mtt", "gamma", "paclitaxel.slope", "residual"]
    assert all(one.passes for one in checks)
    # nearer to the truth than the beginning of the search, in the mean over the four typical values
    away = np.mean([abs(np.log(one.found / one.true)) for one in found[:4]])
    assert away < row.away
    assert [one.theirs for one in found] == [7.21, 123.0, 0.238, 28.7, 0.286]
