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
from leuko.forecast.quantiles import quantiles
from leuko.frozen import Frozen
from leuko.result.forecast import AtCut, Chance, Outcome, Spread

HOURS: Final = 24.0
LEVELS: Final = (0.025, 0.10, 0.25, 0.5, 0.75, 0.90, 0.975)
# Quantiles of fewer draws than this say more about the draws than about the person.
FEWEST: Final = 50
Rows = NDArray[np.intp]


class Courses(Frozen, frozen=True, kw_only=True):
    """Simulated courses: `days` (T,) from the start of the forecast, `counts` (T, N) [10*9/L], each draw's own baseline
    (N,) [10*9/L]."""

    days: Floats
    counts: Floats
    baseline: Floats

    def between(self, first: float, last: float) -> Courses:
        """The part from one day to another, both included."""
        inside = slice(np.searchsorted(self.days, first), np.searchsorted(self.days, last, side="right"))
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
    q = [float(value) for value in quantiles(told, LEVELS)]
    return Spread(unit=unit, median=q[3], inner=(q[2], q[4]), middle=(q[1], q[5]), outer=(q[0], q[6]), **shares)


def nadir(courses: Courses, *, until: float = inf) -> tuple[Floats, Floats]:
    """Depth [10*9/L] and day of the lowest count of each draw up to day `until`, both (N,)."""
    depth, row = _lowest(courses, until)
    return depth, courses.days[row]


def _lowest(courses: Courses, until: float) -> tuple[Floats, Rows]:
    """The lowest count (N,) up to day `until`, and its row (N,)."""
    seen = courses.counts[: np.searchsorted(courses.days, until, side="right")]
    depth: Floats = seen.min(axis=0)
    return depth, np.argmax(seen == depth, axis=0)


class _Turns(Frozen, frozen=True, kw_only=True):
    """Where draws cross a cut: the draw (E,), the row (E,) before, whether upwards (E,), and the day (E,), each draw's
    turns together and in time order; `begins` (N,) and `ends` (N,): whether a draw is below at either end."""

    draw: Rows
    row: Rows
    up: NDArray[np.bool_]
    day: Floats
    begins: NDArray[np.bool_]
    ends: NDArray[np.bool_]


def _turns(courses: Courses, cut: float) -> _Turns:
    """Few steps cross a cut: all that is asked of it is told by them. What is not a number lies below every cut, so
    that its days are no numbers either."""
    below = ~(courses.counts >= cut)
    row, draw = np.divmod(np.flatnonzero(below[1:] != below[:-1]), below.shape[1])
    order = np.argsort(draw, kind="stable")
    row, draw = row[order], draw[order]
    return _Turns(
        draw=draw,
        row=row,
        up=below[row, draw],
        day=_crossing(courses, cut, row, draw),
        begins=below[0],
        ends=below[-1],
    )


def _crossing(courses: Courses, cut: Floats | float, row: Rows, draw: Rows) -> Floats:
    """The day, between a row and the next, on which the logarithm of a draw's count goes through that of the cut; that
    of the row where it does not."""
    level = np.log(cut)
    start, stop = np.log(courses.counts[row, draw]) - level, np.log(courses.counts[row + 1, draw]) - level
    part = np.clip(-start / np.where(stop == start, 1.0, stop - start), 0.0, 1.0)
    day: Floats = courses.days[row] + part * (courses.days[row + 1] - courses.days[row])
    return day


def days_below(courses: Courses, cut: float) -> Floats:
    """Days (N,) that each draw spends below `cut`."""
    turns = _turns(courses, cut)
    return _spent(courses, turns, np.ones(turns.draw.shape, dtype=bool), turns.ends)


def _spent(courses: Courses, turns: _Turns, counted: NDArray[np.bool_], ends: NDArray[np.bool_]) -> Floats:
    """Days (N,) below the cut by the turns that are `counted`: from each way down, or the first day, to the next way
    up, or the last day where a draw `ends` below."""
    signed = np.where(turns.up, turns.day, -turns.day)[counted]
    between = np.bincount(turns.draw[counted], weights=signed, minlength=ends.size).astype(np.float64)
    found: Floats = between + courses.days[-1] * ends - courses.days[0] * turns.begins
    return found


