"""Counts without a marrow model: a level of the person's own, to which they come back, with or without a rhythm.

The logarithm of the count is the sum of a level that drifts slowly (random walk), a swing that dies away
(Ornstein-Uhlenbeck process) and, for a cyclic count, a wave of the period found (two states that turn with it). A
measurement adds its own error. Everything is Gaussian and exact at any spacing of the counts (Kalman filter; Durbin
and Koopman, Time Series Analysis by State Space Methods, 2nd ed., ch. 4), but for two things: a bound ("<0.1") enters
by the moments of the truncated normal, and what is predicted has the heavier tails of Student's t with the same
variance, as real counts have them.

Days from any origin; counts in 10*9/L.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from leuko.forecast.model import Floats
from leuko.forecast.normal import log_normal_below
from leuko.frozen import Frozen, replace

# The lowest count that a logarithm is taken of: a count printed as 0 was below the least that is counted.
FLOOR: Final = 1e-3


class Level(Frozen, frozen=True, kw_only=True):
    """How counts move, on the log scale: people differ in their level by `level_sd` about `level`; it drifts by `drift`
    per root day; swings have SD `swing` and die away with `tau` [days]; a measurement has SD `noise`; predictions have
    `tails` degrees of freedom. `wave` is the SD of a rhythm's amplitude and `period` its length [days], 0 and None
    where there is none; `fade` [days] how soon a rhythm forgets its phase."""

    level: float
    level_sd: float
    drift: float
    tau: float
    swing: float
    noise: float
    tails: float
    wave: float = 0.0
    period: float | None = None
    fade: float = float("inf")


class Series(Frozen, frozen=True, kw_only=True):
    """One person's counts in time order: days, values [10*9/L], bounds ("=", "<", …), further SD on the log scale.

    `person` is their name where a table gives one.
    """

    days: Floats
    values: Floats
    bounds: tuple[str, ...] = ()
    extra: Floats | None = None
    person: str = ""

    def __len__(self) -> int:
        return self.days.size

    def bound(self, k: int) -> str:
        """The bound of one count."""
        return self.bounds[k] if self.bounds else "="

    def log(self, k: int) -> float:
        """The logarithm of one count."""
        return float(np.log(max(float(self.values[k]), FLOOR)))


class State(Frozen, frozen=True, kw_only=True):
    """What is known at one day: mean (S,) and covariance (S, S) of level, swing and, with a rhythm, its two states."""

    day: float
    mean: Floats
    cov: Floats


class Ahead(Frozen, frozen=True, kw_only=True):
    """What was expected of a count before it was seen: mean and SD of its logarithm, with the measurement's error."""

    day: float
    mean: float
    sd: float
    tails: float


def start(level: Level, day: float) -> State:
    """What is known of a person before any count."""
    mean, variance = [level.level, 0.0], [level.level_sd**2, level.swing**2]
    if level.period is not None:
        mean, variance = [*mean, 0.0, 0.0], [*variance, level.wave**2, level.wave**2]
    return State(day=day, mean=np.array(mean), cov=np.diag(variance))


def move(level: Level, state: State, day: float) -> State:
    """The state at a later day."""
    step, noise = _transition(level, day - state.day)
    return State(day=day, mean=step @ state.mean, cov=step @ state.cov @ step.T + noise)


def _transition(level: Level, days: float) -> tuple[Floats, Floats]:
    """Transition matrix and covariance of what is new after so many days."""
    kept = np.exp(-days / level.tau)
    size = 2 if level.period is None else 4
    step, noise = np.eye(size), np.zeros((size, size))
    step[1, 1] = kept
    noise[0, 0], noise[1, 1] = level.drift**2 * days, level.swing**2 * (1 - kept**2)
    if level.period is not None:
        turn, stays = 2 * np.pi * days / level.period, np.exp(-days / level.fade)
        step[2:, 2:] = stays * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        noise[2, 2] = noise[3, 3] = level.wave**2 * (1 - stays**2)
    return step, noise


def _seen(state: State) -> Floats:
    """The row that adds the states up to the logarithm of the count."""
    return np.array([1.0, 1.0]) if state.mean.size == 2 else np.array([1.0, 1.0, 1.0, 0.0])


def expect(level: Level, state: State, extra: float = 0.0) -> Ahead:
    """What is expected of a measurement now."""
    row = _seen(state)
    variance = float(row @ state.cov @ row) + level.noise**2 + extra**2
    return Ahead(day=state.day, mean=float(row @ state.mean), sd=variance**0.5, tails=level.tails)


def learn_of(level: Level, state: State, log_count: float, bound: str = "=", extra: float = 0.0) -> State:
    """The state after a count; a bound tells that the count lies below (or above) it."""
    row, ahead = _seen(state), expect(level, state, extra)
    gain = state.cov @ row / ahead.sd**2
    if bound == "=":
        moved, kept = log_count - ahead.mean, 1.0
    else:
        moved, shrunk = _truncated((log_count - ahead.mean) / ahead.sd, upper=bound.startswith("<"))
        moved, kept = moved * ahead.sd, 1.0 - shrunk
    cov = state.cov - kept * np.outer(gain, row @ state.cov)
    return State(day=state.day, mean=state.mean + gain * moved, cov=(cov + cov.T) / 2)


def _truncated(limit: float, *, upper: bool) -> tuple[float, float]:
    """Mean and variance of a standard normal below (or above) a limit."""
    z = limit if upper else -limit
    ratio = float(np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_normal_below(np.asarray(z))))
    mean = -ratio
    return (mean if upper else -mean), max(1.0 - z * ratio - ratio * ratio, 0.0)


