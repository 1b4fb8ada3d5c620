"""Whether importance weights can be trusted: effective sample size, and the shape k of their tail.

Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J. Pareto smoothed importance sampling. J Mach Learn Res 2024;25(72):1-58.
Zhang J, Stephens MA. A new and efficient estimation method for the generalized Pareto distribution. Technometrics
2009;51:316-325.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from leuko.forecast.model import Floats

# Above it importance sampling estimates cannot be relied on, however many draws (Vehtari 2024, section 3.2.4).
TRUSTED: Final = 0.7
_FEWEST: Final = 5


def effective(weights: Floats) -> float:
    """Effective sample size of weights of any scale: (sum w)^2 / sum w^2."""
    total = float(weights.sum())
    # a sum in one order, however many threads a library of linear algebra has
    return total * total / float(np.einsum("n,n->", weights, weights)) if total > 0.0 else 0.0


def khat(log_weights: Floats) -> float:
    """Shape of a generalised Pareto distribution fitted to the largest weights; 0 where all are alike, infinite where
    too few are above zero."""
    size = log_weights.size
    tail = int(np.ceil(min(0.2 * size, 3.0 * np.sqrt(size))))
    if tail < _FEWEST:
        return float("inf")
    parts = np.sort(np.partition(log_weights, size - tail - 1)[size - tail - 1 :])
    if not np.isfinite(parts[-1]):
        return float("inf")
    if parts[-1] - parts[0] < 1e-9:
        return 0.0
    excess = np.exp(parts[1:] - parts[-1]) - np.exp(parts[0] - parts[-1])
    above = excess[excess > 0.0]
    return shape(above) if above.size >= _FEWEST else float("inf")


def shape(excess: Floats) -> float:
    """The shape k of a generalised Pareto distribution fitted to sorted positive excesses (Zhang and Stephens 2009),
    drawn towards 0.5 with the weight of ten observations (Vehtari 2024, appendix)."""
    size = excess.size
    grid = 30 + int(np.sqrt(size))
    quarter = excess[int(size / 4 + 0.5) - 1]
    b = 1.0 / excess[-1] + (1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3.0 * quarter)
    k = np.log1p(-b[:, None] * excess).mean(axis=1)
    profile = size * (np.log(-b / k) - k - 1.0)
    weight = np.exp(profile - profile.max())
    weight /= weight.sum()
    weight[weight < 10.0 * np.finfo(float).eps] = 0.0
    best = float(b @ weight / weight.sum())
    found = float(np.log1p(-best * excess).mean())
    return (size * found + 10.0 * 0.5) / (size + 10.0)
