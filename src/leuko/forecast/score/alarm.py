"""Whether ranks of true values are those of a calibrated posterior, with a false alarm of the whole run under 1 %.

A run looks at many quantities at several levels. Tested one by one, some would miss by chance; so all probabilities of
a run are adjusted together (Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat
1979;6:65-70), which holds the chance of a single false alarm at the level, however the tests depend on each other.
Of each quantity four are taken: how many true values lie in the central 50, 80 and 95 % (exact binomial, two-sided),
and whether ranks are uniform (Kolmogorov-Smirnov).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from leuko.forecast.model import Floats

# The chance that a run of a calibrated posterior reports a miss is at most this.
FALSE_ALARM: Final = 0.005


def covered_p(below: Floats, level: float) -> float:
    """The probability of a coverage as far off, given ranks (N,) from 0 to 1 of true values."""
    from scipy.stats import binomtest  # noqa: PLC0415 (heavy: loaded where it is used)

    inside = int(np.sum(np.abs(below - 0.5) <= level / 2))
    return float(binomtest(inside, below.size, level).pvalue)


def p_values(below: Floats, levels: Sequence[float], uniform_p: float) -> tuple[float, ...]:
    """The probabilities of one quantity: a coverage for each level, and that of uniform ranks."""
    return (*(covered_p(below, level) for level in levels), uniform_p)


def adjusted(every: Sequence[float]) -> Floats:
    """Probabilities (N,) as they stand when all are looked at together (Holm): a miss is what lies below the level."""
    p = np.asarray(every, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate((p.size - np.arange(p.size)) * p[order])
    found = np.empty_like(p)
    found[order] = np.minimum(stepped, 1.0)
    return found


def least_of_each(every: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Of each quantity's probabilities the least, after adjusting all of the run together."""
    if not every:
        return ()
    together = adjusted([p for own in every for p in own])
    edges = np.cumsum([0, *(len(own) for own in every)])
    return tuple(float(together[a:b].min()) for a, b in pairwise(edges.tolist()))
