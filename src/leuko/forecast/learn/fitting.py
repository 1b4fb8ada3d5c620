"""Learning a population by expectation-maximisation on its people, as far as the published values let it.

E step: the posterior of each person under the population of now, by importance sampling. M step: typical values,
spread with its correlations, residual error, each the most probable given people and prior. What does not vary between
people (kinetics fixed by the source) stays as published, and so does variation between cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.fit.task import Solver
from leuko.forecast.learn.draws import Draws, Member, Weighed, draw, weigh
from leuko.forecast.learn.errors import Uncertainty, uncertainty_of
from leuko.forecast.learn.people import Person, digest_of, model_for
from leuko.forecast.learn.population import Population, log_prior, moments_of, moved, population_of
from leuko.forecast.model import Floats
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.forecast import ModelRow

ROUNDS: Final = 8
PRIOR_WEIGHT: Final = 10.0
FEWEST: Final = 2
# A round that gains less than this in log evidence for every person is the last.
_GAIN: Final = 0.01
_STEPS: Final = 40
_STEP_GAIN: Final = 0.0005
# Draws worth fewer than this are drawn anew; so many stand for a person where the residual error is worked out.
_THIN: Final = 150.0
_KEPT: Final = 64

Say = Callable[[str], None]


def quiet(_: str) -> None:
    """Say nothing."""


class Learned(Frozen, frozen=True, kw_only=True):
    """What was learned of a model: `published` and learned `population`, how far it can be relied on.

    `evidence` and `evidence_before` are log marginal likelihoods of all counts under the learned and the published
    population; `steps` the penalised log evidence after each round; `shrinkage` (R,) 1 - SD of the people's means over
    the SD learned: near 1, people's counts told nothing of that parameter. `settled` is false where the rounds ended
    before the gain did.
    """

    row: ModelRow
    published: Population
    population: Population
    people: int
    counts: int
    digest: str
    weight: float
    seed: int
    rounds: int
    settled: bool
    evidence: float
    evidence_before: float
    steps: tuple[float, ...]
    shrinkage: Floats
    uncertainty: Uncertainty
    said: tuple[str, ...]


def learn(
    row: ModelRow,
    people: Sequence[Person],
    *,
    rounds: int = ROUNDS,
    seed: int = 1,
    prior_weight: float = PRIOR_WEIGHT,
    said: Say = quiet,
    begin: Population | None = None,
    solver: Solver | None = None,
) -> Learned:
    """The population of a model most probable given people's counts and the published values.

    `prior_weight` pseudo-people stand for the published values; `begin` overrides these (doses in another unit).
    `said` is given a line a round. The same seed gives the same population. Raises UsageError where nothing varies in
    the model, or fewer than two people have counts.
    """
    told = [person for person in people if person.counts]
    if len(told) < FEWEST:
        raise UsageError(
            f"{len(told)} people have counts and doses",
            why="a population is learned from people who differ: two at the least, and dozens to mean anything",
            do="gather more people",
        )
    if not prior_weight > 0.0:
        raise UsageError("the published values need a weight above 0", do="give the number of pseudo-people")
    published = begin or population_of(model_for(row, told[0]))
    crew = [member_of(row, person, published) for person in told]
    return _Search(row, crew, published, prior_weight, seed, said, solver).run(rounds)


def member_of(row: ModelRow, person: Person, published: Population) -> Member:
    """A person's model, and what their covariates add to the logarithms."""
    from leuko.forecast.library import build  # noqa: PLC0415 (only here)

    model, typical = model_for(row, person), build(row)
    rows = [model.at(name) for name in published.names]
    return Member(person=person, model=model, shift=np.log(model.typical[rows] / typical.typical[rows]))


