"""The solver against the reference: every structure, people up to four SD from the typical one, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from forecast_models import CYCLE, DAY, DOCETAXEL, GROWTH, PALBOCICLIB, STRUCTURES, TWO_CYCLES, doses, people
from leuko.forecast.solve import batch, reference, simulate
from leuko.forecast.solve.job import Crowd
from leuko.forecast.solve.modes import disposition, through
from leuko.forecast.solve.reading import arrivals, values

DAYS = np.arange(0.0, 42.0) * DAY
PROMISE = 1e-3


@pytest.mark.parametrize("name", STRUCTURES)
def test_nobody_is_wrong(name: str) -> None:
    model, schedule = STRUCTURES[name]
    theta = np.concatenate([people(model, 3, 1), people(model, 4, 2, deviations=3.0)[:, 1:]], axis=1)
    found = simulate(model, theta, schedule, hours=DAYS)
    truth = np.stack([reference(model, one, schedule, hours=DAYS) for one in theta.T], axis=1)
    assert not found.failed.any()
    assert np.max(np.abs(found.counts / truth - 1)) < PROMISE


def test_double_precision_comes_close_to_the_reference() -> None:
    theta = people(DOCETAXEL, 3, 4)
    found = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS, precision="float64")
    truth = np.stack([reference(DOCETAXEL, one, TWO_CYCLES, hours=DAYS) for one in theta.T], axis=1)
    assert found.counts.dtype == np.float64
    assert np.max(np.abs(found.counts / truth - 1)) < 3e-4


def test_the_exact_chain_is_the_same_model_as_the_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "TOLERANCE", 1e-6)
    theta = people(DOCETAXEL, 4, 5)
    chain = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS, precision="float64")
    monkeypatch.setattr(batch, "SCHEME", "classical")
    classical = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS, precision="float64")
    assert np.max(np.abs(chain.counts / classical.counts - 1)) < 1e-5


def test_a_count_is_given_at_any_hour_in_any_order() -> None:
    hours = np.array([300.5, -40.0, 0.0, 7.25, 1.0, 800.0, 300.5])
    theta = people(DOCETAXEL, 2, 6)
    found = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=hours)
    truth = np.stack([reference(DOCETAXEL, one, TWO_CYCLES, hours=hours) for one in theta.T], axis=1)
    assert found.hour.tolist() == hours.tolist()
    assert np.max(np.abs(found.counts / truth - 1)) < PROMISE
    assert found.counts[1] == pytest.approx(theta[DOCETAXEL.at("circ0")], rel=1e-6)


def test_doses_before_the_origin_count() -> None:
    early = doses((-240.0, "docetaxel", 222.8, 1.0))
    late = doses((0.0, "docetaxel", 222.8, 1.0))
    theta = people(DOCETAXEL, 2, 7)
    before = simulate(DOCETAXEL, theta, early, hours=np.array([0.0, 100.0]))
    after = simulate(DOCETAXEL, theta, late, hours=np.array([240.0, 340.0]))
    assert before.counts == pytest.approx(after.counts, rel=PROMISE)


def test_a_lag_of_ones_own() -> None:
    theta = people(PALBOCICLIB, 3, 8)
    theta[PALBOCICLIB.at("palbociclib.lag")] = [0.5, 2.0, 6.0]
    schedule = STRUCTURES["swallowed daily"][1]
    found = simulate(PALBOCICLIB, theta, schedule, hours=DAYS)
    truth = np.stack([reference(PALBOCICLIB, one, schedule, hours=DAYS) for one in theta.T], axis=1)
    assert np.max(np.abs(found.counts / truth - 1)) < PROMISE


def test_who_cannot_be_solved_is_marked_and_the_others_are_not_harmed() -> None:
    theta = people(DOCETAXEL, 5, 9)
    good = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS)
    theta[DOCETAXEL.at("mtt"), 2] = np.nan
    theta[DOCETAXEL.at("circ0"), 4] = -1.0
    found = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS)
    assert found.failed.tolist() == [False, False, True, False, True]
    assert np.isnan(found.counts[:, 2]).all()
    assert found.counts[:, [0, 1, 3]] == pytest.approx(good.counts[:, [0, 1, 3]], rel=PROMISE)


def test_nobody_and_no_hour() -> None:
    assert simulate(DOCETAXEL, np.zeros((len(DOCETAXEL.names), 0)), TWO_CYCLES, hours=DAYS).counts.shape == (42, 0)
    assert simulate(DOCETAXEL, people(DOCETAXEL, 3, 1), TWO_CYCLES, hours=np.zeros(0)).counts.shape == (0, 3)


def test_without_doses_the_count_stays() -> None:
    theta = people(DOCETAXEL, 3, 10)
    found = simulate(DOCETAXEL, theta, doses(), hours=DAYS)
    assert np.max(np.abs(found.counts / theta[DOCETAXEL.at("circ0")] - 1)) < 1e-5


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (doses((0.0, "water", 1.0, 0.0)), "knows nothing of water"),
        (doses((0.0, "docetaxel", -1.0, 0.0)), "no dose"),
        (doses((float("nan"), "docetaxel", 1.0, 0.0)), "no dose"),
    ],
)
def test_what_cannot_be_read_is_refused(schedule, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        simulate(DOCETAXEL, people(DOCETAXEL, 1, 1), schedule, hours=DAYS)


def test_theta_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="parameters"):
        simulate(DOCETAXEL, np.ones((3, 2)), TWO_CYCLES, hours=DAYS)
    with pytest.raises(ValueError, match="hours"):
        simulate(DOCETAXEL, people(DOCETAXEL, 1, 1), TWO_CYCLES, hours=np.array([np.nan]))
    with pytest.raises(ValueError, match="after the first dose"):
        simulate(DOCETAXEL, people(DOCETAXEL, 1, 1), TWO_CYCLES, hours=DAYS, start=10.0)


def test_modes_are_the_roots_of_the_compartments() -> None:
    k = (5.2, 1.06, 1.51, 1.26, 0.084)
    k10, k12, k21, k13, k31 = k
    matrix = np.array([[-(k10 + k12 + k13), k21, k31], [k12, -k21, 0], [k13, 0, -k31]])
    rates, shares = disposition(k, 3)
    assert np.array(rates) == pytest.approx(np.sort(-np.linalg.eigvals(matrix).real), rel=1e-12)
    assert sum(shares) == pytest.approx(1.0)
    assert sum(b / r for b, r in zip(shares, rates, strict=True)) == pytest.approx(1 / k10)


def test_a_depot_as_fast_as_a_mode_is_no_trouble() -> None:
    rates, shares = through(np.array(0.3), [np.array(0.3)], [np.array(1.0)], 1e-6)
    hour = 4.0
    found = sum(b * np.exp(-r * hour) for b, r in zip(shares, rates, strict=True))
    assert found == pytest.approx(0.3 * hour * np.exp(-0.3 * hour), rel=1e-5)


def test_infusions_may_overlap_and_then_nothing_is_left_of_them() -> None:
    both = doses((0.0, "docetaxel", 100.0, 3.0), (1.0, "docetaxel", 50.0, 1.0))
    theta = people(DOCETAXEL, 2, 11)
    hours = np.array([50.0, 200.0, CYCLE])
    found = simulate(DOCETAXEL, theta, both, hours=hours)
    truth = np.stack([reference(DOCETAXEL, one, both, hours=hours) for one in theta.T], axis=1)
    assert np.max(np.abs(found.counts / truth - 1)) < PROMISE


@pytest.mark.parametrize("name", ["dexamethasone", "swallowed daily", "linear effect", "growth factor"])
def test_who_is_solved_beside_whom_makes_nobody_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few persons share a grid that was made for others: people of four SD, thirty at a time."""
    model, schedule = STRUCTURES[name]
    theta = people(model, 150, 13, deviations=4.0)
    some = [simulate(model, theta[:, at : at + 30], schedule, hours=DAYS) for at in range(0, 150, 30)]
    monkeypatch.setattr(batch, "TOLERANCE", 1e-6)
    truth = simulate(model, theta, schedule, hours=DAYS, precision="float64").counts
    failed = np.concatenate([one.failed for one in some])
    left = truth.min(axis=0) / theta[model.at("circ0")]
    assert (left[failed] < 1e-9).all()  # nobody but whose marrow loses its last cells
    assert failed.sum() < 10
    counts = np.concatenate([one.counts for one in some], axis=1)
    assert np.max(np.abs(counts / truth - 1)[:, ~failed]) < PROMISE


