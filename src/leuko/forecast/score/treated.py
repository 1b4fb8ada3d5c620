"""A forecaster of people under treatment: the marrow model with each person's doses, and a level's swings about it.

The logarithm of a count is that of the marrow model (its parameters not known, lognormal between people) plus a
residual that drifts, swings and has noise (`state_space`), as one model: with an effect of 0 it is the level alone.
Each person is a cloud of draws of parameters, solved once over all their doses; what is told of a count uses the
weights and residuals of the counts before it. Doses after the last of these are not known then: the mean daily dose
of the last days goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from leuko.forecast.fit.cloud import normalised
from leuko.forecast.fit.task import Solver
from leuko.forecast.lasting import with_swing
from leuko.forecast.library import build, model_row
from leuko.forecast.model import Floats, Model, Schedule
from leuko.forecast.score.clouds import HOURS, Cloud, Clouds, Residual
from leuko.forecast.score.forecasters import Forecaster, OwnLevel, Pair
from leuko.forecast.score.real import level_of
from leuko.forecast.state_space import Series
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.learned import TreatedRow
from leuko.knowledge.schema.levels import LevelRow

# What is told of one count: so many draws of the marrow, and about each so many of the residual.
_MARROWS: Final = 64
_ABOUT: Final = 8
# Student's t with so many degrees of freedom is normal to the last digit that is told.
NORMAL: Final = 1e6
SHIPPED: Final = "leuko, as it forecasts one person"
# The daily dose that goes on is the mean of so many days.
_RECENT: Final = 7


class Treated(Frozen, frozen=True, kw_only=True):
    """The marrow model with a residual level. `planned` is false where doses after the last count go on as they were,
    true where they are taken as they were given (a plan known beforehand)."""

    clouds: Clouds
    people: Mapping[str, Schedule]
    residual: Residual
    name: str = "marrow model with doses"
    planned: bool = False
    learns: bool = True

    def learned(self, people: Sequence[Series], pairs: Sequence[Pair]) -> Treated:
        """With the population and the residual of these people."""
        del pairs
        told = [series for series in people if series.person in self.people]
        if not self.learns or not told:
            return self
        return replace(self, residual=self.clouds.learned(told, self.people, self.residual))

    def tell(self, history: Series, day: float) -> Floats:
        """Draws of the logarithm of a count: Student's t about each of some draws of the marrow."""
        cloud = self.clouds.of(history.person, self.people[history.person])
        seen = self.clouds.seen(history.person, self.people[history.person], self.residual)
        many = len(history)
        weights = normalised(seen.log_weights[many])
        edge = np.cumsum(weights)
        picked = np.searchsorted(edge, (np.arange(_MARROWS) + 0.5) / _MARROWS * edge[-1]).clip(0, weights.size - 1)
        true = self._true(cloud, picked, float(history.days[-1]), day)
        rest, sd = seen.ahead(many, picked, day - float(history.days[-1]), self.residual)
        shares = (np.arange(_ABOUT)[:, None] + (_scrambled() + 0.5) / _MARROWS) / _ABOUT
        told: Floats = (true + rest + sd * self.residual.quantiles(shares)).ravel()
        return told

    def _true(self, cloud: Cloud, picked: np.ndarray, last: float, day: float) -> Floats:
        """Logarithms (M,) of the marrow's count on a day, with the doses that are known on the last day."""
        given = cloud.schedule
        known = given if self.planned else carried(given, last, day)
        if known is given:
            there: Floats = cloud.log_true[cloud.at(day), picked].astype(np.float64)
            return there
        true: Floats = self.clouds.solved(cloud.theta(picked), known, np.array([day * HOURS]))[0]
        return true


_ORDER: Final[list[Floats]] = []


def _scrambled() -> Floats:
    """The numbers below `_MARROWS` in an order that has nothing to do with that of the draws, always the same."""
    if not _ORDER:
        _ORDER.append(np.random.default_rng(0).permutation(_MARROWS).astype(np.float64))
    return _ORDER[0]


def carried(given: Schedule, last: float, day: float) -> Schedule:
    """The doses known on the last day, and from then to `day` the mean daily dose of the days before it.

    The schedule itself where that is what was given.
    """
    hours = given.hour / HOURS
    before, later = hours <= last, (hours > last) & (hours <= day)
    recent = before & (hours > last - _RECENT)
    daily = float(given.amount[recent].sum()) / _RECENT
    days = np.arange(np.floor(last) + 1.0, np.floor(day) + 1.0) if daily > 0.0 else np.zeros(0)
    if later.sum() == days.size and np.allclose(given.amount[later], daily, rtol=0.01):
        return given
    kept = np.flatnonzero(before)
    drug = given.drug[kept[-1]] if kept.size else (given.drug[0] if given.drug else "")
    return Schedule(
        hour=np.concatenate([given.hour[kept], days * HOURS]),
        drug=(*(given.drug[k] for k in kept), *([drug] * days.size)),
        amount=np.concatenate([given.amount[kept], np.full(days.size, daily)]),
        hours=np.concatenate([given.hours[kept], np.zeros(days.size)]),
    )


