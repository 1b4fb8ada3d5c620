"""What counts tell of a person's parameters: how people of a model differ in each, and this person given their counts.

Both in the central 80 %, and the share of the variance (of the logarithm) between people that the counts take away: 0
where they say nothing of a parameter, 1 where they settle it (one minus the squared ratio of the two SDs).
"""

from __future__ import annotations

from math import exp, sqrt
from statistics import NormalDist

import numpy as np

from leuko.forecast.fit import Posterior
from leuko.forecast.fit.posterior import weighted_quantiles
from leuko.knowledge.schema.forecast import ModelRow
from leuko.result.forecast import Estimate

_ENDS = (0.1, 0.5, 0.9)


def estimates_of(posterior: Posterior, row: ModelRow) -> tuple[Estimate, ...]:
    """The parameters of a model that vary between people, in its own order."""
    model = posterior.prior.model
    theta, units = posterior.theta, {one.name: one.unit for one in row.parameters}
    ceilings = dict(model.ceilings)
    found = []
    for number, name in enumerate(posterior.model.random):
        if name not in model.names:  # varies from cycle to cycle: a copy for each
            continue
        at, sd = model.at(name), sqrt(float(posterior.model.omega[number, number]))
        own = np.log(theta[at])
        low, half, high = map(float, weighted_quantiles(theta[at], posterior.weights, _ENDS))
        middle = float(posterior.weights @ own)
        left = float(posterior.weights @ np.square(own - middle))
        found.append(
            Estimate(
                name=name,
                unit=units.get(name, ""),
                prior=_people(float(model.typical[at]), sd, ceilings.get(name)),
                posterior=(low, half, high),
                learned=min(max(1.0 - left / sd**2, 0.0), 1.0) if posterior.counts_used and sd > 0.0 else 0.0,
            )
        )
    return tuple(found)


def _people(typical: float, sd: float, ceiling: float | None) -> tuple[float, float, float]:
    """The central 80 % of people: lognormal, cut off above a ceiling."""
    if sd <= 0.0:
        return typical, typical, typical
    normal = NormalDist(0.0, sd)
    inside = normal.cdf(np.log(ceiling / typical)) if ceiling is not None else 1.0
    low, middle, high = (typical * exp(normal.inv_cdf(level * inside)) for level in _ENDS)
    return low, middle, high