def run(level: Level, series: Series) -> Iterator[tuple[Ahead, State]]:
    """Walk over the counts: what was expected of each, and the state after it."""
    state = start(level, float(series.days[0]))
    for k in range(len(series)):
        extra = 0.0 if series.extra is None else float(series.extra[k])
        state = move(level, state, float(series.days[k]))
        ahead = expect(level, state, extra)
        state = learn_of(level, state, series.log(k), series.bound(k), extra)
        yield ahead, state


def after(level: Level, series: Series) -> State:
    """The state after all counts."""
    state = None
    for _, state in run(level, series):  # noqa: B007 (the last one is asked for)
        pass
    if state is None:
        raise ValueError("a state needs at least one count")
    return state


def log_likelihood(level: Level, series: Series) -> float:
    """The log density of the counts, each given those before it (Student's t; a bound by its probability)."""
    return sum(_density(ahead, series.log(k), series.bound(k)) for k, (ahead, _) in enumerate(run(level, series)))


def _density(ahead: Ahead, log_count: float, bound: str) -> float:
    from scipy.stats import t as student  # noqa: PLC0415 (heavy; only fits and bounds ask for it)

    scale = spread(ahead)
    z = (log_count - ahead.mean) / scale
    if bound == "=":
        return float(student.logpdf(z, ahead.tails) - np.log(scale))
    return float(student.logcdf(z if bound.startswith("<") else -z, ahead.tails))


def spread(ahead: Ahead) -> float:
    """The scale of the Student's t that has the variance of what is expected."""
    return float(ahead.sd * np.sqrt((ahead.tails - 2) / ahead.tails))


def courses(level: Level, state: State, days: Floats, *, draws: int, rng: np.random.Generator) -> Floats:
    """Sample courses (T, N) of the true count [10*9/L] at later `days`, drawn jointly over time.

    Each course has one heaviness of its own, so that at every day the draws follow the Student's t of that day.
    """
    heavy = np.sqrt((level.tails - 2) / rng.chisquare(level.tails, draws))
    row = _seen(state)
    mean, now = state.mean, state
    apart = _root(state.cov) @ rng.standard_normal((state.mean.size, draws))
    found = np.empty((days.size, draws))
    for k, day in enumerate(days):
        step, noise = _transition(level, float(day) - now.day)
        mean = step @ mean
        apart = step @ apart + _root(noise) @ rng.standard_normal((mean.size, draws))
        now = replace(now, day=float(day))
        found[k] = row @ mean + (row @ apart) * heavy
    return np.exp(found)


def _root(cov: Floats) -> Floats:
    """A square root of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(cov)
    root: Floats = vectors * np.sqrt(np.clip(values, 0.0, None))
    return root


def probability_below(ahead: Ahead, cut: float) -> float:
    """The probability that a measurement lies below a cut [10*9/L]."""
    from scipy.stats import t as student  # noqa: PLC0415 (heavy)

    return float(student.cdf((np.log(cut) - ahead.mean) / spread(ahead), ahead.tails))


def refit(people: Sequence[Series], begin: Level, *, penalty: float = 0.01) -> Level:
    """The level, drift, swing, noise and tails that make many people's counts most likely (maximum likelihood).

    `penalty` holds the logarithms of the parameters near those of `begin` (a ridge), so that one clinic's few people
    cannot send them to infinity. Raises ValueError without a person who has two counts.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 (heavy)

    told = [series for series in people if len(series) > 1]
    if not told:
        raise ValueError("to learn how counts move, at least one person needs two counts")
    origin = _pack(begin)

    def cost(point: Floats) -> float:
        level = _unpack(begin, point)
        return penalty * float(np.square(point - origin).sum()) - sum(_quick(level, series) for series in told)

    found = minimize(cost, origin, method="Nelder-Mead", options={"maxiter": 3000, "xatol": 5e-3, "fatol": 5e-2})
    return _unpack(begin, found.x)


_POSITIVE: Final = ("level_sd", "drift", "tau", "swing", "noise")


def _pack(level: Level) -> Floats:
    return np.array([level.level, *(np.log(getattr(level, name)) for name in _POSITIVE), np.log(level.tails - 2)])


def _unpack(begin: Level, point: Floats) -> Level:
    named = dict(zip(_POSITIVE, np.exp(point[1:-1]).tolist(), strict=True))
    return replace(begin, level=float(point[0]), tails=2 + float(np.exp(point[-1])), **named)


def _quick(level: Level, series: Series) -> float:
    """`log_likelihood`, without the cost of arrays for the two states of a level and a swing."""
    if level.period is not None or any(bound != "=" for bound in series.bounds) or series.extra is not None:
        return log_likelihood(level, series)
    from math import exp, lgamma, log, log1p, pi  # noqa: PLC0415

    mean, swing = level.level, 0.0
    a, b, c = level.level_sd**2, 0.0, level.swing**2  # variances of level and swing about the covariance
    nu, total, before = level.tails, 0.0, float(series.days[0])
    constant = lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log((nu - 2) * pi)
    for k in range(len(series)):
        days = float(series.days[k]) - before
        kept, before = exp(-days / level.tau), before + days
        swing, b = kept * swing, kept * b
        a, c = a + level.drift**2 * days, kept * kept * c + level.swing**2 * (1 - kept * kept)
        first, second = a + b, b + c
        variance = first + second + level.noise**2
        miss = series.log(k) - mean - swing
        total += constant - 0.5 * log(variance) - (nu + 1) / 2 * log1p(miss * miss / ((nu - 2) * variance))
        mean, swing = mean + first / variance * miss, swing + second / variance * miss
        a, b, c = a - first * first / variance, b - first * second / variance, c - second * second / variance
    return total