@dataclass(slots=True)
class _Search:
    """One run of the algorithm."""

    row: ModelRow
    crew: Sequence[Member]
    published: Population
    weight: float
    seed: int
    said: Say
    solver: Solver | None

    @property
    def counts(self) -> int:
        return sum(member.person.counts for member in self.crew)

    @property
    def pseudo_counts(self) -> float:
        """The counts that the pseudo-people bring."""
        return self.weight * self.counts / len(self.crew)

    def run(self, rounds: int) -> Learned:
        held: list[Draws | None] = [None] * len(self.crew)
        now, steps, settled, before = self.published, [], False, 0.0
        draws: list[Draws] = []
        for turn in range(1, rounds + 1):
            draws = self._refreshed(held, now, turn)
            if turn == 1:
                before = sum(weigh(one, now).evidence for one in draws)
            start = self._gained(draws, now)
            now, value = self._climb(draws, now, start)
            steps.append(value)
            held = list(draws)
            self.said(f"round {turn}: log evidence with prior {value:.2f}, {value - start:+.2f}; {_shown(now)}")
            if turn > 1 and value - start < _GAIN * len(self.crew):
                settled = True
                break
        draws = self._refreshed(held, now, rounds + 1)
        return self._learned(draws, now, tuple(steps), settled, before)

    def _refreshed(self, held: Sequence[Draws | None], now: Population, turn: int) -> list[Draws]:
        """The draws of everybody, anew where few are left."""
        found = []
        for at, (member, own) in enumerate(zip(self.crew, held, strict=True)):
            if own is not None and weigh(own, now).effective >= _THIN:
                found.append(replace(own, limit=member.limit(now)))
                continue
            rng = np.random.default_rng([self.seed, turn, at])
            found.append(draw(member, now, rng=rng, solver=self.solver))
            if at % 10 == 9:
                self.said(f"round {turn}: {at + 1} of {len(self.crew)} people")
        return found

    def _gained(self, draws: Sequence[Draws], now: Population) -> float:
        evidence = sum(weigh(one, now).evidence for one in draws)
        return evidence + log_prior(self.published, now, self.weight, self.pseudo_counts)

    def _climb(self, draws: Sequence[Draws], now: Population, value: float) -> tuple[Population, float]:
        """Steps on the same draws, until they gain little or too few draws are left of somebody."""
        for _ in range(_STEPS):
            weighed = [weigh(one, now) for one in draws]
            if min(one.effective for one in weighed) < _THIN / 3:
                break
            moments = [moments_of(one.log_theta, held.weights) for one, held in zip(draws, weighed, strict=True)]
            after = moved(self.published, now, moments, [one.limit for one in draws], self.weight)
            after = replace(after, sd=self._error(draws, weighed, now.sd))
            gained = self._gained(draws, after)
            if not np.isfinite(gained) or gained < value - abs(_STEP_GAIN) * len(draws):
                break
            small = gained - value < _STEP_GAIN * len(draws)
            now, value = after, gained
            if small:
                break
        return now, value

    def _error(self, draws: Sequence[Draws], weighed: Sequence[Weighed], sd: float) -> float:
        """The residual SD most probable given draws that stand for each person."""
        from scipy.optimize import minimize_scalar  # noqa: PLC0415 (heavy: loaded where it is used)

        kept = [_few(one, held.weights) for one, held in zip(draws, weighed, strict=True)]

        def cost(log_sd: float) -> float:
            tried = float(np.exp(log_sd))
            fitted = sum(float(one.likelihood(tried).sum()) for one in kept) / _KEPT
            return self.pseudo_counts * (log_sd + 0.5 * (self.published.sd / tried) ** 2) - fitted

        near = (np.log(sd) - 0.7, np.log(sd) + 0.7)
        return float(np.exp(minimize_scalar(cost, bounds=near, method="bounded", options={"xatol": 1e-3}).x))

    def _learned(
        self, draws: Sequence[Draws], now: Population, steps: tuple[float, ...], settled: bool, before: float
    ) -> Learned:
        weighed = [weigh(one, now) for one in draws]
        means = np.array([one.log_theta @ held.weights for one, held in zip(draws, weighed, strict=True)])
        uncertain = uncertainty_of(draws, now, weight=self.weight, counts=self.pseudo_counts)
        return Learned(
            row=self.row,
            published=self.published,
            population=now,
            people=len(self.crew),
            counts=self.counts,
            digest=digest_of([member.person for member in self.crew]),
            weight=self.weight,
            seed=self.seed,
            rounds=len(steps),
            settled=settled,
            evidence=sum(one.evidence for one in weighed),
            evidence_before=before,
            steps=steps,
            shrinkage=1.0 - means.std(axis=0) / now.spread,
            uncertainty=uncertain,
            said=tuple(_remarks(self.crew, weighed, settled)),
        )


def _few(draws: Draws, weights: Floats) -> Draws:
    """As many equally likely draws as stand for a person, at the middles of equal shares."""
    edge = np.cumsum(weights)
    picked = np.searchsorted(edge, (np.arange(_KEPT) + 0.5) / _KEPT * edge[-1]).clip(0, weights.size - 1)
    return replace(draws, log_true=draws.log_true[:, picked])


def _remarks(crew: Sequence[Member], weighed: Sequence[Weighed], settled: bool) -> list[str]:
    """What has to be said of a run."""
    found = [] if settled else ["the rounds ended before the gain did: more rounds may move it further"]
    thin = [m.person.name for m, held in zip(crew, weighed, strict=True) if held.effective < _THIN / 3]
    if thin:
        found.append(f"few draws are left of {len(thin)} people ({', '.join(thin[:3])}): their part is uncertain")
    return found


def _shown(now: Population) -> str:
    values = ", ".join(f"{name} {value:.4g}" for name, value in zip(now.names, np.exp(now.mean), strict=True))
    return f"{values}; residual {now.sd:.3g}"
