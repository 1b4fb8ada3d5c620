"""What was learned held against what was published, on people it was not learned from.

Learned on one half, judged on the other, and back. Each count is told from those before it (the first from the
population alone) and from the doses as they were given: log predictive score (the marginal likelihood of a person's
counts is the product of these), CRPS, coverage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from leuko.forecast.fit.cloud import normalised
from leuko.forecast.fit.likelihood import reports
from leuko.forecast.fit.task import Solver
from leuko.forecast.learn.draws import Draws, Member, draw, weigh
from leuko.forecast.learn.fitting import FEWEST, PRIOR_WEIGHT, ROUNDS, Say, learn, member_of, quiet
from leuko.forecast.learn.people import Person, model_for
from leuko.forecast.learn.population import Population, population_of
from leuko.forecast.model import Floats
from leuko.forecast.score.rules import Score, Told, score
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.forecast import ModelRow

_DRAWS: Final = 200
PUBLISHED: Final = "published"
LEARNED: Final = "learned on the other half"


class Judgement(Frozen, frozen=True, kw_only=True):
    """How one population told the counts of people it was not learned from: scores, and the mean log predictive density
    of a count [per 10*9/L]."""

    name: str
    log_score: float
    score: Score


def judge(
    row: ModelRow,
    people: Sequence[Person],
    *,
    resolution: float,
    cut: float,
    rounds: int = ROUNDS,
    seed: int = 1,
    prior_weight: float = PRIOR_WEIGHT,
    said: Say = quiet,
    solver: Solver | None = None,
) -> tuple[Judgement, ...]:
    """Published and learned population on the people of the half that did not teach. Empty with fewer than four people:
    two halves of two are the least that can be learned from."""
    told = sorted((person for person in people if person.counts), key=lambda one: one.name)
    parts = (told[::2], told[1::2])
    if min(len(part) for part in parts) < FEWEST:
        return ()
    published = population_of(model_for(row, told[0]))
    found: dict[str, list[_Said]] = {PUBLISHED: [], LEARNED: []}
    for half, other in (parts, parts[::-1]):
        learned = learn(
            row,
            other,
            rounds=rounds,
            seed=seed,
            prior_weight=prior_weight,
            said=_prefixed(said, len(other)),
            solver=solver,
        )
        for name, population in ((PUBLISHED, published), (LEARNED, learned.population)):
            said(f"{name}: telling the counts of {len(half)} people")
            found[name] += [_told(member_of(row, person, published), population, seed, solver) for person in half]
    return tuple(_judged(name, one, resolution, cut) for name, one in found.items())


def _prefixed(said: Say, many: int) -> Callable[[str], None]:
    return lambda text: said(f"half of {many} people, {text}")


class _Said(Frozen, frozen=True, kw_only=True):
    """What was told of one person: log evidence, draws (K, M) of the logarithm of each count, and the counts (K,)."""

    evidence: float
    draws: Floats
    seen: Floats


def _told(member: Member, population: Population, seed: int, solver: Solver | None) -> _Said:
    rng = np.random.default_rng([seed, member.person.counts])
    own = draw(member, population, rng=rng, solver=solver)
    told = one_ahead(own, population, rng)
    exact = np.flatnonzero(own.counts.side == 0)
    return _Said(evidence=weigh(own, population).evidence, draws=told[exact], seen=own.counts.value[exact])


def one_ahead(draws: Draws, population: Population, rng: np.random.Generator) -> Floats:
    """Draws (K, M) of the logarithm of each count, told from the counts before it."""
    likelihood = draws.likelihood(population.sd)
    log_weights = draws.log_weights(population, np.zeros(draws.log_drawn.size))
    residual = replace(draws.counts.residual, sd=population.sd)
    found = np.empty((draws.counts.size, _DRAWS))
    for at in range(draws.counts.size):
        edge = np.cumsum(normalised(log_weights))
        places = (np.arange(_DRAWS) + rng.random()) / _DRAWS * max(edge[-1], np.finfo(float).tiny)
        picked = np.minimum(np.searchsorted(edge, places), edge.size - 1)
        true = draws.log_true[at, picked].astype(np.float64)
        found[at] = np.log(np.maximum(reports(true[None], draws.counts.hour[at : at + 1], residual, rng)[0], 1e-9))
        log_weights = log_weights + likelihood[at]
    return found


def _judged(name: str, told: Sequence[_Said], resolution: float, cut: float) -> Judgement:
    joined = Told(
        draws=np.concatenate([one.draws for one in told]),
        seen=np.concatenate([one.seen for one in told]),
        resolution=resolution,
    )
    return Judgement(
        name=name,
        log_score=sum(one.evidence for one in told) / max(sum(one.seen.size for one in told), 1),
        score=score(joined, forecaster=name, horizon="the next count", people=len(told), cut=cut),
    )