def test_who_begins_where_most_are_good_at_once() -> None:
    """Grids begin finer for whoever loses more cells to a dose: few are solved again, and the hardest are right."""
    theta = people(DOCETAXEL, 2000, 15)
    found = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS)
    assert found.rerun < 0.01 * 2000
    assert not found.failed.any()
    hardest = np.argsort(found.counts.min(axis=0) / found.counts[0])[:3]
    truth = np.stack([reference(DOCETAXEL, theta[:, at], TWO_CYCLES, hours=DAYS) for at in hardest], axis=1)
    assert np.max(np.abs(found.counts[:, hardest] / truth - 1)) < PROMISE


def test_who_seems_to_lose_all_cells_on_a_first_grid_is_asked_again() -> None:
    """A coarse grid may overshoot: given up is who falls below a ten-billionth of the baseline, and nobody else."""
    theta = people(DOCETAXEL, 1, 17).repeat(60, axis=1)
    theta[DOCETAXEL.at("mtt")] = 122.4
    theta[DOCETAXEL.at("docetaxel.k10")] = 2.175
    theta[DOCETAXEL.at("docetaxel.slope")] = np.linspace(20.0, 120.0, theta.shape[1])
    found = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS)
    double = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS, precision="float64")
    assert np.array_equal(found.failed, double.failed)
    hours = np.arange(0.0, 42.0 * DAY, 4.0)
    edge = [at for at in np.flatnonzero(np.diff(found.failed)).tolist() for at in (at, at + 1)][:4]
    assert edge
    for at in edge:
        truth = reference(DOCETAXEL, theta[:, at], TWO_CYCLES, hours=hours)
        lowest = float(truth.min() / theta[DOCETAXEL.at("circ0"), at])
        assert (lowest < 2e-10) if found.failed[at] else (lowest > 0.5e-10)


