"""What has to be said of a fit before anyone reads it: counts that nothing explains, counts that say little."""

from __future__ import annotations

from typing import Final

import numpy as np

from leuko.forecast.fit.cloud import Cloud, normalised
from leuko.forecast.fit.likelihood import Counts, below
from leuko.forecast.fit.pareto import TRUSTED
from leuko.forecast.model import Floats
from leuko.forecast.normal import chi_squared_above
from leuko.frozen import Frozen

# A count this improbable among the model's people is told; rarer than _FOREIGN it is none of theirs.
UNUSUAL: Final = 1e-3
FOREIGN: Final = 1e-6
# A count this improbable even after it moved the parameters is explained by none of them.
UNEXPLAINED: Final = 1e-3


class CountCheck(Frozen, frozen=True, kw_only=True):
    """One count: how probable a report so far out is among the model's people (`prior_p`), and among the courses that
    the fit holds possible (`posterior_p`); two-sided, one-sided for a bound."""

    hour: float
    value: float
    bound: str
    prior_p: float
    posterior_p: float


class Finding(Frozen, frozen=True, kw_only=True):
    """Something to say of a fit; `withholds` where no forecast may be drawn from it."""

    id: str
    text: str
    withholds: bool


def check_counts(cloud: Cloud, weights: Floats, counts: Counts) -> tuple[CountCheck, ...]:
    """Prior and posterior predictive probability of every count, by the weights (N,) of a cloud's draws."""
    if not counts.size:
        return ()
    usable = np.isfinite(cloud.log_true).all(axis=0)
    log_true, log_prior = cloud.log_true, cloud.log_prior - cloud.log_mixed
    if not usable.all():
        log_true, log_prior, weights = log_true[:, usable], log_prior[usable], weights[usable]
    share = below(log_true, counts)
    # sums in one order, however many threads a library of linear algebra has
    before, after = (np.einsum("kn,n->k", share, each) for each in (normalised(log_prior), weights))
    marks = {-1: "<", 0: "=", 1: ">"}
    return tuple(
        CountCheck(
            hour=float(counts.hour[at]),
            value=float(counts.value[at]),
            bound=marks[int(counts.side[at])],
            prior_p=_tail(before[at], int(counts.side[at])),
            posterior_p=_tail(after[at], int(counts.side[at])),
        )
        for at in range(counts.size)
    )


def _tail(share: float, side: int) -> float:
    if side:
        return float(share if side < 0 else 1.0 - share)
    return float(min(1.0, 2.0 * min(share, 1.0 - share)))


def findings_of(
    cloud: Cloud,
    weights: Floats,
    counts: Counts,
    checks: tuple[CountCheck, ...],
    *,
    found: float,
    least: float,
    khat: float,
) -> tuple[Finding, ...]:
    """All that has to be said, the most serious first."""
    told = [*_sampling(found, least, khat), *_improbable(checks), *_remote(cloud, weights, counts), *_little(counts)]
    return tuple(sorted(told, key=lambda finding: not finding.withholds))


def _sampling(found: float, least: float, khat: float) -> list[Finding]:
    told = []
    if found < least:
        text = f"The draws are worth only {found:.0f} independent ones, {least:.0f} are needed."
        told.append(Finding(id="few_draws", text=text, withholds=True))
    if khat > TRUSTED:
        text = f"A few draws carry the whole result (Pareto k {khat:.2f}, at most {TRUSTED:g} can be relied on)."
        told.append(Finding(id="heavy_tail", text=text, withholds=True))
    return told


def _improbable(checks: tuple[CountCheck, ...]) -> list[Finding]:
    told = []
    for check in checks:
        count = f"{'' if check.bound == '=' else check.bound}{check.value:g} ×10⁹/L at hour {check.hour:g}"
        if check.posterior_p < UNEXPLAINED / len(checks):
            text = f"No parameters of the model explain {count} together with the other counts and the doses."
            told.append(Finding(id="unexplained", text=text, withholds=True))
        elif check.prior_p < FOREIGN:
            text = f"{count} lies outside everything that the model's people have shown (p {check.prior_p:.0e})."
            told.append(Finding(id="foreign", text=text, withholds=True))
        elif check.prior_p < UNUSUAL / len(checks):
            text = f"{count} is unusual for the model's people (p {check.prior_p:.1e})."
            told.append(Finding(id="unusual", text=text, withholds=False))
    return told


def _remote(cloud: Cloud, weights: Floats, counts: Counts) -> list[Finding]:
    """Whether the counts can only be explained by a person whom the population does not hold."""
    if not counts.size:
        return []
    centre: Floats = np.einsum("zn,n->z", cloud.z, weights)
    p = chi_squared_above(float(centre @ centre), len(centre))
    if p >= FOREIGN:
        return []
    text = f"Only parameters that none of the model's people have would explain the counts (p {p:.0e})."
    return [Finding(id="remote", text=text, withholds=True)]


def _little(counts: Counts) -> list[Finding]:
    if not counts.size:
        text = "No count was used: this is the course of the model's people, not of this person."
        return [Finding(id="no_counts", text=text, withholds=False)]
    if counts.all_bounds:
        many = "The only count is a bound" if counts.size == 1 else f"All {counts.size} counts are bounds"
        return [Finding(id="all_bounds", text=f"{many}: how low or how high it went is not known.", withholds=True)]
    return []
