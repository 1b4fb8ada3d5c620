"""People whose counts are taken every day and forecast from each day: is a fall foretold, and the day of recovery?

The design of Netterberg 2017: people are drawn from the model, a count with its error is made for every day, and each
day's forecast knows the counts up to that day alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from leuko.forecast.fit import course_of, fit
from leuko.forecast.fit.likelihood import reports
from leuko.forecast.fit.posterior import Posterior
from leuko.forecast.fit.prior import prior_of
from leuko.forecast.fit.task import batch_solver
from leuko.forecast.library import build, model_row
from leuko.forecast.model import Floats, Model, Observed, Schedule
from leuko.forecast.outcome import HOURS, Courses, first_return
from leuko.forecast.score.published import Checked
from leuko.forecast.score.variation import varied
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.truth import Claim, MonitoredRow

LEADS: Final = (1, 2, 3, 5)
CENTRAL: Final = 0.8
_STEP: Final = 0.25
_DRAWS: Final = 400
_EFFECTIVE: Final = 400.0

Say = Callable[[str], None]


class Foretold(Frozen, frozen=True, kw_only=True):
    """Of the `people` who fall below the cut, the share of whom it was foretold `lead` days before; `spared` of those
    who never do, the share of whom that was foretold on the middle one of these days."""

    lead: int
    people: int
    sensitivity: float
    spared: int
    specificity: float


class Recovered(Frozen, frozen=True, kw_only=True):
    """The day back at the own baseline, forecast on `day` for `people` who were not back yet: middle absolute error
    [d], share within the tolerance, share of true days in the central 80 %."""

    day: int
    people: int
    error: float
    within: float
    covered: float


class Monitored(Frozen, frozen=True, kw_only=True):
    """All of one study."""

    id: str
    title: str
    people: int
    severe: float
    foretold: tuple[Foretold, ...]
    recovered: tuple[Recovered, ...]
    checks: tuple[Checked, ...]


class _Person(Frozen, frozen=True, kw_only=True):
    """What is true of one person (`falls`: first day below the cut, infinite if never; `back`: day at the baseline
    again), and what was forecast on each day: `chance` (D,) of a fall yet to come, quantiles (3, D) of the day back."""

    falls: float
    back: float
    chance: Floats
    told: Floats


def monitored(row: MonitoredRow, library: Library, *, quick: bool, seed: int, said: Say = lambda _: None) -> Monitored:
    """Simulate the people of a study, forecast each of them day by day, and hold the forecasts against the truth."""
    many = row.quick_people if quick else row.people
    said(f"{row.title}: {many} people, forecast from each of {row.last + 1} days")
    model = build(varied(model_row(row.model, library), fixed=row.fixed), library=library)
    schedule = Schedule(hour=np.zeros(1), drug=(row.drug,), amount=np.array([row.amount]), hours=np.array([row.hours]))
    days, counts, baseline, made = _drawn(row, model, schedule, many, seed)
    people = []
    for at in range(many):
        true = Courses(days=days, counts=counts[:, [at]], baseline=baseline[[at]])
        people.append(_followed(row, model, schedule, true=true, made=made[:, at], seed=seed + at))
        if at % 20 == 19 and at + 1 < many:
            said(f"{row.title}: {at + 1} of {many} people")
    return _judged(row, people)


def _drawn(
    row: MonitoredRow, model: Model, schedule: Schedule, many: int, seed: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Days (T,), true counts (T, N), baselines (N,), and the reports (D, N) of every day up to the last."""
    rng = np.random.default_rng(seed)
    prior = prior_of(model)
    z = rng.standard_normal((prior.size, many))
    while (outside := np.flatnonzero(~np.isfinite(prior.log_density(z)))).size:
        z[:, outside] = rng.standard_normal((prior.size, outside.size))
    theta = prior.theta(z)
    days = np.arange(0.0, row.until + _STEP, _STEP)
    counts = np.asarray(batch_solver()(model, theta, schedule, hours=days * HOURS).counts, dtype=np.float64)
    every = round(1 / _STEP)
    daily = counts[: row.last * every + 1 : every]
    made = reports(np.log(daily), np.arange(row.last + 1.0), model.residual, rng)
    return days, counts, theta[model.at("circ0")], made


