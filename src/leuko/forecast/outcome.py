"""What is asked of simulated courses: nadir, days below a cut, recovery; as distributions over the draws.

Courses are (T, N): rows are times, columns equally likely draws. Between two times the logarithm of the count is
taken to run straight, as in an exponential fall or rise.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.model import Floats
from leuko.frozen import Frozen
from leuko.result.forecast import AtCut, Chance, Outcome, Spread

HOURS: Final = 24.0
LEVELS: Final = (0.025, 0.10, 0.25, 0.5, 0.75, 0.90, 0.975)
# Quantiles of fewer draws than this say more about the draws than about the person.
FEWEST: Final = 50


class Courses(Frozen, frozen=True, kw_only=True):
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
    return _days_below(courses.days, np.log(courses.counts) - np.log(cut), until)


def _days_below(days: Floats, height: Floats, until: Floats | float) -> Floats:
    """The same from the height (T, N) of the logarithm of the counts over that of the cut."""
    below = height < 0
    share = (below[:-1] & below[1:]).astype(np.float64)
    strange = np.isnan(height)
    at = np.nonzero((below[:-1] != below[1:]) | strange[:-1] | strange[1:])  # the steps that cross the cut: few
    before, after = height[:-1][at], height[1:][at]
    low, high = np.minimum(before, after), np.maximum(before, after)
    share[at] = np.clip(-low / (high - low), 0.0, 1.0)
    length = np.diff(days)[:, None] * (days[:-1, None] < until)
    found: Floats = (share * length).sum(axis=0)
    return found


def recovery(
    courses: Courses, cut: Floats | float, *, until: float = inf, hold: float = inf
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """When each draw is back at or above `cut` after its lowest count up to day `until`, and stays so for `hold` days
    (or to the end of the horizon): day (N,), not within the horizon (N,), was below by `until` (N,)."""
    return _recovery(courses, np.log(courses.counts) - np.log(cut), until, hold)


def _recovery(
    courses: Courses, height: Floats, until: float, hold: float
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """The same from the height (T, N) of the logarithm of the counts over that of the cut."""
    below = height < 0
    was: NDArray[np.bool_] = np.asarray(below[courses.days <= until].any(axis=0))
    rows = np.arange(below.shape[0])[:, None]
    # the day of the next time below, at or after each row; never where there is none
    ahead = np.minimum.accumulate(np.where(below, courses.days[:, None], inf)[::-1], axis=0)[::-1]
    clear = (ahead > courses.days[:, None] + hold) | (ahead == inf)
    back = ~below & clear & (rows > _lowest(courses, until))
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
    return _first_return(courses, np.log(courses.counts) - np.log(cut), until)


def _first_return(
    courses: Courses, height: Floats, until: float
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    was: NDArray[np.bool_] = np.asarray((height < 0).any(axis=0))
    rows = np.arange(height.shape[0])[:, None]
    back = (height >= 0) & (rows > _lowest(courses, until))
    never: NDArray[np.bool_] = np.asarray(~back.any(axis=0))
    return _crossing(courses, height, np.maximum(np.argmax(back, axis=0), 1)), never, was


def nadir(courses: Courses, *, until: float = inf) -> tuple[Floats, Floats]:
    """Depth [10*9/L] and day of the lowest count of each draw up to day `until`, both (N,)."""
    at = _lowest(courses, until)
    return courses.counts[at, np.arange(courses.counts.shape[1])], courses.days[at]


def at_cut(courses: Courses, cut: float, *, until: float = inf, hold: float = inf, logs: Floats | None = None) -> AtCut:
    """Everything that is asked at one cut; days below it count up to the recovery. `logs` are the logarithms of the
    counts, where they are known already."""
    size = courses.counts.shape[1]
    day, days = np.zeros(size), np.zeros(size)
    never, was = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    some = np.flatnonzero((courses.counts < cut).any(axis=0))  # nothing is asked of draws that never fall below
    if some.size:
        fallen = Courses(days=courses.days, counts=courses.counts[:, some], baseline=courses.baseline[some])
        height = (np.log(courses.counts) if logs is None else logs)[:, some] - np.log(cut)
        day[some], never[some], was[some] = _recovery(fallen, height, until, hold)
        ends = np.where(never[some], inf, np.where(was[some], day[some], -inf))
        days[some] = _days_below(courses.days, height, ends)
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
    logs = np.log(courses.counts)
    day, never, was = _first_return(courses, logs - np.log(courses.baseline), until)
    return Outcome(
        nadir=spread_of(depth, "10*9/L"),
        nadir_day=spread_of(when, "d"),
        cuts=tuple(at_cut(courses, cut, until=until, hold=hold, logs=logs) for cut in cuts),
        recovery_baseline=spread_of(day, "d", never=never, needed=was),
        chances=tuple(chances),
    )
