"""Rolling forecasts: each count of each person is told from those before it, as it would have been on the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from leuko.forecast.score.forecasters import Forecaster, Pair
from leuko.forecast.score.rules import Score, Told, score
from leuko.forecast.state_space import Series
from leuko.frozen import Frozen, replace

People = Mapping[str, Series]


class Horizon(Frozen, frozen=True, kw_only=True):
    """How far ahead: the count to be told lies between `least` and `most` days [d] after the last one used."""

    name: str
    least: float
    most: float


def pairs_of(series: Series, horizon: Horizon) -> Iterator[Pair]:
    """The forecasts that can be asked about one person: each count from all that lie far enough before it."""
    for k in range(1, len(series)):
        day = float(series.days[k])
        used = int(np.searchsorted(series.days[:k], day - horizon.least, side="right"))
        if used and day - float(series.days[used - 1]) <= horizon.most:
            yield Pair(history=_first(series, used), day=day, seen=float(series.values[k]))


def _first(series: Series, used: int) -> Series:
    extra = None if series.extra is None else series.extra[:used]
    return replace(
        series, days=series.days[:used], values=series.values[:used], bounds=series.bounds[:used], extra=extra
    )


def halves(people: People) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two halves of the people, every other one of their sorted names: each is judged by what the other taught."""
    names = sorted(people)
    return tuple(names[::2]), tuple(names[1::2])


def judge(
    people: People,
    forecasters: Sequence[Forecaster],
    horizons: Sequence[Horizon],
    *,
    cut: float,
    resolution: float,
    said: Callable[[str], None] = lambda _: None,
) -> tuple[Score, ...]:
    """Every forecaster at every horizon, learned on one half of the people and judged on the other, and back."""
    made = trials(people, forecasters, horizons, resolution=resolution, said=said)
    return tuple(scored(one, cut=cut) for one in made)


class Trial(Frozen, frozen=True, kw_only=True):
    """What one forecaster told at one horizon, and whose each count is (K,)."""

    forecaster: str
    horizon: str
    told: Told
    people: tuple[str, ...]


def scored(trial: Trial, *, cut: float) -> Score:
    """Its scores."""
    many = len(set(trial.people))
    return score(trial.told, forecaster=trial.forecaster, horizon=trial.horizon, people=many, cut=cut)


def trials(
    people: People,
    forecasters: Sequence[Forecaster],
    horizons: Sequence[Horizon],
    *,
    resolution: float,
    said: Callable[[str], None] = lambda _: None,
) -> Iterator[Trial]:
    """What every forecaster tells at every horizon; the counts of one horizon come in the same order for all."""
    parts = halves(people)
    for horizon in horizons:
        asked = {name: tuple(pairs_of(series, horizon)) for name, series in people.items()}
        for forecaster in forecasters:
            said(f"{forecaster.name}, {horizon.name}")
            told = [
                _told(forecaster.learned(*_school(people, asked, other)), asked, part)
                for part, other in (parts, parts[::-1])
            ]
            yield Trial(
                forecaster=forecaster.name,
                horizon=horizon.name,
                told=Told(
                    draws=np.concatenate([draws for draws, _ in told]),
                    seen=np.concatenate([seen for _, seen in told]),
                    resolution=resolution,
                ),
                people=tuple(name for part in parts for name in part for _ in asked[name]),
            )


def _school(
    people: People, asked: Mapping[str, tuple[Pair, ...]], names: Sequence[str]
) -> tuple[list[Series], list[Pair]]:
    return [people[name] for name in names], [pair for name in names for pair in asked[name]]


def _told(
    forecaster: Forecaster, asked: Mapping[str, tuple[Pair, ...]], names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    pairs = [pair for name in names for pair in asked[name]]
    draws = [forecaster.tell(pair.history, pair.day) for pair in pairs]
    width = draws[0].size if draws else 0
    return np.array(draws).reshape(len(pairs), width), np.array([pair.seen for pair in pairs])
