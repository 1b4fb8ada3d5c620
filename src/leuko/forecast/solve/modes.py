"""Linear kinetics in closed form: a dose becomes a sum of exponentials, one mode for each compartment.

A bolus of one unit gives the concentration sum_i b_i exp(-l_i t). All persons at once, in double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NEWTON = 8  # steps at most from below to the smallest root of a cubic: quadratic convergence, monotone
REST = 1e-8  # of the root: after a step that is no longer, its square is left, less than a double tells apart


def disposition(k: tuple[Any, ...], compartments: int) -> tuple[list[Array], list[Array]]:
    """Rates and amplitudes of one to three compartments (k10, k12, k21, k13, k31), per unit of amount in the first."""
    k10, k12, k21, k13, k31 = (np.asarray(one, dtype=np.float64) for one in k)
    if compartments == 1:
        return [k10], [np.ones_like(k10)]
    if compartments == 2:
        slow, fast = _pair(k10 + k12 + k21, k10 * k21)
        return [slow, fast], [(k21 - slow) / (fast - slow), (fast - k21) / (fast - slow)]
    a2 = k10 + k12 + k13 + k21 + k31
    a1 = k10 * k21 + k10 * k31 + k21 * k31 + k12 * k31 + k13 * k21
    a0 = k10 * k21 * k31
    slow, twice = a0 / a1, 2 * a2
    for number in range(NEWTON):
        step = (((slow - a2) * slow + a1) * slow - a0) / ((3 * slow - twice) * slow + a1)
        slow = slow - step
        if number and (np.abs(step) <= REST * slow).all():
            break
    middle, fast = _pair(a2 - slow, a0 / slow)
    first, whole, second = middle - slow, fast - slow, fast - middle
    return [slow, middle, fast], [
        (k21 - slow) * (k31 - slow) / (first * whole),
        (k21 - middle) * (middle - k31) / (first * second),
        (k21 - fast) * (k31 - fast) / (whole * second),
    ]


def _pair(total: Array, product: Array) -> tuple[Array, Array]:
    fast = 0.5 * (total + np.sqrt(np.maximum(total * total - 4 * product, 0.0)))
    return product / fast, fast


def through(rate: Array, rates: list[Array], amplitudes: list[Array], least: float) -> tuple[list[Array], list[Array]]:
    """The same behind a depot that empties at `rate`. Equal rates are held apart by the relative distance `least`."""
    for one in rates:
        rate = np.where(np.abs(rate - one) < least * one, one * (1 + least), rate)
    passed = [b * rate / (rate - one) for one, b in zip(rates, amplitudes, strict=True)]
    return [*rates, rate], [*passed, -sum(passed, np.zeros(()))]
