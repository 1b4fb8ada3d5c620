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
_NORMAL = NormalDist()


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
        room = np.log(ceilings[name] / model.typical[at]) / sd if name in ceilings and sd > 0.0 else np.inf
        own = np.log(theta[at])
        low, half, high = map(float, weighted_quantiles(theta[at], posterior.weights, _ENDS))
        middle = float(posterior.weights @ own)
        left = float(posterior.weights @ np.square(own - middle))
        found.append(
            Estimate(
                name=name,
                unit=units.get(name, ""),
                prior=_people(float(model.typical[at]), sd, room),
                posterior=(low, half, high),
                learned=min(max(1.0 - left / _variance(sd, room), 0.0), 1.0)
                if posterior.counts_used and sd > 0.0
                else 0.0,
            )
        )
    return tuple(found)


def _people(typical: float, sd: float, room: float) -> tuple[float, float, float]:
    """The central 80 % of people: lognormal, cut off above `room` SDs of the logarithm."""
    if sd <= 0.0:
        return typical, typical, typical
    inside = _NORMAL.cdf(room)
    low, middle, high = (typical * exp(sd * _NORMAL.inv_cdf(level * inside)) for level in _ENDS)
    return low, middle, high


def _variance(sd: float, room: float) -> float:
    """The variance of a normal distribution that is cut off above (Johnson, Kotz and Balakrishnan, ch. 13)."""
    if not np.isfinite(room):
        return sd**2
    slope = _NORMAL.pdf(room) / _NORMAL.cdf(room)
    return float(sd**2 * (1.0 - room * slope - slope**2))
