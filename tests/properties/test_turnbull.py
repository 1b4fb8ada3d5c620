"""The distribution of times between two days each is the likeliest there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leuko.cohort.summary.turnbull import GAP, Distribution, distribution

DAY = st.integers(0, 40)
SPAN = st.tuples(DAY, st.one_of(DAY, st.none()), st.integers(1, 50))


def seen(spans: list[tuple[int, int | None, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low = np.array([one if other is None else min(one, other) for one, other, _ in spans], float)
    high = np.array([np.inf if other is None else max(one, other) for one, other, _ in spans], float)
    return low, high, np.array([number for *_, number in spans], float)


def mean_likelihood(chance: np.ndarray, found: Distribution, spans: tuple[np.ndarray, ...]) -> float:
    low, high, weight = spans
    inside = (found.left[None, :] >= low[:, None]) & (found.right[None, :] <= high[:, None])
    return float(weight @ np.log(inside @ chance) / weight.sum())


@given(spans=st.lists(SPAN, min_size=1, max_size=60))
def test_no_move_of_chance_makes_the_intervals_likelier(spans: list[tuple[int, int | None, int]]) -> None:
    found = distribution(*(intervals := seen(spans)))
    assert found.gap <= GAP
    assert found.chance.min() >= 0.0
    assert found.chance.sum() == pytest.approx(1.0, abs=1e-12)
    best = mean_likelihood(found.chance, found, intervals)
    for at in range(len(found.chance)):
        moved = 0.999 * found.chance
        moved[at] += 0.001
        assert mean_likelihood(moved, found, intervals) <= best + GAP


@given(days=st.lists(st.integers(0, 20), min_size=1, max_size=80))
def test_known_days_have_the_shares_of_their_people(days: list[int]) -> None:
    known, numbers = np.unique(np.array(days, float), return_counts=True)
    found = distribution(known, known, numbers.astype(float))
    assert found.left.tolist() == known.tolist()
    assert found.chance == pytest.approx(numbers / len(days), abs=1e-3)


def test_nobody_recovers_who_is_not_seen_to() -> None:
    found = distribution(np.array([3.0, 8.0]), np.array([np.inf, np.inf]), np.array([4.0, 1.0]))
    assert (found.left.tolist(), found.right.tolist(), found.chance.tolist()) == ([8.0], [np.inf], [1.0])


def test_as_likely_as_by_another_program() -> None:
    npmle = pytest.importorskip("lifelines.fitters.npmle", reason="the extra `survival` is not installed").npmle
    draw = np.random.default_rng(7)
    start = draw.integers(0, 30, 400).astype(float)
    end = np.where(draw.random(400) < 0.2, np.inf, start + draw.integers(0, 9, 400))
    spans, numbers = np.unique(np.array([start, end]).T, axis=0, return_counts=True)
    low, high, weight = spans[:, 0], spans[:, 1], numbers.astype(float)
    found = distribution(low, high, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance, places = npmle(low, high, weights=weight, tol=1e-8)
    assert [(one.left, one.right) for one in places] == list(zip(found.left, found.right, strict=True))
    own, other = (mean_likelihood(one, found, (low, high, weight)) for one in (found.chance, np.array(chance)))
    assert own >= other - GAP
    assert np.cumsum(found.chance) == pytest.approx(np.cumsum(chance), abs=2e-3)