def recovery(
    courses: Courses, cut: float, *, until: float = inf, hold: float = inf
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """When each draw is back at or above `cut` after its lowest count up to day `until`, and stays so for `hold` days
    (or to the end of the horizon): day (N,), not within the horizon (N,), was below by `until` (N,). The day says
    something only where a draw was below and is back."""
    depth, lowest = _lowest(courses, until)
    turns = _turns(courses, cut)
    at = _back(courses, turns, lowest, hold)
    never = at < 0
    return _day_of(turns, at), never, ~(depth >= cut)


def _back(courses: Courses, turns: _Turns, lowest: Rows, hold: float) -> Rows:
    """Which turn (N,) brings each draw back for `hold` days, the first after its lowest count; -1 where none does."""
    again = np.full(turns.draw.size, inf)  # the day of the next count below, where it falls again
    same = turns.draw[1:] == turns.draw[:-1]
    again[:-1][same] = courses.days[turns.row[1:][same] + 1]
    lasting = (again == inf) | (again > courses.days[turns.row + 1] + hold)
    ways = np.flatnonzero(turns.up & lasting & (turns.row >= lowest[turns.draw]))[::-1]
    found = np.full(lowest.size, -1, dtype=np.intp)
    found[turns.draw[ways]] = ways  # the last to be written is the first in time
    return found


def _day_of(turns: _Turns, at: Rows) -> Floats:
    """The day (N,) of one turn of each draw; 0 where it has none."""
    day = np.zeros(at.size)
    day[at >= 0] = turns.day[at[at >= 0]]
    return day


def first_return(
    courses: Courses, cut: Floats | float, *, until: float = inf
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """As `recovery`, for the first time after the nadir: a marrow that settles swings a little about its baseline."""
    return _first_return(courses, cut, _lowest(courses, until)[1])


def _first_return(
    courses: Courses, cut: Floats | float, lowest: Rows
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    was: NDArray[np.bool_] = ~(courses.counts.min(axis=0) >= cut)
    high = courses.counts >= cut
    high &= np.arange(high.shape[0])[:, None] > lowest
    first, draws = np.argmax(high, axis=0), np.arange(high.shape[1])
    never: NDArray[np.bool_] = ~high[first, draws]
    return _crossing(courses, cut, np.maximum(first, 1) - 1, draws), never, was


def at_cut(courses: Courses, cut: float, *, until: float = inf, hold: float = inf) -> AtCut:
    """Everything that is asked at one cut; days below it count up to the recovery."""
    return _at_cut(courses, cut, _lowest(courses, until), hold)


def _at_cut(courses: Courses, cut: float, low: tuple[Floats, Rows], hold: float) -> AtCut:
    """The same with the lowest count that a recovery is from, and its row."""
    was = ~(low[0] >= cut)
    day, days, never = np.zeros(was.size), np.zeros(was.size), np.zeros(was.size, dtype=bool)
    some = np.flatnonzero(was)  # nothing is asked of draws that do not fall below in time
    if some.size:
        fallen = Courses(days=courses.days, counts=courses.counts[:, some], baseline=courses.baseline[some])
        turns = _turns(fallen, cut)
        at = _back(fallen, turns, low[1][some], hold)
        day[some], never[some] = _day_of(turns, at), at < 0
        counted = (at < 0)[turns.draw] | (np.arange(turns.draw.size) <= at[turns.draw])
        days[some] = _spent(fallen, turns, counted, turns.ends & (at < 0))
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
    depth, row = low = _lowest(courses, until)
    day, never, was = _first_return(courses, courses.baseline, row)
    return Outcome(
        nadir=spread_of(depth, "10*9/L"),
        nadir_day=spread_of(courses.days[row], "d"),
        cuts=tuple(_at_cut(courses, cut, low, hold) for cut in cuts),
        recovery_baseline=spread_of(day, "d", never=never, needed=was),
        chances=tuple(chances),
    )