class Pooled(Frozen, frozen=True, kw_only=True):
    """Several forecasters as one: each gives draws in proportion to its weight, which is learned (least mean CRPS)."""

    members: tuple[Forecaster, ...]
    weights: tuple[float, ...]
    name: str = "average"

    def learned(self, people: Sequence[Series], pairs: Sequence[Pair]) -> Pooled:
        """With members that learned, and weights from what these tell of the same people."""
        members = tuple(one.learned(people, pairs) for one in self.members)
        return replace(self, members=members, weights=_weights(members, pairs))

    def tell(self, history: Series, day: float) -> Floats:
        """Quantiles of each member's draws, as many as its weight."""
        many = np.round(np.array(self.weights) * _SHARES).astype(int)
        told = [
            np.quantile(one.tell(history, day), (np.arange(count) + 0.5) / count)
            for one, count in zip(self.members, many, strict=True)
            if count
        ]
        joined = np.concatenate(told)
        found: Floats = np.quantile(joined, (np.arange(_SHARES) + 0.5) / _SHARES)
        return found


_SHARES: Final = 200
_TAUGHT: Final = 400
_GRID: Final = 11


def _weights(members: Sequence[Forecaster], pairs: Sequence[Pair]) -> tuple[float, ...]:
    """The weights of two members with the least mean CRPS on some of the pairs."""
    from leuko.forecast.score.rules import crps  # noqa: PLC0415 (only here)

    some = pairs[:: max(1, len(pairs) // _TAUGHT)]
    seen = np.log(np.array([max(pair.seen, 1e-3) for pair in some]))
    best, least = (1.0, 0.0), np.inf
    drawn = [np.array([one.tell(pair.history, pair.day) for pair in some]) for one in members]
    for share in np.linspace(0.0, 1.0, _GRID):
        many = (round(_SHARES * (1 - share)), round(_SHARES * share))
        joined = np.concatenate(
            [np.quantile(d, (np.arange(m) + 0.5) / m, axis=1).T for d, m in zip(drawn, many, strict=True) if m], axis=1
        )
        found = float(crps(seen, joined).mean())
        if found < least:
            best, least = (1.0 - float(share), float(share)), found
    return best


def forecasters_of(
    row: TreatedRow,
    people: Mapping[str, Series],
    doses: Mapping[str, Schedule],
    *,
    library: Library,
    said: Callable[[str], None] = lambda _: None,
    solver: Solver | None = None,
) -> tuple[Forecaster, ...]:
    """The forecasters of a row for these people: the marrow model with doses, and its average with the level alone."""
    model, begin = build(model_row(row.model, library)), begin_of(row, library)
    level = level_of(next(one for one in library.rows(LevelRow) if one.id == row.level))
    clouds = Clouds(model=model, wide=begin, series=people, said=said, solver=solver)
    marrow = Treated(clouds=clouds, people=doses, residual=begin, name="leuko, marrow and doses")
    own = OwnLevel(level=level)
    shipped = Treated(clouds=clouds, people=doses, residual=shipped_of(model, library), name=SHIPPED, learns=False)
    return shipped, marrow, Pooled(members=(marrow, own), weights=(0.5, 0.5), name="leuko, marrow and level averaged")


def shipped_of(model: Model, library: Library) -> Residual:
    """The population of a model as it is on file and its error as a person's forecast has it: nothing is learned."""
    residual = with_swing(model, library).residual
    return Residual(
        mean=np.log(model.typical[[model.at(name) for name in model.random]]),
        spread=np.sqrt(np.diag(model.omega)),
        cut=_cut(model),
        shift=0.0,
        drift=0.0,
        tau=residual.fades / HOURS,
        swing=residual.sd * residual.lasting**0.5,
        noise=residual.sd * (1.0 - residual.lasting) ** 0.5,
        tails=NORMAL,
    )


def _cut(model: Model) -> tuple[int, float] | None:
    cut = [(model.random.index(name), float(np.log(at))) for name, at in model.ceilings if name in model.random]
    return cut[0] if cut else None


def begin_of(row: TreatedRow, library: Library) -> Residual:
    """Where learning begins: the population of a row's model, wider, and the swings of its level."""
    model = build(model_row(row.model, library))
    level = level_of(next(one for one in library.rows(LevelRow) if one.id == row.level))
    spread = row.widen * np.sqrt(np.diag(model.omega))
    more = np.array([row.further.get(name, 0.0) for name in model.random])
    return Residual(
        mean=np.log(model.typical[[model.at(name) for name in model.random]]),
        spread=np.hypot(spread, more),
        cut=_cut(model),
        shift=row.shift,
        drift=level.drift,
        tau=level.tau,
        swing=level.swing,
        noise=level.noise,
        tails=level.tails,
    )
