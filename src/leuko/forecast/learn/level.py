"""Learning how counts move where no marrow model speaks (`state_space.Level`), with its own validation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.learn.fitting import PRIOR_WEIGHT
from leuko.forecast.learn.judge import LEARNED, PUBLISHED, Judgement
from leuko.forecast.score.forecasters import OwnLevel
from leuko.forecast.score.real import level_of
from leuko.forecast.score.rolling import Horizon, halves, judge
from leuko.forecast.score.table import Table
from leuko.forecast.state_space import Level, Series, log_likelihood, refit
from leuko.frozen import Frozen
from leuko.knowledge.schema.levels import JudgeRow, LevelRow

_FEWEST: Final = 4


class LearnedLevel(Frozen, frozen=True, kw_only=True):
    """How counts move, learned from people: the row where it began, the level, log evidence before and after, and how
    it did on people it was not learned from."""

    row: LevelRow
    level: Level
    people: int
    counts: int
    digest: str
    weight: float
    evidence: float
    evidence_before: float
    judged: tuple[Judgement, ...]


def learn_level(
    row: LevelRow,
    table: Table,
    *,
    judged_by: JudgeRow,
    prior_weight: float = PRIOR_WEIGHT,
    said: Callable[[str], None] = lambda _: None,
) -> LearnedLevel:
    """How these people's counts move: most probable, held near the row where it begins.

    `prior_weight` pseudo-people stand for that row: each tells the level and the logarithm of every other number with
    an SD of 1.

    Raises UsageError with fewer than four people of two counts: each half has to teach the other.
    """
    told = {name: series for name, series in table.people.items() if len(series) > 1}
    if len(told) < _FEWEST:
        raise UsageError(
            f"{len(told)} people have two counts or more",
            why="how counts move is learned from people who have several, on one half of them, and judged on the other",
            do="gather more people",
        )
    begin = level_of(row)
    said(f"learning from {len(told)} people")
    level = refit(list(told.values()), begin, penalty=prior_weight / 2)
    return LearnedLevel(
        row=row,
        level=level,
        people=len(told),
        counts=sum(len(one) for one in told.values()),
        digest=_digest(told),
        weight=prior_weight,
        evidence=_evidence(level, told.values()),
        evidence_before=_evidence(begin, told.values()),
        judged=_judged(begin, told, table.resolution, judged_by, prior_weight / 2, said),
    )


def _evidence(level: Level, people: Iterable[Series]) -> float:
    return sum(log_likelihood(level, series) for series in people)


def _digest(people: Mapping[str, Series]) -> str:
    found = hashlib.sha256()
    for name in sorted(people):
        found.update(name.encode() + b"\0")
        for part in (people[name].days, people[name].values):
            found.update(np.ascontiguousarray(part, dtype=np.float64).tobytes() + b"\0")
    return found.hexdigest()


def _judged(  # noqa: PLR0917
    begin: Level,
    people: Mapping[str, Series],
    resolution: float,
    by: JudgeRow,
    penalty: float,
    said: Callable[[str], None],
) -> tuple[Judgement, ...]:
    """The level where it began and the learned one, each on the people of the half that did not teach."""
    crew = (OwnLevel(level=begin, name=PUBLISHED, fixed=True), OwnLevel(level=begin, name=LEARNED, penalty=penalty))
    horizon = Horizon(name=by.title, least=by.least, most=by.most)
    scores = judge(people, crew, (horizon,), cut=by.severe, resolution=resolution, said=said)
    return tuple(
        Judgement(name=score.forecaster, log_score=log_score, score=score)
        for score, log_score in zip(scores, _log_scores(begin, people, penalty), strict=True)
    )


def _log_scores(begin: Level, people: Mapping[str, Series], penalty: float) -> Sequence[float]:
    """The mean log predictive density of a logarithm, of the row where it began and of what the other half taught."""
    parts = halves(people)
    counts = sum(len(one) for one in people.values())
    learned = 0.0
    for part, other in (parts, parts[::-1]):
        level = refit([people[name] for name in other], begin, penalty=penalty)
        learned += _evidence(level, [people[name] for name in part])
    return _evidence(begin, people.values()) / counts, learned / counts
