"""Predictive checks: percentiles of people made by a model, beside those of people really counted.

Visual predictive check: Karlsson MO, Holford N. A tutorial on visual predictive checks. PAGE 17 (2008), abstract 1434.
Where there are real counts, each person is made anew many times under their own doses, with a count (and its error) on
the days of their own counts; percentiles of the real counts in stretches of time are held against the range of the same
percentiles over the cohorts made. Elsewhere people are made under the usual doses, and the typical person and published
numbers stand beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from leuko.errors import UnreadableInput
from leuko.forecast.fit.likelihood import reports
from leuko.forecast.fit.prior import prior_of
from leuko.forecast.fit.task import batch_solver
from leuko.forecast.learn.people import Person, cohort_of, model_for
from leuko.forecast.library import build, model_row
from leuko.forecast.model import Floats, Model, Schedule
from leuko.forecast.outcome import HOURS
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.levels import PublishedRow
from leuko.knowledge.schema.truth import PredictiveRow

PERCENTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
SHOWN: Final = (0.05, 0.5, 0.95)
_PEOPLE: Final = {True: 1000, False: 4000}
_COHORTS: Final = {True: 30, False: 100}
_STRETCHES: Final = 12
_STEP: Final = 0.5

Say = Callable[[str], None]


class Marked(Frozen, frozen=True, kw_only=True):
    """A published number as a point of the figure: day, count [10*9/L], and what it is."""

    day: float
    count: float
    text: str


class Simulated(Frozen, frozen=True, kw_only=True):
    """People made by a model: `days` (T,), percentiles (5, T) of their true counts, outer percentiles (2, T) of counts
    as a laboratory would report them, the typical person (T,) [10*9/L]."""

    model: str
    title: str
    line: str
    people: int
    days: tuple[float, ...]
    true: tuple[tuple[float, ...], ...]
    reported: tuple[tuple[float, ...], ...]
    typical: tuple[float, ...]
    marks: tuple[Marked, ...]


class Stretch(Frozen, frozen=True, kw_only=True):
    """One stretch of time from `start` to `end` [d]: the middle `day` of its `counts`, percentiles (3,) `seen`, and
    those of cohorts made by the model: `middle`, and the central 95 % from `low` to `high` (3,) [10*9/L]."""

    day: float
    start: float
    end: float
    counts: int
    seen: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]


class Against(Frozen, frozen=True, kw_only=True):
    """A model against real counts; `inside` is the share of percentiles seen that lie within what the model makes."""

    model: str
    source: str
    people: int
    counts: int
    stretches: tuple[Stretch, ...]

    @property
    def inside(self) -> float:
        """Of all percentiles of all stretches."""
        found = [
            low <= seen <= high
            for one in self.stretches
            for low, seen, high in zip(one.low, one.seen, one.high, strict=True)
        ]
        return sum(found) / len(found) if found else float("nan")


def simulated(library: Library, *, quick: bool, seed: int, said: Say = lambda _: None) -> tuple[Simulated, ...]:
    """People of every model that has a row `predictive`."""
    return tuple(_simulated(row, library, _PEOPLE[quick], seed, said) for row in library.rows(PredictiveRow))


def _simulated(row: PredictiveRow, library: Library, many: int, seed: int, said: Say) -> Simulated:
    said(f"predictive check of {row.model}: {row.title}, {many} people")
    model = build(model_row(row.model, library), drugs=row.drugs, library=library)
    schedule = _schedule(row, model)
    days = np.arange(0.0, row.until + _STEP, _STEP)
    rng = np.random.default_rng(seed)
    theta = np.concatenate([_people(model, many, rng), model.typical[:, None]], axis=1)
    run = batch_solver()(model, theta, schedule, hours=days * HOURS)
    counts = np.asarray(run.counts, dtype=np.float64)
    own = counts[:, :-1][:, ~run.failed[:-1]]
    # several reports of each person, so that the outer percentiles are smooth
    made = reports(np.log(np.maximum(np.tile(own, _REPORTS), _LEAST)), days, model.residual, rng)
    return Simulated(
        model=row.model,
        title=row.title,
        line=model.line,
        people=own.shape[1],
        days=_plain(days),
        true=tuple(_plain(line) for line in np.quantile(own, PERCENTILES, axis=1)),
        reported=tuple(_plain(line) for line in np.quantile(made, (SHOWN[0], SHOWN[-1]), axis=1)),
        typical=_plain(counts[:, -1]),
        marks=tuple(_marks(row, library)),
    )


_LEAST: Final = 1e-6
_REPORTS: Final = 8


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in values)


def _people(model: Model, many: int, rng: np.random.Generator) -> Floats:
    """Parameters (P, N) of people of the model, below its ceilings."""
    prior = prior_of(replace(model, occasion=None))
    z = rng.standard_normal((prior.size, many))
    while (outside := np.flatnonzero(~np.isfinite(prior.log_density(z)))).size:
        z[:, outside] = rng.standard_normal((prior.size, outside.size))
    return prior.theta(z)


def _schedule(row: PredictiveRow, model: Model) -> Schedule:
    part = model.drugs[0]
    doses = sorted(
        ((day + more) * HOURS, mg * part.per_mg, length)
        for day, mg, length, times in row.doses
        for more in range(times)
    )
    hour, amount, length = (np.array(column) for column in zip(*doses, strict=True))
    return Schedule(hour=hour, drug=(part.drug,) * len(doses), amount=amount, hours=length)


def _marks(row: PredictiveRow, library: Library) -> Iterator[Marked]:
    """Published nadirs and their days for the same first dose, where both are known."""
    rows = [one for one in library.rows(PublishedRow) if one.model == row.model and one.doses[:1] == row.doses[:1]]
    nadirs = [one for one in rows if one.what == "nadir"]
    days = [one for one in rows if one.what == "nadir_day"]
    for depth, when in zip(nadirs, days, strict=False):
        yield Marked(day=when.expected, count=depth.expected, text=f"nadir of the typical person ({depth.kind} number)")


def against(
    folder: Path, library: Library, *, quick: bool, seed: int, said: Say = lambda _: None
) -> tuple[Against, ...]:
    """Every model whose row says that real counts are of its medicine, against people made under the same doses.

    Nothing where the folder has no doses beside its counts.
    """
    found = []
    for row in (one for one in library.rows(PredictiveRow) if one.real):
        source = model_row(row.model, library)
        try:
            cohort = cohort_of(folder, row=source, library=library)
        except UnreadableInput:
            continue
        people = cohort.people[:: max(1, round(len(cohort.people) / _QUICK))] if quick else cohort.people
        said(f"predictive check of {row.model} on {len(people)} people of {folder.name}")
        models = [model_for(source, person) for person in people]
        found.append(_against(row.model, folder.name, people, models, cohorts=_COHORTS[quick], seed=seed))
    return tuple(found)


_QUICK: Final = 20


def _against(
    name: str, source: str, people: Sequence[Person], models: Sequence[Model], *, cohorts: int, seed: int
) -> Against:
    rng = np.random.default_rng(seed)
    days = np.concatenate([one.observed.hour / HOURS for one in people])
    seen = np.concatenate([one.observed.value for one in people])
    made = np.concatenate([_again(person, model, cohorts, rng) for person, model in zip(people, models, strict=True)])
    edges = np.unique(np.quantile(days, np.linspace(0.0, 1.0, _STRETCHES + 1)))
    where = np.clip(np.searchsorted(edges, days, side="right") - 1, 0, edges.size - 2)
    stretches = tuple(
        _stretch(days[where == at], seen[where == at], made[where == at], (edges[at], edges[at + 1]))
        for at in range(edges.size - 1)
    )
    return Against(model=name, source=source, people=len(people), counts=int(seen.size), stretches=stretches)


def _again(person: Person, model: Model, cohorts: int, rng: np.random.Generator) -> Floats:
    """Counts (K, C) of one person made anew, on the days of their own, as a laboratory would report them."""
    hours = np.asarray(person.observed.hour, dtype=np.float64)
    shift = min(0.0, float(hours.min()), float(person.schedule.hour.min(initial=0.0)))
    schedule = replace(person.schedule, hour=person.schedule.hour - shift)
    run = batch_solver()(model, _people(model, cohorts, rng), schedule, hours=hours - shift)
    true = np.maximum(np.nan_to_num(np.asarray(run.counts, dtype=np.float64), nan=_LEAST), _LEAST)
    return reports(np.log(true), hours, model.residual, rng)


def _stretch(days: Floats, seen: Floats, made: Floats, ends: tuple[float, float]) -> Stretch:
    cohorts = np.quantile(made, SHOWN, axis=0)
    low, middle, high = np.quantile(cohorts, (0.025, 0.5, 0.975), axis=1)
    return Stretch(
        day=float(np.median(days)),
        start=float(ends[0]),
        end=float(ends[1]),
        counts=int(seen.size),
        seen=_plain(np.quantile(seen, SHOWN)),
        low=_plain(low),
        middle=_plain(middle),
        high=_plain(high),
    )
