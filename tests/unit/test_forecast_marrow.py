"""The marrow's equations: what must hold of them whatever the parameters."""

from __future__ import annotations

from math import exp, log

import pytest

from leuko.forecast import marrow

KTR, KCIRC, CIRC0 = 0.045, 0.099, 5.0
BEFORE = CIRC0 * KCIRC / KTR


def test_without_a_medicine_nothing_moves() -> None:
    rates = marrow.friberg(log(BEFORE), BEFORE, BEFORE, BEFORE, CIRC0, log(CIRC0), 0.16, KTR, KCIRC, 0.0, 1.0, 0.0)
    assert rates == pytest.approx([0.0] * 5, abs=1e-12)


def test_a_stem_cell_pool_rests_too() -> None:
    state = (log(BEFORE), log(BEFORE), BEFORE, BEFORE, BEFORE, CIRC0)
    rates = marrow.pool(*state, log(CIRC0), 0.16, KTR, KCIRC, 0.7 * KTR, 0.3 * KTR, 0.0, 1.0, 0.0)
    assert rates == pytest.approx([0.0] * 6, abs=1e-12)


def test_a_pool_without_stem_cells_is_the_plain_marrow() -> None:
    chain = (2.0, 2.5, 3.0, 1.5)
    plain = marrow.friberg(1.1, *chain, log(CIRC0), 0.16, KTR, KCIRC, 0.4, 1.2, 0.05)
    fed = marrow.pool(0.3, 1.1, *chain, log(CIRC0), 0.16, KTR, KCIRC, KTR, 0.0, 0.4, 1.2, 0.05)
    assert fed[1:] == pytest.approx(plain)


def test_few_cells_in_the_blood_speed_up_the_marrow() -> None:
    assert marrow.feedback(log(5.0), 5.0, 0.2) == pytest.approx(1.0)
    assert marrow.feedback(log(5.0), 1.0, 0.2) == pytest.approx(5.0**0.2)


def test_full_effect_stops_proliferation_and_more_kills() -> None:
    assert marrow.proliferation(0.05, 1.0, KTR) == pytest.approx(-KTR)
    assert marrow.proliferation(0.05, 3.0, KTR) == pytest.approx(-0.1 - KTR)


def test_turnover_rests_at_the_baseline_and_settles_lower_with_more_loss() -> None:
    assert marrow.turnover(5.0, 5.0, 0.1, 0.0) == 0.0
    assert marrow.turnover(2.5, 5.0, 0.1, 1.0) == pytest.approx(0.0)


def test_effects() -> None:
    assert marrow.linear_effect(2.0, 3.0) == 6.0
    assert marrow.emax_effect(7.0, 80.0, 7.0) == pytest.approx(40.0)
    assert marrow.sigmoid_effect(7.0, 80.0, log(7.0), 2.5, 1e-30, 1.0) == pytest.approx(40.0)
    assert marrow.sigmoid_effect(3.0, 80.0, log(7.0), 1.0, 1e-30, 1.0) == pytest.approx(
        marrow.emax_effect(3.0, 80.0, 7.0)
    )
    assert marrow.sigmoid_effect(0.0, 80.0, log(7.0), 2.5, 1e-30, 1.0) == pytest.approx(0.0)


def test_compartments_lose_only_what_is_cleared() -> None:
    rates = marrow.linear_kinetics(3.0, 10.0, 4.0, 5.0, 0.5, 0.2, 1.0, 1.5, 0.7, 0.1, 0.0)
    assert sum(rates) == pytest.approx(-0.2 * 10.0)


def test_saturable_compartments_lose_only_what_is_cleared() -> None:
    conc = 30.0 / 12.0
    taxol = marrow.paclitaxel(30.0, 4.0, 9.0, 12.0, 268.0, 33.8, 0.44, 177.0, 1.61, 1.21, 16.8, 2.0)
    assert sum(taxol) == pytest.approx(2.0 - 33.8 * conc / (0.44 + conc))
    nab = marrow.nab_paclitaxel(30.0, 4.0, 9.0, 12.0, 1650.0, 75.0, 33.8, 0.44, 177.0, 1.61, 16.8, 0.0)
    assert sum(nab) == pytest.approx(-33.8 * conc / (0.44 + conc))
    antibody = marrow.parallel_loss(3.0, 30.0, 9.0, 0.1, 12.0, 5.0, 0.2, 0.3, 4.0, 0.9, 0.0)
    assert sum(antibody) == pytest.approx(-0.3 * conc - 4.0 * conc / (0.9 + conc))


def test_far_below_saturation_kinetics_are_linear() -> None:
    small = marrow.paclitaxel(1e-9, 0.0, 0.0, 12.0, 268.0, 33.8, 0.44, 177.0, 1.61, 1.21, 16.8, 0.0)
    assert small[0] == pytest.approx(-1e-9 / 12 * (33.8 / 0.44 + 177 / 1.61 + 16.8), rel=1e-6)


def test_thiopurines_pass_from_the_gut_through_the_blood_into_red_cells() -> None:
    assert marrow.thiopurine(10.0, 4.0, 2.0, 1.3, 0.5, 0.01, 0.009) == pytest.approx((-13.0, 11.0, 0.022))
    least = marrow.saturable_thiopurine(10.0, 4e-9, 2.0, 1.3, 0.5, 20.0, 0.01, 0.14, 0.002)
    assert least[2] == pytest.approx(-0.004, rel=1e-6)


def test_feedback_is_a_power_of_the_ratio() -> None:
    assert marrow.renewal(log(5.0), 2.0, 0.3, KTR, 1.5) == pytest.approx(KTR * 1.5 * exp(0.3 * log(2.5)))
