"""What holds of every simulation: whatever the person, the doses, the hours asked for and the company."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast_models import DOCETAXEL, GROWTH, doses, people
from leuko.forecast.solve import reference, simulate
from leuko.forecast.solve.grid import build
from leuko.forecast.solve.modes import disposition
from leuko.forecast.solve.reading import Arrival

HOURS = np.arange(0.0, 30.0) * 24.0
SEEDS = st.integers(0, 10**6)
PROMISE = 1e-3
FEW = settings(max_examples=25, deadline=None)


@st.composite
def schedules(draw):
    given_hours = draw(st.lists(st.floats(0, 600), min_size=0, max_size=4))
    return doses(
        *(
            (hour, "docetaxel", draw(st.floats(0, 300)), draw(st.sampled_from([0.0, 0.5, 1.0, 24.0])))
            for hour in given_hours
        )
    )


@FEW
@given(SEEDS, schedules(), st.floats(0.5, 3.0))
def test_counts_are_positive(seed, schedule, deviations) -> None:
    theta = people(DOCETAXEL, 8, seed, deviations)
    found = simulate(DOCETAXEL, theta, schedule, hours=HOURS)
    assert (found.counts[:, ~found.failed] > 0).all()
    left = found.counts.min(axis=0) / theta[DOCETAXEL.at("circ0")]
    assert (left[found.failed] < 1e-8).all()  # nobody but whose marrow loses its last cells


@FEW
@given(SEEDS)
def test_without_doses_the_steady_state_stays(seed) -> None:
    for model in (DOCETAXEL, GROWTH):
        theta = people(model, 5, seed, 2.0)
        found = simulate(model, theta, doses(), hours=HOURS)
        assert np.max(np.abs(found.counts / theta[model.at("circ0")] - 1)) < 1e-5


@FEW
@given(SEEDS, schedules(), st.floats(0.1, 10.0))
def test_counts_scale_with_the_baseline(seed, schedule, factor) -> None:
    theta = people(DOCETAXEL, 4, seed)
    more = theta.copy()
    more[DOCETAXEL.at("circ0")] *= factor
    one = simulate(DOCETAXEL, theta, schedule, hours=HOURS).counts
    assert np.max(np.abs(simulate(DOCETAXEL, more, schedule, hours=HOURS).counts / one / factor - 1)) < PROMISE


@FEW
@given(SEEDS, schedules(), st.lists(st.floats(0, 720), min_size=1, max_size=8))
def test_asking_for_more_hours_changes_nothing(seed, schedule, extra) -> None:
    theta = people(DOCETAXEL, 4, seed)
    one = simulate(DOCETAXEL, theta, schedule, hours=HOURS).counts
    asked = np.concatenate([HOURS, extra])
    both = simulate(DOCETAXEL, theta, schedule, hours=asked).counts[: len(HOURS)]
    assert np.max(np.abs(both / one - 1)) < PROMISE


@FEW
@given(SEEDS, schedules())
def test_company_order_and_threads_change_nothing(seed, schedule) -> None:
    theta = people(DOCETAXEL, 700, seed)
    order = np.random.default_rng(seed).permutation(700)
    one = simulate(DOCETAXEL, theta, schedule, hours=HOURS, threads=1).counts
    other = simulate(DOCETAXEL, theta[:, order], schedule, hours=HOURS, threads=2).counts
    assert np.max(np.abs(other / one[:, order] - 1)) < PROMISE
    again = simulate(DOCETAXEL, theta, schedule, hours=HOURS, threads=2).counts
    assert np.array_equal(one, again)


@FEW
@given(SEEDS, schedules())
def test_a_dose_in_two_halves_is_the_dose(seed, schedule) -> None:
    theta = people(DOCETAXEL, 4, seed)
    rows = list(zip(schedule.hour, schedule.drug, schedule.amount / 2, schedule.hours, strict=True))
    halves = doses(*rows, *rows)
    one = simulate(DOCETAXEL, theta, schedule, hours=HOURS).counts
    assert np.max(np.abs(simulate(DOCETAXEL, theta, halves, hours=HOURS).counts / one - 1)) < PROMISE


@settings(max_examples=6, deadline=None)
@given(SEEDS, schedules())
def test_any_schedule_agrees_with_the_reference(seed, schedule) -> None:
    theta = people(DOCETAXEL, 2, seed, 2.0)[:, 1:]
    found = simulate(DOCETAXEL, theta, schedule, hours=HOURS).counts[:, 0]
    assert np.max(np.abs(found / reference(DOCETAXEL, theta[:, 0], schedule, hours=HOURS) - 1)) < PROMISE


@given(st.lists(st.floats(0.01, 20), min_size=5, max_size=5))
def test_exposure_is_dose_over_clearance(k) -> None:
    rates, shares = disposition(tuple(k), 3)
    assert all(rate > 0 for rate in rates)
    assert np.isclose(sum(b / r for b, r in zip(shares, rates, strict=True)), 1 / k[0], rtol=1e-6)


@given(
    st.lists(st.tuples(st.floats(-100, 500), st.sampled_from([0.0, 0.3, 24.0])), max_size=6),
    st.floats(0.02, 3),
    st.floats(1, 24),
)
def test_every_dose_lies_on_the_grid_and_steps_fill_it(given_doses, small, longest) -> None:
    arrived = sorted(
        (Arrival(channel=0, hour=hour, amount=1.0, hours=hours) for hour, hours in given_doses),
        key=lambda one: one.hour,
    )
    start = min([0.0, *(one.hour for one in arrived)])
    hours = np.array([600.0])
    grid = build(arrived, hours, start, np.array([small]), longest)
    nodes = np.concatenate([[start], start + np.cumsum(grid.steps)])
    assert (grid.steps > 0).all()
    assert grid.steps.max() <= longest * (1 + 1e-9)
    assert np.isclose(nodes[-1], 600.0)
    assert grid.first[0] == 0
    assert grid.first[-1] == len(grid.amount)
    for one in arrived:
        assert np.min(np.abs(nodes - one.hour)) < 1e-6
