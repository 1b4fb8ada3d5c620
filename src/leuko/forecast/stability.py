"""Up to which strength of feedback the marrow comes to rest: above it the counts oscillate for ever, drug or no drug.

Checked against eigenvalues in tests/unit/test_forecast_library.py.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np

from leuko.forecast.model import Floats, Model

# Fornari 2020, three transits: the strongest feedback at which the drug-free steady state is stable, by x = kcirc / ktr
_FIRST: Final = (24.0, 45.0, 34.0, 9.0)
_ROOT: Final = (576.0, 2192.0, 3753.0, 3588.0, 1998.0, 612.0, 81.0)
_BISECTIONS: Final = 40


def gamma_ceiling(model: Model) -> float:
    """The strongest stable feedback of a model at its typical values.

    In closed form for a proliferating pool and three transits (Fornari 2020), else from the eigenvalues.
    """
    typical = dict(zip(model.names, model.typical.tolist(), strict=True))
    ktr = (model.transits + 1) / typical["mtt"]
    kcirc = typical["kcirc"] if model.own_kcirc else ktr
    if model.marrow == "friberg" and model.transits == 3:
        return closed_form(kcirc / ktr)
    return _bisected(model.transits, kcirc / ktr, typical.get("ftr", 1.0))


def closed_form(ratio: float) -> float:
    """The strongest stable feedback for kcirc / ktr = `ratio`, three transits."""
    first = sum(part * ratio**power for power, part in enumerate(_FIRST))
    root = sum(part * ratio**power for power, part in enumerate(_ROOT))
    return (sqrt(root) - first) / (2.0 * ratio)


def _bisected(transits: int, ratio: float, ftr: float) -> float:
    low, high = 0.0, 4.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if stable(middle, transits, ratio, ftr) else (low, middle)
    return low


def stable(gamma: float, transits: int, ratio: float, ftr: float = 1.0) -> bool:
    """Whether the drug-free steady state is stable, by the eigenvalues of the equations about it (time in 1/ktr).

    `ftr` below 1 is the share of proliferation beside a stem-cell pool.
    """
    return bool(np.linalg.eigvals(_jacobian(gamma, transits, ratio, ftr)).real.max() < 0.0)


def _jacobian(gamma: float, transits: int, ratio: float, ftr: float) -> Floats:
    """Deviations relative to the steady state: [stem,] proliferating, transits, circulation."""
    pooled = int(ftr < 1.0)
    size = pooled + transits + 2
    matrix = np.zeros((size, size))
    last = size - 1
    if pooled:
        matrix[0, last] = -(1.0 - ftr) * gamma
        matrix[1, 0] = 1.0 - ftr
        matrix[1, 1] = ftr - 1.0
    matrix[pooled, last] = -ftr * gamma
    for place in range(pooled + 1, last):
        matrix[place, place - 1], matrix[place, place] = 1.0, -1.0
    matrix[last, last - 1], matrix[last, last] = ratio, -ratio
    return matrix
