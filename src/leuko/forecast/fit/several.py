"""Several models of one person: averaged by their evidence, or set side by side where they contradict each other.

The weight of a model is its prior weight times the marginal likelihood of the counts (Hoeting JA, Madigan D, Raftery
AE, Volinsky CT. Bayesian model averaging: a tutorial. Stat Sci 1999;14:382-417). An average of forecasts that
contradict each other describes nobody, so it is not made.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.fit.course import Course
from leuko.forecast.fit.posterior import Posterior
from leuko.forecast.model import Floats
from leuko.frozen import Frozen, replace

# A model of less weight than this cannot contradict the others.
HEARD: Final = 0.05
# Two models contradict each other where these central intervals of the true count do not touch.
_INTERVAL: Final = (0.10, 0.90)


class Weighing(Frozen, frozen=True, kw_only=True):
    """Weights of models (M,), summing to 1, and their standard errors; unsound fits weigh nothing."""

    weights: Floats
    errors: Floats


class Contradiction(Frozen, frozen=True, kw_only=True):
    """Two models (their places in the list) that cannot both be right, and the hour at which they part most."""

    first: int
    second: int
    hour: float
    text: str


def weigh(posteriors: Sequence[Posterior], *, prior: Sequence[float] | None = None) -> Weighing:
    """Weights of models that were fitted to the same counts.

    Raises UsageError where they were not: models of different lines, or of different numbers of counts.
    """
    if not posteriors:
        raise UsageError("no model to weigh")
    if len({(posterior.model.line, posterior.counts_used) for posterior in posteriors}) > 1:
        raise UsageError(
            "models of different counts cannot be weighed against each other",
            why="evidence is a density of the counts that were fitted",
            do="fit all of them to the same counts",
        )
    start = np.asarray(prior if prior is not None else np.ones(len(posteriors)), dtype=np.float64)
    level = np.array([posterior.log_evidence if posterior.sound else -np.inf for posterior in posteriors])
    if not np.isfinite(level).any():
        return Weighing(weights=np.zeros(len(level)), errors=np.zeros(len(level)))
    share = start * np.exp(level - level.max())
    weights = share / share.sum()
    relative = np.array([posterior.evidence_error for posterior in posteriors])
    relative = np.where(weights > 0.0, relative, 0.0)
    # of w_i = e_i / sum e: d w_i = w_i (d_i - sum w_j d_j), the d independent
    spread = (np.eye(len(weights)) - weights) @ np.diag(relative)
    return Weighing(weights=weights, errors=weights * np.sqrt((spread**2).sum(axis=1)))


def pooled(courses: Sequence[Course], weights: Floats, *, draws: int, seed: int) -> Course:
    """One set of equally likely courses, each model giving as many as its weight."""
    rng = np.random.default_rng(seed)
    many = np.diff(np.concatenate([[0], np.round(np.cumsum(weights) * draws).astype(int)]))
    picks = [
        rng.choice(course.counts.shape[1], size=int(count), replace=count > course.counts.shape[1])
        for course, count in zip(courses, many, strict=True)
    ]
    return replace(
        courses[int(np.argmax(weights))],
        counts=np.concatenate([each.counts[:, pick] for each, pick in zip(courses, picks, strict=True)], axis=1),
        baseline=np.concatenate([each.baseline[pick] for each, pick in zip(courses, picks, strict=True)]),
        failed=sum(course.failed for course in courses),
    )


def contradictions(courses: Sequence[Course], weights: Floats, titles: Sequence[str]) -> tuple[Contradiction, ...]:
    """Every pair of models that are both heard and whose central 80 % do not touch at some hour."""
    bands = [course.quantiles(_INTERVAL) for course in courses]
    heard = [at for at in range(len(courses)) if weights[at] >= HEARD]
    found = []
    for first, second in combinations(heard, 2):
        apart = np.maximum(bands[first][0] / bands[second][1], bands[second][0] / bands[first][1])
        worst = int(np.argmax(apart))
        if apart[worst] > 1.0:
            hour = float(courses[first].hours[worst])
            low, high = (first, second) if bands[first][1][worst] < bands[second][0][worst] else (second, first)
            text = (
                f"{titles[low]} expects at most {bands[low][1][worst]:.2g} ×10⁹/L at hour {hour:g} (80 % interval), "
                f"{titles[high]} at least {bands[high][0][worst]:.2g}: both are shown, not their average."
            )
            found.append(Contradiction(first=first, second=second, hour=hour, text=text))
    return tuple(found)
