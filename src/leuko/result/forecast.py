"""When will it recover: a forecast, its distributions, and options weighed against it."""

from __future__ import annotations

from datetime import date, datetime
from importlib import import_module
from typing import Any, Literal

from leuko.frozen import Frozen
from leuko.result.core import Gap, Reason

Domain = Literal["inside", "soft", "outside"]
Method = Literal["marrow", "state_space"]


class Spread(Frozen, frozen=True, kw_only=True):
    """A distribution in quantiles: median and the central 50, 80 and 95 %.

    `never` is the share for whom it does not happen within the horizon (a recovery), `not_needed` the share for whom it
    need not (the count does not fall so low); the quantiles are of the others, and None where there are too few.
    """

    unit: str
    median: float | None
    inner: tuple[float, float] | None
    middle: tuple[float, float] | None
    outer: tuple[float, float] | None
    never: float = 0.0
    not_needed: float = 0.0


class AtCut(Frozen, frozen=True, kw_only=True):
    """What is asked at one cut [10*9/L]: the probability to fall below it, the days below it, the day [from `start`] on
    which the count, after its lowest, is back at or above it and stays so for days. Days below count up to there."""

    cut: float
    below: float
    days_below: Spread
    recovery: Spread


class Fan(Frozen, frozen=True, kw_only=True):
    """The coming counts at each time: quantiles [10*9/L] of the true count (without the error of a measurement).

    `levels` are the probabilities of `quantiles`, one tuple a level, each as long as `times`; `below` gives for each
    cut [10*9/L] the probability to lie below it at each time; `paths` are sample courses, drawn from the posterior.
    `measured` holds the ends of the central 80 % of a measured count, with its error (empty where none is given).
    """

    times: tuple[datetime, ...]
    levels: tuple[float, ...]
    quantiles: tuple[tuple[float, ...], ...]
    below: tuple[tuple[float, tuple[float, ...]], ...]
    paths: tuple[tuple[float, ...], ...]
    measured: tuple[tuple[float, ...], ...] = ()

    def to_numpy(self) -> dict[str, Any]:
        """The same as NumPy arrays by name, as in `leuko.report.frame.arrays`."""
        found: dict[str, Any] = import_module("leuko.report.frame").arrays(self)
        return found


class Chance(Frozen, frozen=True, kw_only=True):
    """A probability that was asked for (below 0.5 at all, the treat-day rule met on the planned day), and its rule."""

    id: str
    text: str
    probability: float
    on: date | None
    reason: Reason


class Fitting(Frozen, frozen=True, kw_only=True):
    """How the posterior was found: method, draws, effective sample size, Pareto k-hat, rounds, seed. `sound` is false
    where the diagnostics do not carry the conclusions (then the forecast is withheld)."""

    method: str
    draws: int
    effective: float
    khat: float
    rounds: int
    seed: int
    counts_used: int
    sound: bool
    text: str


class Estimate(Frozen, frozen=True, kw_only=True):
    """A parameter of a model: the 10th, 50th and 90th percentile of the model's people, with the covariates of this
    person (`prior`), and of this person given their counts (`posterior`). `learned` is the share of the variance of its
    logarithm that the counts take away: 0 where they tell nothing of it."""

    name: str
    unit: str
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]
    learned: float


class ModelUsed(Frozen, frozen=True, kw_only=True):
    """A model that spoke: its name, the people it was fitted on, whether this person lies in its domain, its weight in
    the mixture of models tried, the checks that it passed, and what the counts told of its parameters."""

    id: str
    title: str
    line: str
    population: str
    domain: Domain
    domain_text: str
    weight: float
    checks: tuple[str, ...]
    reason: Reason
    estimates: tuple[Estimate, ...] = ()


class Outcome(Frozen, frozen=True, kw_only=True):
    """What is asked of a course [days from `start`, 10*9/L]; `recovery_baseline` is the first return after the nadir to
    the person's own count without treatment."""

    nadir: Spread
    nadir_day: Spread
    cuts: tuple[AtCut, ...]
    recovery_baseline: Spread
    chances: tuple[Chance, ...]


class Option(Frozen, frozen=True, kw_only=True):
    """One way to go on with the next cycle, with what it costs: `changes` in words of the plan, dose intensity relative
    to the plan (1 = as planned), days of delay, daily doses of a growth factor beyond those planned, and the cycle it
    leads to. `outcome` is of that cycle alone, its days counted from `start`; `severe` the probability to fall below
    the severe cut in it, `ready` that the rules for the day of treatment are met on `start` (None: no rule is known).
    `pareto` is true where no other option is at least as good in all of severe, intensity, delay and growth factor, and
    better in one."""

    id: str
    text: str
    changes: tuple[str, ...]
    dose_intensity: float
    delay_days: float
    outcome: Outcome
    fan: Fan | None
    severe: float
    ready: float | None
    pareto: bool
    reason: Reason
    start: datetime | None = None
    factor_days: int = 0


class Forecast(Frozen, frozen=True, kw_only=True):
    """The coming course of one line. `start` is the instant that days are counted from (the last dose, else the last
    count). Where nothing can be said `fan` and `outcome` are None and `gaps` say why.

    `fan` is the course as planned, and `fan_text` says what that assumes; `outcome` is of the present cycle, as if
    nothing further were given. `next_dose` is the next treatment that is planned, from which `options` go on. `front`
    holds the options that a search found, `front_text` what it looked for. `cautions` are true of the whole forecast.
    """

    analyte: str
    method: Method
    start: datetime | None
    start_text: str
    horizon_days: float
    headline: str
    models: tuple[ModelUsed, ...]
    fan: Fan | None
    outcome: Outcome | None
    fitting: Fitting | None
    options: tuple[Option, ...]
    dosing: tuple[str, ...]
    reason: Reason
    gaps: tuple[Gap, ...]
    fan_text: str = ""
    next_dose: datetime | None = None
    severe_cut: float | None = None
    cautions: tuple[str, ...] = ()
    front: tuple[Option, ...] = ()
    front_text: str = ""
