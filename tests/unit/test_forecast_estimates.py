"""Prior and posterior of each parameter, as a forecast shows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fixtures.forecasts import ON_DOCETAXEL, assessed
from leuko.forecast.estimates import estimates_of
from leuko.forecast.fit import fit
from leuko.forecast.library import build, model_row
from leuko.forecast.model import Observed, Schedule
from leuko.knowledge import load_library
from leuko.report import terminal, terminal_forecast
from leuko.report.page import html
from leuko.result.forecast import Estimate

DOSE = Schedule(hour=np.array([0.0]), drug=("docetaxel",), amount=np.array([222.8]), hours=np.array([1.0]))


def told(counts: dict[float, float]) -> dict[str, Estimate]:
    row = model_row("docetaxel-kloft", load_library())
    model = build(row, drugs=("docetaxel",), library=load_library())
    observed = Observed(hour=np.array(list(counts)) * 24.0, value=np.array(list(counts.values())))
    return {one.name: one for one in estimates_of(fit(model, DOSE, observed, seed=1), row)}


def test_without_counts_the_person_is_one_of_the_model_s_people_and_nothing_is_learned() -> None:
    for one in told({}).values():
        assert one.learned == 0.0
        assert one.posterior == pytest.approx(one.prior, rel=0.05), one.name


def test_the_prior_is_the_published_spread_and_counts_narrow_what_they_tell_of() -> None:
    found = told({0: 5.2, 4: 3.9, 6: 1.2, 8: 0.2, 10: 0.3, 12: 1.1, 14: 3.2, 18: 6.0})
    assert found["mtt"].unit == "h"
    # 84.1791 h, variance of the logarithm 0.0191785: a standard normal has 1.2816 at 90 %
    away = np.exp(1.2815516 * np.sqrt(0.0191785))
    assert found["mtt"].prior == pytest.approx((84.1791 / away, 84.1791, 84.1791 * away), rel=1e-6)
    assert found["mtt"].learned > 0.5
    low, _, high = found["mtt"].posterior
    assert high / low < found["mtt"].prior[2] / found["mtt"].prior[0]
    # clearance and slope act as a product: alone neither is settled by counts
    assert found["docetaxel.k10"].learned < found["mtt"].learned


def test_a_prior_that_is_cut_off_is_told_as_cut_off() -> None:
    row = model_row("docetaxel-kloft", load_library())
    model = build(row, drugs=("docetaxel",), library=load_library())
    cut = replace(model, ceilings=(("gamma", 0.144543),))  # half of the people lie above
    none = Observed(hour=np.zeros(0), value=np.zeros(0))
    gamma = next(one for one in estimates_of(fit(cut, DOSE, none, seed=1), row) if one.name == "gamma")
    assert gamma.prior[2] < 0.144543
    assert gamma.posterior == pytest.approx(gamma.prior, rel=0.03)


def test_a_cut_off_alone_is_nothing_learned() -> None:
    row = model_row("docetaxel-kloft", load_library())
    model = build(row, drugs=("docetaxel",), library=load_library())
    cut = replace(model, ceilings=(("gamma", 0.144543),))
    seen = Observed(hour=np.array([0.0]), value=np.array([5.0]))  # before the dose: it tells nothing of the feedback
    gamma = next(one for one in estimates_of(fit(cut, DOSE, seen, seed=1), row) if one.name == "gamma")
    assert gamma.learned < 0.1


def test_a_person_without_counts_is_said_to_have_taught_nothing() -> None:
    made = terminal_forecast.render(assessed({**ON_DOCETAXEL, "counts": ["-90 4.6"]}), width=140)
    rows = [line.split()[0] for line in made.splitlines() if line.endswith("no count")]
    assert rows == ["circ0", "mtt", "gamma", "docetaxel.slope", "docetaxel.k10"]


def test_every_full_view_shows_prior_and_posterior() -> None:
    made = assessed(ON_DOCETAXEL)
    (used,) = made.forecasts[0].models
    mtt = next(one for one in used.estimates if one.name == "mtt")
    words = f"{mtt.posterior[1]:.3g} ({mtt.posterior[0]:.3g} to {mtt.posterior[2]:.3g})"
    for view in (html(made), terminal.render(made, full=True), terminal_forecast.render(made, width=140)):
        assert "mtt [h]" in view
        assert words in view
        assert "(prior)" in view
        assert "(posterior)" in view
