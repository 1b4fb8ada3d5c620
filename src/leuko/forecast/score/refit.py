"""A population learned anew from people whom the model itself made: does it come out as it went in?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leuko.forecast.fit.likelihood import reports
from leuko.forecast.fit.prior import prior_of
from leuko.forecast.fit.task import batch_solver
from leuko.forecast.learn import Person, learn
from leuko.forecast.learn.population import population_of
from leuko.forecast.library import build, model_row
from leuko.forecast.model import Model, Observed, Schedule
from leuko.forecast.outcome import HOURS
from leuko.forecast.score.published import Checked
from leuko.forecast.score.variation import varied
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.forecast import ModelRow
from leuko.knowledge.schema.truth import RefitRow

RESIDUAL = "residual"
# Pseudo-people for the starting values: next to none, so that they decide nothing.
_WEIGHT = 0.01

Say = Callable[[str], None]


class Refitted(Frozen, frozen=True, kw_only=True):
    """One parameter: what people were made with, what was learned from them and its standard error, and what the
    source's own refit gave (NaN: not printed)."""

    model: str
    title: str
    name: str
    people: int
    true: float
    found: float
    error: float
    theirs: float


def refitted(
    row: RefitRow, library: Library, *, quick: bool, seed: int, said: Say = lambda _: None
) -> tuple[tuple[Refitted, ...], tuple[Checked, ...]]:
    """Make the people of a row, learn the population from them, and hold it against the truth."""
    many = row.quick_people if quick else row.people
    source = varied(model_row(row.model, library), fixed=row.fixed)
    people = _made(row, build(source, library=library), many, seed)
    free = varied(source, freed=row.freed, sd=row.freed_sd)
    begin = population_of(build(free, library=library))
    said(f"refit of {row.model}: {row.title}, {many} people")
    away = replace(begin, mean=begin.mean + row.away)
    learned = learn(
        free, people, rounds=row.rounds, seed=seed, prior_weight=_WEIGHT, begin=away, said=_quietly(row, said)
    )
    values = dict(zip(learned.population.names, np.exp(learned.population.mean).tolist(), strict=True))
    errors = dict(zip(learned.population.names, learned.uncertainty.mean.tolist(), strict=True))
    values[RESIDUAL], errors[RESIDUAL] = learned.population.sd, learned.uncertainty.sd
    truth = _truth(source, tuple(row.theirs))
    found = tuple(
        Refitted(
            model=row.model,
            title=row.title,
            name=name,
            people=many,
            true=truth[name],
            found=values[name],
            error=errors[name] * values[name],
            theirs=theirs,
        )
        for name, theirs in row.theirs.items()
    )
    return found, tuple(_checked(row, one) for one in found)


def _quietly(row: RefitRow, said: Say) -> Say:
    return lambda text: said(f"refit of {row.model}: {text}") if "log evidence" in text else None


def _truth(source: ModelRow, names: tuple[str, ...]) -> dict[str, float]:
    known = {parameter.name: parameter.value for parameter in source.parameters}
    if source.residual is not None:
        known[RESIDUAL] = source.residual.sd
    return {name: known[name] for name in names}


def _made(row: RefitRow, model: Model, many: int, seed: int) -> list[Person]:
    """People of the model with their counts; a count of nothing is what it takes to be below the least printed."""
    rng = np.random.default_rng(seed)
    prior = prior_of(model)
    size = len(row.dose_days)
    schedule = Schedule(
        hour=np.array(row.dose_days) * HOURS,
        drug=(row.drug,) * size,
        amount=np.full(size, row.amount),
        hours=np.full(size, row.hours),
    )
    hours = np.array(row.count_days) * HOURS
    true = batch_solver()(model, prior.theta(rng.standard_normal((prior.size, many))), schedule, hours=hours).counts
    made = reports(np.log(np.asarray(true, dtype=np.float64)), hours, model.residual, rng)
    return [
        Person(name=f"{at:03}", schedule=schedule, observed=Observed(hour=hours, value=made[:, at]))
        for at in range(many)
    ]


def _checked(row: RefitRow, one: Refitted) -> Checked:
    return Checked(
        id=f"{row.id}-{one.name}",
        model=row.model,
        what=one.name,
        dose=f"refit, {one.people} of {row.title}",
        expected=one.true,
        tolerance=row.errors * one.error,
        found=one.found,
        kind="published",
        misses=False,
        why="",
    )
