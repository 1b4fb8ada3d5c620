"""The normal distribution and the tail of chi squared, for arrays.

SciPy has both, and importing `scipy.special` takes as long as a whole fit: what every forecast asks for stands here, a
test holds it against SciPy, and rarer functions are still SciPy's.

Source of the rational functions: Cody WJ. Rational Chebyshev approximations for the error function. Math Comp
1969;23:631-637 (relative error below 1e-15); Wichura MJ. Algorithm AS 241: the percentage points of the normal
distribution. Appl Stat 1988;37:477-484 (about 16 digits).
"""

from __future__ import annotations

from math import erfc, exp, log, pi, sqrt
from typing import Final

import numpy as np

from leuko.forecast.model import Floats

_NEAR: Final = 0.46875  # up to here erf itself is approximated, then erfc
_FAR: Final = 4.0
_BLOCK: Final = 8192  # numbers that stay near the processor while they are worked on
_ROOT_PI: Final = sqrt(pi)
_LN2: Final = log(2.0)
_MIDDLE_FROM: Final = log(0.075)  # of a quantile: probabilities from here to one half
_SIDE_TO: Final = 5.0  # the root of minus the logarithm of a probability: 1.4e-11, and the least that a double holds
_END_TO: Final = 27.0
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
# The same of the quantiles: the middle, by the square of what is left of one half, then by the root of the logarithm.
_CENTRE: Final = (
    (
        2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
        1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0,
    ),
    (
        5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
        5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0,
    ),
)  # fmt: skip
_SIDE: Final = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
        3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0,
    ),
)  # fmt: skip
_END: Final = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0,
    ),
    (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
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
    """The x below which a standard normal lies with a probability that is given by its logarithm (below 0)."""
    share = np.asarray(log_share, dtype=np.float64)
    lower = share < -_LN2
    with np.errstate(divide="ignore"):
        asked = np.where(lower, share, np.log(-np.expm1(share)))
    found = _lower_at(asked.ravel()).reshape(asked.shape)
    return np.where(lower, found, -found)


def _lower_at(asked: Floats) -> Floats:
    """The same for probabilities of one half and less."""
    found, root = np.empty_like(asked), np.sqrt(-asked)
    middle = asked > _MIDDLE_FROM
    side, end = ~middle & (root <= _SIDE_TO), (root > _SIDE_TO) & (root <= _END_TO)
    left = np.exp(asked[middle]) - 0.5
    found[middle] = left * _ratio(_CENTRE, 0.180625 - np.square(left))
    found[side] = -_ratio(_SIDE, root[side] - 1.6)
    found[end] = -_ratio(_END, root[end] - _SIDE_TO)
    beyond = ~(middle | side | end)
    if beyond.any():
        found[beyond] = _by_steps(asked[beyond])
    return found


def _by_steps(asked: Floats) -> Floats:
    """Beyond what the approximation was made for: Newton's steps on the logarithm, which is concave, so that from the
    left of the answer they never pass it."""
    found: Floats = -np.sqrt(-2.0 * asked)
    for _ in range(_STEPS):
        log_below = log_normal_below(found)
        with np.errstate(invalid="ignore"):
            step = (asked - log_below) * np.exp(log_below + 0.5 * np.square(found)) * sqrt(2.0 * pi)
        found = np.where(np.isfinite(step), found + step, found)
    return found


def _scaled_tail(x: Floats) -> Floats:
    """erfc(y) exp(y^2) at y = |x| / sqrt 2."""
    flat = np.abs(x).ravel() / sqrt(2.0)
    for begin in range(0, flat.size, _BLOCK):
        block = flat[begin : begin + _BLOCK]
        block[:] = _tail_of(block)
    return flat.reshape(np.shape(x))


def _tail_of(flat: Floats) -> Floats:
    """The same at y (N,), each by the approximation of its range."""
    tail = np.full(flat.shape, np.nan)
    near, far = flat <= _NEAR, flat > _FAR
    # by their places, which takes half as long as by what is true or not
    for mask, way in ((near, _near), ((flat > _NEAR) & ~far, _between), (far, _beyond)):
        at = np.flatnonzero(mask)
        if at.size:
            tail[at] = way(flat.take(at))
    return tail


def _near(y: Floats) -> Floats:
    square = np.square(y)
    return (1.0 - y * _ratio(_ERF, square)) * np.exp(square)


def _between(y: Floats) -> Floats:
    return _ratio(_MIDDLE, y)


def _beyond(y: Floats) -> Floats:
    less = 1.0 / np.square(y)
    return (1.0 / _ROOT_PI - less * _ratio(_TAIL, less)) / y


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