def _followed(
    row: MonitoredRow, model: Model, schedule: Schedule, *, true: Courses, made: Floats, seed: int
) -> _Person:
    """One person's forecasts; the posterior of each day starts from that of the day before."""
    chances, told = [], []
    before: Posterior | None = None
    for day in range(row.last + 1):
        seen = Observed(hour=np.arange(day + 1.0) * HOURS, value=made[: day + 1])
        before = fit(model, schedule, seen, seed=seed, least_effective=_EFFECTIVE, previous=before)
        course = course_of(before, schedule, hours=true.days * HOURS, seed=seed, draws=_DRAWS, threads=1)
        drawn = Courses(days=true.days, counts=course.counts, baseline=course.baseline)
        ahead = drawn.between(day + _STEP / 2, row.until)
        chances.append(float(np.mean(ahead.counts.min(axis=0) < row.severe)))
        told.append(np.quantile(_back(drawn), (0.5 - CENTRAL / 2, 0.5, 0.5 + CENTRAL / 2)))
    low = np.flatnonzero(true.counts[:, 0] < row.severe)
    return _Person(
        falls=float(true.days[low[0]]) if low.size else np.inf,
        back=float(_back(true)[0]),
        chance=np.array(chances),
        told=np.array(told).T,
    )


def _back(courses: Courses) -> Floats:
    """The day (N,) of the first return to the baseline; the end of the time where there is none."""
    day, never, was = first_return(courses, courses.baseline)
    return np.where(never & was, courses.days[-1], day)


def _judged(row: MonitoredRow, people: list[_Person]) -> Monitored:
    foretold = tuple(_foretold(row, people, lead) for lead in LEADS)
    recovered = tuple(_recovered(row, people))
    found = {"sensitivity": foretold[0].sensitivity, "lead": _lead(row, recovered)}
    return Monitored(
        id=row.id,
        title=row.title,
        people=len(people),
        severe=row.severe,
        foretold=foretold,
        recovered=recovered,
        checks=tuple(_checked(row, claim, found[claim.what]) for claim in row.claims),
    )


def _foretold(row: MonitoredRow, people: list[_Person], lead: int) -> Foretold:
    """The forecast of the last whole day that lies `lead` days or less, but not none, before the fall."""
    fallen = [(one, int(np.ceil(one.falls)) - lead) for one in people if np.isfinite(one.falls)]
    asked = [(one, day) for one, day in fallen if 0 <= day <= row.last]
    spared = [one for one in people if not np.isfinite(one.falls)]
    middle = int(np.median([day for _, day in asked])) if asked else 0
    return Foretold(
        lead=lead,
        people=len(asked),
        sensitivity=_share([bool(one.chance[day] >= row.chance) for one, day in asked]),
        spared=len(spared),
        specificity=_share([bool(one.chance[middle] < row.chance) for one in spared]),
    )


def _share(said: list[bool]) -> float:
    return sum(said) / len(said) if said else float("nan")


def _recovered(row: MonitoredRow, people: list[_Person]) -> Iterator[Recovered]:
    for day in range(row.last + 1):
        waiting = [one for one in people if one.back > day]
        if not waiting:
            continue
        true, told = np.array([one.back for one in waiting]), np.array([one.told[:, day] for one in waiting])
        away = np.abs(told[:, 1] - true)
        yield Recovered(
            day=day,
            people=len(waiting),
            error=float(np.median(away)),
            within=float(np.mean(away <= row.within)),
            covered=float(np.mean((told[:, 0] <= true) & (true <= told[:, 2]))),
        )


def _lead(row: MonitoredRow, recovered: tuple[Recovered, ...]) -> float:
    """How many days before the typical day half of the forecasts are within the tolerance, that day and after."""
    good = [
        one.day for one in recovered if all(later.error <= row.within for later in recovered if later.day >= one.day)
    ]
    return row.typical - min(good) if good else 0.0


def _checked(row: MonitoredRow, claim: Claim, found: float) -> Checked:
    return Checked(
        id=f"{row.id}-{claim.what}",
        model=row.model,
        what=claim.what,
        dose=f"{row.title}: {claim.title}",
        expected=claim.expected,
        tolerance=claim.tolerance,
        found=found,
        kind="published",
        misses=claim.misses,
        why=claim.why,
        at_least=claim.at_least,
    )
