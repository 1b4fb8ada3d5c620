"""The normal distribution and the tail of chi squared, for arrays.

SciPy has both, and importing `scipy.special` takes as long as a whole fit: what every forecast asks for stands here, a
test holds it against SciPy, and rarer functions are still SciPy's.

Source of the rational functions: Cody WJ. Rational Chebyshev approximations for the error function. Math Comp
1969;23:631-637 (relative error below 1e-15).
"""

from __future__ import annotations

from math import erfc, exp, log, pi, sqrt
from typing import Final

import numpy as np

from leuko.forecast.model import Floats

_NEAR: Final = 0.46875  # up to here erf itself is approximated, then erfc
_FAR: Final = 4.0
_ROOT_PI: Final = sqrt(pi)
_LN2: Final = log(2.0)
_STEPS: Final = 6  # of Newton: the digits double with each
# Numerator and denominator of each range, the highest power first.
_ERF: Final = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE: Final = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
        2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ),
)  # fmt: skip
_TAIL: Final = (
    (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)  # fmt: skip


def normal_below(x: Floats) -> Floats:
    """The probability that a standard normal lies below each x."""
    x = np.asarray(x, dtype=np.float64)
    tail = 0.5 * _scaled_tail(x) * np.exp(-0.5 * np.square(x))
    found: Floats = np.where(x < 0.0, tail, 1.0 - tail)
    return found


def log_normal_below(x: Floats) -> Floats:
    """The logarithm of the same; it keeps its digits however far below x lies."""
    x = np.asarray(x, dtype=np.float64)
    scaled, square = 0.5 * _scaled_tail(x), 0.5 * np.square(x)
    with np.errstate(divide="ignore"):  # of minus infinity
        found: Floats = np.where(x < 0.0, np.log(scaled) - square, np.log1p(-scaled * np.exp(-square)))
    return found


def normal_at(log_share: Floats) -> Floats:
    """The x below which a standard normal lies with a probability that is given by its logarithm (below 0).

    Newton's steps on the logarithm, which is concave: from the left of the answer they never pass it.
    """
    share = np.asarray(log_share, dtype=np.float64)
    lower = share < -_LN2
    with np.errstate(divide="ignore"):
        asked = np.where(lower, share, np.log(-np.expm1(share)))
    found: Floats = -np.sqrt(-2.0 * asked)
    for _ in range(_STEPS):
        log_below = log_normal_below(found)
        with np.errstate(invalid="ignore"):
            step = (asked - log_below) * np.exp(log_below + 0.5 * np.square(found)) * sqrt(2.0 * pi)
        found = np.where(np.isfinite(step), found + step, found)
    return np.where(lower, found, -found)


def _scaled_tail(x: Floats) -> Floats:
    """erfc(y) exp(y^2) at y = |x| / sqrt 2."""
    flat = np.abs(x).ravel() / sqrt(2.0)
    tail = np.full(flat.shape, np.nan)
    near, far = flat <= _NEAR, flat > _FAR
    between = (flat > _NEAR) & ~far
    y = flat[near]
    tail[near] = (1.0 - y * _ratio(_ERF, np.square(y))) * np.exp(np.square(y))
    tail[between] = _ratio(_MIDDLE, flat[between])
    y = flat[far]
    less = 1.0 / np.square(y)
    tail[far] = (1.0 / _ROOT_PI - less * _ratio(_TAIL, less)) / y
    return tail.reshape(np.shape(x))


def _ratio(parts: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    above, below = np.full(x.shape, parts[0][0]), np.full(x.shape, parts[1][0])
    for one in parts[0][1:]:
        above *= x
        above += one
    for one in parts[1][1:]:
        below *= x
        below += one
    found: Floats = above / below
    return found


def chi_squared_above(x: float, freedom: int) -> float:
    """The probability that chi squared with so many degrees of freedom lies above x: a finite sum for whole numbers."""
    half = 0.5 * x
    if half > 700.0:  # less than a double can hold
        return 0.0
    odd = freedom % 2
    found = erfc(sqrt(half)) if odd else 0.0
    term = exp(-half) * (2.0 * sqrt(half / pi) if odd else 1.0)
    for step in range(freedom // 2):
        found += term
        term *= half / (step + (1.5 if odd else 1.0))
    return min(found, 1.0)
