"""What is asked of simulated courses: nadir, days below a cut, recovery; as distributions over the draws.

Courses are (T, N): rows are times, columns equally likely draws. Between two times the logarithm of the count is
taken to run straight, as in an exponential fall or rise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.model import Floats
from leuko.result.forecast import AtCut, Chance, Outcome, Spread

HOURS: Final = 24.0
LEVELS: Final = (0.025, 0.10, 0.25, 0.5, 0.75, 0.90, 0.975)
# Quantiles of fewer draws than this say more about the draws than about the person.
FEWEST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Courses:
    """Simulated courses: `days` (T,) from the start of the forecast, `counts` (T, N) [10*9/L], each draw's own baseline
    (N,) [10*9/L]."""

    days: Floats
    counts: Floats
    baseline: Floats

    def between(self, first: float, last: float) -> Courses:
        """The part from one day to another, both included."""
        inside = (self.days >= first) & (self.days <= last)
        return Courses(days=self.days[inside], counts=self.counts[inside], baseline=self.baseline)


def spread_of(
    values: Floats, unit: str, *, never: NDArray[np.bool_] | None = None, needed: NDArray[np.bool_] | None = None
) -> Spread:
    """Quantiles of the draws for which it happens; shares of those for which it does not, and need not."""
    no = np.zeros(values.shape, dtype=bool)
    late = no if never is None else never
    idle = no if needed is None else ~needed
    told = values[~(late | idle)]
    shares = {"never": float(np.mean(late & ~idle)), "not_needed": float(np.mean(idle))}
    if told.size < FEWEST:
        return Spread(unit=unit, median=None, inner=None, middle=None, outer=None, **shares)
    q = [float(value) for value in np.quantile(told, LEVELS)]
    return Spread(unit=unit, median=q[3], inner=(q[2], q[4]), middle=(q[1], q[5]), outer=(q[0], q[6]), **shares)


def days_below(courses: Courses, cut: float, *, until: Floats | float = inf) -> Floats:
    """Days (N,) that each draw spends below `cut`, in steps that begin before its day `until`."""
    height = np.log(courses.counts) - np.log(cut)
    before, after = height[:-1], height[1:]
    low, high = np.minimum(before, after), np.maximum(before, after)
    width = np.where(high > low, high - low, 1.0)
    share = np.where(high < 0, 1.0, np.where(low >= 0, 0.0, np.clip(-low / width, 0.0, 1.0)))
    length = np.diff(courses.days)[:, None] * (courses.days[:-1, None] < until)
    days: Floats = (share * length).sum(axis=0)
    return days


def recovery(
    courses: Courses, cut: Floats | float, *, until: float = inf, hold: float = inf
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """When each draw is back at or above `cut` after its lowest count up to day `until`, and stays so for `hold` days
    (or to the end of the horizon): day (N,), not within the horizon (N,), was below by `until` (N,)."""
    height = np.log(courses.counts) - np.log(cut)
    below = height < 0
    was: NDArray[np.bool_] = np.asarray(below[courses.days <= until].any(axis=0))
    rows = np.arange(below.shape[0])[:, None]
    # the row of the next time below, at or after each row; one past the end where there is none
    ahead = np.minimum.accumulate(np.where(below, rows, below.shape[0])[::-1], axis=0)[::-1]
    clear = np.append(courses.days, inf)[ahead] > courses.days[:, None] + hold
    back = ~below & (clear | (ahead == below.shape[0])) & (rows > _lowest(courses, until))
    never: NDArray[np.bool_] = np.asarray(~back.any(axis=0))
    return _crossing(courses, height, np.maximum(np.argmax(back, axis=0), 1)), never, was


def _lowest(courses: Courses, until: float) -> NDArray[np.intp]:
    """The row (N,) of the lowest count up to day `until`."""
    found: NDArray[np.intp] = np.argmin(courses.counts[courses.days <= until], axis=0)
    return found


def _crossing(courses: Courses, height: Floats, first: NDArray[np.intp]) -> Floats:
    """The day (N,), before the row `first`, on which the height over the cut goes through zero."""
    draws = np.arange(height.shape[1])
    start, stop = height[first - 1, draws], height[first, draws]
    rise = np.where(stop > start, stop - start, 1.0)
    part = np.clip(-start / rise, 0.0, 1.0)
    day: Floats = courses.days[first - 1] + part * (courses.days[first] - courses.days[first - 1])
    return day


def first_return(
    courses: Courses, cut: Floats | float, *, until: float = inf
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """As `recovery`, for the first time after the nadir: a marrow that settles swings a little about its baseline."""
    height = np.log(courses.counts) - np.log(cut)
    was: NDArray[np.bool_] = np.asarray((height < 0).any(axis=0))
    rows = np.arange(height.shape[0])[:, None]
    back = (height >= 0) & (rows > _lowest(courses, until))
    never: NDArray[np.bool_] = np.asarray(~back.any(axis=0))
    return _crossing(courses, height, np.maximum(np.argmax(back, axis=0), 1)), never, was


def nadir(courses: Courses, *, until: float = inf) -> tuple[Floats, Floats]:
    """Depth [10*9/L] and day of the lowest count of each draw up to day `until`, both (N,)."""
    at = _lowest(courses, until)
    return courses.counts[at, np.arange(courses.counts.shape[1])], courses.days[at]


def at_cut(courses: Courses, cut: float, *, until: float = inf, hold: float = inf) -> AtCut:
    """Everything that is asked at one cut; days below it count up to the recovery."""
    size = courses.counts.shape[1]
    day, days = np.zeros(size), np.zeros(size)
    never, was = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    some = np.flatnonzero((courses.counts < cut).any(axis=0))  # nothing is asked of draws that never fall below
    if some.size:
        fallen = Courses(days=courses.days, counts=courses.counts[:, some], baseline=courses.baseline[some])
        day[some], never[some], was[some] = recovery(fallen, cut, until=until, hold=hold)
        ends = np.where(never[some], inf, np.where(was[some], day[some], -inf))
        days[some] = days_below(fallen, cut, until=ends)
    return AtCut(
        cut=cut,
        below=float(np.mean(was)),
        days_below=spread_of(days, "d"),
        recovery=spread_of(day, "d", never=never, needed=was),
    )


def outcome_of(
    courses: Courses,
    *,
    cuts: Sequence[float],
    chances: Sequence[Chance] = (),
    until: float = inf,
    hold: float = inf,
) -> Outcome:
    """The outcome of simulated courses at the cuts asked for: the lowest count up to day `until`, and the recovery from
    it that lasts for `hold` days."""
    depth, when = nadir(courses, until=until)
    day, never, was = first_return(courses, courses.baseline, until=until)
    return Outcome(
        nadir=spread_of(depth, "10*9/L"),
        nadir_day=spread_of(when, "d"),
        cuts=tuple(at_cut(courses, cut, until=until, hold=hold) for cut in cuts),
        recovery_baseline=spread_of(day, "d", never=never, needed=was),
        chances=tuple(chances),
    )