def test_under_a_growth_factor_most_are_good_at_once_too() -> None:
    """The error is estimated by a power of the differences: as they stand, everybody would be solved again."""
    theta = people(GROWTH, 600, 15)
    found = simulate(GROWTH, theta, STRUCTURES["growth factor"][1], hours=DAYS)
    assert found.rerun < 0.15 * 600
    assert not found.failed.any()
    crowd = Crowd(GROWTH, theta, "float64", batch.SCHEME)
    tenth, hundredth = crowd.estimated(np.array([0.1, 0.01]))
    assert tenth / hundredth == pytest.approx(10 ** (4 / 3))
    assert Crowd(DOCETAXEL, people(DOCETAXEL, 2, 1), "float64", batch.SCHEME).estimated(0.1) == 0.1


def test_what_doses_would_take_is_told_from_parameters_and_doses_alone() -> None:
    theta = people(DOCETAXEL, 4, 16)
    crowd = Crowd(DOCETAXEL, theta, "float64", batch.SCHEME)

    def fall(*given: tuple[float, str, float, float]) -> np.ndarray:
        found = crowd.fall(tuple(arrivals(DOCETAXEL, doses(*given), lambda _drug: 0.0)))
        assert found is not None
        return found

    one = fall((0.0, "docetaxel", 222.8, 1.0))
    at = values(DOCETAXEL, theta)
    exposure = 222.8 / (at("docetaxel.v1") * at("docetaxel.k10"))
    share = one / (4 / at("mtt") * at("docetaxel.slope") * exposure)
    assert np.all((share > 0.9) & (share < 1))  # what is left after five days takes no more
    week = fall((0.0, "docetaxel", 100.0, 1.0), (24.0, "docetaxel", 122.8, 1.0), (CYCLE, "docetaxel", 50.0, 1.0))
    assert week == pytest.approx(one)
    assert fall() == pytest.approx(0.0)
    assert Crowd(GROWTH, people(GROWTH, 2, 1), "float64", batch.SCHEME).fall(()) is None


def test_classes_share_a_grid_where_that_costs_less() -> None:
    grades = np.repeat([2, 3, 4, 9], [1000, 3, 1000, 2])

    def price(people: int, grade: int) -> float:
        return 20.0 + -(-people // 64) * 2.0 ** (grade / 2)

    groups = batch._grouped(grades, price)
    assert [(len(who), grade) for who, grade in groups] == [(1000, 2), (1003, 4), (2, 9)]
    assert np.array_equal(np.sort(np.concatenate([who for who, _ in groups])), np.arange(len(grades)))


def test_the_number_of_threads_changes_nothing() -> None:
    theta = people(DOCETAXEL, batch.PART + 100, 14)
    one, two = (simulate(DOCETAXEL, theta, TWO_CYCLES, hours=DAYS, threads=many) for many in (1, 2))
    assert np.array_equal(one.counts, two.counts)
    assert one.rerun == two.rerun
